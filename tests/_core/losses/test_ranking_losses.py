"""Losses that compare rows, against plain loops over rows and pairs."""

from itertools import pairwise

import numpy as np
import oracle
import pytest
import torch
from conftest import ragged_matrix
from modelling import N_COLUMNS, gradients_of, numeric_gradients, random_values

from sklearn_afm._core.losses.ranking import RANKING_LOSSES
from sklearn_afm._core.training.trainer import Trainer
from sklearn_afm._fm import FM

LENGTHS = [3, 1, 5, 2, 4]


def target_of(rng, lengths=LENGTHS, weighs_rows=False):
    """Grades 0 to 3, a weight for each row, and 1 in the first row of each list."""
    n_rows = sum(lengths)
    first = np.zeros(n_rows)
    first[np.cumsum([0, *lengths[:-1]])] = 1
    weight = rng.uniform(0.5, 2, n_rows) if weighs_rows else np.ones(n_rows)
    return np.stack([rng.integers(0, 4, n_rows), weight, first], axis=1).astype(float)


def terms_of_list(name, raw, grade, weight):
    """The term of each row, in loops."""
    result = np.zeros(len(raw))
    rows = range(len(raw))
    for i in rows:
        below = [j for j in rows if grade[j] < grade[i]]
        if name == "softmax":
            gained = sum(weight[j] * (2 ** grade[j] - 1) for j in rows)
            counted = sum(weight[j] for j in rows if grade[j] > 0)
            share = (2 ** grade[i] - 1) * counted / gained if gained else 0.0
            total = sum(weight[j] * np.exp(raw[j]) for j in rows)
            result[i] = -share * np.log(np.exp(raw[i]) / total)
        elif name == "bpr":
            losses = [-weight[j] * np.log(1 / (1 + np.exp(raw[j] - raw[i]))) for j in below]
            result[i] = sum(losses) / sum(weight[j] for j in below) if below else 0.0
        else:
            close = [j for j in below if raw[j] > raw[i] - 1]
            counts = [round(weight[j] / weight[i]) for j in close]
            rank = sum(counts)
            hinge = sum(c * (1 - raw[i] + raw[j]) for c, j in zip(counts, close))
            result[i] = sum(1 / k for k in range(1, rank + 1)) * hinge / rank if rank else 0.0
    return result


def terms_in_loops(name, raw, target):
    bounds = [*np.flatnonzero(target[:, 2]), len(target)]
    parts = [
        terms_of_list(name, raw[a:b], target[a:b, 0], target[a:b, 1]) for a, b in pairwise(bounds)
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("weighs_rows", [False, True])
@pytest.mark.parametrize("name", RANKING_LOSSES)
def test_terms(rng, name, weighs_rows):
    target = target_of(rng, weighs_rows=weighs_rows)
    if name == "warp":  # the loop counts whole rows
        target[:, 1] = 2 if weighs_rows else 1
    raw = 2 * rng.normal(size=(len(target), 1))
    found = RANKING_LOSSES[name]().terms(torch.tensor(raw), torch.tensor(target))
    np.testing.assert_allclose(found[:, 0], terms_in_loops(name, raw[:, 0], target), rtol=1e-12)


@pytest.mark.parametrize("name", RANKING_LOSSES)
def test_a_constant_of_a_list_changes_nothing(rng, name):
    target = target_of(rng, weighs_rows=True)
    raw = rng.normal(size=(len(target), 1))
    shift = rng.normal(size=len(LENGTHS))[np.cumsum(target[:, 2]).astype(int) - 1, None]
    loss = RANKING_LOSSES[name]()
    terms, shifted = (loss.terms(torch.tensor(r), torch.tensor(target)) for r in (raw, raw + shift))
    assert terms.sum() > 0
    np.testing.assert_allclose(terms, shifted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", RANKING_LOSSES)
def test_huge_scores_have_finite_terms(name):
    target = torch.tensor([[1.0, 1, 1], [0, 1, 0]])
    terms = RANKING_LOSSES[name]().terms(torch.tensor([[-1e4], [1e4]]), target)
    assert terms[0].item() == pytest.approx(2e4, rel=1e-3)
    assert terms[1].item() == 0


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("name", RANKING_LOSSES)
def test_gradients(rng, monkeypatch, name, real):
    """A step of SGD follows the gradient of the objective, for rows and lists of any length."""
    monkeypatch.setattr("modelling.strengths_of", lambda model: {})
    model = FM(3, 1)
    X = ragged_matrix(rng, sum(LENGTHS), N_COLUMNS, real)
    target = target_of(rng)
    weight = np.repeat(rng.uniform(0.5, 2, len(LENGTHS)), LENGTHS)
    params = {key: value / 2 for key, value in random_values(rng, model).items()}

    def objective(p):
        raw = oracle.raw_scores(X, p)[:, 0]
        return weight @ terms_in_loops(name, raw, target) / weight.sum()

    found = gradients_of(model, RANKING_LOSSES[name](), X, target, weight, params)
    expected = numeric_gradients(objective, params)
    assert any(np.abs(value).max() > 1e-3 for value in expected.values())
    for key in params:
        np.testing.assert_allclose(found[key], expected[key], atol=2e-7, err_msg=key)


def test_batches_hold_whole_lists(rng, monkeypatch):
    """A batch takes the lists that begin within its share of the rows, in random order."""
    batches = []
    original = Trainer._step

    def step(self, data, csr, rows):
        batches.append(rows.tolist())
        return original(self, data, csr, rows)

    monkeypatch.setattr(Trainer, "_step", step)
    lengths = rng.integers(1, 8, 40).tolist()
    target = target_of(rng, lengths)
    X = ragged_matrix(rng, sum(lengths), N_COLUMNS)
    weight = np.ones(len(X))
    model = FM(3, 1)
    params = random_values(rng, model)
    n_batches = len(X) // 10
    gradients_of(model, RANKING_LOSSES["bpr"](), X, target, weight, params, n_batches)
    number = target[:, 2].cumsum()
    of_batches = [set(number[rows]) for rows in batches]
    assert sum(map(len, of_batches)) == 40
    order = np.concatenate(batches)
    assert sorted(order) == list(range(len(X)))
    begins = np.flatnonzero(target[order, 2])
    batch_of_row = np.repeat(np.arange(len(batches)), [len(rows) for rows in batches])
    places = begins // (len(X) // n_batches)
    same = np.diff(places) == 0
    np.testing.assert_array_equal(np.diff(batch_of_row[begins]) == 0, same)
    assert (np.diff(number[order][begins]) != 1).any()
    for start, end in zip(begins, [*begins[1:], len(order)]):  # rows of a list, as they were
        assert (np.diff(order[start:end]) == 1).all()
        assert len(set(number[order[start:end]])) == 1
