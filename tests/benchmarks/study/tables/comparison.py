"""FM and AFM beside linear models, boosted trees and an MLP: the results of docs/study.md.

The splits "random" are five folds. In "groups" the test rows are of other persons or things than
the training rows, and in "time" they are later. Not every data set has them (frames.py).
Results that FILE has already are skipped. Predictions are in a folder beside it, for the blends.
"""

import time
from pathlib import Path

import frames
import numpy as np
import torch
from figures import TITLES, Figures, draw
from fitting import blend, fit, measure_loss, predict, search
from markdown import markdown, number
from models import BLENDS, BOOSTINGS, CLASSES, installed, searched
from results import say

SPLITS = {  # with the title of their results
    "random": "Random folds",
    "groups": "New persons or aircraft",
    "time": "Later times",
}
SETTINGS = ["untuned", "tuned"]
MODELS = [*CLASSES, *BLENDS]
FAST_MODELS = ["linear", "FM", "AFM", "Bayesian FM", "HistGradientBoosting", "LightGBM"]
COMPARED = ["linear", "FM", "AFM", "Bayesian FM", "CatBoost"]
KEY = ("table", "splits", "setting", "model", "fold")  # they identify a result
SUMMARY = ["linear", "FM", "AFM", "LightGBM", "CatBoost"]
PARTS = {  # of the page, by the marks around them
    "summary": ("<!-- summary -->", "<!-- end of summary -->"),
    "results": ("<!-- results -->", "<!-- end of results -->"),
}
ALTERNATIVE_TEXT = "Test loss of each model divided by the linear model's loss, for ten tables"


def add_options(parser):
    """Add the options of this table."""
    tables = list(frames.LOADERS)
    choices = [*tables, *frames.MADE]
    parser.add_argument("--tables", nargs="+", default=tables, choices=choices)
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    kinds = list(SPLITS)
    parser.add_argument("--splits", nargs="+", default=kinds, choices=kinds)
    parser.add_argument("--settings", nargs="+", default=SETTINGS, choices=SETTINGS)
    parser.add_argument("--folds", type=int, default=5, help="how many folds of each table")
    parser.add_argument("--trials", type=int, default=8, help="settings tried in a search")
    parser.add_argument(
        "--search-once", action="store_true", help="search on the first fold only, for all folds"
    )
    parser.add_argument(
        "--page", type=Path, help="with --report: replace its results, and draw images/study.png"
    )


def quick(folder):
    """Yield the command lines of a smoke run: installed models, other splits, and two tuned."""
    models = [name for name in CLASSES if installed(name)]
    skipped = [name for name in CLASSES if name not in models]
    if skipped:
        say(f"comparison, skipped, not installed: {', '.join(skipped)}")
    blends = [name for name, parts in BLENDS.items() if set(parts) <= set(models)]
    page = folder / "study.md"
    page.write_text("".join(f"{start}\n{end}\n" for start, end in PARTS.values()))
    (folder / "images").mkdir()
    one_fold = ["--folds", "1", "--page", str(page)]
    untuned = ["--settings", "untuned", "--splits"]
    yield ["--tables", *frames.MADE, *untuned, "random", "--models", *models, *blends, *one_fold]
    others = [*untuned, "groups", "time", "--models", "linear", "FM"]
    yield ["--tables", "made_clicks", *others, *one_fold]
    tuned = ["--settings", "tuned", "--models", "linear", "AFM", "--trials", "2"]
    yield ["--tables", "made_clicks", *tuned, *one_fold]


# Measuring


