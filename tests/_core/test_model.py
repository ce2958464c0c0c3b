"""Raw scores, attention and gradients are compared with plain loops (tests/oracle.py)."""

import numpy as np
import oracle
import pytest
import torch
from conftest import ragged_matrix, random_parameters
from scipy import sparse

from sklearn_afm._core import pooling as pooling_module
from sklearn_afm._core import products, scoring
from sklearn_afm._core.batches import Batcher, entries
from sklearn_afm._core.model import FactorizationModel, feature_table
from sklearn_afm._core.optimizers import SGD
from sklearn_afm._core.pooling import AttentionPooling, SumPooling
from sklearn_afm._core.trainer import Penalties, Trainer, TrainingData

N_COLUMNS, K, T = 9, 4, 3
MEDIAN_PAIRS = {"median_pairs": 7.5}


def make_model(kind, **options):
    if kind == "fm":
        return FactorizationModel(SumPooling(K))
    return FactorizationModel(AttentionPooling(K, T, **MEDIAN_PAIRS | options))


def make_parameters(rng, kind, n_outputs):
    return random_parameters(rng, N_COLUMNS, K, n_outputs, T if kind == "afm" else None)


def tensors(params):
    return {name: torch.tensor(value) for name, value in params.items()}


def local_parameters(params, X):
    batcher = Batcher(X.shape[1], lambda width: 1, 10**9)
    batch = batcher.batch(X.indptr, *entries(X.indptr, X, bool((X.data == 1).all())))
    local = tensors(params)
    for name in ("linear_weights", "embeddings"):
        local[name] = feature_table(local[name][batch.columns], batch)
    return batch, local


