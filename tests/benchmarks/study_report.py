"""The tables and the picture of the study, from its results.

    python tests/benchmarks/study_report.py FILE

Replaces what stands between the marks in docs/study.md, and draws docs/images/study.png.
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np

from sklearn_afm.experiments._tables import markdown

DOCS = Path(__file__).parents[2] / "docs"
START, END = "<!-- results -->", "<!-- end of results -->"
BOOSTINGS = ["HistGradientBoosting", "LightGBM", "CatBoost"]
MODELS = ["linear", "FM", "AFM", "MLP", *BOOSTINGS]
FAST_MODELS = ["linear", "FM", "AFM", "HistGradientBoosting", "LightGBM"]
TITLES = {"HistGradientBoosting": "HGB"}


class Results:
    """Figures of a setting by table and model, on the folds that all its models have."""

    def __init__(self, lines, setting, models=MODELS):
        self.models = models
        self.lines = {}
        self.facts = {}
        names = [*models, *(f"AFM + {name}" for name in BOOSTINGS if name in models)]
        for line in lines:
            if line["setting"] == setting and line["model"] in names:
                self.lines[line["table"], line["model"], line["fold"]] = line
                self.facts[line["table"]] = line
        self.tables = list(self.facts)

    def folds(self, table):
        """Folds that every model with a result on this table has."""
        by_model = {}
        for name, model, fold in self.lines:
            if name == table:
                by_model.setdefault(model, set()).add(fold)
        return sorted(set.intersection(*by_model.values()))

    def figures(self, table, model, key):
        """A figure on each fold; none where it was not measured."""
        lines = [self.lines.get((table, model, fold), {}) for fold in self.folds(table)]
        return np.array([line[key] for line in lines if key in line])

    def mean(self, table, model, key):
        """Mean over the folds, or NaN."""
        figures = self.figures(table, model, key)
        return figures.mean() if len(figures) else np.nan


def facts_table(results):
    """What the tables are."""
    rows = []
    for facts in results.facts.values():
        measure = {"classification": "log loss", "regression": "RMSE"}[facts["task"]]
        levels = ", ".join(f"{n:,}" for n in sorted(facts["levels"], reverse=True)[:3])
        cells = [f"{facts['n_rows']:,}", str(len(facts["levels"])), levels, str(facts["n_real"])]
        rows.append([facts["title"], measure, *cells])
    head = ["table", "measure", "rows", "columns of categories", "most levels", "real values"]
    return markdown(head, rows)


def scores_table(results, key):
    """Means over the folds of each model, the best one bold, and the deviation of AFM's."""
    better = max if key == "auc" else min
    rows = []
    for table in results.tables:
        means = [results.mean(table, model, key) for model in results.models]
        if np.isnan(means).all():
            continue
        best = better(value for value in means if not np.isnan(value))
        cells = [_number(value, value == best) for value in means]
        folds = results.folds(table)
        deviation = f"{results.figures(table, 'AFM', key).std():.4f}" if len(folds) > 1 else ""
        rows.append([results.facts[table]["title"], str(len(folds)), *cells, deviation])
    titles = [TITLES.get(model, model) for model in results.models]
    return markdown(["table", "folds", *titles, "AFM's deviation"], rows)


def _number(value, bold=False):
    if np.isnan(value):
        return ""
    return f"**{value:.4f}**" if bold else f"{value:.4f}"


def blend_table(results):
    """AFM, the best boosting by its mean, and the mean of both."""
    rows = []
    for table in results.tables:
        losses = {model: results.mean(table, model, "loss") for model in BOOSTINGS}
        losses = {model: value for model, value in losses.items() if not np.isnan(value)}
        if not losses:
            continue
        best = min(losses, key=losses.get)
        blend = results.figures(table, f"AFM + {best}", "loss")
        afm = results.mean(table, "AFM", "loss")
        gain = 100 * (1 - blend.mean() / min(afm, losses[best]))
        cells = [_number(value) for value in (afm, losses[best], blend.mean())]
        rows.append([results.facts[table]["title"], best, *cells, f"{gain:.1f}%"])
    head = ["table", "boosting", "AFM", "boosting alone", "blend", "less loss than the better one"]
    return markdown(head, rows)


def seconds_table(results):
    """CPU seconds of fits, and of predicting a fold, as medians over the folds."""
    rows = []
    for table in results.tables:
        cells = []
        for model in MODELS:
            fit = results.figures(table, model, "fit_seconds")
            predict = results.figures(table, model, "predict_seconds")
            measured = len(fit) > 0
            cells.append(f"{np.median(fit):.1f} / {np.median(predict):.2f}" if measured else "")
        rows.append([results.facts[table]["title"], *cells])
    return markdown(["table", *(TITLES.get(model, model) for model in MODELS)], rows)


def draw(results, path):
    """Each model's loss over that of the linear model, by table."""
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(results.tables) + 1.4), layout="constrained")
    markers = dict(zip(MODELS, ["|", "o", "D", "x", "s", "^", "v"]))
    for model in MODELS[1:]:
        ratios = [
            results.mean(table, model, "loss") / results.mean(table, "linear", "loss")
            for table in results.tables
        ]
        size = 70 if model == "AFM" else 35
        label = TITLES.get(model, model)
        axes.scatter(ratios, range(len(ratios)), size, label=label, marker=markers[model])
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_yticks(range(len(results.tables)), [results.facts[t]["title"] for t in results.tables])
    axes.invert_yaxis()
    axes.grid(axis="y", alpha=0.3)
    axes.set_xlabel("loss over that of the linear model (left is better)")
    axes.legend(ncols=6, loc="lower center", bbox_to_anchor=(0.45, 1.0), frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def report(lines):
    """The part of the page between the marks."""
    untuned, tuned = Results(lines, "untuned"), Results(lines, "tuned")
    fast_untuned, fast_tuned = (Results(lines, name, FAST_MODELS) for name in ("untuned", "tuned"))
    every_fold = "Without MLP and CatBoost, on every fold that the others have:\n"
    parts = [
        facts_table(untuned),
        "## Untuned\n\nTest loss, less is better:\n",
        scores_table(untuned, "loss"),
        "![Loss of each model over that of the linear model, by table](images/study.png)\n",
        every_fold,
        scores_table(fast_untuned, "loss"),
        "Area under the ROC curve, more is better:\n",
        scores_table(untuned, "auc"),
        "A blend is the mean of predictions, of logits in classification:\n",
        blend_table(untuned),
        "CPU seconds of a fit / of predicting a fold, medians over folds:\n",
        seconds_table(untuned),
    ]
    if tuned.tables:
        parts += [
            "## Tuned\n\nTest loss, less is better:\n",
            scores_table(tuned, "loss"),
            every_fold,
            scores_table(fast_tuned, "loss"),
            blend_table(fast_tuned),
        ]
    return "\n".join(parts)


def main():
    """Write the page's results and its picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="what study.py wrote")
    args = parser.parse_args()
    lines = [json.loads(line) for line in args.file.read_text().splitlines()]
    page = DOCS / "study.md"
    text = page.read_text()
    before, after = text.split(START)[0], text.split(END)[1]
    page.write_text(f"{before}{START}\n\n{report(lines)}\n{END}{after}")
    draw(Results(lines, "untuned"), DOCS / "images" / "study.png")


if __name__ == "__main__":
    main()
