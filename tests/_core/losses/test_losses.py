"""Losses against plain loops; start of the bias; predictions."""

import numpy as np
import oracle
import pytest
import torch
from modelling import LOSSES
from scipy.optimize import minimize

SIZES = [("squared error", 3), ("log loss", 1), ("multinomial", 3)]


def targets(rng, name, n_outputs):
    if name == "squared error":
        return rng.normal(size=(20, n_outputs))
    return rng.integers(0, max(2, n_outputs), size=(20, 1)).astype(float)


@pytest.mark.parametrize(("name", "n_outputs"), SIZES)
def test_terms(rng, name, n_outputs):
    raw, target = rng.normal(size=(20, n_outputs)), targets(rng, name, n_outputs)
    terms = LOSSES[name].terms(torch.tensor(raw), torch.tensor(target))
    np.testing.assert_allclose(terms.sum(1), oracle.row_losses(name, raw, target))


@pytest.mark.parametrize(("name", "n_outputs"), SIZES)
def test_training_starts_near_the_best_constant(rng, name, n_outputs):
    target, weight = targets(rng, name, n_outputs), rng.uniform(0.5, 2, 20)
    if name == "squared error":
        target -= weight @ target / weight.sum()  # standardised targets have a mean of 0

    def loss(bias):
        return weight @ oracle.row_losses(name, np.tile(bias, (20, 1)), target) / weight.sum()

    start = LOSSES[name].start_bias(target, weight)
    assert start.shape == (n_outputs,)
    assert loss(start) == pytest.approx(minimize(loss, np.zeros(n_outputs)).fun, abs=2e-3)


@pytest.mark.parametrize(("name", "n_outputs"), SIZES[1:])
def test_probabilities(rng, name, n_outputs):
    raw = rng.normal(size=(20, n_outputs))
    proba = LOSSES[name].predictions(raw)
    np.testing.assert_allclose(proba.sum(1), 1)
    np.testing.assert_allclose(np.log(proba), LOSSES[name].log_predictions(raw))
    target = rng.integers(0, proba.shape[1], 20)
    expected = -np.log(proba[np.arange(20), target])
    np.testing.assert_allclose(oracle.row_losses(name, raw, target[:, None]), expected)


def test_log_loss_of_huge_logits_is_finite():
    raw = torch.tensor([[1e4], [-1e4]])
    terms = LOSSES["log loss"].terms(raw, torch.tensor([[0.0], [1.0]]))
    assert terms.flatten().tolist() == [1e4, 1e4]
