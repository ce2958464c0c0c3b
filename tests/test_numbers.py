"""Exactness and stability of the numbers: float32, large attention logits, large raw scores."""

import numpy as np
import oracle
import pytest
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, REGRESSORS, random_parameters
from scipy import sparse

from sklearn_afm import AFMClassifier, AFMRegressor

PARAMETERS = ["bias_", "linear_weights_", "embeddings_", "projection_"]
ATTENTION = ["attention_weight_", "attention_bias_", "attention_context_"]


def scores(model, X):
    return getattr(model, "decision_function", model.predict)(X)


def with_parameters(Estimator, rng, n_columns, k, n_outputs=1, attention_dim=16):
    """Fit an estimator, then draw its parameters, so that the attention is far from uniform.

    The products of pairs, their attention logits, and their interactions are of size 1.
    """
    y = np.arange(4) % max(2, n_outputs) * 1.0
    if Estimator in REGRESSORS and n_outputs > 1:
        y = np.stack([y] * n_outputs, axis=1)
    X = sparse.csr_array(([1.0] * 4, np.arange(4), np.arange(5)), shape=(4, n_columns))
    options = {"attention_dim": attention_dim} if Estimator in AFMS else {}
    model = Estimator(embedding_dim=k, max_iter=1, **options).fit(X, y)
    attention = attention_dim if Estimator in AFMS else None
    drawn = random_parameters(rng, n_columns, k, n_outputs, attention)
    drawn["linear_weights"] = drawn["linear_weights"].T
    if Estimator in AFMS:
        drawn["attention_weight"] /= np.sqrt(k)
        drawn["attention_context"] /= np.sqrt(attention_dim)
        drawn["projection"] /= np.sqrt(k)
    else:
        drawn["embeddings"] /= k**0.25
        if n_outputs == 1:
            drawn["projection"] = np.ones((1, k))
    for name, value in drawn.items():
        if n_outputs == 1 and name in ("bias", "linear_weights", "projection"):
            value = value[0]
        setattr(model, f"{name}_", np.array(value, order="C"))
    return model


def cast(model, dtype):
    for name in PARAMETERS + ATTENTION:
        if hasattr(model, name):
            setattr(model, name, np.asarray(getattr(model, name), dtype=dtype))


def assert_close_in_float32(model, X):
    exact = scores(model, X)
    cast(model, np.float32)
    found = scores(model, X)
    assert np.abs(found - exact).max() <= 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("k", [4, 64, 256])
@pytest.mark.parametrize("n_fields", [3, 12, 40])
def test_float32_predicts_as_float64_does_on_one_hot_rows(Estimator, k, n_fields, rng):
    levels = rng.integers(0, 30, size=(200, n_fields)) + 30 * np.arange(n_fields)
    X = sparse.csr_array(
        (np.ones(levels.size), levels.ravel(), np.arange(0, levels.size + 1, n_fields)),
        shape=(200, 30 * n_fields),
    )
    assert_close_in_float32(with_parameters(Estimator, rng, X.shape[1], k), X)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("density", [0.1, 0.9])
def test_float32_predicts_as_float64_does_on_real_values(Estimator, n_outputs, density, rng):
    X = sparse.random_array((100, 150), density=density, rng=rng, format="csr")
    X.data = rng.uniform(-1, 1, size=X.nnz).astype(np.float32).astype(np.float64)
    assert_close_in_float32(with_parameters(Estimator, rng, 150, 32, n_outputs), X)


@pytest.mark.parametrize("Estimator", AFMS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [10.0, 1e4])
def test_large_attention_logits_do_not_overflow(Estimator, dtype, size, rng):
    """At size 1e4, attention logits reach 1e9, and one pair gets all the attention of a row."""
    X = (rng.random((60, 20)) < 0.4).astype(float)
    model = with_parameters(Estimator, rng, 20, 8, attention_dim=8)
    model.attention_weight_ = size * model.attention_weight_
    model.attention_context_ = size * model.attention_context_
    cast(model, dtype)
    found = scores(model, X)
    assert np.isfinite(found).all()
    if dtype == np.float64:
        expected = oracle.raw_scores(X, oracle.params_of(model))[:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("Estimator", AFMS)
def test_training_from_large_attention_logits(Estimator, one_hot_data):
    X, y = one_hot_data
    y = y > 0
    model = Estimator(max_iter=2, warm_start=True, random_state=0, embedding_dim=8).fit(X, y)
    model.attention_weight_ *= np.float32(1e4)
    model.attention_context_ = np.full(16, 1e4, dtype=np.float32)
    model.embeddings_ *= np.float32(10)
    model.fit(X, y)
    assert np.isfinite(scores(model, X)).all()


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("size", [1.0, 30.0, 1e5, -1e5, 1e30, -1e30])
def test_probabilities_of_raw_scores_of_any_size(
    Estimator, dtype, n_classes, size, rng, fixed_strengths
):
    X = (rng.random((50, 20)) < 0.5).astype(float)
    n_outputs = 1 if n_classes == 2 else n_classes
    y = np.arange(50) % n_classes
    model = Estimator(embedding_dim=3, max_iter=1).fit(X, y)
    model.linear_weights_ = size * rng.normal(size=model.linear_weights_.shape)
    model.bias_ = size * np.arange(n_outputs, dtype=float).reshape(model.bias_.shape)
    cast(model, dtype)
    proba, log_proba = model.predict_proba(X), model.predict_log_proba(X)
    assert proba.dtype == np.float64
    assert proba.min() >= 0
    assert proba.max() <= 1
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    assert np.isfinite(log_proba).all()
    assert (log_proba <= 0).all()
    np.testing.assert_allclose(np.exp(log_proba), proba, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])


