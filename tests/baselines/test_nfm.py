"""NFM against plain loops, and its normalisation over the rows of a batch."""

import numpy as np
import oracle
import pytest
from conftest import ragged_matrix
from loops import hidden, linear_part
from modelling import (
    LOSSES,
    N_COLUMNS,
    check_gradients,
    check_predictions,
    check_units,
    gradients_of,
    half_absent,
    numeric_gradients,
    objective,
    random_values,
)
from sklearn.base import clone

from sklearn_afm import FMClassifier, FMRegressor
from sklearn_afm._core.models.layers import NORMALISATION_EPS, Layers
from sklearn_afm._core.training import trainer
from sklearn_afm.baselines import NFMClassifier, NFMRegressor
from sklearn_afm.baselines._nfm import NFM
from sklearn_afm.inspection import interaction_scores

K = 3


def make_model(n_outputs=1, sizes=(4, 2), normalises=False):
    return NFM(K, n_outputs, 0.0, Layers(sizes, "tanh", 0.0, "embedding_dim"), normalises)


def scores(X, params, n_layers, mean=0.0, variance=None):
    """w0 + sum_i w_i x_i + p . g(pooled), normalised first if a variance is given."""
    result = []
    for row in X:
        pooled = oracle.pooled(row, {"embeddings": params["embeddings"]})
        if variance is not None:
            pooled = (pooled - mean) / np.sqrt(variance + NORMALISATION_EPS)
        deep = hidden(pooled, params, n_layers, "tanh")
        result.append(linear_part(row, params) + params["projection"] @ deep)
    return np.array(result)


def normalised_scores(weight, n_layers):
    """The same, normalised by mean and variance over the weighted rows."""

    def raw_scores(X, params):
        pooled = [oracle.pooled(row, {"embeddings": params["embeddings"]}) for row in X]
        mean = np.average(pooled, axis=0, weights=weight)
        variance = np.average(np.square(pooled - mean), axis=0, weights=weight)
        return scores(X, params, n_layers, mean, variance)

    return raw_scores


@pytest.mark.parametrize(("n_outputs", "sizes"), [(1, (4, 2)), (3, (4,)), (1, ())])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, n_outputs, sizes, real):
    model = make_model(n_outputs, sizes)
    check_predictions(model, lambda X, params: scores(X, params, len(sizes)), rng, real)
    check_gradients(
        model, "squared error", lambda X, params: scores(X, params, len(sizes)), rng, real
    )
    check_units(model, rng)


@pytest.mark.parametrize("one_row_a_group", [True, False])
@pytest.mark.parametrize("loss", ["squared error", "log loss"])
def test_gradients_go_through_mean_and_variance_of_the_batch(
    rng, loss, one_row_a_group, monkeypatch
):
    """Whatever the groups that its rows are computed in; rows count by their weights."""
    if one_row_a_group:
        monkeypatch.setattr(trainer, "MAX_TRAINING_COST", 1)
    X = ragged_matrix(rng, 12, N_COLUMNS)
    model = make_model(normalises=True)
    params = half_absent(rng, model, X)
    target, weight = rng.integers(0, 2, size=(12, 1)) * 1.0, rng.uniform(0.5, 2, size=12)
    found = gradients_of(model, LOSSES[loss], X, target, weight, params)
    raw_scores = normalised_scores(weight, 2)
    expected = numeric_gradients(
        lambda p: objective(model, loss, raw_scores, X, target, weight, p), params
    )
    moments = expected.pop("pooled_moments")
    assert not moments.any()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-7, err_msg=name)
    pooled = np.array([oracle.pooled(row, {"embeddings": params["embeddings"]}) for row in X])
    of_batch = [np.average(pooled**power, axis=0, weights=weight) for power in (0, 1, 2)]
    running = params["pooled_moments"] - found["pooled_moments"]
    share = trainer.STATISTICS_RATE
    np.testing.assert_allclose(
        running, params["pooled_moments"] * (1 - share) + share * np.array(of_batch)
    )


