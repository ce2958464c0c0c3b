"""FM and AFM against plain loops (tests/oracle.py)."""

import numpy as np
import oracle
import pytest
import torch
from conftest import ragged_matrix
from modelling import (
    LOSSES,
    N_COLUMNS,
    check_gradients,
    check_predictions,
    gradients_of,
    half_absent,
    local_parameters,
    numeric_gradients,
    objective,
    predicted,
    random_values,
)
from scipy import sparse

from sklearn_afm._afm import AFM
from sklearn_afm._core.models.model import LINEAR
from sklearn_afm._core.pairs import attention as attention_module
from sklearn_afm._core.pairs import products, scorer
from sklearn_afm._core.training import trainer
from sklearn_afm._fm import FM

K, T = 4, 3
MEDIAN_PAIRS = 7.5


def make_model(kind, n_outputs, **options):
    if kind == "fm":
        return FM(K, n_outputs)
    return AFM(K, T, n_outputs, **{"median_pairs": MEDIAN_PAIRS} | options)


def raw_scores_of_afm(X, params):
    return oracle.raw_scores(X, params | {"median_pairs": MEDIAN_PAIRS})


LOOPS = {"fm": oracle.raw_scores, "afm": raw_scores_of_afm}


@pytest.mark.parametrize("kind", ["fm", "afm"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("real", [True, False])
def test_scores(rng, kind, n_outputs, real):
    check_predictions(make_model(kind, n_outputs), LOOPS[kind], rng, real)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_without_row_scaling_it_is_the_equation_of_the_paper(rng, n_outputs):
    model = make_model("afm", n_outputs, scales_rows=False)
    check_predictions(model, oracle.raw_scores, rng, real=True)
    check_gradients(model, "squared error", oracle.raw_scores, rng, real=False)


@pytest.mark.parametrize("kind", ["fm", "afm"])
@pytest.mark.parametrize(
    ("loss", "n_outputs"), [("squared error", 2), ("log loss", 1), ("multinomial", 3)]
)
@pytest.mark.parametrize("real", [True, False])
def test_a_step_follows_the_gradient_of_the_objective(rng, kind, loss, n_outputs, real):
    check_gradients(make_model(kind, n_outputs), loss, LOOPS[kind], rng, real)


@pytest.mark.parametrize("kind", ["fm", "afm"])
def test_the_batches_of_an_epoch_add_up_to_the_objective(rng, kind):
    """Priors included, of which each batch carries its share."""
    X = ragged_matrix(rng, 12, N_COLUMNS, real=False)
    X[:, 0] = 1
    model = make_model(kind, 1)
    params = half_absent(rng, model, X)
    target, weight = rng.normal(size=(12, 1)), np.ones(12)
    data = (X, target, weight)
    loss = LOSSES["squared error"]
    found = gradients_of(model, loss, *data, params, n_batches=3, learning_rate=1e-7)
    expected = numeric_gradients(
        lambda p: objective(model, "squared error", LOOPS[kind], *data, p), params
    )
    for name in params:
        np.testing.assert_allclose(found[name], 3 * expected[name], atol=1e-4, err_msg=name)


def test_attention(rng):
    X = ragged_matrix(rng, 25, N_COLUMNS)
    model = make_model("afm", 1)
    params = random_values(rng, model)
    batch, local = local_parameters(model, params, X)
    for group in batch.groups:
        if group.features.shape[1] < 2:
            continue
        attention = model.attention(local, group).numpy()
        np.testing.assert_allclose(attention.sum(1), 1)
        for row, found in zip(np.arange(len(X))[group.rows], attention):
            expected = sorted(oracle.attention(X[row], params).values())
            np.testing.assert_allclose(np.sort(found)[-len(expected) :], expected, rtol=1e-12)


@pytest.mark.parametrize("real", [True, False])
def test_the_spread_of_the_attention(rng, real):
    X = ragged_matrix(rng, 25, N_COLUMNS, real)
    model = make_model("afm", 1)
    params = random_values(rng, model)
    relative = []
    for row in X:
        attention = list(oracle.attention(row, params).values())
        relative += [len(attention) * a - 1 for a in attention]
    described, line = model.describe(
        {name: torch.tensor(value) for name, value in params.items()}, sparse.csr_array(X), not real
    )
    assert described == {"attention_spread": pytest.approx(np.sqrt(np.mean(np.square(relative))))}
    assert "attention varies by" in line


@pytest.mark.parametrize(
    "change",
    ["unshared", "small chunks", "recomputed", "one row a group", "remembered", "convolved"],
)
def test_how_pairs_are_computed_changes_only_rounding(rng, monkeypatch, change):
    X = ragged_matrix(rng, 30, N_COLUMNS, real=False)
    model = make_model("afm", 1)
    params = random_values(rng, model)
    target, weight = rng.normal(size=(30, 1)), np.ones(30)
    data = (LOSSES["squared error"], X, target, weight, params)
    expected = gradients_of(model, *data)
    scores = predicted(model, params, X)
    prediction = "sklearn_afm._core.models.prediction"
    if change == "unshared":
        model = make_model("afm", 1, share_pairs=False)
    elif change == "small chunks":
        monkeypatch.setattr(products, "NUMBERS_PER_CHUNK", 8 * K)
        monkeypatch.setattr(products, "N_IMAGES", 1)
    elif change == "recomputed":
        monkeypatch.setattr(attention_module, "MAX_KEPT_HIDDEN", 0)
    elif change == "remembered":
        monkeypatch.setattr(scorer, "MIN_REMEMBERED_COST", 0)
        monkeypatch.setattr(scorer, "MAX_REMEMBERED", 40)
        monkeypatch.setattr(f"{prediction}.PREDICTION_ENTRIES", 12)
    elif change == "convolved":
        monkeypatch.setattr(products, "_convolves", lambda rows, n_out: len(rows) % 16 == 0)
    else:
        monkeypatch.setattr(trainer, "MAX_TRAINING_COST", 1)
        monkeypatch.setattr(f"{prediction}.MAX_PREDICTION_COST", 1)
    found = gradients_of(model, *data)
    for name in params:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(predicted(model, params, X), scores, rtol=1e-12)


def test_large_attention_logits_do_not_overflow(rng):
    X = ragged_matrix(rng, 20, N_COLUMNS)
    model = make_model("afm", 1)
    params = random_values(rng, model)
    params["attention_context"] *= 1e4
    np.testing.assert_allclose(
        predicted(model, params, X), raw_scores_of_afm(X, params), rtol=1e-10
    )


def test_bfloat16_products_are_close_to_float32(rng):
    X = ragged_matrix(rng, 30, N_COLUMNS, real=False)
    exact, rough = make_model("afm", 1), make_model("afm", 1, product_dtype=torch.bfloat16)
    batch, local = local_parameters(exact, random_values(rng, exact), X)
    local = {name: value.float() for name, value in local.items()}
    for group in batch.groups:
        expected = exact.raw_scores(local, group, torch.Generator())
        found = rough.raw_scores(local, group, torch.Generator())
        torch.testing.assert_close(found, expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("name", ["dropout", "attention_dropout"])
def test_dropout_is_of_training_and_keeps_the_mean(rng, name):
    X = np.ones((400, 4))
    model = make_model("afm", 1, **{name: 0.5})
    params = random_values(rng, model)
    batch, local = local_parameters(model, params, X)
    (group,) = batch.groups
    exact = float(model.interactions(local, group)[0, 0])
    dropped = model.interactions(local, group, torch.Generator().manual_seed(0)).numpy()
    assert len(np.unique(dropped)) > 5
    assert dropped.mean() == pytest.approx(exact, abs=4 * dropped.std() / np.sqrt(400))


@pytest.mark.parametrize(("n_outputs", "fixed"), [(1, True), (3, False)])
def test_what_an_fm_declares(n_outputs, fixed):
    model = FM(K, n_outputs)
    names = ["bias", "linear_weights", "embeddings", "projection"]
    assert [p.name for p in model.parameters] == names
    assert model.parameters[:2] == LINEAR
    assert [p.fixed for p in model.parameters] == [False, False, False, fixed]
    assert [p.unit for p in model.parameters] == ([1, 1, 0.5, 0] if fixed else [1, 1, 0, 1])
    shapes = [model.shape(p, N_COLUMNS) for p in model.parameters]
    assert shapes == [(n_outputs,), (N_COLUMNS, n_outputs), (N_COLUMNS, K), (n_outputs, K)]
    assert model.per_column == {"linear_weights", "embeddings"}
    assert model.floats_per_column == K + n_outputs
