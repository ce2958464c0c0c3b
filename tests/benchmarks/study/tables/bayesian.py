"""Loss and seconds of the Bayesian FM, by its settings, beside FM and AFM: all untuned.

These are the tables of docs/guide/bayesian.md. The data set fold_3 is the official fold 3 of
MovieLens 100K, with users and items only: its test rows are lines 40,001 to 60,000 of u.data. The
others are the first folds of docs/study.md.
"""

import time
import warnings
from itertools import product

import frames
import numpy as np
from data_sets import consecutive_folds, encoded_fold
from markdown import markdown, number
from results import say
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.metrics import log_loss, root_mean_squared_error

from sklearn_afm import (
    AFMClassifier,
    AFMRegressor,
    BayesianFMClassifier,
    BayesianFMRegressor,
    FMClassifier,
    FMRegressor,
)
from sklearn_afm.datasets import fetch_movielens_100k

DEVIATION = 1.645  # 90% of a normal distribution lie within so many
BAYESIAN = (BayesianFMRegressor, BayesianFMClassifier)
MODELS = {  # regressor and classifier, parameters
    "FM": ((FMRegressor, FMClassifier), {}),
    "AFM": ((AFMRegressor, AFMClassifier), {}),
    "Bayesian FM": (BAYESIAN, {}),
    "fields=None": (BAYESIAN, {"fields": None}),
    "n_draws=400": (BAYESIAN, {"n_draws": 400}),
    "n_draws=100": (BAYESIAN, {"n_draws": 100}),
    "n_draws=30": (BAYESIAN, {"n_draws": 30}),
    "max_iter=200": (BAYESIAN, {"max_iter": 200}),
    "max_iter=1000": (BAYESIAN, {"max_iter": 1000}),
    "embedding_dim=5": (BAYESIAN, {"embedding_dim": 5}),
    "embedding_dim=16": (BAYESIAN, {"embedding_dim": 16}),
}


def add_options(parser):
    """Add the options of this table."""
    choices = ["fold_3", *frames.LOADERS, *frames.MADE]
    parser.add_argument("--data", nargs="+", default=["fold_3"], choices=choices)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", *frames.MADE, "--seeds", "1", "--models", "FM", "Bayesian FM", "n_draws=30"]


def fold_3(data_home):
    """Return training rows, their targets, test rows and their targets."""
    ratings = fetch_movielens_100k(data_home=data_home, download_if_missing=False)
    X = ratings.data
    X = sparse.hstack([X[:, ratings.fields[name]] for name in ("user", "item")], format="csr")
    train, test = consecutive_folds(ratings.target)[2]
    return X[train], ratings.target[train], X[test], ratings.target[test]


def measure(options, results):
    """Fit every model with every seed on each data set."""
    for data in options.data:
        if data == "fold_3":
            title, task, fold = "MovieLens 100K, fold 3", "regression", fold_3(options.data_home)
        else:
            table = frames.load(data, options.data_home)
            title, task, fold = table.name, table.task, encoded_fold(table, 0)
        for name, seed in product(options.models, range(options.seeds)):
            estimators, parameters = MODELS[name]
            model = estimators[task == "classification"](**parameters, random_state=seed)
            line = figures_of(model, *fold)
            results.add({"data": title, "model": name, "seed": seed} | line)
            say(f"{title}, {name}, seed {seed}: {line['loss']:.4f}")


def figures_of(model, X_train, y_train, X_test, y_test):
    """Return CPU seconds of a fit, the loss (RMSE or log loss), and what intervals cover."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about levels without a training row
        model.fit(X_train, y_train)
    line = {"seconds": time.process_time() - started}
    if is_classifier(model):
        return line | {"loss": log_loss(y_test, model.predict_proba(X_test)[:, 1])}
    if isinstance(model, BayesianFMRegressor):
        prediction, std = model.predict(X_test, return_std=True)
        line["inside"] = float(np.mean(np.abs(y_test - prediction) < DEVIATION * std))
    else:
        prediction = model.predict(X_test)
    return line | {"loss": root_mean_squared_error(y_test, prediction)}


def report(lines, options):
    """Report means over seeds, and the standard deviation of the loss."""
    rows = []
    for data, name in dict.fromkeys((line["data"], line["model"]) for line in lines):
        own = [line for line in lines if (line["data"], line["model"]) == (data, name)]
        loss, seconds = ([line[key] for line in own] for key in ("loss", "seconds"))
        inside = [line["inside"] for line in own if "inside" in line]
        share = f"{100 * np.mean(inside):.1f}%" if inside else ""
        cells = [number(np.mean(loss)), number(np.std(loss)), f"{np.mean(seconds):.0f}", share]
        rows.append([data, name, *cells])
    head = ["table", "model", "RMSE or log loss", "deviation over seeds", "CPU seconds"]
    return markdown([*head, "inside the 90% interval"], rows)
