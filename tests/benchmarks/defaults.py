"""Untuned estimators against untuned Ridge and LogisticRegression.

    python tests/benchmarks/defaults.py --data-home DIR [--set NAME=VALUE ...]

Prints a Markdown table: test RMSE, or test log loss and AUC, as means over the splits.
"""

import argparse
import ast
import json
import time
import warnings

import numpy as np
import tables
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

SETS = {
    "small": lambda home: list(tables.small_tables()),
    "digits": lambda home: list(tables.small_tables(["digits"])),
    "rare": lambda home: [tables.rare_levels()],
    "adult": lambda home: list(tables.adult(home)),
    "movielens": lambda home: [
        tables.movielens_100k(home),
        tables.movielens_100k(home, "classification"),
    ],
    "frappe": lambda home: [tables.frappe(home), tables.frappe(home, "classification")],
}


def models(task, options):
    """The estimators of a task, by column of the table."""
    if task == "regression":
        return {
            "constant": DummyRegressor(),
            "linear": Ridge(),
            "FM": _make(FMRegressor, options),
            "AFM": _make(AFMRegressor, options),
        }
    return {
        "constant": DummyClassifier(),
        "linear": LogisticRegression(),
        "FM": _make(FMClassifier, options),
        "AFM": _make(AFMClassifier, options),
    }


def _make(cls, options):
    names = cls().get_params()
    return cls(random_state=0).set_params(**{k: v for k, v in options.items() if k in names})


def evaluate(table, name, model):
    """Test figures of a model, a mean over the splits."""
    figures = []
    for train, test in table.splits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X_train, X_test = tables.encode(table, train, test)
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
    return {"table": table.name, "model": name} | mean


def main():
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--models", nargs="+", default=None)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", dest="options")
    parser.add_argument("--json", help="append each result as a line to this file")
    args = parser.parse_args()
    options = {}
    for option in args.options:
        key, value = option.split("=")
        try:
            options[key] = ast.literal_eval(value)
        except ValueError:
            options[key] = value
    print("| table | model | RMSE or log loss | std | AUC | epochs (best) | seconds |")
    print("|---|---|---|---|---|---|---|")
    for key in args.sets:
        for table in SETS[key](args.data_home):
            for name, model in models(table.task, options).items():
                if args.models and name not in args.models:
                    continue
                r = evaluate(table, name, model)
                auc = "" if np.isnan(r["AUC"]) else f"{r['AUC']:.4f}"
                print(
                    f"| {r['table']} | {name} | {r['loss']:.4f} | {r['std']:.4f} | {auc} "
                    f"| {r['epochs']:.0f} ({r['best']:.0f}) | {r['seconds']:.1f} |",
                    flush=True,
                )
                if args.json:
                    with open(args.json, "a") as file:
                        file.write(json.dumps(r | {"options": options}) + "\n")


if __name__ == "__main__":
    main()
