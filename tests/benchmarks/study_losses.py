"""What is behind AFM's losses in the study: few rows for a level, rows that lack one, known pairs.

python tests/benchmarks/study_losses.py --data-home DIR
"""

import argparse
import warnings

import numpy as np
import pandas as pd
import study_models
import study_tables
import tables
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklearn_afm import AFMClassifier, FMClassifier

FOLDS = range(3)


def encoded(table, fold):
    """One-hot rows and their targets, of training and of test."""
    train, test = table.splits[fold]
    X_train, X_test = tables.encode(table, train, test)
    return X_train, table.y[train], X_test, table.y[test]


def missing_levels(table):
    """Log loss of complete rows and of those without a known person; interaction by length."""
    X_train, y_train, X_test, y_test = encoded(table, 1)
    options = {"freeze": ("attention", "projection"), "early_stopping": False, "max_iter": 40}
    model = AFMClassifier(random_state=0, **options).fit(X_train, y_train)
    length = np.diff(X_test.indptr)
    complete = length == length.max()
    linear = X_test @ model.linear_weights_ + model.bias_
    prediction = model.predict_proba(X_test)[:, 1]
    factor = length * (length - 1) / 2 / model.median_pairs_
    plain = expit(linear + (logit(prediction) - linear) / factor)
    for title, p in (("without the factor", plain), ("with the factor", prediction)):
        parts = [log_loss(y_test[rows], p[rows]) for rows in (complete, ~complete)]
        print(title, "complete, others:", np.round(parts, 4))


def what_is_behind(table):
    """Log loss by fold: with all training rows or nine tenths, by the attention's rate."""
    models = {
        "LogisticRegression": LogisticRegression(max_iter=1000),
        "FM": FMClassifier(random_state=0),
        **{
            f"AFM, attention_rate={rate:g}": AFMClassifier(attention_rate=rate, random_state=0)
            for rate in (0.03, 0.1, 0.3, 1.0)
        },
    }
    for name, model in models.items():
        print(name, np.round([_loss(model, *encoded(table, fold)) for fold in FOLDS], 4))
    losses = []
    for fold in FOLDS:
        X_train, y_train, *test = encoded(table, fold)
        X_part, _, y_part, _ = train_test_split(
            X_train, y_train, test_size=0.1, stratify=y_train, random_state=0
        )
        losses.append(_loss(models["LogisticRegression"], X_part, y_part, *test))
    print("LogisticRegression, nine tenths of the rows", np.round(losses, 4))


def known_pairs(table):
    """Test rows whose user and item a positive training row has; CatBoost without pairs."""
    train, test = table.splits[0]
    pairs = pd.MultiIndex.from_frame(table.X[["user", "item"]])
    positive = table.y == 1
    known = pairs[test].isin(pairs[train[positive[train]]])
    shares = [known[positive[test]].mean(), known[~positive[test]].mean()]
    print("known pairs, positives and negatives:", np.round(shares, 4))
    for complexity in (4, 1):  # columns that it combines at most; 4 is the default
        model = study_models.make_model("CatBoost", table, {"max_ctr_complexity": complexity})
        loss = _loss(model, table.X.iloc[train], table.y[train], table.X.iloc[test], table.y[test])
        print(f"CatBoost, max_ctr_complexity={complexity}", round(loss, 4))


def _loss(model, X_train, y_train, X_test, y_test):
    return log_loss(y_test, model.fit(X_train, y_train).predict_proba(X_test)[:, 1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-home", help="folder of frappe")
    data_home = parser.parse_args().data_home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of levels that no training row has
        doctor_visits = study_tables.doctor_visits(data_home)
        missing_levels(doctor_visits)
        what_is_behind(doctor_visits)
        known_pairs(study_tables.frappe(data_home))
