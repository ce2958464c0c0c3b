"""Real-valued columns far from 0 are centred."""

import itertools

import numpy as np
import pytest
from conftest import ESTIMATORS, REGRESSORS, target_for
from scipy import sparse
from sklearn.linear_model import Ridge

from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm._data.units import centered, column_means
from sklearn_afm.inspection import interaction_scores


def table_of_years(rng, n_rows=400):
    """Make a year, three columns of size 1, and a target with a product of year and column."""
    year, others = rng.integers(1950, 2020, n_rows), rng.normal(size=(n_rows, 3))
    age = (year - 1985) / 20
    y = age + others @ [1, 2, 0.5] + age * others[:, 0] + 0.3 * rng.normal(size=n_rows)
    return np.c_[year, others], y


@pytest.mark.parametrize("Estimator", REGRESSORS)
@pytest.mark.parametrize("unit", [1.0, 365 * 24 * 3600.0], ids=["years", "timestamps"])
def test_years_and_timestamps_are_learnt(Estimator, unit, rng):
    X, y = table_of_years(rng)
    X[:, 0] *= unit
    model = Estimator(random_state=0).fit(X[:300], y[:300])
    linear = Ridge().fit(X[:300] / [unit, 1, 1, 1], y[:300])
    score = model.score(X[300:], y[300:])
    assert score > linear.score(X[300:] / [unit, 1, 1, 1], y[300:]) + 0.05


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_a_timestamp_alone(Estimator, rng):
    stamp = rng.uniform(1.60e9, 1.61e9, size=(300, 1))
    y = stamp[:, 0] / 1e6
    assert Estimator(random_state=0).fit(stamp, y).score(stamp, y) > 0.999


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_where_a_column_begins_does_not_matter(Estimator, rng):
    X, y = table_of_years(rng)
    y = target_for(Estimator, y)
    moved = X + np.array([1000, 0, 0, 0])
    models = [Estimator(max_iter=5, random_state=0).fit(data, y) for data in (X, moved)]
    raw = ["predict", "decision_function"][hasattr(models[0], "classes_")]
    one, other = (getattr(model, raw)(data) for model, data in zip(models, (X, moved)))
    np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5)


def test_what_is_centred(rng):
    X = np.c_[
        rng.normal(100, 1, 50),  # far from 0
        rng.normal(0, 1, 50),  # around 0
        np.full(50, 7.0),  # constant
        np.where(np.arange(50) == 3, 0, rng.normal(100, 1, 50)),  # with an absent entry
        rng.integers(1, 3, 50),  # 1 or 2
    ]
    mean = column_means(sparse.csr_array(X), np.ones(50))
    np.testing.assert_allclose(mean, X.mean(0) * [1, 0, 0, 0, 1])
    dense = centered(sparse.csr_array(X), mean).toarray()
    np.testing.assert_allclose(dense, X - mean)
    weight = np.r_[np.ones(25), np.full(25, 3)]
    weighted = column_means(sparse.csr_array(X), weight)
    copies = column_means(sparse.csr_array(np.r_[X, X[25:], X[25:]]), np.ones(100))
    np.testing.assert_allclose(weighted, copies)


def test_one_hot_rows_are_not_centred(one_hot_data):
    X, y = one_hot_data
    assert column_means(X, np.ones(300)) is None
    assert FMRegressor(max_iter=1).fit(X, y).column_mean_ is None
    constant = sparse.hstack([X, np.ones((300, 1))], format="csr")
    assert FMRegressor(max_iter=1).fit(constant, y).column_mean_ is None


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_row_without_the_entry_has_it_at_0(Estimator, rng):
    X, y = table_of_years(rng)
    X[:, 0] -= 1940
    model = Estimator(max_iter=5, random_state=0).fit(X, target_for(Estimator, y))
    raw = getattr(model, "decision_function", model.predict)
    near, at = np.array([[1e-9, 1, 1, 1]]), np.array([[0, 1, 1, 1.0]])
    np.testing.assert_allclose(raw(at), raw(near), rtol=1e-5)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_explanations_add_up(Estimator, rng):
    X, y = table_of_years(rng)
    model = Estimator(max_iter=5, random_state=0).fit(X, target_for(Estimator, y))
    found = interaction_scores(model, X[:20])
    raw = getattr(model, "decision_function", model.predict)
    np.testing.assert_allclose(
        found.bias + found.linear + found.interaction, raw(X[:20]), rtol=1e-5
    )


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_a_stream_keeps_the_means_of_its_first_call(Estimator, rng):
    X, y = table_of_years(rng)
    model = Estimator(random_state=0).partial_fit(X[:200], y[:200])
    mean = model.column_mean_
    for _ in range(60):
        model.partial_fit(X[200:], y[200:])
    np.testing.assert_array_equal(model.column_mean_, mean)
    assert model.score(X, y) > 0.8


def test_an_afm_takes_over_the_means_of_its_fm(rng):
    X, y = table_of_years(rng)
    fm = FMRegressor(random_state=0, max_iter=20).fit(X[:200], y[:200])
    parts = ("bias", "linear_weights", "embeddings", "projection", "attention")
    afm = AFMRegressor(init=fm, freeze=parts, max_iter=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(afm.column_mean_, fm.column_mean_)
    assert afm.score(X, y) > 0.8


def test_a_value_that_is_the_mean_is_zero_in_any_order_of_rows():
    """Rounding of the mean depends on the order; what it leaves is no value."""
    for order in itertools.permutations([3.0, 1.0, 2.0]):
        X = sparse.csr_array(np.array(order)[:, None])
        mean = column_means(X, np.ones(3))
        found = centered(X, mean).toarray()[:, 0]
        np.testing.assert_allclose(found, np.array(order) - 2)
        assert np.count_nonzero(found) == 2


def test_a_column_that_is_one_in_most_rows_keeps_its_zeros():
    """A hashed category: some row has two in its column, and a later row may have none."""
    X = sparse.csr_array(np.array([[1.0, 2013.0]] * 99 + [[2.0, 2014.0]]))
    np.testing.assert_allclose(column_means(X, np.ones(100)), [0.0, 2013.01])
    assert column_means(X[:, :1], np.ones(100)) is None
