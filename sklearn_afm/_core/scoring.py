"""Interaction scores for prediction: pooled rows times p, or for an AFM of one output less.

For that, a distinct pair is two numbers: its attention score h . relu(W (e_i * e_j) + b) and
its value p . (e_i * e_j). A row gathers both; a softmax and a dot product do the rest (Eq. 4 to 6).
"""

import numpy as np
import torch
from torch import Tensor

from .batches import RowGroup
from .field_pairs import find_many_pairs
from .pairs import PairFinder, PairNumbers
from .products import MemberLookup, chunks, linear

# Pairs cheaper than this many multiplications are computed again rather than remembered.
MIN_REMEMBERED_COST = 1 << 13
# Pairs remembered at most: 24 bytes each, and the free slots of their table.
MAX_REMEMBERED = 1 << 20


class PooledScorer:
    """Scores groups of rows by pooling them."""

    def __init__(self, pooling, parameters: dict[str, Tensor]):
        self._pooling = pooling
        self._parameters = parameters
        self.row_cost = pooling.row_cost

    def __call__(self, embeddings: Tensor, group: RowGroup, columns: np.ndarray) -> Tensor:
        """Interaction scores (n_rows, n_outputs)."""
        pooled = self._pooling(embeddings, group, self._parameters)
        return pooled @ self._parameters["projection"].T


class PairScorer:
    """Scores groups of rows of one matrix, for a model of one output.

    Parameters
    ----------
    parameters : dict of tensors
    n_columns : int
        Width of the matrix.
    one_hot : bool
        All values are 1, so that a pair of columns has the same score in every batch: it is
        remembered from batch to batch.
    median_pairs : float or None
        As in `AttentionPooling`.
    """

    def __init__(
        self,
        parameters: dict[str, Tensor],
        n_columns: int,
        one_hot: bool,
        median_pairs: float | None,
    ):
        self._parameters = parameters
        self._n_columns = n_columns
        self._median_pairs = median_pairs
        self._find_pairs = PairFinder()
        weight = parameters["attention_weight"]
        self._remembers = one_hot and weight.numel() >= MIN_REMEMBERED_COST
        if self._remembers:
            self._numbers = PairNumbers()
            self._remembered = weight.new_empty(2, 0)

    def row_cost(self, width: int) -> int:
        """Numbers in memory a row: position, attention score, attention, value of each pair."""
        return width * (width - 1) // 2 * 4

    def __call__(self, embeddings: Tensor, group: RowGroup, columns: np.ndarray) -> Tensor:
        """Interaction scores (n_rows, 1); `embeddings` has one row a feature of the batch."""
        if group.features.shape[1] < 2:
            return embeddings.new_zeros(len(group.features), 1)
        scores = self._weighted_values(embeddings, group, columns)
        return in_proportion(scores, group, len(embeddings), self._median_pairs)

    def _weighted_values(self, embeddings, group, columns) -> Tensor:
        if not group.padded:
            return self._score(embeddings, group.features, columns)[:, None]
        # Apart from those that lack an entry, most rows may have a field a position.
        lacks = group.features[:, -1] == len(embeddings)
        result = embeddings.new_empty(len(lacks), 1)
        for part in (np.flatnonzero(lacks), np.flatnonzero(~lacks)):
            if len(part):
                found = self._score(embeddings, group.features[part], columns)
                result[torch.from_numpy(part).to(result.device), 0] = found
        return result

    def _score(self, embeddings, features, columns) -> Tensor:
        pairs = find_many_pairs(features, len(embeddings), self._find_pairs)
        if self._remembers:
            found = self._recall(embeddings, pairs, columns)
        else:
            found = self._compute(embeddings, pairs.first, pairs.second)
        padding = found.new_tensor([[-torch.inf], [0.0]])
        scores, values = torch.cat([found, padding], dim=1)
        position = torch.from_numpy(pairs.position).to(embeddings.device)
        attention = gather(scores, position).softmax(dim=0)
        return attention.mul_(gather(values, position)).sum(0)

    def _compute(self, embeddings, first, second) -> Tensor:
        """Attention score and value of each pair: (2, n_pairs)."""
        weight, bias, context, projection = (
            self._parameters[name]
            for name in ("attention_weight", "attention_bias", "attention_context", "projection")
        )
        first, second = (torch.from_numpy(part).to(embeddings.device) for part in (first, second))
        result = embeddings.new_empty(2, len(first))
        members = MemberLookup(embeddings, len(first))
        for part in chunks(len(first), embeddings.shape[1], len(bias)):
            e_first, e_second = members(first[part], second[part])
            pair = e_first.mul_(e_second)
            torch.mv(linear(pair, weight, bias).relu_(), context, out=result[0, part])
            torch.mv(pair, projection[0], out=result[1, part])
        return result

    def _recall(self, embeddings, pairs, columns) -> Tensor:
        """The same, computed only for pairs that no earlier group had."""
        key = columns[pairs.first] * self._n_columns + columns[pairs.second]
        if len(self._numbers) + len(key) > MAX_REMEMBERED:
            self._numbers = PairNumbers()
        number, new = self._numbers(key)
        if len(self._numbers) > self._remembered.shape[1]:
            grown = self._remembered.new_empty(2, 2 * len(self._numbers))
            grown[:, : self._remembered.shape[1]] = self._remembered
            self._remembered = grown
        number = torch.from_numpy(number).to(embeddings.device)
        self._remembered[:, number[torch.from_numpy(new)]] = self._compute(
            embeddings, pairs.first[new], pairs.second[new]
        )
        return self._remembered.index_select(1, number)


def in_proportion(
    sums: Tensor, group: RowGroup, n_features: int, median_pairs: float | None
) -> Tensor:
    """Weighted means over the pairs of each row, times its number of pairs / `median_pairs`.

    Without it, the pairs that a row is left with, if some entry is missing, would count for more
    than in any row that the model has learnt from.
    """
    if median_pairs is None:
        return sums
    width = group.features.shape[1]
    if not group.padded:
        share = width * (width - 1) / 2 / median_pairs
        return sums if share == 1 else sums * share
    length = (group.features < n_features).sum(axis=1)
    share = torch.from_numpy(length * (length - 1) / 2 / median_pairs)
    return sums * share.to(sums)[:, None]


def gather(values: Tensor, position: Tensor) -> Tensor:
    """values[position], several times as fast."""
    return values.index_select(0, position.view(-1)).view(position.shape)