def measure(options, results):
    """Run the jobs that FILE does not have yet."""
    missing = [name for name in CLASSES if name in options.models and not installed(name)]
    if missing:
        raise SystemExit(
            f"not installed: {', '.join(missing)}. Install them: pip install -e '.[study]'"
        )
    torch.set_num_threads(1)
    done = Done(results)
    order = [*frames.LOADERS, *frames.MADE]
    tables = {
        name: frames.load(name, options.data_home)
        for name in sorted(options.tables, key=order.index)
    }
    jobs = [job for job in make_jobs(tables, options) if job not in done.lines]
    seconds = {}
    for position, job in enumerate(jobs):
        table = tables[job[0]]
        started = time.perf_counter()
        line, prediction = run_job(table, job, done, options.trials, options.search_once)
        done.add(job, describe(table) | line, prediction)
        seconds.setdefault(job[:-1], []).append(time.perf_counter() - started)
        left = seconds_left(jobs[position + 1 :], seconds) / 60
        say(
            f"{position + 1}/{len(jobs)}, {left:.0f} min left: {' '.join(map(str, job))}: "
            f"{line['loss']:.4f} after {seconds[job[:-1]][-1]:.1f} s"
        )


def make_jobs(tables, options):
    """Return (table, splits, setting, model, fold) of all that is asked for, in their order.

    Searches hold out random rows. Therefore only random folds have tuned models.
    """
    return [
        (name, splits, setting, model, fold)
        for name, table in tables.items()
        for splits in SPLITS
        if splits in options.splits
        for setting in SETTINGS
        if setting in options.settings and (setting == "untuned" or splits == "random")
        for fold in range(min(options.folds, len(table.splits.get(splits, []))))
        for model in options.models
        if setting == "untuned" or searched(model)
    ]


class Done:
    """Results by KEY, and predictions in a folder beside their file."""

    def __init__(self, results):
        self.results = results
        self.folder = results.path.with_suffix(".predictions")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lines = {}
        for line in results.lines:
            line = {"splits": "random"} | line  # old results have none
            self.lines[tuple(line[name] for name in KEY)] = line

    def add(self, key, line, prediction):
        """Store the result of a job. The line is written last, because it marks the job as done."""
        np.save(self._prediction_path(key), prediction)
        self.lines[key] = dict(zip(KEY, key)) | line
        self.results.add(self.lines[key])

    def prediction(self, key):
        """Load the predictions of a job that is done."""
        return np.load(self._prediction_path(key))

    def _prediction_path(self, key):
        return self.folder / ("-".join(map(str, key)).replace(" ", "") + ".npy")


def run_job(table, key, done, trials, search_once):
    """Fit one model on one fold. Measure its times and its loss."""
    name, splits, setting, model_name, fold = key
    train, test = table.splits[splits][fold]
    if model_name in BLENDS:
        parts = [(name, splits, setting, part, fold) for part in BLENDS[model_name]]
        prediction = blend(table, [done.prediction(part) for part in parts])
        return measure_loss(table, test, prediction), prediction
    line = {}
    parameters = {}
    if setting == "tuned":
        first = done.lines.get((name, splits, setting, model_name, 0))
        if search_once and first:
            parameters = first["parameters"]
        else:
            line = search(table, model_name, train, trials)
            parameters = line["parameters"]
    model, fit_seconds = fit(table, model_name, parameters, train)
    started = time.process_time()
    prediction = predict(model, table, test)
    predict_seconds = time.process_time() - started
    line |= {"parameters": parameters, "fit_seconds": fit_seconds}
    line |= {"predict_seconds": predict_seconds}
    return line | measure_loss(table, test, prediction), prediction


def describe(table):
    """Return what the report says about a data set."""
    categories = frames.is_category(table.X)
    levels = [int(table.X[column].nunique()) for column in table.X.columns[categories]]
    return {
        "task": table.task,
        "title": table.name,
        "n_rows": len(table.y),
        "levels": levels,
        "n_real": int((~categories).sum()),
    }


def seconds_left(jobs, seconds):
    """Estimate the time of jobs: as on other folds, or else the mean of all jobs."""
    if not seconds:
        return 0.0
    mean = np.mean([value for values in seconds.values() for value in values])
    return sum(np.mean(seconds.get(job[:-1], mean)) for job in jobs)


