"""Weights that count rows, and relative weights."""

import numpy as np
import pytest
from conftest import CLASSIFIERS, ESTIMATORS, target_for

pytestmark = pytest.mark.usefixtures("fixed_strengths")

OPTIONS = {"max_iter": 30, "random_state": 0}


def raw(model, X):
    return model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("size", [1e-12, 1 / 300, 0.5, 1.0])
def test_weights_that_are_alike_and_count_no_rows_change_nothing(Estimator, size, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    expected = Estimator(**OPTIONS).fit(X, y)
    model = Estimator(**OPTIONS).fit(X, y, sample_weight=np.full(300, size))
    np.testing.assert_array_equal(raw(model, X), raw(expected, X))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_weights_below_one_are_relative(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    y, weight = target_for(Estimator, y), rng.uniform(0.5, 1.5, 300)
    weight /= weight.mean()
    expected = Estimator(**OPTIONS).fit(X, y, sample_weight=weight)
    for size in (1e-6, 0.9):
        model = Estimator(**OPTIONS).fit(X, y, sample_weight=size * weight)
        np.testing.assert_allclose(raw(model, X), raw(expected, X), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_weights_above_one_count_rows(Estimator, one_hot_data):
    """With more rows, the same l2_embedding regularises less."""
    X, y = one_hot_data
    y = target_for(Estimator, y)
    once = Estimator(**OPTIONS).fit(X, y)
    often = Estimator(**OPTIONS).fit(X, y, sample_weight=np.full(300, 50))
    assert raw(often, X).std() > 1.02 * raw(once, X).std()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_stream_keeps_the_unit_of_its_first_call(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    classes = {"classes": ["low", "high"]} if Estimator in CLASSIFIERS else {}
    models = [Estimator(**OPTIONS), Estimator(**OPTIONS)]
    for model, unit in zip(models, (1, 1e-3)):
        model.partial_fit(X[:150], y[:150], sample_weight=np.full(150, unit), **classes)
        model.partial_fit(X[150:], y[150:], sample_weight=np.full(150, 3 * unit))
    np.testing.assert_allclose(raw(models[1], X), raw(models[0], X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_class_weight_below_one_is_relative(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    expected = Estimator(**OPTIONS).fit(X, y)
    model = Estimator(class_weight={"low": 0.01, "high": 0.01}, **OPTIONS).fit(X, y)
    np.testing.assert_array_equal(raw(model, X), raw(expected, X))
