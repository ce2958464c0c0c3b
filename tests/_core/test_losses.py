import numpy as np
import oracle
import pytest
import torch

from sklearn_afm._core.losses import LOSSES


@pytest.mark.parametrize(("name", "n_outputs"), [("squared", 3), ("log", 1), ("multinomial", 4)])
def test_losses(rng, name, n_outputs):
    raw = rng.normal(size=(20, n_outputs))
    target = rng.normal(size=(20, n_outputs))
    if name != "squared":
        target = rng.integers(0, max(2, n_outputs), size=(20, 1)).astype(float)
    terms = LOSSES[name](torch.tensor(raw), torch.tensor(target))
    np.testing.assert_allclose(terms.sum(1), oracle.row_losses(name, raw, target))


def test_log_loss_of_huge_logits_is_finite():
    raw = torch.tensor([[1e4], [-1e4]])
    assert LOSSES["log"](raw, torch.tensor([[0.0], [1.0]])).flatten().tolist() == [1e4, 1e4]
