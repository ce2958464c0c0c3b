"""Why AFM loses to a linear model on two tables of the study: prior and missing levels.

python tests/benchmarks/study_losses.py
"""

import warnings

import numpy as np
import study_tables
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.metrics import log_loss
from study import measure

from sklearn_afm import AFMClassifier


def encoded(table, fold):
    """One-hot rows and their targets, of training and of test."""
    train, test = table.splits[fold]
    encoder = clone(table.encoder).fit(table.X.iloc[train])
    X_train, X_test = (encoder.transform(table.X.iloc[rows]).tocsr() for rows in (train, test))
    return X_train, table.y[train], X_test, table.y[test]


def attention_prior():
    """Verbal aggression: test log loss by the prior of the attention."""
    table = study_tables.verbal_aggression(None)
    priors = (1e-4, 1e-3, 20 / len(table.splits[0][0]), 1e-2)
    for options in (*({"l2_attention": prior} for prior in priors), {"freeze": ("attention",)}):
        losses = []
        for fold in range(2):
            X_train, y_train, X_test, _ = encoded(table, fold)
            model = AFMClassifier(random_state=0, **options).fit(X_train, y_train)
            test = table.splits[fold][1]
            losses.append(measure(table, test, model.predict_proba(X_test)[:, 1])["loss"])
        print(options, np.round(losses, 4))


def missing_levels():
    """Doctor visits: test log loss of complete rows, and of those without a known person."""
    table = study_tables.doctor_visits(None)
    X_train, y_train, X_test, y_test = encoded(table, 1)
    options = {"freeze": ("attention", "projection"), "early_stopping": False, "max_iter": 40}
    model = AFMClassifier(random_state=0, **options).fit(X_train, y_train)
    length = np.diff(X_test.indptr)
    complete = length == length.max()
    linear = X_test @ model.coef_ + model.intercept_
    prediction = model.predict_proba(X_test)[:, 1]
    pairs = length * (length - 1)
    share = pairs / pairs.max()
    rescaled = expit(linear + share * (logit(prediction) - linear))
    for title, p in (("as it is", prediction), ("interaction rescaled", rescaled)):
        parts = [log_loss(y_test[rows], p[rows]) for rows in (complete, ~complete)]
        print(title, "complete, others:", np.round(parts, 4))


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of levels that no training row has
        missing_levels()
        attention_prior()
