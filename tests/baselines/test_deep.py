"""WideAndDeep, DeepCross and DeepFM against plain loops."""

import numpy as np
import oracle
import pytest
from loops import ACTIVATIONS, FIELDS, N_FIELDS, hidden, linear_part, stacked
from modelling import check_gradients, check_predictions, check_units, predicted, random_values

from sklearn_afm import FMRegressor
from sklearn_afm._core.models.layers import Layers
from sklearn_afm._fm import FM
from sklearn_afm.baselines import DeepCrossRegressor, DeepFMRegressor, WideAndDeepRegressor
from sklearn_afm.baselines._deep_cross import DeepCross
from sklearn_afm.baselines._deep_fm import DeepFM
from sklearn_afm.baselines._wide_and_deep import WideAndDeep
from sklearn_afm.inspection import interaction_scores

K = 2
DEEP = [DeepCrossRegressor, DeepFMRegressor, WideAndDeepRegressor]


def make_layers(sizes, activation="tanh"):
    return lambda axis, power=0.0: Layers(sizes, activation, 0.0, axis, power)


def make_model(kind, n_outputs, n_layers, activation="tanh"):
    sizes = (3, 2)[:n_layers]
    if kind == "deep cross":
        return DeepCross(K, n_outputs, FIELDS, sizes, activation, 0.0)
    if kind == "deep fm":
        return DeepFM(K, n_outputs, FIELDS, 0.0, make_layers(sizes, activation))
    return WideAndDeep(K, n_outputs, FIELDS, make_layers(sizes, activation)("stacked_size"))


def loops(kind, n_layers, activation="tanh"):
    act = ACTIVATIONS[activation]

    def of_row(row, params):
        score, values = linear_part(row, params), stacked(row, params["embeddings"])
        if kind == "deep cross":
            for unit in range(1, n_layers + 1):
                inner = params[f"layer_{2 * unit - 1}_weights"] @ values
                inner = act(inner + params[f"layer_{2 * unit - 1}_bias"])
                outer = params[f"layer_{2 * unit}_weights"] @ inner
                values = act(outer + params[f"layer_{2 * unit}_bias"] + values)
            return score + params["projection"] @ values
        deep = hidden(values, params, n_layers, activation)
        if kind == "deep fm":
            score = score + params["projection"] @ oracle.pooled(row, params)
            return score + params["deep_projection"] @ deep
        return score + params["projection"] @ deep

    return lambda X, params: np.array([of_row(row, params) for row in X])


@pytest.mark.parametrize("kind", ["deep cross", "deep fm", "wide and deep"])
@pytest.mark.parametrize(("n_outputs", "n_layers"), [(1, 2), (3, 1), (1, 0)])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, kind, n_outputs, n_layers, real):
    model = make_model(kind, n_outputs, n_layers)
    check_predictions(model, loops(kind, n_layers), rng, real)
    check_gradients(model, "squared error", loops(kind, n_layers), rng, real)
    check_units(model, rng)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(rng, activation):
    model = make_model("wide and deep", 1, 2, activation)
    check_predictions(model, loops("wide and deep", 2, activation), rng, real=True)


def test_a_row_of_fields_that_are_all_there_is_its_embeddings_side_by_side(rng):
    model = make_model("wide and deep", 1, 1)
    params = random_values(rng, model)
    X = np.zeros((1, len(FIELDS)))
    X[0, [0, 2, 4, 6]] = 1
    vector = params["embeddings"][[0, 2, 4, 6]].ravel()
    assert len(vector) == N_FIELDS * K
    expected = linear_part(X[0], params) + params["projection"] @ hidden(vector, params, 1, "tanh")
    np.testing.assert_allclose(predicted(model, params, X)[0], expected)


def test_without_its_layers_deep_fm_is_an_fm(rng, one_hot_data):
    model = make_model("deep fm", 1, 2)
    params = random_values(rng, model) | {"deep_projection": np.zeros((1, 2))}
    X = rng.normal(size=(8, 9))
    np.testing.assert_allclose(predicted(model, params, X), predicted(FM(K, 1), params, X))
    X, y = one_hot_data
    options = {"random_state": 0, "max_iter": 5, "l2_embedding": 1}
    fm = FMRegressor(**options).fit(X, y)
    frozen = DeepFMRegressor(freeze=["layers", "deep_projection"], **options).fit(X, y)
    np.testing.assert_allclose(frozen.predict(X), fm.predict(X), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("Estimator", [DeepCrossRegressor, WideAndDeepRegressor])
def test_they_learn_interactions(Estimator, rng):
    levels = rng.integers(0, 3, size=(900, 3))
    X = np.eye(3)[levels].reshape(900, 9)
    y = rng.normal(size=(3, 3, 3))[tuple(levels.T)]
    model = Estimator(
        random_state=0, embedding_dim=4, hidden_layer_sizes=(32,), crosses=None, max_iter=30
    )
    assert model.fit(X[:600], y[:600]).score(X[600:], y[600:]) > 0.95


@pytest.mark.parametrize("Estimator", DEEP)
def test_explanations_by_pairs_are_refused(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(max_iter=1).fit(X, y)
    with pytest.raises(TypeError, match="are no sums over pairs"):
        interaction_scores(model, X)
