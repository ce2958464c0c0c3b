"""ConvergenceWarning: max_iter has ended training while the loss was falling."""

import warnings

import numpy as np
import pytest
from conftest import ESTIMATORS, target_for
from sklearn.exceptions import ConvergenceWarning

from sklearn_afm import AFMClassifier, BayesianFMRegressor, FMRegressor, baselines

EVERY = [*ESTIMATORS, *(getattr(baselines, name) for name in baselines.__all__)]
GRADIENT = {"l2_linear": 0.5, "l2_embedding": 1, "random_state": 0}


def warned(model, X, y, **options):
    """The messages of a fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, **options)
    assert {w.filename for w in caught} <= {__file__}
    return [str(w.message) for w in caught if w.category is ConvergenceWarning]


@pytest.mark.parametrize("Estimator", EVERY)
def test_too_few_epochs_are_told(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    (message,) = warned(Estimator(max_iter=3, **GRADIENT), X, y)
    assert message.startswith("max_iter=3 ended training before the training loss was level")
    (message,) = warned(Estimator(max_iter=3, early_stopping=True, **GRADIENT), X, y)
    assert "the validation loss was level" in message


@pytest.mark.parametrize("Estimator", [AFMClassifier, FMRegressor])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}])
def test_the_defaults_are_enough(Estimator, options, one_hot_data):
    X, y = one_hot_data
    assert warned(Estimator(random_state=0, **options), X, target_for(Estimator, y)) == []


def test_the_message_has_the_losses(one_hot_data):
    X, y = one_hot_data
    model = FMRegressor(max_iter=8, n_iter_no_change=4, **GRADIENT)
    (message,) = warned(model, X, y)
    losses = [record["train_loss"] for record in model.history_]
    assert f"fell from {losses[3]:.4g} to {min(losses[4:]):.4g} from epoch 4 on" in message


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_of_the_target_does_not_matter(scale, one_hot_data):
    X, y = one_hot_data
    assert len(warned(FMRegressor(max_iter=3, **GRADIENT), X, scale * y)) == 1
    assert warned(FMRegressor(max_iter=100, **GRADIENT), X, scale * y) == []


def test_a_small_fall_is_level(one_hot_data, monkeypatch):
    """0.5% of the mean square of y, whose best constant is its mean."""
    X, y = one_hot_data
    model = FMRegressor(max_iter=12, **GRADIENT).fit(X, y)
    losses = [record["train_loss"] for record in model.history_]
    fall = (losses[1] - min(losses[2:])) / np.var(y)
    for share, n_messages in ((0.99 * fall, 1), (1.01 * fall, 0)):
        monkeypatch.setattr("sklearn_afm._fit.notices._FALLS", share)
        assert len(warned(FMRegressor(max_iter=12, **GRADIENT), X, y)) == n_messages


def test_weights_count_in_the_loss_of_the_constant(one_hot_data, monkeypatch, rng):
    X, y = one_hot_data
    weight = rng.integers(1, 20, len(y))
    y = y + 5 * (weight > 10)
    constant = np.average((y - np.average(y, weights=weight)) ** 2, weights=weight)
    model = FMRegressor(max_iter=12, **GRADIENT).fit(X, y, weight)
    losses = [record["train_loss"] for record in model.history_]
    fall = (losses[1] - min(losses[2:])) / constant
    for share, n_messages in ((0.99 * fall, 1), (1.01 * fall, 0)):
        monkeypatch.setattr("sklearn_afm._fit.notices._FALLS", share)
        model = FMRegressor(max_iter=12, **GRADIENT)
        assert len(warned(model, X, y, sample_weight=weight)) == n_messages


@pytest.mark.parametrize(("scores", "n_messages"), [([1, 2, 3], 1), ([1, 3, 2], 0)])
def test_nothing_is_said_once_early_stopping_waits(scores, n_messages, one_hot_data):
    X, y = one_hot_data
    given = iter(scores)
    options = {"early_stopping": True, "scoring": lambda model, X, y: next(given), "max_iter": 3}
    assert len(warned(FMRegressor(**options, **GRADIENT), X, y)) == n_messages


def stopped(record):
    return record["epoch"] == 3


@pytest.mark.parametrize(
    "options",
    [{"warm_start": True}, {"max_iter": 1}, {"max_iter": 9, "callbacks": [stopped]}],
    ids=["warm start", "one epoch", "callback"],
)
def test_where_nothing_is_said(options, one_hot_data):
    X, y = one_hot_data
    assert warned(FMRegressor(**{"max_iter": 3, **GRADIENT, **options}), X, y) == []


def test_streams_and_samplers_are_not_told(one_hot_data):
    X, y = one_hot_data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FMRegressor(**GRADIENT).partial_fit(X, y)
        BayesianFMRegressor(max_iter=10).fit(X, y)
