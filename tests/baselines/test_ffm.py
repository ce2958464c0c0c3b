"""FFM against plain loops."""

import numpy as np
import oracle
import pytest
from loops import FIELDS, N_FIELDS, linear_part
from modelling import check_gradients, check_predictions, check_units, predicted, random_values

from sklearn_afm._fm import FM
from sklearn_afm.baselines import FFMClassifier, FFMRegressor
from sklearn_afm.baselines._ffm import FFM
from sklearn_afm.inspection import interaction_scores

K = 3


def raw_scores(X, params):
    """w0 + sum_i w_i x_i + sum over i > j of p . (v_i,f(j) * v_j,f(i)) x_i x_j."""
    v = params["embeddings"].reshape(len(FIELDS), N_FIELDS, -1)
    result = []
    for row in X:
        score = linear_part(row, params)
        for i, j in oracle.row_pairs(row):
            product = v[i, FIELDS[j]] * v[j, FIELDS[i]] * row[i] * row[j]
            score = score + params["projection"] @ product
        result.append(score)
    return np.array(result)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, n_outputs, real):
    model = FFM(2, n_outputs, FIELDS)
    check_predictions(model, raw_scores, rng, real)
    check_gradients(model, "squared error", raw_scores, rng, real)
    check_units(model, rng)


def test_if_all_embeddings_of_a_column_are_alike_it_is_an_fm(rng):
    model = FFM(K, 1, FIELDS)
    params = random_values(rng, FM(K, 1))
    X = (rng.random((20, 9)) < 0.5) * 1.0
    expected = predicted(FM(K, 1), params, X)
    params["embeddings"] = np.tile(params["embeddings"], N_FIELDS)
    np.testing.assert_allclose(predicted(model, params, X), expected, rtol=1e-12)


def test_memory_grows_with_the_fields(one_hot_data, monkeypatch):
    X, y = one_hot_data
    assert FFM(K, 1, FIELDS).floats_per_column == N_FIELDS * K + 1
    model = FFMRegressor(max_iter=1, embedding_dim=K).fit(X, y)
    assert model.embeddings_.shape == (20, 4 * K)
    needed = 20 * (4 * 4 * (4 * K + 1) + 64)
    monkeypatch.setattr("sklearn_afm._core.capacity._physical_memory", lambda: needed - 1)
    with pytest.raises(ValueError, match=r"20 columns.*Each needs 13 floats"):
        FFMRegressor(max_iter=1, embedding_dim=K).fit(X, y)


@pytest.mark.parametrize("Estimator", [FFMRegressor, FFMClassifier])
def test_explanations_add_up(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(random_state=0, max_iter=20, crosses=None)
    model.fit(X, y if Estimator is FFMRegressor else y > 0)
    assert np.abs(model.embeddings_).max() > 0.02
    terms = interaction_scores(model, X)
    raw = terms.bias + terms.linear + terms.interaction
    np.testing.assert_allclose(raw, model._raw_scores(X)[:, 0], atol=1e-4)
