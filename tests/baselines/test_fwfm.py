"""FwFM against plain loops."""

import numpy as np
import oracle
import pytest
from loops import FIELDS, linear_part
from modelling import check_gradients, check_predictions, check_units, predicted, random_values

from sklearn_afm import FMRegressor
from sklearn_afm._fm import FM
from sklearn_afm.baselines import FwFMRegressor
from sklearn_afm.baselines._fwfm import FwFM
from sklearn_afm.inspection import interaction_scores

K = 3


def raw_scores(X, params):
    """w0 + sum_i w_i x_i + sum over i > j of r_f(i)f(j) p . (v_i * v_j) x_i x_j."""
    v, r = params["embeddings"], params["field_weights"]
    result = []
    for row in X:
        score = linear_part(row, params)
        for i, j in oracle.row_pairs(row):
            f, g = FIELDS[i], FIELDS[j]
            weight = (r[f, g] + r[g, f]) / 2
            score = score + weight * params["projection"] @ (v[i] * v[j]) * row[i] * row[j]
        result.append(score)
    return np.array(result)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, n_outputs, real):
    model = FwFM(K, n_outputs, FIELDS)
    check_predictions(model, raw_scores, rng, real)
    check_gradients(model, "squared error", raw_scores, rng, real)
    check_units(model, rng)


def test_with_weights_of_1_it_is_an_fm(rng):
    model = FwFM(K, 1, FIELDS)
    params = random_values(rng, model) | {"field_weights": np.ones((4, 4))}
    X = (rng.random((20, 9)) < 0.5) * 1.0
    np.testing.assert_allclose(
        predicted(model, params, X), predicted(FM(K, 1), params, X), rtol=1e-12
    )


def test_with_frozen_weights_a_fit_is_that_of_an_fm(one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "max_iter": 5, "l2_embedding": 1}
    fm = FMRegressor(**options).fit(X, y)
    model = FwFMRegressor(freeze=["field_weights"], **options).fit(X, y)
    np.testing.assert_allclose(model.predict(X), fm.predict(X), rtol=1e-4, atol=1e-4)


def test_a_fit_learns_symmetric_weights_that_explain_it(one_hot_data):
    X, y = one_hot_data
    model = FwFMRegressor(random_state=0, max_iter=20, crosses=None, l2_embedding=1).fit(X, y)
    assert model.field_weights_.shape == (4, 4)
    assert np.abs(model.field_weights_ - 1).max() > 0.01
    np.testing.assert_allclose(model.field_weights_, model.field_weights_.T, rtol=1e-6)
    terms = interaction_scores(model, X)
    raw = terms.bias + terms.linear + terms.interaction
    np.testing.assert_allclose(raw, model.predict(X), atol=1e-4)
