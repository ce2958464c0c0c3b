"""Properties that hold for any X, over random matrices (hypothesis)."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from sklearn_afm import AFMRegressor, FMRegressor

settings.register_profile(
    "tests", deadline=None, max_examples=40, suppress_health_check=list(HealthCheck)
)
settings.load_profile("tests")

values = st.one_of(
    st.just(0.0),
    st.just(1.0),
    st.integers(-3, 3).map(float),
    st.floats(-100, 100).filter(lambda x: abs(x) > 1e-3),
)
matrices = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=8).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=values)
)
estimators = st.sampled_from([AFMRegressor, FMRegressor])
OPTIONS = {
    "embedding_dim": 3, "max_iter": 3, "random_state": 0, "batch_size": 100,
    "precision": "float64",
}  # fmt: skip


def fit(Estimator, X, y, weight=None):
    return Estimator(**OPTIONS).fit(X, y, weight)


def target(X):
    return np.sin(np.arange(len(X))) + X[:, 0] / 10


def assert_same(found, expected):
    scale = 1 + np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-8)


@given(estimators, matrices, st.randoms(use_true_random=False))
def test_order_of_rows(Estimator, X, random):
    order = list(range(len(X)))
    random.shuffle(order)
    model = fit(Estimator, X, target(X))
    assert_same(model.predict(X[order]), model.predict(X)[order])
    assert_same(fit(Estimator, X[order], target(X)[order]).predict(X), model.predict(X))


@given(estimators, matrices, st.randoms(use_true_random=False))
def test_order_of_columns(Estimator, X, random):
    """Permuting both the columns and the fitted attributes changes no prediction."""
    order = list(range(X.shape[1]))
    random.shuffle(order)
    model = fit(Estimator, X, target(X))
    expected = model.predict(X)
    model.linear_weights_, model.embeddings_ = (
        model.linear_weights_[order],
        model.embeddings_[order],
    )
    if model.column_mean_ is not None:
        model.column_mean_ = model.column_mean_[order]
    assert_same(model.predict(X[:, order]), expected)


@given(estimators, matrices, st.data())
def test_splitting_a_batch(Estimator, X, data):
    cut = data.draw(st.integers(1, len(X) - 1))
    model = fit(Estimator, X, target(X))
    parts = np.concatenate([model.predict(X[:cut]), model.predict(X[cut:])])
    assert_same(parts, model.predict(X))


@given(estimators, matrices)
def test_format_explicit_zeros_and_duplicates(Estimator, X):
    expected = fit(Estimator, X, target(X)).predict(X)
    rows, columns = np.indices(X.shape).reshape(2, -1)
    explicit = sparse.csr_array(
        (X.ravel(), columns, np.arange(0, X.size + 1, X.shape[1])), shape=X.shape
    )
    halves = sparse.coo_array(
        (np.tile(X.ravel() / 2, 2), (np.tile(rows, 2), np.tile(columns, 2))), shape=X.shape
    )
    for other in (sparse.csr_matrix(X), sparse.csc_array(X), explicit, halves):
        assert_same(fit(Estimator, other, target(X)).predict(other), expected)


@given(estimators, matrices, st.data())
def test_weights_against_repetition(Estimator, X, data):
    weight = data.draw(hnp.arrays(np.int64, len(X), elements=st.integers(0, 3)))
    weight[0] = max(1, weight[0])
    repeated = np.repeat(np.arange(len(X)), weight)
    expected = fit(Estimator, X[repeated], target(X)[repeated]).predict(X)
    assert_same(fit(Estimator, X, target(X), weight).predict(X), expected)
