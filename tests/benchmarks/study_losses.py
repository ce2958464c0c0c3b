"""What few rows for each level do to AFM in the study, and what is behind it: Doctor visits.

python tests/benchmarks/study_losses.py
"""

import warnings

import numpy as np
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
    linear = X_test @ model.coef_ + model.intercept_
    prediction = model.predict_proba(X_test)[:, 1]
    factor = length * (length - 1) / 2 / model.mean_pairs_
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


def _loss(model, X_train, y_train, X_test, y_test):
    return log_loss(y_test, model.fit(X_train, y_train).predict_proba(X_test)[:, 1])


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of levels that no training row has
        doctor_visits = study_tables.doctor_visits(None)
        missing_levels(doctor_visits)
        what_is_behind(doctor_visits)
