"""What "auto" means, and rates of parts of a model."""

import numpy as np
import pytest
from conftest import AFMS, target_for
from scipy import sparse

from sklearn_afm import AFMRegressor


@pytest.mark.parametrize("Estimator", AFMS)
def test_attention_rate_is_a_multiple_of_the_learning_rate(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = {"optimizer": "sgd", "max_iter": 1, "batch_size": X.shape[0], "weight_averaging": 0}
    once, half = (
        Estimator(attention_rate=rate, random_state=0, **options).fit(X, y) for rate in (1.0, 0.5)
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
        AFMRegressor(attention_rate=value, **options).fit(X, y, sample_weight=weights)
        for value in ("auto", expected)
    )
    np.testing.assert_array_equal(auto.attention_weight_, explicit.attention_weight_)