@pytest.mark.parametrize("Estimator", REGRESSORS)
@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e100])
def test_the_size_of_the_target_does_not_matter(Estimator, size, rng):
    X, y = rng.normal(size=(80, 5)), 3 + rng.normal(size=80)
    options = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}
    expected = Estimator(**options).fit(X, y).predict(X)
    found = Estimator(**options).fit(X, size * y).predict(X)
    np.testing.assert_allclose(found / size, expected, rtol=1e-6)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_the_size_of_a_column_does_not_matter(Estimator, size, rng):
    X, y = rng.normal(size=(80, 5)), rng.integers(0, 2, 80)
    options = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}
    expected = scores(Estimator(**options).fit(X, y), X)
    scaled = X * [size, 1, 1 / size, 1, size]
    found = scores(Estimator(**options).fit(scaled, y), scaled)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_what_float32_cannot_hold_is_refused(rng):
    """The targets are of size 1e60, and one-hot rows are trained in float32."""
    X = np.eye(4)[rng.integers(0, 4, 40)]
    y = 1e60 * rng.normal(size=40)
    with pytest.raises(ValueError, match=r'too large for float32.*precision="float64"'):
        AFMRegressor(max_iter=2).fit(X, y)
    assert np.isfinite(AFMRegressor(max_iter=2, precision="float64").fit(X, y).predict(X)).all()


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_targets_whose_squares_overflow_are_refused(Estimator):
    with pytest.raises(ValueError, match=r"y goes up to 1e\+200"):
        Estimator().fit(np.eye(3), [0.0, 1.0, 1e200])
    with pytest.raises(ValueError, match=r"y goes up to nan"):
        Estimator().fit(np.eye(3), np.array([["0", "nan"], ["1", "2"], ["0", "3"]]))


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_targets_far_from_the_first_ones_are_refused(Estimator, rng):
    model = Estimator(precision="float32").partial_fit(np.eye(3), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="standard deviations"):
        model.partial_fit(np.eye(3), [1e60, 2.0, 3.0])
    assert np.isfinite(model.predict(np.eye(3))).all()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_predictions_that_overflow_are_refused(Estimator, rng):
    X = rng.normal(size=(20, 3))
    model = Estimator(max_iter=2, l2_embedding=10).fit(X, np.arange(20) % 2)
    X[7] = 1e307
    with pytest.raises(ValueError, match=r"1 of 20 rows, first for row 7.* is 1e\+307"):
        model.predict(X)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_validation_rows_that_overflow_are_refused(Estimator, rng):
    X, y = rng.normal(size=(20, 3)), np.arange(20) % 2
    with pytest.raises(ValueError, match=r"validation loss became infinite or NaN.*largest \|x\|"):
        Estimator(l2_embedding=10).fit(X, y, X_val=1e307 * X, y_val=y)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("bad", [1e-40, 1e40])
def test_weights_of_a_size_that_cannot_be_summed_are_refused(Estimator, bad):
    with pytest.raises(ValueError, match="within 1e-30 to 1e"):
        Estimator().fit(np.eye(4), [0, 1, 0, 1], sample_weight=[1, 1, bad, 1])


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_class_weights_are_checked_like_those_of_rows(Estimator, bad):
    with pytest.raises(ValueError, match="class_weight"):
        Estimator(class_weight={0: bad, 1: 1.0}).fit(np.eye(4), [0, 1, 0, 1])


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_class_weights_that_leave_no_row(Estimator):
    model = Estimator(class_weight={0: 0.0})
    with pytest.raises(ValueError, match=r"class_weight\) are zero"):
        model.partial_fit(np.eye(4), [0, 0, 0, 0], classes=[0, 1])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_weights_over_24_orders_of_magnitude(Estimator, rng):
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    model = Estimator(max_iter=3).fit(X, y, sample_weight=np.logspace(-12, 12, 60))
    assert np.isfinite(scores(model, X)).all()


def test_ten_thousand_classes(rng):
    X = sparse.csr_array(np.eye(10)[rng.integers(0, 10, 20_000)])
    y = np.arange(20_000) % 10_000
    model = AFMClassifier(embedding_dim=2, max_iter=1, early_stopping=False).fit(X, y)
    proba = model.predict_proba(X[:3])
    assert proba.shape == (3, 10_000)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
