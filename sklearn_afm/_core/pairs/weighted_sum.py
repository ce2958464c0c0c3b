"""The sum over the pairs of a row, weighed by their attention (Eq. 6)."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..batches.batches import RowGroup
from ..batches.columns import select_rows, with_padding
from .pairs import pair_positions_on
from .products import chunks


def weighted_pair_sum(embeddings: Tensor, group: RowGroup, attention: Tensor) -> Tensor:
    """Sum of a_ij (e_i * e_j) over the pairs of each row: (n_rows, k)."""
    return _WeightedPairSum.apply(*with_padding(embeddings, group), attention)


class _WeightedPairSum(torch.autograd.Function):
    """sum over pairs of a_ij (e_i * e_j), as column sums of E * (A E) with A = (a + a') / 2.

    The matrix A of a row is symmetric, so that A E serves the way back too, and no array
    of shape (rows, pairs, k) arises. E is looked up a few rows at a time.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, embeddings: Tensor, features: Tensor, attention: Tensor
    ) -> Tensor:
        width, k = features.shape[1], embeddings.shape[1]
        pooled, matrices = embeddings.new_empty(len(features), k), []
        for part in chunks(len(features), width * k, features.device):
            entries = select_rows(embeddings, features[part])
            matrices.append(_symmetric(attention[part], width))
            mixed = torch.bmm(matrices[-1], entries)
            torch.sum(mixed.mul_(entries), dim=1, out=pooled[part])
        ctx.save_for_backward(embeddings, features, *matrices)
        return pooled

    @staticmethod
    def backward(ctx: Any, d_pooled: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        embeddings, features, *matrices = ctx.saved_tensors
        width, k = features.shape[1], embeddings.shape[1]
        lower, _ = _triangles(width, embeddings.device)
        d_embeddings = torch.zeros_like(embeddings)
        d_attention = embeddings.new_empty(len(features), len(lower))
        parts = chunks(len(features), width * k, features.device)
        for part, matrix in zip(parts, matrices):
            entries, d_row = select_rows(embeddings, features[part]), d_pooled[part, None]
            mixed = torch.bmm(matrix, entries)
            d_embeddings.index_add_(0, features[part].flatten(), mixed.mul_(2 * d_row).view(-1, k))
            d_matrix = torch.bmm(entries * d_row, entries.transpose(1, 2)).flatten(1)
            torch.index_select(d_matrix, 1, lower, out=d_attention[part])
        return d_embeddings, None, d_attention


def _symmetric(attention: Tensor, width: int) -> Tensor:
    """Matrices (n_rows, width, width) with half of a_ij at (i, j) and at (j, i)."""
    matrix, half = attention.new_zeros(len(attention), width * width), attention / 2
    for triangle in _triangles(width, attention.device):
        matrix.scatter_(1, triangle.expand_as(half), half)
    return matrix.view(-1, width, width)


@lru_cache(maxsize=64)
def _triangles(width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where the pairs of a row stand in its flat matrix, below and above the diagonal."""
    i, j = pair_positions_on(device, width)
    return i * width + j, j * width + i