# Reporting


def facts_table(figures):
    """Make a table that describes the data sets."""
    rows = []
    for facts in figures.facts.values():
        measure = {"classification": "log loss", "regression": "RMSE"}[facts["task"]]
        levels = ", ".join(f"{n:,}" for n in sorted(facts["levels"], reverse=True)[:3])
        cells = [f"{facts['n_rows']:,}", str(len(facts["levels"])), levels, str(facts["n_real"])]
        rows.append([facts["title"], measure, *cells])
    head = ["table", "measure", "rows", "categorical columns", "largest numbers of levels"]
    return markdown([*head, "real-valued columns"], rows)


def scores_table(figures, key):
    """Make a table of means over folds, the best in bold, and of AFM's standard deviation."""
    better = max if key == "auc" else min
    rows = []
    for table in figures.tables:
        means = [figures.mean(table, model, key) for model in figures.models]
        if np.isnan(means).all():
            continue
        best = better(value for value in means if not np.isnan(value))
        cells = [number(value, value == best) for value in means]
        folds = figures.folds(table)
        afm = figures.of(table, "AFM", key)
        deviation = f"{afm.std():.4f}" if len(afm) > 1 else ""
        rows.append([figures.facts[table]["title"], str(len(folds)), *cells, deviation])
    titles = [TITLES.get(model, model) for model in figures.models]
    return markdown(["table", "folds", *titles, "AFM's standard deviation over folds"], rows)


def standing_table(figures):
    """Make a table of paired differences of losses to CatBoost and the linear model."""
    rows = []
    for table in figures.tables:
        pairs = [(better(figures, table), "CatBoost"), ("FM", "linear"), ("AFM", "linear")]
        cells = [standing(figures, table, *pair) for pair in pairs]
        rows.append([figures.facts[table]["title"], len(figures.folds(table)), *cells])
    head = ["table", "folds", "better of FM and AFM - CatBoost", "FM - linear", "AFM - linear"]
    return markdown(head, rows)


def better(figures, table):
    """Return which of FM and AFM has the smaller mean loss."""
    means = {model: figures.mean(table, model, "loss") for model in ("FM", "AFM")}
    return min(means, key=lambda model: np.nan_to_num(means[model], nan=np.inf))


def standing(figures, table, model, other):
    """Format the mean difference of two losses over folds, its standard error, and who is ahead."""
    losses, others = (figures.of(table, name, "loss") for name in (model, other))
    if not (len(losses) and len(others)):
        return ""
    difference = losses - others
    mean = difference.mean()
    if len(difference) == 1:
        return f"{mean:+.4f}"
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    word = "level" if abs(mean) <= error else "ahead" if mean < 0 else "behind"
    return f"{mean:+.4f} ({error:.4f}), {word}"


def blend_table(figures):
    """Make a table of the losses of AFM, the boosting with the best mean loss, and their blend."""
    rows = []
    for table in figures.tables:
        losses = {model: figures.mean(table, model, "loss") for model in BOOSTINGS}
        losses = {model: value for model, value in losses.items() if not np.isnan(value)}
        best = min(losses, key=losses.get, default=None)
        blend = figures.mean(table, f"AFM + {best}", "loss")
        if np.isnan(blend):
            continue
        afm = figures.mean(table, "AFM", "loss")
        gain = 100 * (1 - blend / min(afm, losses[best]))
        cells = [number(value) for value in (afm, losses[best], blend)]
        rows.append([figures.facts[table]["title"], best, *cells, f"{gain:.1f}%"])
    head = ["table", "best boosting", "AFM", "boosting", "blend"]
    return markdown([*head, "improvement over the better one"], rows)


