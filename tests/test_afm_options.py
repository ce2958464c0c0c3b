"""What AFM can have beside the paper's model: hidden layers above the pairs, numbers by field."""

import numpy as np
import oracle
import pytest
import torch
from conftest import AFMS, target_for
from modelling import (
    check_gradients,
    check_predictions,
    check_units,
    local_parameters,
    predicted,
    random_values,
)

from sklearn_afm import AFMRegressor
from sklearn_afm._afm import AFM
from sklearn_afm._core.models.layers import Layers
from sklearn_afm.inspection import interaction_scores

K, T, MEDIAN_PAIRS = 3, 2, 7.5
FIELDS = np.array([0, 0, 1, 1, 2, 0, 3, 3, 2])


def raw_scores_of(sizes=(), field_aware=False):
    """The equation in plain loops, with tanh layers and with numbers of pairs of fields."""

    def raw_scores(X, params):
        return np.array([of_row(row, params) for row in X])

    def of_row(row, params):
        pairs = oracle.row_pairs(row)
        pooled = np.zeros(K)
        logits, weights = {}, {}
        for i, j in pairs:
            product = params["embeddings"][i] * params["embeddings"][j] * row[i] * row[j]
            inner = params["attention_weight"] @ product + params["attention_bias"]
            logits[i, j] = params["attention_context"] @ np.maximum(inner, 0)
            weights[i, j] = 1.0
            if field_aware:
                f, g = FIELDS[i], FIELDS[j]
                both = {name: params[name] + params[name].T for name in params if "field" in name}
                logits[i, j] += both["field_biases"][f, g] / 2
                weights[i, j] = both["field_weights"][f, g] / 2
        largest = max(logits.values(), default=0)
        total = sum(np.exp(value - largest) for value in logits.values())
        for i, j in pairs:
            attention = np.exp(logits[i, j] - largest) / total
            product = params["embeddings"][i] * params["embeddings"][j] * row[i] * row[j]
            pooled += weights[i, j] * attention * product
        values = pooled * len(pairs) / (1 if sizes else MEDIAN_PAIRS)
        for number in range(1, len(sizes) + 1):
            layer = params[f"layer_{number}_weights"], params[f"layer_{number}_bias"]
            values = np.tanh(layer[0] @ values + layer[1])
        linear = sum(row[i] * params["linear_weights"][i] for i in np.flatnonzero(row))
        return params["bias"] + linear + params["projection"] @ values

    return raw_scores


def make_model(n_outputs=1, sizes=(), field_aware=False):
    layers = Layers(sizes, "tanh", 0.0, "embedding_dim") if sizes else None
    options = {"layers": layers, "fields": FIELDS, "field_aware": field_aware}
    return AFM(K, T, n_outputs, median_pairs=MEDIAN_PAIRS, **options)


@pytest.mark.parametrize("options", [{"sizes": (4, 2)}, {"field_aware": True},
                                     {"sizes": (2,), "field_aware": True}])  # fmt: skip
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, options, n_outputs, real):
    model = make_model(n_outputs, **options)
    check_predictions(model, raw_scores_of(**options), rng, real)
    check_gradients(model, "squared error", raw_scores_of(**options), rng, real)
    check_units(model, rng)


def test_weights_of_1_and_biases_of_0_are_an_afm_bit_for_bit(rng):
    plain, aware = make_model(3), make_model(3, field_aware=True)
    params = random_values(rng, aware)
    params |= {"field_weights": np.ones((4, 4)), "field_biases": np.zeros((4, 4))}
    X = rng.normal(size=(20, 9)) * (rng.random((20, 9)) < 0.6)
    np.testing.assert_array_equal(predicted(aware, params, X), predicted(plain, params, X))


