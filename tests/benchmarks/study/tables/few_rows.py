"""Log loss by fold and attention rate, on a data set with few rows per level.

It is a table of docs/study.md, "Where it loses, and why".
"""

import warnings

import frames
from data_sets import encoded_fold
from markdown import markdown, number
from results import say
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklearn_afm import AFMClassifier, FMClassifier

RATES = (0.03, 0.1, 0.3, 1.0)


def add_options(parser):
    """Add the options of this table."""
    frames.add_option(parser, default="doctor_visits")
    parser.add_argument("--folds", type=int, default=3, help="how many of the five folds")


def quick(folder):
    """Yield the command lines of a smoke run."""
    yield ["--data", "made_clicks", "--folds", "1"]


def measure(options, results):
    """Fit every model on every fold, and the linear model on nine tenths of the rows too."""
    table = frames.load(options.data, options.data_home)
    models = {
        "LogisticRegression": LogisticRegression(max_iter=1000),
        "LogisticRegression, nine tenths of the rows": LogisticRegression(max_iter=1000),
        "FM": FMClassifier(random_state=0),
    }
    for rate in RATES:
        name = f"AFM, `attention_lr_multiplier={rate:g}`"
        models[name] = AFMClassifier(attention_lr_multiplier=rate, random_state=0)
    for name, model in models.items():
        for fold in range(options.folds):
            X_train, y_train, *test = encoded_fold(table, fold)
            if "nine tenths" in name:
                X_train, _, y_train, _ = train_test_split(
                    X_train, y_train, test_size=0.1, stratify=y_train, random_state=0
                )
            loss = test_loss(model, X_train, y_train, *test)
            results.add({"model": name, "fold": fold + 1, "loss": loss})
            say(f"{name}, fold {fold + 1}: {loss:.4f}")


def test_loss(model, X_train, y_train, X_test, y_test):
    """Fit a model on the training rows. Return its log loss on the test rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about levels without a training row
        return log_loss(y_test, model.fit(X_train, y_train).predict_proba(X_test)[:, 1])


def report(lines, options):
    """Report one row per model, with one column per fold."""
    losses = {(line["model"], line["fold"]): line["loss"] for line in lines}
    folds = sorted({fold for _, fold in losses})
    names = dict.fromkeys(name for name, _ in losses)
    rows = [[name, *(number(losses.get((name, fold))) for fold in folds)] for name in names]
    return markdown(["", *(f"fold {fold}" for fold in folds)], rows)
