"""Pairs that are drawn, and the sum that is estimated from them."""

import numpy as np
import pytest
import torch

from sklearn_afm._core.batches.batches import Batcher
from sklearn_afm._core.pairs.attention import AttentionNetwork, attention_of_pairs
from sklearn_afm._core.pairs.drawn import draw_pairs, drawn_pair_sum
from sklearn_afm._core.pairs.of_fields import of_field_pairs
from sklearn_afm._core.pairs.pairs import PairFinder
from sklearn_afm._core.pairs.weighted_sum import weighted_pair_sum

LENGTHS, N_COLUMNS, K = [17, 32, 20], 40, 3
FIELDS = np.arange(N_COLUMNS) // 10


@pytest.fixture
def group(rng):
    """Rows of 17 to 32 entries, padded."""
    columns = [np.sort(rng.choice(N_COLUMNS, n, replace=False)) for n in LENGTHS]
    indptr = np.cumsum([0, *LENGTHS])
    batch = Batcher(N_COLUMNS, lambda width: 1, 10**9).batch(indptr, np.concatenate(columns), None)
    (group,) = batch.groups
    assert group.padded
    return group


def make_inputs(rng, group, scale):
    """Embeddings and an attention network whose logits have about this size."""
    sizes = [(len(group.columns), K), (4, K), (4,), (4,)]
    embeddings, weight, bias, context = (torch.from_numpy(rng.normal(size=s)) for s in sizes)
    return embeddings, AttentionNetwork(weight, bias, context * scale)


def exact(embeddings, group, network, biases=None, weights=None):
    """The sum over all pairs."""
    bias = None if biases is None else of_field_pairs(biases, FIELDS, group)
    attention = attention_of_pairs(embeddings, group, network, PairFinder(), None, bias)
    if weights is not None:
        attention = attention * of_field_pairs(weights, FIELDS, group)
    return weighted_pair_sum(embeddings, group, attention)


def test_each_pair_of_a_row_is_as_probable_as_any_other():
    length = np.array([2, 5])
    later, earlier = draw_pairs(length, 20_000, torch.Generator().manual_seed(0))
    for row, n in enumerate(length):
        pairs, count = np.unique(np.stack([later[row], earlier[row]]), axis=1, return_counts=True)
        expected = [(i, j) for i in range(n) for j in range(i)]
        assert [tuple(pair) for pair in pairs.T] == expected
        share = len(expected)
        deviation = np.sqrt(20_000 / share)
        np.testing.assert_allclose(count, 20_000 / share, atol=4 * deviation)


def test_long_rows_draw_positions_within_them():
    later, earlier = draw_pairs(np.full(3, 5000), 10_000, torch.Generator().manual_seed(1))
    assert (later < 5000).all()
    assert (earlier < later).all()
    assert (earlier >= 0).all()


def test_even_attention_makes_no_error(rng, group):
    embeddings, network = make_inputs(rng, group, 0.0)
    found = drawn_pair_sum(embeddings, group, network, 4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, exact(embeddings, group, network))


@pytest.mark.parametrize("by_field", [False, True])
def test_the_error_falls_with_the_root_of_the_number_and_its_mean_is_small(rng, group, by_field):
    embeddings, network = make_inputs(rng, group, 0.3)
    matrices = [torch.from_numpy(rng.normal(size=(4, 4))) * 0.3 for _ in range(2)]
    of_fields = [FIELDS, matrices[0], 1 + matrices[1]] if by_field else []
    expected = exact(embeddings, group, network, *of_fields[1:])
    generator, error, bias = torch.Generator().manual_seed(0), {}, {}
    for n_drawn in (40, 640):
        estimates = torch.stack([
            drawn_pair_sum(embeddings, group, network, n_drawn, generator, *of_fields)
            for _ in range(400)
        ])  # fmt: skip
        error[n_drawn] = float((estimates - expected).square().mean().sqrt())
        bias[n_drawn] = float((estimates.mean(0) - expected).square().mean().sqrt())
    assert error[40] / error[640] == pytest.approx(4, rel=0.25)
    assert bias[640] < 0.15 * error[640]
    assert error[640] < 0.2 * float(expected.square().mean().sqrt())


def test_gradients(rng, group):
    embeddings, network = make_inputs(rng, group, 0.3)
    leaves = [value.requires_grad_() for value in (embeddings, *network)]

    def summed(embeddings, weight, bias, context):
        generator = torch.Generator().manual_seed(0)
        network = AttentionNetwork(weight, bias, context)
        return drawn_pair_sum(embeddings, group, network, 5, generator)

    assert torch.autograd.gradcheck(summed, leaves)
