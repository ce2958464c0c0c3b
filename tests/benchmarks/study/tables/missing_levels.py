"""Log loss of rows that lack a column, because no training row has their level.

FM and AFM are trained for 40 epochs. It is a table of docs/study.md, "Where it loses, and why".
"""

import warnings

import frames
import numpy as np
from data_sets import encoded_fold
from markdown import markdown, number
from results import say
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from sklearn_afm import AFMClassifier, FMClassifier

FOLD = 1
EPOCHS = {"early_stopping": False, "max_iter": 40, "random_state": 0}


def add_options(parser):
    """Add the options of this table."""
    frames.add_option(parser, default="doctor_visits")


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", "made_clicks"]


def measure(options, results):
    """Measure the log loss of complete rows and of others, with and without the factor.

    The factor is the number of pairs of the row / `median_pairs_`.
    """
    X_train, y_train, X_test, y_test = encoded_fold(
        frames.load(options.data, options.data_home), FOLD
    )
    length = np.diff(X_test.indptr)
    complete = length == length.max()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linear = LogisticRegression(max_iter=1000).fit(X_train, y_train)
        fm = FMClassifier(**EPOCHS).fit(X_train, y_train)
        afm = AFMClassifier(freeze=("attention", "projection"), **EPOCHS).fit(X_train, y_train)
    prediction = afm.predict_proba(X_test)[:, 1]
    of_the_paper = afm.set_params(row_scaling=None).predict_proba(X_test)[:, 1]
    predictions = {
        "LogisticRegression": linear.predict_proba(X_test)[:, 1],
        "FM": fm.predict_proba(X_test)[:, 1],
        "AFM, uniform attention, without the factor": of_the_paper,
        "AFM, uniform attention": prediction,
    }
    for name, p in predictions.items():
        for title, rows in (("complete", complete), ("others", ~complete)):
            loss = log_loss(y_test[rows], p[rows], labels=[0, 1])
            results.add({"model": name, "rows": title, "n_rows": int(rows.sum()), "loss": loss})
            say(f"{name}, {title}: {loss:.4f}")


def report(lines, options):
    """Report one row per model: the loss of complete rows, and of rows that lack a column."""
    losses = {(line["model"], line["rows"]): line["loss"] for line in lines}
    names = dict.fromkeys(name for name, _ in losses)
    rows = [[name, *(number(losses[name, title]) for title in ("complete", "others"))]
            for name in names]  # fmt: skip
    return markdown(["", "complete rows", "rows without the person"], rows)
