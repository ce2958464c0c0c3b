"""Interactions of rows weighed by attention, for prediction with one output: no pooled vectors.

Here a distinct pair is two numbers: its attention logit h . relu(W (e_i * e_j) + b) and its
value p . (e_i * e_j). A row gathers both. A softmax and a dot product do the rest (Eq. 4 to 6).
"""

import numpy as np
import torch
from torch import Tensor

from ..batches.batches import RowGroup
from ..tensors import shared_tensor
from .field_pairs import find_many_pairs
from .pairs import PairFinder, PairNumbers, SharedPairs
from .products import MemberLookup, chunks, linear

# Pairs cheaper than this many multiplications are computed again rather than remembered.
MIN_REMEMBERED_COST = 1 << 13
# Pairs remembered at most: 24 bytes each, and the free slots of their table.
MAX_REMEMBERED = 1 << 20


class PairScorer:
    """Computes the interactions of groups of rows of one matrix.

    Parameters
    ----------
    network : tuple of Tensor
        W (t, k), b (t,) and h (t,) of Eq. 5.
    projection : Tensor of shape (1, k)
        p of Eq. 6.
    n_columns : int
        Width of the matrix.
    one_hot : bool
        All values are 1. A pair of columns then has the same two numbers in every batch, and they
        are remembered from batch to batch.
    usual_pairs : float or None
        As in `in_proportion`.
    """

    def __init__(
        self,
        network: tuple[Tensor, Tensor, Tensor],
        projection: Tensor,
        n_columns: int,
        one_hot: bool,
        usual_pairs: float | None,
    ):
        self._network = network
        self._projection = projection
        self._n_columns = n_columns
        self._usual_pairs = usual_pairs
        self._find_pairs = PairFinder()
        weight, *_ = network
        self._remembers = one_hot and weight.numel() >= MIN_REMEMBERED_COST
        if self._remembers:
            self._numbers = PairNumbers()
            self._remembered = weight.new_empty(2, 0)

    def row_cost(self, width: int) -> int:
        """Floats per row: position, attention logit, attention and value of each pair."""
        return width * (width - 1) // 2 * 4

    def __call__(
        self, parameters: dict[str, Tensor], group: RowGroup, columns: np.ndarray
    ) -> Tensor:
        """Interactions (n_rows, 1); the embeddings have one row per feature of the batch."""
        embeddings = parameters["embeddings"]
        if group.features.shape[1] < 2:
            return embeddings.new_zeros(len(group.features), 1)
        means = self._weighted_values(embeddings, group, columns)
        return in_proportion(means, group, len(embeddings), self._usual_pairs)

    def _weighted_values(self, embeddings: Tensor, group: RowGroup, columns: np.ndarray) -> Tensor:
        if not group.padded:
            return self._interactions(embeddings, group.features, columns)[:, None]
        # Apart from those that lack an entry, most rows may have a field a position.
        lacks = group.features[:, -1] == len(embeddings)
        result = embeddings.new_empty(len(lacks), 1)
        for part in (np.flatnonzero(lacks), np.flatnonzero(~lacks)):
            if len(part):
                found = self._interactions(embeddings, group.features[part], columns)
                result[shared_tensor(part, result.device), 0] = found
        return result

    def _interactions(
        self, embeddings: Tensor, features: np.ndarray, columns: np.ndarray
    ) -> Tensor:
        (logits, values), position = self.numbers(embeddings, features, columns)
        attention = gather(logits, position).softmax(dim=0)
        return attention.mul_(gather(values, position)).sum(0)

    def numbers(
        self, embeddings: Tensor, features: np.ndarray, columns: np.ndarray
    ) -> tuple[Tensor, Tensor]:
        """Attention logit and value of each distinct pair, (2, n_distinct + 1); last, of padding.

        Then the positions there of the pairs of each row, (n_pairs, n_rows).
        """
        pairs = find_many_pairs(features, len(embeddings), self._find_pairs)
        if self._remembers:
            found = self._recall(embeddings, pairs, columns)
        else:
            found = self._compute(embeddings, pairs.first, pairs.second)
        padding = found.new_tensor([[-torch.inf], [0.0]])
        position = shared_tensor(pairs.position, embeddings.device)
        return torch.cat([found, padding], dim=1), position

    def _compute(
        self, embeddings: Tensor, first_member: np.ndarray, second_member: np.ndarray
    ) -> Tensor:
        """Attention logit and value of each pair: (2, n_pairs)."""
        weight, bias, context = self._network
        first, second = (
            shared_tensor(part, embeddings.device) for part in (first_member, second_member)
        )
        result = embeddings.new_empty(2, len(first))
        members = MemberLookup(embeddings, len(first))
        for part in chunks(len(first), embeddings.shape[1], first.device, len(bias)):
            e_first, e_second = members(first[part], second[part])
            pair = e_first.mul_(e_second)
            torch.mv(linear(pair, weight, bias).relu_(), context, out=result[0, part])
            torch.mv(pair, self._projection[0], out=result[1, part])
        return result

    def _recall(self, embeddings: Tensor, pairs: SharedPairs, columns: np.ndarray) -> Tensor:
        """The same, computed only for pairs that no earlier group had."""
        key = columns[pairs.first] * self._n_columns + columns[pairs.second]
        if len(self._numbers) + len(key) > MAX_REMEMBERED:
            self._numbers = PairNumbers()
        number, new = self._numbers(key)
        if len(self._numbers) > self._remembered.shape[1]:
            grown = self._remembered.new_empty(2, 2 * len(self._numbers))
            grown[:, : self._remembered.shape[1]] = self._remembered
            self._remembered = grown
        place = shared_tensor(number, embeddings.device)
        self._remembered[:, place[shared_tensor(new, embeddings.device)]] = self._compute(
            embeddings, pairs.first[new], pairs.second[new]
        )
        return self._remembered.index_select(1, place)


def in_proportion(
    means: Tensor, group: RowGroup, n_features: int, usual_pairs: float | None
) -> Tensor:
    """Weighted means over the pairs of each row, times its number of pairs / `usual_pairs`.

    None leaves the means as they are. Then, if an entry of a row is missing, its other pairs count
    for more than in any row that the model has learnt from.
    """
    if usual_pairs is None:
        return means
    width = group.features.shape[1]
    if not group.padded:
        share = width * (width - 1) / 2 / usual_pairs
        return means if share == 1 else means * share
    length = (group.features < n_features).sum(axis=1)
    share = shared_tensor(length * (length - 1) / 2 / usual_pairs, means.device)
    return means * share.to(means.dtype)[:, None]


def gather(values: Tensor, position: Tensor) -> Tensor:
    """values[position], several times as fast."""
    return values.index_select(0, position.view(-1)).view(position.shape)
