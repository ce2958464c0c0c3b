"""What "auto" means, and rates of parts of a model."""

import numpy as np
import pytest
from conftest import AFMS, target_for
from scipy import sparse

from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm._fit import auto
from sklearn_afm._fm import FM


@pytest.mark.parametrize("Estimator", AFMS)
def test_attention_rate_is_a_multiple_of_the_learning_rate(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = {"optimizer": "sgd", "max_iter": 1, "batch_size": X.shape[0], "averaging_decay": 0}
    options["l2_embedding"] = 10
    once, half = (
        Estimator(attention_lr_multiplier=rate, random_state=0, **options).fit(X, y)
        for rate in (1.0, 0.5)
    )
    assert np.abs(once.attention_context_).max() > 0
    np.testing.assert_allclose(half.attention_context_, once.attention_context_ / 2, rtol=1e-6)
    for name in ("bias_", "linear_weights_", "embeddings_", "projection_"):
        np.testing.assert_array_equal(getattr(half, name), getattr(once, name))


@pytest.mark.parametrize(("weight", "rate"), [(1, 0.1), (5, None), (1e4, 1)])
def test_attention_rate_auto_goes_by_the_rows_of_a_column(weight, rate, one_hot_data):
    X, y = one_hot_data
    X = sparse.hstack([X, sparse.csr_array((X.shape[0], 7))]).tocsr()  # columns without entries
    expected = rate or weight * X.nnz / len(np.unique(X.indices)) / 1000
    assert 0.1 <= expected <= 1
    options = {"random_state": 0, "max_iter": 3}
    weights = np.full(len(y), weight)
    auto, explicit = (
        AFMRegressor(attention_lr_multiplier=value, **options).fit(X, y, sample_weight=weights)
        for value in ("auto", expected)
    )
    np.testing.assert_array_equal(auto.attention_weight_, explicit.attention_weight_)


@pytest.mark.parametrize(("entries", "factor"), [(15, 1), (20, 1), (40, 2), (200, 10)])
def test_the_penalty_of_embeddings_grows_with_the_length_of_rows(entries, factor):
    model = FM(4, 1)
    found = auto.penalties(FMRegressor(l2_embedding=3.0, l2_linear=0.5), model, entries)
    assert found == {"linear_weights": 0.5, "embeddings": 3.0 * factor}


def test_long_rows_are_fitted_with_the_larger_penalty(rng):
    X = (rng.random((60, 80)) < 0.5) * 1.0  # about 40 entries, so that the factor is about 2
    y = X[:, 0] - X[:, 1] + X[:, 2] * X[:, 3]
    factor = np.median((X != 0).sum(axis=1)) / 20
    assert factor > 1.5
    options = {"max_iter": 3, "random_state": 0, "l2_linear": 0}
    long = FMRegressor(l2_embedding=2.0, **options).fit(X, y)
    # The same rows with the rule switched off by the number of entries that it allows.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auto, "_USUAL_ENTRIES", 1000)
        same = FMRegressor(l2_embedding=2.0 * factor, **options).fit(X, y)
    np.testing.assert_array_equal(long.embeddings_, same.embeddings_)
