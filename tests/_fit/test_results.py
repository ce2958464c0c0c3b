"""Fitted attributes, and the predictions that follow from them."""

import numpy as np
import oracle
import pytest
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, REGRESSORS, ragged_matrix, target_for
from sklearn.metrics import r2_score

from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm._raw_scores import scores_of_levels

SHORT = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fitted_attributes_are_arrays_of_the_documented_shapes(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, target_for(Estimator, y))
    assert model.bias_.shape == ()
    assert model.linear_weights_.shape == (20,)
    assert model.embeddings_.shape == (20, 4)
    assert model.projection_.shape == (4,)
    if Estimator in AFMS:
        assert model.attention_weight_.shape == (16, 4)
        assert model.attention_bias_.shape == model.attention_context_.shape == (16,)
    assert all(
        type(value) in (np.ndarray, np.float32, np.float64)
        for name, value in vars(model).items()
        if name in ("bias_", "linear_weights_", "embeddings_", "projection_", "attention_weight_")
    )
    assert model.n_iter_ == model.best_iter_ == len(model.history_) == 3


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_predictions_follow_from_the_fitted_attributes(Estimator, n_outputs, rng):
    X = rng.normal(size=(60, 6)) * (rng.random((60, 6)) < 0.7) * [1, 100, 0.01, 1, 3, 1]
    if Estimator in CLASSIFIERS:
        y = rng.integers(0, n_outputs if n_outputs > 1 else 2, 60)
        model = Estimator(**SHORT).fit(X, y)
        found = model.decision_function(X)
    else:
        y = 50 + 20 * rng.normal(size=(60, n_outputs))
        model = Estimator(**SHORT).fit(X, y)
        found = model.predict(X)
    expected = oracle.raw_scores(X, oracle.params_of(model))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_several_targets(Estimator, one_hot_data):
    X, y = one_hot_data
    Y = np.stack([y, 100 - 30 * y, np.full(300, 4.0)], axis=1)
    model = Estimator(random_state=0).fit(X, Y)
    assert model.predict(X).shape == (300, 3)
    assert r2_score(Y[:, :2], model.predict(X)[:, :2]) > 0.95
    np.testing.assert_allclose(model.predict(X)[:, 2], 4, atol=0.2)


@pytest.mark.parametrize(
    "labels", [["b", "a"], [True, False], [-3, -1], ["x", "y", "z"], [5, 7, 9]]
)
@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_any_labels(Estimator, labels, rng):
    codes = rng.integers(0, len(labels), 90)
    y = np.array(labels)[codes]
    model = Estimator(random_state=0).fit(np.eye(len(labels))[codes], y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert (model.predict(np.eye(len(labels))[codes]) == y).mean() == 1
    proba = model.predict_proba(np.eye(len(labels)))
    assert proba.shape == (len(labels), len(labels))
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(np.eye(len(labels)))), proba)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_huge_logits_give_finite_log_probabilities(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, y > 0)
    model.bias_ = np.asarray(1e4, dtype=np.float32)
    assert np.isfinite(model.predict_log_proba(X)).all()
    np.testing.assert_array_equal(model.predict_proba(X).sum(1), 1)


def test_auto_precision_is_what_the_values_need(one_hot_data, rng):
    X, y = one_hot_data
    assert FMRegressor(**SHORT).fit(X, y).embeddings_.dtype == np.float32
    assert (
        FMRegressor(**SHORT).fit(rng.normal(size=(9, 2)), y[:9]).linear_weights_.dtype == np.float64
    )


def test_bfloat16_is_close_to_float32(one_hot_data):
    X, y = one_hot_data
    exact = AFMRegressor(random_state=0).fit(X, y)
    rough = AFMRegressor(random_state=0, precision="bfloat16").fit(X, y)
    assert rough.embeddings_.dtype == np.float32
    assert rough.score(X, y) == pytest.approx(exact.score(X, y), abs=0.02)


@pytest.mark.parametrize("Estimator", AFMS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_without_row_scaling_it_is_the_formula_of_the_paper(Estimator, n_outputs, rng):
    """On rows of any length: Eq. 6 has no factor, and the attention of each row sums to 1."""
    X = ragged_matrix(rng, 80, 7)
    y = rng.normal(size=(80, n_outputs))
    if Estimator in CLASSIFIERS:
        y = rng.integers(0, max(2, n_outputs), 80)
    model = Estimator(row_scaling=None, l2_embedding=10, **SHORT).fit(X, y)
    params = oracle.params_of(model)
    del params["median_pairs"]
    expected = oracle.raw_scores(X, params)
    np.testing.assert_allclose(model._raw_scores(X), expected, rtol=1e-9, atol=1e-9)
    scaled = Estimator(l2_embedding=10, **SHORT).fit(X, y)
    assert not np.allclose(scaled._raw_scores(X), model._raw_scores(X), rtol=1e-3)


@pytest.mark.parametrize("Estimator", AFMS)
def test_row_scaling_is_nothing_where_all_rows_are_as_long(
    Estimator, one_hot_data, fixed_strengths
):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    models = [Estimator(row_scaling=s, **SHORT).fit(X, y) for s in ("pairs", None)]
    for name in ("embeddings_", "projection_", "linear_weights_"):
        np.testing.assert_array_equal(getattr(models[0], name), getattr(models[1], name))
    lacking = X[:50].copy()
    lacking.data[::4] = 0  # each row lacks its first field
    lacking.eliminate_zeros()
    found, paper = (scores_of_levels(model, lacking) for model in models)
    linear = lacking @ models[0].linear_weights_ + models[0].bias_
    # 3 pairs are left of 6.
    np.testing.assert_allclose(found[:, 0] - linear, (paper[:, 0] - linear) / 2, atol=1e-6)
