"""Rows of different lengths: the loss with `row_scaling="pairs"` and with the paper's formula.

It is a table of docs/guide/parameters.md, "Rows of different lengths".
"""

import warnings

import frames
import numpy as np
from data_sets import encoded_fold
from markdown import markdown
from results import say
from scipy import sparse
from sklearn.metrics import log_loss, root_mean_squared_error

from sklearn_afm import AFMClassifier, AFMRegressor
from sklearn_afm.datasets import fetch_movielens_100k

# Share of the entries that "with gaps" leaves out of training and test rows.
GAPS = 0.25


def add_options(parser):
    """Options of this table."""
    parser.add_argument("--folds", type=int, default=3, help="how many random splits")
    parser.add_argument("--data", nargs="+", default=["movielens", "adult"])


def quick(folder):
    """Command lines of a smoke run."""
    yield ["--data", "made_clicks", "--folds", "1"]


def tables(options):
    """Title, task, and for each split the rows and targets of training and test."""
    for name in options.data:
        if name == "movielens":
            ratings = fetch_movielens_100k(data_home=options.data_home)
            splits = random_splits(ratings.data, ratings.target, options.folds)
            yield "MovieLens 100K, each genre an entry", AFMRegressor, splits
        else:
            table = frames.load(name, options.data_home)
            folds = [encoded_fold(table, fold) for fold in range(options.folds)]
            yield table.name, AFMClassifier, folds
            yield f"{table.name}, with gaps", AFMClassifier, [gappy(*fold) for fold in folds]


def random_splits(X, y, n_splits):
    """Four fifths of the rows for training, the others for test."""
    for seed in range(n_splits):
        order = np.random.default_rng(seed).permutation(len(y))
        test, train = np.split(order, [len(y) // 5])
        yield X[train], y[train], X[test], y[test]


def gappy(X_train, y_train, X_test, y_test):
    """The same rows without a random part of their entries."""
    rng = np.random.default_rng(0)
    parts = []
    for X in (X_train, X_test):
        X = sparse.csr_array(X).copy()
        X.data[rng.random(X.nnz) < GAPS] = 0
        X.eliminate_zeros()
        parts.append(X)
    return parts[0], y_train, parts[1], y_test


def measure(options, results):
    """Fit both on every split."""
    for title, Estimator, splits in tables(options):
        for number, (X_train, y_train, X_test, y_test) in enumerate(splits):
            for scaling in ("pairs", None):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of levels that no training row has
                    model = Estimator(row_scaling=scaling, random_state=0).fit(X_train, y_train)
                    if Estimator is AFMRegressor:
                        loss = root_mean_squared_error(y_test, model.predict(X_test))
                    else:
                        loss = log_loss(y_test, model.predict_proba(X_test)[:, 1])
                line = {"table": title, "fold": number, "row_scaling": str(scaling), "loss": loss}
                results.add(line)
                say(f"{title}, {number}, {scaling}: {loss:.4f}")


def report(lines, options):
    """A row per table: mean losses, and their difference with its standard error."""
    rows = []
    for title in dict.fromkeys(line["table"] for line in lines):
        losses = {
            scaling: np.array(
                [
                    line["loss"]
                    for line in lines
                    if (line["table"], line["row_scaling"]) == (title, scaling)
                ]
            )
            for scaling in ("pairs", "None")
        }
        difference = losses["None"] - losses["pairs"]
        error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else np.nan
        means = [f"{losses[scaling].mean():.4f}" for scaling in ("pairs", "None")]
        rows.append([title, *means, f"{difference.mean():+.4f} ({error:.4f})"])
    heads = ["table", '"pairs"', "None", "difference (standard error)"]
    return markdown(heads, rows)
