"""RMSE and seconds of the Bayesian FM on the official fold 3 of MovieLens 100K, by users and items.

It is the table of docs/guide/bayesian.md. The test rows are lines 40,001 to 60,000 of u.data.
"""

import time

import frames
import numpy as np
from data_sets import encoded_fold
from markdown import markdown, number
from results import say
from scipy import sparse
from sklearn.metrics import root_mean_squared_error

from sklearn_afm import AFMRegressor, BayesianFMRegressor, FMRegressor
from sklearn_afm.datasets import fetch_movielens_100k

FOLD = slice(40_000, 60_000)
DEVIATION = 1.645  # 90% of a normal distribution lie within so many
MODELS = {
    "FMRegressor": (FMRegressor, {}),
    "AFMRegressor": (AFMRegressor, {}),
    "BayesianFMRegressor": (BayesianFMRegressor, {}),
    "`fields=None`": (BayesianFMRegressor, {"fields": None}),
    "`n_draws=400`, all": (BayesianFMRegressor, {"n_draws": 400}),
    "`n_draws=30`": (BayesianFMRegressor, {"n_draws": 30}),
    "`max_iter=200`": (BayesianFMRegressor, {"max_iter": 200}),
    "`max_iter=1000`": (BayesianFMRegressor, {"max_iter": 1000}),
    "`embedding_dim=5`": (BayesianFMRegressor, {"embedding_dim": 5}),
    "`embedding_dim=16`": (BayesianFMRegressor, {"embedding_dim": 16}),
}


def add_options(parser):
    """Add the options of this table."""
    parser.add_argument("--data", default="fold_3", choices=["fold_3", *frames.MADE])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", "made_ratings", "--seeds", "1", "--models", *list(MODELS)[2:4]]


def fold_3(data_home):
    """Return training rows, their targets, test rows and their targets."""
    ratings = fetch_movielens_100k(data_home=data_home, download_if_missing=False)
    X = ratings.data
    X = sparse.hstack([X[:, ratings.fields[name]] for name in ("user", "item")], format="csr")
    test = np.zeros(X.shape[0], dtype=bool)
    test[FOLD] = True
    return X[~test], ratings.target[~test], X[test], ratings.target[test]


def measure(options, results):
    """Fit every model with every seed."""
    if options.data == "fold_3":
        X_train, y_train, X_test, y_test = fold_3(options.data_home)
    else:
        table = frames.load(options.data, options.data_home)
        X_train, y_train, X_test, y_test = encoded_fold(table, 0)
    for name in options.models:
        Estimator, parameters = MODELS[name]
        for seed in range(options.seeds):
            started = time.process_time()
            model = Estimator(**parameters, random_state=seed).fit(X_train, y_train)
            line = {"model": name, "seed": seed, "seconds": time.process_time() - started}
            if Estimator is BayesianFMRegressor:
                prediction, std = model.predict(X_test, return_std=True)
                line["inside"] = float(np.mean(np.abs(y_test - prediction) < DEVIATION * std))
            else:
                prediction = model.predict(X_test)
            line["rmse"] = root_mean_squared_error(y_test, prediction)
            results.add(line)
            say(f"{name}, seed {seed}: {line['rmse']:.4f}")


def report(lines, options):
    """Report means over seeds, and the standard deviation of the RMSE."""
    rows = []
    for name in dict.fromkeys(line["model"] for line in lines):
        own = [line for line in lines if line["model"] == name]
        rmse, seconds = ([line[key] for line in own] for key in ("rmse", "seconds"))
        inside = [f"{100 * line['inside']:.0f}%" for line in own if "inside" in line][:1]
        cells = [number(np.mean(rmse)), number(np.std(rmse)), f"{np.mean(seconds):.0f}"]
        rows.append([name, *cells, *(inside or [""])])
    head = ["", "RMSE", "its deviation over seeds", "CPU seconds", "inside the 90% interval"]
    return markdown(head, rows)