def test_prediction_normalises_by_running_means(rng):
    model = make_model(normalises=True)
    seen = 0.3  # a running mean of 1 that has not yet come to 1

    def raw_scores(X, params):
        _, mean, square = params["pooled_moments"]
        mean = mean / seen
        return scores(X, params, 2, mean, square / seen - mean**2)

    def values(rng, model, make=random_values):
        params = make(rng, model)
        params["pooled_moments"] = seen * np.array([np.ones(K), [0.5, -1, 0], [3.0, 2, 0.1]])
        return params

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelling.random_values", values)
        check_predictions(model, raw_scores, rng, real=True)


@pytest.mark.parametrize("Estimators", [(NFMRegressor, FMRegressor), (NFMClassifier, FMClassifier)])
def test_without_layers_it_is_an_fm(Estimators, one_hot_data):
    X, y = one_hot_data
    y = y if Estimators[1] is FMRegressor else np.digitize(y, [-1, 1])
    options = {"random_state": 0, "max_iter": 5, "crosses": None, "l2_embedding": "auto"}
    bare = {"hidden_layer_sizes": (), "batch_norm": False}
    model, fm = (
        Estimator(**options, **(bare if Estimator is Estimators[0] else {})).fit(X, y)
        for Estimator in Estimators
    )
    np.testing.assert_array_equal(model._raw_scores(X), fm._raw_scores(X))
    assert interaction_scores(model, X[:3]).interaction.any()


@pytest.mark.parametrize("options", [{}, {"hidden_layer_sizes": ()}, {"batch_norm": False}])
def test_explanations_by_pairs_are_refused(options, one_hot_data):
    X, y = one_hot_data
    model = NFMRegressor(max_iter=1, **options).fit(X, y)
    with pytest.raises(TypeError, match="NFMRegressor are no sums over pairs"):
        interaction_scores(model, X)


def test_weight_2_is_a_row_that_is_there_twice(one_hot_data):
    X, y = one_hot_data
    weight = 1.0 + (np.arange(300) % 2)
    twice = np.repeat(np.arange(300), weight.astype(int))
    options = {"random_state": 0, "max_iter": 8, "batch_size": 450, "precision": "float64"}
    weighted = NFMRegressor(**options).fit(X, y, sample_weight=weight)
    repeated = NFMRegressor(**options).fit(X[twice], y[twice])
    np.testing.assert_allclose(weighted.pooled_moments_, repeated.pooled_moments_, rtol=1e-6)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-5, atol=1e-6)


def test_running_means_survive_a_warm_start_and_partial_fit(one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "batch_size": 300, "averaging_decay": 0, "precision": "float64"}
    model = NFMRegressor(max_iter=4, warm_start=True, **options).fit(X, y)
    seen = model.pooled_moments_[0, 0]
    assert seen == pytest.approx(1 - 0.9**4)
    model.fit(X, y)
    expected = NFMRegressor(max_iter=8, **options).fit(X, y)
    np.testing.assert_allclose(model.pooled_moments_, expected.pooled_moments_, rtol=1e-6)
    stream = NFMRegressor(**options).partial_fit(X, y).partial_fit(X, y)
    assert stream.pooled_moments_[0, 0] == pytest.approx(1 - 0.9**2)
    assert clone(stream).fit(X, y).pooled_moments_.shape == (3, 16)


def test_it_learns_interactions(rng):
    levels = rng.integers(0, 3, size=(900, 3))
    X = np.eye(3)[levels].reshape(900, 9)
    y = rng.normal(size=(3, 3, 3))[tuple(levels.T)]
    model = NFMRegressor(
        random_state=0, embedding_dim=8, hidden_layer_sizes=(32,), crosses=None, max_iter=30
    )
    assert model.fit(X[:600], y[:600]).score(X[600:], y[600:]) > 0.9
