"""The trainer: losses that compare rows, what is trained, penalties."""

import numpy as np
import oracle
import pytest
import torch
from conftest import ragged_matrix
from modelling import LOSSES, N_COLUMNS, gradients_of, numeric_gradients, random_values
from torch.nn import functional as F

from sklearn_afm._core.losses.loss import Loss
from sklearn_afm._core.training import trainer
from sklearn_afm._fm import FM


class PairwiseLoss(Loss):
    """-log sigma(s_1 - s_2) of rows 1 and 2 of each list, as the term of row 1."""

    compares_rows = True

    def terms(self, raw, target):
        return target[:, -1:] * F.softplus(raw.roll(-1, 0) - raw)


def pairs(numbers):
    """Targets of lists of two rows."""
    return np.stack([numbers, 1 - np.arange(len(numbers)) % 2], axis=1).astype(float)


def pairwise_objective(X, weight, params):
    raw = oracle.raw_scores(X, params)[:, 0]
    losses = np.log1p(np.exp(raw[1::2] - raw[::2]))
    return weight[::2] @ losses / weight.sum()


@pytest.mark.parametrize("max_cost", [1 << 24, 1])
@pytest.mark.parametrize("real", [True, False])
def test_a_loss_that_compares_rows(rng, monkeypatch, max_cost, real):
    """Rows of a list differ in length, so that they lie in different groups."""
    monkeypatch.setattr(trainer, "MAX_TRAINING_COST", max_cost)
    monkeypatch.setattr("modelling.strengths_of", lambda model: {})
    model = FM(3, 1)
    X = ragged_matrix(rng, 12, N_COLUMNS, real)
    params = {name: value / 2 for name, value in random_values(rng, model).items()}
    weight = rng.uniform(0.5, 2, 12)
    found = gradients_of(model, PairwiseLoss(), X, pairs(np.zeros(12)), weight, params)
    expected = numeric_gradients(lambda p: pairwise_objective(X, weight, p), params)
    for name in params:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-8, err_msg=name)


def test_lists_stay_together_in_random_order(rng):
    seen = []

    class Recording(PairwiseLoss):
        def terms(self, raw, target):
            seen.append(target[:, 0].tolist())
            return super().terms(raw, target)

    X = ragged_matrix(rng, 12, N_COLUMNS)
    target = pairs(np.arange(12))
    model = FM(3, 1)
    gradients_of(model, Recording(), X, target, np.ones(12), random_values(rng, model), n_batches=3)
    assert [len(batch) for batch in seen] == [4, 4, 4]
    rows = np.concatenate(seen).reshape(-1, 2)
    np.testing.assert_array_equal(rows[:, 1], rows[:, 0] + 1)
    assert sorted(rows[:, 0]) == [0, 2, 4, 6, 8, 10]
    assert rows[:, 0].tolist() != sorted(rows[:, 0])


def test_dropout_masks_of_the_two_passes_are_the_same(rng):
    """With one group the graph could be kept; in two, the rows are computed a second time."""
    model = FM(3, 1, dropout=0.5)
    X = ragged_matrix(rng, 12, N_COLUMNS)
    params = random_values(rng, model)
    weight = np.ones(12)
    drawn = []
    original = model.interactions

    def interactions(parameters, group, generator=None):
        drawn.append(generator.get_state())
        return original(parameters, group, generator)

    model.interactions = interactions
    gradients_of(model, PairwiseLoss(), X, pairs(np.zeros(12)), weight, params)
    first, second = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    assert len(first) == len(second) > 1
    assert all(torch.equal(a, b) for a, b in zip(first, second))


def test_what_is_not_trained_stays(rng, monkeypatch):
    model = FM(3, 1)
    X = ragged_matrix(rng, 12, N_COLUMNS)
    params = random_values(rng, model)
    original = trainer.Trainer

    def make(trained, **options):
        return original(trained=[name for name in trained if name != "embeddings"], **options)

    monkeypatch.setattr("modelling.Trainer", make)
    loss = LOSSES["squared error"]
    found = gradients_of(model, loss, X, rng.normal(size=(12, 1)), np.ones(12), params)
    assert not found["embeddings"].any()
    assert found["linear_weights"].any()
