"""Early stopping: which epoch is kept, and when it sets in."""

import numpy as np
import pytest
from conftest import ESTIMATORS, REGRESSORS, target_for

from sklearn_afm import FMClassifier, FMRegressor

pytestmark = pytest.mark.usefixtures("fixed_strengths")

SHORT = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("scoring", ["loss", None, "explicit"])
def test_early_stopping_keeps_the_best_epoch(Estimator, scoring, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    if scoring == "explicit":
        scoring = "r2" if Estimator in REGRESSORS else "roc_auc"
    model = Estimator(
        early_stopping=True, scoring=scoring, n_iter_no_change=3, learning_rate=0.5,
        l2_embedding=0, averaging_decay=0, random_state=0,
    )  # fmt: skip
    model.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    name = "validation_loss" if scoring == "loss" else "validation_score"
    scores = [record[name] * (-1 if scoring == "loss" else 1) for record in model.history_]
    assert model.n_iter_ < 100
    assert model.best_iter_ == np.argmax(scores) + 1
    assert model.n_iter_ == model.best_iter_ + 3
    if scoring is None:
        assert model.score(X[200:], y[200:]) == pytest.approx(max(scores))
    if scoring == "loss" and Estimator in REGRESSORS:
        loss = np.mean((model.predict(X[200:]) - y[200:]) ** 2)
        assert loss == pytest.approx(-max(scores), rel=1e-5)


def test_early_stopping_auto_goes_by_the_number_of_rows(rng):
    X, y = np.eye(3)[rng.integers(0, 3, 1_501)], rng.normal(size=1_501)
    assert "validation_loss" in FMRegressor(**SHORT).fit(X, y).history_[0]
    assert "validation_loss" not in FMRegressor(**SHORT).fit(X[1:], y[1:]).history_[0]


def test_validation_rows_are_set_aside_by_class(rng):
    X, y = np.eye(3)[rng.integers(0, 3, 100)], np.array([0] * 90 + [1] * 10)
    model = FMClassifier(early_stopping=True, **SHORT).fit(X, y)
    assert len(model.history_) == 3
    FMClassifier(early_stopping=True, **SHORT).fit(X, np.array([0] * 99 + [1]))
    in_training = FMClassifier(early_stopping=True, validation_fraction=None, **SHORT).fit(X, y)
    assert "validation_loss" in in_training.history_[0]