def seconds_table(figures):
    """Make a table of CPU seconds for a fit and for predicting a fold, as medians over folds."""
    rows = []
    for table in figures.tables:
        cells = []
        for model in figures.models:
            fit = figures.of(table, model, "fit_seconds")
            predict = figures.of(table, model, "predict_seconds")
            measured = len(fit) > 0
            cells.append(f"{np.median(fit):.1f} / {np.median(predict):.2f}" if measured else "")
        rows.append([figures.facts[table]["title"], *cells])
    return markdown(["table", *(TITLES.get(model, model) for model in figures.models)], rows)


def loss_tables(lines, splits, setting):
    """Make the table of losses, and of who is ahead, folded below the kind of the splits."""
    figures = Figures(lines, splits, setting)
    if not figures.tables:
        return []
    return folded(
        f"{SPLITS[splits]}, {setting}",
        "Test loss. Less is better:\n",
        scores_table(figures, "loss"),
        "Mean differences of losses on the folds that linear model, FM, AFM, Bayesian FM and "
        "CatBoost have, and their standard errors over folds. A difference within one standard "
        "error is level:\n",
        standing_table(Figures(lines, splits, setting, COMPARED)),
    )


def folded(title, *parts):
    """Make a part of the page that opens on a click."""
    return [f":::{{dropdown}} {title}\n", *parts, ":::\n"]


def summary_table(figures):
    """Make the compact table: mean losses of five models, and who is ahead of CatBoost."""
    rows = []
    for table in figures.tables:
        means = [figures.mean(table, model, "loss") for model in figures.models]
        cells = [number(mean, mean == np.nanmin(means)) for mean in means]
        word = standing(figures, table, better(figures, table), "CatBoost").rpartition(", ")[2]
        rows.append([figures.facts[table]["title"], *cells, word])
    return markdown(["table", *figures.models, "FM or AFM beside CatBoost"], rows)


def report(lines, options):
    """Report the parts of the page between the marks. If a page is given, replace them there."""
    untuned = Figures(lines, "random", "untuned")
    texts = {
        "summary": "\n".join(
            [
                f"![{ALTERNATIVE_TEXT}](images/study.png)\n",
                summary_table(Figures(lines, "random", "untuned", SUMMARY)),
            ]
        ),
        "results": "\n".join([*untuned_results(lines, untuned), *tuned_results(lines)]),
    }
    if options.page:
        page = options.page.read_text()
        for part, (start, end) in PARTS.items():
            page = f"{page.split(start)[0]}{start}\n\n{texts[part]}\n{end}{page.split(end)[1]}"
        options.page.write_text(page)
        draw(untuned, options.page.parent / "images" / "study.png")
    return "\n".join(texts.values())


def untuned_results(lines, figures):
    """Make all tables of untuned models."""
    every_fold = scores_table(Figures(lines, "random", "untuned", FAST_MODELS), "loss")
    blends = "A blend is the mean of two models' predictions, in classification of their logits:\n"
    return [
        *folded("The tables", facts_table(figures)),
        *loss_tables(lines, "random", "untuned"),
        *folded("Random folds, untuned, without CatBoost: all folds of the others", every_fold),
        *folded("Area under the ROC curve. More is better", scores_table(figures, "auc")),
        *folded("AFM blended with boosted trees", blends, blend_table(figures)),
        *folded("CPU seconds", "For a fit / for predicting a fold, medians over folds:\n",
                seconds_table(figures)),
        *loss_tables(lines, "groups", "untuned"),
        *loss_tables(lines, "time", "untuned"),
    ]  # fmt: skip


def tuned_results(lines):
    """Make the tables of tuned models, if there are any."""
    fast = Figures(lines, "random", "tuned", FAST_MODELS)
    if not fast.tables:
        return []
    return [
        *loss_tables(lines, "random", "tuned"),
        *folded("Random folds, tuned, without MLP and CatBoost", scores_table(fast, "loss")),
        *folded("AFM blended with boosted trees, both tuned", blend_table(fast)),
    ]