@pytest.mark.parametrize("Estimator", AFMS)
def test_frozen_numbers_of_fields_leave_an_afm(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = {"random_state": 0, "max_iter": 5, "l2_embedding": 1}
    plain = Estimator(**options).fit(X, y)
    aware = Estimator(field_aware=True, freeze=["field_weights", "field_biases"], **options)
    np.testing.assert_allclose(
        aware.fit(X, y)._raw_scores(X), plain._raw_scores(X), rtol=1e-5, atol=1e-6
    )


def test_field_aware_attention_is_learnt_and_explained(one_hot_data):
    X, y = one_hot_data
    model = AFMRegressor(
        field_aware=True, random_state=0, max_iter=20, crosses=None, l2_embedding=1
    ).fit(X, y)
    assert np.abs(model.field_weights_ - 1).max() > 0.01
    assert np.abs(model.field_biases_).max() > 0.001
    terms = interaction_scores(model, X)
    raw = terms.bias + terms.linear + terms.interaction
    np.testing.assert_allclose(raw, model.predict(X), atol=1e-4)


@pytest.mark.parametrize("init", ["fm", AFMRegressor()])
def test_hidden_layers_do_not_start_from_an_fm(init, one_hot_data):
    X, y = one_hot_data
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        AFMRegressor(hidden_layer_sizes=(4,), init=init).fit(X, y)


def test_with_hidden_layers_explanations_by_pairs_are_refused(one_hot_data):
    X, y = one_hot_data
    model = AFMRegressor(hidden_layer_sizes=(4,), max_iter=1).fit(X, y)
    with pytest.raises(TypeError, match="no sums over pairs"):
        interaction_scores(model, X)


def test_factors_that_an_fm_ended_start_anew_if_fields_are_weighed(rng):
    """Rows in which an FM finds nothing: the embeddings of an AFM stay at 0."""
    X = np.eye(4)[rng.integers(0, 4, size=(300, 3))].reshape(300, 12)
    y = rng.normal(size=300)
    options = {"random_state": 0, "max_iter": 1, "crosses": None}
    assert not AFMRegressor(**options).fit(X, y).embeddings_.any()
    assert AFMRegressor(field_aware=True, **options).fit(X, y).embeddings_.any()


def test_hidden_layers_learn_interactions(rng):
    levels = rng.integers(0, 3, size=(900, 3))
    X = np.eye(3)[levels].reshape(900, 9)
    y = rng.normal(size=(3, 3, 3))[tuple(levels.T)]
    model = AFMRegressor(
        hidden_layer_sizes=(32,), l2_embedding=0.1, embedding_dim=8, crosses=None, random_state=0,
        max_iter=40,
    )  # fmt: skip
    assert model.fit(X[:600], y[:600]).score(X[600:], y[600:]) > 0.9


def test_pairs_are_drawn_in_training_of_long_rows_alone(rng):
    drawn, plain = (
        AFM(K, T, 1, median_pairs=MEDIAN_PAIRS, max_pairs=number) for number in (10, None)
    )
    params = random_values(rng, plain)
    X = np.zeros((2, 9))
    X[0, :5] = X[1, :6] = 1  # 10 and 15 pairs
    np.testing.assert_array_equal(predicted(drawn, params, X), predicted(plain, params, X))
    for row, is_drawn in ((X[:1], False), (X[1:], True)):
        batch, local = local_parameters(plain, params, row)
        (group,) = batch.groups
        found = drawn.interactions(local, group, torch.Generator())
        assert bool((found != plain.interactions(local, group)).any()) is is_drawn
    assert drawn.training_cost(5) == plain.training_cost(5)
    assert drawn.training_cost(500) == drawn.training_cost(50) < plain.training_cost(50)


@pytest.mark.parametrize("options", [{}, {"field_aware": True}])
def test_a_fit_that_draws_pairs_learns(options, one_hot_data):
    X, y = one_hot_data
    settings = {"random_state": 0, "crosses": None, "l2_embedding": 1, "max_iter": 30, **options}
    few = AFMRegressor(max_pairs=3, **settings).fit(X, y)
    every = AFMRegressor(**settings).fit(X, y)
    assert not np.array_equal(few.embeddings_, every.embeddings_)
    assert few.score(X, y) > every.score(X, y) - 0.1
    again = AFMRegressor(max_pairs=3, **settings).fit(X, y)
    np.testing.assert_array_equal(few.predict(X), again.predict(X))
