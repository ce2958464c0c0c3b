"""Units of contributions: the target by its own name, if y had one."""

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import ragged_matrix

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor
from sklearn_afm.inspection import (
    HistoryDisplay,
    InteractionDisplay,
    field_effect,
    pair_effect,
    pair_importance,
)

FAST = {"embedding_dim": 3, "max_iter": 1, "random_state": 0}
FIELDS = {"fields": ["a"] * 5 + ["b"] * 4}


def unit(model, X, **options):
    """The unit, which all functions call the same."""
    pairs = pair_importance(model, X, **FIELDS, **options)
    levels = pair_effect(model, X, ("a", "b"), **FIELDS, **options)
    field = field_effect(model, X, "a", **FIELDS, **options)
    assert pairs.unit == levels.unit == field.unit
    return levels.unit


@pytest.fixture
def X(rng):
    return ragged_matrix(rng)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda y: pd.Series(y, name="price"), "unit of price"),
        (lambda y: pd.Series(y), "unit of y"),
        (lambda y: pd.Series(y, name=3), "unit of y"),
        (lambda y: y, "unit of y"),
        (lambda y: y.tolist(), "unit of y"),
    ],
)
def test_a_regressor_names_its_target(make, expected, X, rng):
    model = AFMRegressor(**FAST).fit(X, make(rng.normal(size=X.shape[0])))
    assert unit(model, X) == expected
    display = HistoryDisplay.from_estimator(model)
    assert display.ax_.get_ylabel() == f"RMSE ({expected})"
    label = InteractionDisplay.from_estimator(model, X).label
    assert label == {"unit of price": "prediction of price"}.get(expected, "prediction")


def test_several_targets_are_named_apart(X, rng):
    y = rng.normal(size=(X.shape[0], 2))
    model = AFMRegressor(**FAST).fit(X, pd.DataFrame(y, columns=["price", "weight"]))
    assert unit(model, X, output=1) == "unit of weight"
    assert pair_importance(model, X).unit == "units of y"
    assert InteractionDisplay.from_estimator(model, X, output=0).label == "prediction of price"
    model.fit(X, y)
    assert unit(model, X, output=1) == "unit of y[:, 1]"


@pytest.mark.parametrize(
    ("labels", "output", "expected"),
    [(["no", "yes"], 0, "log odds of {}yes"), (["a", "b", "c"], 2, "logit of {}c")],
)
def test_a_classifier_names_its_target_and_class(labels, output, expected, X):
    y = np.resize(labels, X.shape[0])
    for target, name in ((y, ""), (pd.Series(y, name="late"), "late = ")):
        model = AFMClassifier(**FAST).fit(X, target)
        assert unit(model, X, output=output) == expected.format(name)
        label = InteractionDisplay.from_estimator(model, X, output=output).label
        assert label == expected.format(name)


def test_a_name_is_kept_and_forgotten_with_the_fit(X, rng):
    y = pd.Series(rng.normal(size=X.shape[0]), name="price")
    model = FMRegressor(**FAST).fit(X, y)
    assert unit(pickle.loads(pickle.dumps(model)), X) == "unit of price"
    assert unit(model.partial_fit(X, y.to_numpy()), X) == "unit of price"
    assert unit(model.fit(X, y.to_numpy()), X) == "unit of y"
    assert unit(FMRegressor(**FAST).fit_blocks([(X, y), (X, y)]), X) == "unit of price"


def test_errors_of_targets_with_different_names_share_no_name(X, rng):
    y = rng.normal(size=X.shape[0])
    models = [FMRegressor(**FAST).fit(X, pd.Series(y, name=name)) for name in ("one", "other")]
    assert HistoryDisplay.from_estimator(models).ax_.get_ylabel() == "RMSE (unit of y)"
