"""The comparison's figures by data set and model, and their picture."""

import matplotlib as mpl
import numpy as np
from models import BLENDS, CLASSES

TITLES = {"HistGradientBoosting": "HGB"}
SIZES = {"AFM": 90, "FM": 14}  # FM is inside of AFM where they are equal


class Figures:
    """Figures of one kind of splits and setting by table and model, on the folds of all models."""

    def __init__(self, lines, splits, setting, models=tuple(CLASSES)):
        self.lines = {}
        self.facts = {}
        names = [*models, *(name for name, parts in BLENDS.items() if parts[1] in models)]
        for line in lines:
            kind = (line.get("splits", "random"), line["setting"])  # old results have no splits
            if kind == (splits, setting) and line["model"] in names:
                self.lines[line["table"], line["model"], line["fold"]] = line
                self.facts[line["table"]] = line
        self.tables = list(self.facts)
        measured = {model for _, model, _ in self.lines}
        self.models = [model for model in models if model in measured]

    def folds(self, table):
        """Return the folds that every model with a result on this table has."""
        by_model = {}
        for name, model, fold in self.lines:
            if name == table:
                by_model.setdefault(model, set()).add(fold)
        return sorted(set.intersection(*by_model.values()))

    def of(self, table, model, key):
        """Return a figure on each fold. Folds without it are left out."""
        lines = [self.lines.get((table, model, fold), {}) for fold in self.folds(table)]
        return np.array([line[key] for line in lines if key in line])

    def mean(self, table, model, key):
        """Return the mean over the folds, or NaN if there are none."""
        figures = self.of(table, model, key)
        return figures.mean() if len(figures) else np.nan


def draw(figures, path):
    """Draw each model's loss divided by the linear model's loss, by table."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 0.36 * len(figures.tables) + 1.3), layout="constrained")
    markers = dict(zip(CLASSES, ["|", "o", "D", "P", "x", "s", "^", "v"]))
    for model in figures.models:
        if model == "linear":
            continue
        ratios = [
            figures.mean(table, model, "loss") / figures.mean(table, "linear", "loss")
            for table in figures.tables
        ]
        size = SIZES.get(model, 35)
        label = TITLES.get(model, model)
        axes.scatter(
            ratios, range(len(ratios)), size, label=label, marker=markers[model], zorder=100 / size
        )
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_yticks(range(len(figures.tables)), [figures.facts[t]["title"] for t in figures.tables])
    axes.invert_yaxis()
    axes.grid(axis="y", alpha=0.3)
    axes.set_xlabel("loss / loss of the linear model (left is better)")
    axes.legend(ncols=7, loc="lower center", bbox_to_anchor=(0.45, 1.0), frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
