"""Untuned estimators beside untuned Ridge and LogisticRegression: the table of docs/defaults.md.

The figures are means over the splits: test RMSE, or test log loss and AUC.
"""

import ast
import time
import warnings

import data_sets
import frames
import numpy as np
from markdown import markdown, number
from results import say
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

SETS = {
    "small": lambda home: list(data_sets.small_tables()),
    "digits": lambda home: list(data_sets.small_tables(["digits"])),
    "rare": lambda home: [data_sets.rare_levels()],
    "adult": lambda home: list(data_sets.adult(home)),
    "movielens": lambda home: [
        data_sets.movielens_100k(home),
        data_sets.movielens_100k(home, "classification"),
    ],
    "frappe": lambda home: [data_sets.frappe(home), data_sets.frappe(home, "classification")],
}
MADE = {"made": lambda home: [frames.load(name, home) for name in frames.MADE]}
MODELS = ["constant", "linear", "FM", "AFM"]


def add_options(parser):
    """Add the options of this table."""
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=[*SETS, *MADE])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", dest="parameters")


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--sets", "made", "--set", "max_iter=5"]


def measure(options, results):
    """Evaluate each model on each data set."""
    parameters = dict(map(parse, options.parameters))
    for key in options.sets:
        for table in (SETS | MADE)[key](options.data_home):
            for name, model in models(table.task, parameters).items():
                if name in options.models:
                    line = evaluate(table, name, model) | {"options": parameters}
                    results.add(line)
                    say(f"{table.name}, {name}: {line['loss']:.4f} after {line['seconds']:.1f} s")


def parse(parameter):
    """Return name and value of NAME=VALUE. A value that is no Python literal is a string."""
    name, value = parameter.split("=")
    try:
        return name, ast.literal_eval(value)
    except ValueError:
        return name, value


def models(task, parameters):
    """Return the estimators of a task, by column of the report."""
    if task == "regression":
        return {
            "constant": DummyRegressor(),
            "linear": Ridge(),
            "FM": _make(FMRegressor, parameters),
            "AFM": _make(AFMRegressor, parameters),
        }
    return {
        "constant": DummyClassifier(),
        "linear": LogisticRegression(),
        "FM": _make(FMClassifier, parameters),
        "AFM": _make(AFMClassifier, parameters),
    }


def _make(cls, parameters):
    names = cls().get_params()
    return cls(random_state=0).set_params(**{k: v for k, v in parameters.items() if k in names})


def evaluate(table, name, model):
    """Measure a model on the test rows. Return means over the splits."""
    figures = []
    for train, test in table.splits["random"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X_train, X_test = data_sets.encode(table, train, test)
            started = time.perf_counter()
            model.fit(X_train, table.y[train])
        figure = {"seconds": time.perf_counter() - started}
        figure["epochs"] = len(getattr(model, "history_", ()))
        figure["best"] = getattr(model, "best_iter_", 0)
        y = table.y[test]
        if is_classifier(model):
            proba = model.predict_proba(X_test)
            figure["loss"] = log_loss(y, proba)
            figure["AUC"] = roc_auc_score(y, proba[:, 1]) if proba.shape[1] == 2 else np.nan
        else:
            figure["loss"] = root_mean_squared_error(y, model.predict(X_test))
            figure["AUC"] = np.nan
        figures.append(figure)
    mean = {key: float(np.mean([f[key] for f in figures])) for key in figures[0]}
    mean["std"] = float(np.std([f["loss"] for f in figures]))
    return {"table": table.name, "model": name, "task": table.task} | mean


def report(lines, options):
    """Report the page's table for each choice of parameters, and one row per model with seconds."""
    parts = []
    for parameters in _distinct(line["options"] for line in lines):
        chosen = [line for line in lines if line["options"] == parameters]
        title = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        parts += [f"With {title}:\n"] if title else []
        parts += [table_of_means(chosen), table_of_models(chosen)]
    return "\n".join(parts)


def _distinct(values):
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def table_of_means(lines):
    """Make a table of one row per data set, regression first."""
    by_table = {}
    for line in sorted(lines, key=lambda line: line.get("task") == "classification"):
        by_table.setdefault(line["table"], {})[line["model"]] = line
    rows = []
    for title, found in by_table.items():
        losses = [number(found.get(name, {}).get("loss")) for name in MODELS]
        areas = [number(found.get(name, {}).get("AUC")) for name in MODELS[1:]]
        deviation = number(found.get("linear", {}).get("std"))
        epochs = (
            f"{found['AFM']['epochs']:.0f} ({found['AFM']['best']:.0f})" if "AFM" in found else ""
        )
        rows.append([title, *losses, deviation, " / ".join(areas) if any(areas) else "", epochs])
    head = ["table", *MODELS, "std over splits (linear)", "AUC linear / FM / AFM"]
    return markdown([*head, "AFM's epochs (best)"], rows, rule="---")


def table_of_models(lines):
    """Make a table of one row per data set and model."""
    rows = []
    for r in lines:
        epochs = f"{r['epochs']:.0f} ({r['best']:.0f})"
        figures = [number(r["loss"]), number(r["std"]), number(r["AUC"]), epochs]
        rows.append([r["table"], r["model"], *figures, f"{r['seconds']:.1f}"])
    head = ["table", "model", "RMSE or log loss", "std", "AUC", "epochs (best)", "seconds"]
    return markdown(head, rows, rule="---")