@pytest.mark.parametrize("kind", ["fm", "afm"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("real", [True, False])
def test_predictions(rng, kind, n_outputs, real):
    X = ragged_matrix(rng, 25, N_COLUMNS, real)
    params = make_parameters(rng, kind, n_outputs)
    scores = make_model(kind).predict(tensors(params), sparse.csr_array(X))
    np.testing.assert_allclose(
        scores, oracle.raw_scores(X, params | MEDIAN_PAIRS), rtol=1e-12, atol=1e-12
    )


def test_without_median_pairs_it_is_the_equation_of_the_paper(rng):
    X = ragged_matrix(rng, 25, N_COLUMNS)
    for n_outputs in (1, 2):
        params = make_parameters(rng, "afm", n_outputs)
        scores = make_model("afm", median_pairs=None).predict(tensors(params), sparse.csr_array(X))
        np.testing.assert_allclose(scores, oracle.raw_scores(X, params), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["fm", "afm"])
def test_training_scores_without_dropout_are_the_predictions(rng, kind):
    X = sparse.csr_array(ragged_matrix(rng, 25, N_COLUMNS))
    params = make_parameters(rng, kind, 2)
    model = make_model(kind)
    batch, local = local_parameters(params, X)
    expected = model.predict(tensors(params), X)
    for group in batch.groups:
        scores = model.training_scores(local, group, torch.Generator())
        np.testing.assert_allclose(scores, expected[group.rows], rtol=1e-12, atol=1e-12)


def test_attention(rng):
    X = ragged_matrix(rng, 25, N_COLUMNS)
    params = make_parameters(rng, "afm", 1)
    batch, local = local_parameters(params, sparse.csr_array(X))
    pooling = make_model("afm").pooling
    for group in batch.groups:
        if group.features.shape[1] < 2:
            continue
        weights = pooling.attention(local["embeddings"], group, local).numpy()
        np.testing.assert_allclose(weights.sum(1), 1)
        for row, found in zip(np.arange(len(X))[group.rows], weights):
            expected = sorted(oracle.attention(X[row], params).values())
            np.testing.assert_allclose(np.sort(found)[-len(expected) :], expected, rtol=1e-12)


def gradients_of(kind, loss, X, target, weight, params, n_batches=1, learning_rate=1.0, **options):
    """Return how much an epoch of SGD lowers the parameters, divided by the learning rate."""
    parameters = tensors(params)
    X = sparse.csr_array(X)
    entry_weight = np.repeat(weight, np.diff(X.indptr))
    penalties = Penalties(attention=0.3, embeddings=0.7, linear_weights=0.2)
    trainer = Trainer(
        model=make_model(kind, **options),
        loss=loss,
        parameters=parameters,
        optimizer=SGD(parameters, dict.fromkeys(parameters, learning_rate), len(weight)),
        batch_size=len(weight) // n_batches,
        penalties=penalties,
        frozen=frozenset(),
        order_rng=np.random.default_rng(0),
        mask_generator=torch.Generator(),
    )
    counts = np.bincount(X.indices, entry_weight, minlength=X.shape[1])
    one_hot = bool((X.data == 1).all())
    trainer.run_epoch(TrainingData(X, one_hot, torch.tensor(target), weight, counts))
    return {
        name: (params[name] - value.numpy()) / learning_rate for name, value in parameters.items()
    }


def numeric_gradients(objective, params, step=1e-6):
    result = {}
    for name, value in params.items():
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            shifted = {key: array.copy() for key, array in params.items()}
            shifted[name][index] += step
            above = objective(shifted)
            shifted[name][index] -= 2 * step
            gradient[index] = (above - objective(shifted)) / (2 * step)
        result[name] = gradient
    return result


@pytest.mark.parametrize("kind", ["fm", "afm"])
@pytest.mark.parametrize(("loss", "n_outputs"), [("squared", 2), ("log", 1), ("multinomial", 3)])
@pytest.mark.parametrize("real", [True, False])
def test_a_step_follows_the_gradient_of_the_objective(rng, kind, loss, n_outputs, real):
    X = ragged_matrix(rng, 12, N_COLUMNS, real)
    X[3:, 0] = 1.0 if not real else rng.normal(size=9)
    params = {name: value / 2 for name, value in make_parameters(rng, kind, n_outputs).items()}
    target = rng.normal(size=(12, n_outputs))
    if loss != "squared":
        target = rng.integers(0, max(2, n_outputs), size=(12, 1)).astype(float)
    weight = rng.uniform(0.5, 2, size=12)
    seen = (X != 0).any(axis=0)
    params["embeddings"][~seen] = params["linear_weights"][~seen] = (
        0  # columns without entries are not regularised
    )
    found = gradients_of(kind, loss, X, target, weight, params)
    expected = numeric_gradients(
        lambda p: oracle.objective(X, target, weight, p | MEDIAN_PAIRS, loss, 0.3, 0.7, 0.2), params
    )
    for name in params:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-8, err_msg=name)


@pytest.mark.parametrize("kind", ["fm", "afm"])
def test_the_batches_of_an_epoch_add_up_to_the_objective(rng, kind):
    """This includes the regularisation: each batch has its share of it."""
    X = ragged_matrix(rng, 12, N_COLUMNS, real=False)
    X[:, 0] = 1
    params = {name: value / 2 for name, value in make_parameters(rng, kind, 1).items()}
    params["embeddings"][(X == 0).all(axis=0)] = params["linear_weights"][(X == 0).all(axis=0)] = 0
    target, weight = rng.normal(size=(12, 1)), np.ones(12)
    arguments = (kind, "squared", X, target, weight, params)
    found = gradients_of(*arguments, n_batches=3, learning_rate=1e-7)
    expected = numeric_gradients(
        lambda p: oracle.objective(X, target, weight, p | MEDIAN_PAIRS, "squared", 0.3, 0.7, 0.2),
        params,
    )
    for name in params:
        np.testing.assert_allclose(found[name], 3 * expected[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize(
    "change",
    ["unshared", "small chunks", "recomputed", "one row a group", "remembered", "convolved"],
)
def test_how_pairs_are_computed_changes_only_rounding(rng, monkeypatch, change):
    X = ragged_matrix(rng, 30, N_COLUMNS, real=False)
    params = make_parameters(rng, "afm", 1)
    target, weight = rng.normal(size=(30, 1)), np.ones(30)
    arguments = ("afm", "squared", X, target, weight, params)
    expected = gradients_of(*arguments)
    scores = make_model("afm").predict(tensors(params), sparse.csr_array(X))
    options = {}
    if change == "unshared":
        options["share_pairs"] = False
    elif change == "small chunks":
        monkeypatch.setattr(products, "NUMBERS_PER_CHUNK", 8 * K)
        monkeypatch.setattr(products, "N_IMAGES", 1)
    elif change == "recomputed":
        monkeypatch.setattr(pooling_module, "MAX_KEPT_HIDDEN", 0)
    elif change == "remembered":
        monkeypatch.setattr(scoring, "MIN_REMEMBERED_COST", 0)
        monkeypatch.setattr(scoring, "MAX_REMEMBERED", 40)
        monkeypatch.setattr("sklearn_afm._core.model.PREDICTION_ENTRIES", 12)
    elif change == "convolved":
        monkeypatch.setattr(products, "_convolves", lambda rows, n_out: len(rows) % 16 == 0)
    else:
        monkeypatch.setattr("sklearn_afm._core.trainer.MAX_TRAINING_COST", 1)
        monkeypatch.setattr("sklearn_afm._core.model.MAX_PREDICTION_COST", 1)
    found = gradients_of(*arguments, **options)
    for name in params:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-10, atol=1e-12)
    changed = make_model("afm", **options).predict(tensors(params), sparse.csr_array(X))
    np.testing.assert_allclose(changed, scores, rtol=1e-12)


def test_large_attention_scores_do_not_overflow(rng):
    X = ragged_matrix(rng, 20, N_COLUMNS)
    params = make_parameters(rng, "afm", 1)
    params["attention_context"] *= 1e4
    scores = make_model("afm").predict(tensors(params), sparse.csr_array(X))
    np.testing.assert_allclose(scores, oracle.raw_scores(X, params | MEDIAN_PAIRS), rtol=1e-10)


def test_bfloat16_products_are_close_to_float32(rng):
    X = ragged_matrix(rng, 30, N_COLUMNS, real=False)
    params = make_parameters(rng, "afm", 1)
    batch, local = local_parameters(params, sparse.csr_array(X))
    local = {name: value.float() for name, value in local.items()}
    exact, rough = make_model("afm"), make_model("afm", product_dtype=torch.bfloat16)
    for group in batch.groups:
        expected = exact.training_scores(local, group, torch.Generator())
        found = rough.training_scores(local, group, torch.Generator())
        torch.testing.assert_close(found, expected, rtol=0.1, atol=0.1)
