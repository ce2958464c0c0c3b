"""Pooling: from the feature embeddings of a row's pairs to one k-vector.

`SumPooling` is the FM's (Eq. 3), `AttentionPooling` the AFM's (Eq. 4 to 6). A pooling has

- `row_cost(width)`: numbers that a row of this width needs in memory;
- a call with the feature embeddings x_i v_i, a `RowGroup`, the parameters and, in training,
  a generator: pooled vectors (n_rows, k), differentiable;
- `scorer(parameters, n_columns, one_hot)`, for prediction: what makes interaction scores
  (n_rows, n_outputs) of feature embeddings, a `RowGroup` and the batch's columns.
"""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from .batches import RowGroup
from .pairs import PairFinder, pair_positions
from .products import MemberLookup, chunks, linear, weight_gradient
from .scoring import PairScorer, PooledScorer, gather, in_proportion

# Index and attention numbers that each pair of each row needs.
INDICES_PER_PAIR = 32
# Numbers that the hidden layer of one group may keep for the way back; above, it is
# computed again there.
MAX_KEPT_HIDDEN = 1 << 26


class SumPooling:
    """Sum over all pairs in O(width k): half of (sum squared - sum of squares)."""

    def __init__(self, embedding_dim: int):
        self.embedding_dim = embedding_dim

    def row_cost(self, width: int) -> int:
        """Numbers in memory a row."""
        return width * self.embedding_dim

    def __call__(
        self,
        embeddings: Tensor,
        group: RowGroup,
        parameters: dict[str, Tensor],
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Pool each row of the group: (n_rows, k)."""
        entries = look_up(embeddings, group)
        return (entries.sum(1).square() - entries.square().sum(1)) / 2

    def scorer(
        self, parameters: dict[str, Tensor], n_columns: int, one_hot: bool
    ) -> PooledScorer | PairScorer:
        """What scores the rows of one matrix."""
        return PooledScorer(self, parameters)


class AttentionPooling:
    """Sum over all pairs, each weighed by the attention network.

    Parameters
    ----------
    embedding_dim, attention_dim : int
        k and t.
    dropout : float
        Share of the attention weights that training sets to 0.
    product_dtype : torch.dtype or None
        Type in which the attention network's matrix products run; None: that of the
        embeddings.
    share_pairs : bool
        Compute equal pairs of a group once.
    median_pairs : float or None
        Pairs of a row for which p is meant; what a row has more or less of, its sum has too.
        None: p is meant for every row.
    """

    def __init__(
        self,
        embedding_dim,
        attention_dim,
        dropout=0.0,
        product_dtype=None,
        share_pairs=True,
        median_pairs=None,
    ):
        self.embedding_dim = embedding_dim
        self.attention_dim = attention_dim
        self.dropout = dropout
        self.product_dtype = product_dtype
        self.median_pairs = median_pairs
        self._find_pairs = PairFinder(share_pairs)

    def row_cost(self, width: int) -> int:
        """Numbers in memory a row."""
        return width * (width - 1) // 2 * INDICES_PER_PAIR

    def __call__(
        self,
        embeddings: Tensor,
        group: RowGroup,
        parameters: dict[str, Tensor],
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Pool each row of the group: (n_rows, k). A generator turns dropout on."""
        if group.features.shape[1] < 2:
            return embeddings.new_zeros(len(group.features), self.embedding_dim)
        attention = self.attention(embeddings, group, parameters)
        if generator is not None and self.dropout:
            attention = dropout(attention, self.dropout, generator)
        pooled = _WeightedPairSum.apply(*_padded_features(embeddings, group), attention)
        return in_proportion(pooled, group, len(embeddings), self.median_pairs)

    def attention(
        self, embeddings: Tensor, group: RowGroup, parameters: dict[str, Tensor]
    ) -> Tensor:
        """Attention of each pair (Eq. 5): (n_rows, n_pairs), 0 for padding."""
        first, second, position = self._pairs(embeddings, group)
        scores = _PairScores.apply(
            embeddings,
            parameters["attention_weight"],
            parameters["attention_bias"],
            parameters["attention_context"],
            first,
            second,
            self.product_dtype or embeddings.dtype,
        )
        return _attention_of_scores(scores, position, group.padded)

    def scorer(
        self, parameters: dict[str, Tensor], n_columns: int, one_hot: bool
    ) -> PooledScorer | PairScorer:
        """What scores groups of rows of one matrix."""
        if len(parameters["projection"]) == 1:
            return PairScorer(parameters, n_columns, one_hot, self.median_pairs)
        return PooledScorer(self, parameters)

    def _pairs(self, embeddings, group):
        pairs = self._find_pairs(group, len(embeddings))
        return (
            torch.from_numpy(index).to(embeddings.device)
            for index in (pairs.first, pairs.second, pairs.position)
        )


def _attention_of_scores(scores: Tensor, position: Tensor, padded: bool) -> Tensor:
    """Softmax over the pairs of each row; position len(scores) stands for no pair."""
    if padded:
        scores = F.pad(scores, (0, 1), value=-torch.inf)
    return gather(scores, position).softmax(dim=1)


def look_up(table: Tensor, group: RowGroup) -> Tensor:
    """Table rows of each entry of the group: (n_rows, width, n_numbers), 0 for padding."""
    return _entries(*_padded_features(table, group))


def _padded_features(table, group):
    """A table that has a row of 0 where the group is padded, and the group's features."""
    if group.padded:
        table = F.pad(table, (0, 0, 0, 1))
    return table, torch.from_numpy(group.features).to(table.device)


def dropout(values: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Values set to 0 with probability `rate`, the others divided by 1 - rate."""
    # uniform_ and ge_ take a fifth of the time of bernoulli_.
    keep = torch.empty_like(values).uniform_(generator=generator).ge_(rate)
    return values * keep.div_(1 - rate)


class _PairScores(torch.autograd.Function):
    """h . relu(W (e_i * e_j) + b) of listed pairs, a chunk of pairs at a time."""

    @staticmethod
    def forward(ctx, embeddings, weight, bias, context, first, second, product_dtype):
        n_pairs = len(first)
        ctx.keep = any(ctx.needs_input_grad) and n_pairs * len(bias) <= MAX_KEPT_HIDDEN
        product_weight, product_bias = weight.to(product_dtype), bias.to(product_dtype)
        scores, kept = embeddings.new_empty(n_pairs), []
        members = MemberLookup(embeddings, len(first))
        for part in chunks(n_pairs, embeddings.shape[1], len(bias)):
            e_first, e_second = members(first[part], second[part])
            pair = e_first.mul_(e_second).to(product_dtype)
            hidden = linear(pair, product_weight, product_bias).relu_()
            torch.mv(hidden.to(scores.dtype), context, out=scores[part])
            if ctx.keep:
                kept.append(hidden)
        ctx.product_dtype = product_dtype
        ctx.save_for_backward(embeddings, weight, bias, context, first, second, *kept)
        return scores

    @staticmethod
    def backward(ctx, d_scores):
        embeddings, weight, bias, context, first, second, *kept = ctx.saved_tensors
        product_weight, product_bias = weight.to(ctx.product_dtype), bias.to(ctx.product_dtype)
        d_scores = d_scores.to(ctx.product_dtype)
        # With m_q the mask of hidden units that pair q activates and d_q its gradient, all
        # follow from  S = sum_q d_q m_q  and  G = sum_q d_q m_q (e_i * e_j)^T.
        scaled_weight = (weight * context[:, None]).T.contiguous().to(ctx.product_dtype)
        sum_active, outer_active = torch.zeros_like(bias), torch.zeros_like(weight)
        d_embeddings, members = torch.zeros_like(embeddings), MemberLookup(embeddings, len(first))
        for number, part in enumerate(chunks(len(first), embeddings.shape[1], len(bias))):
            e_first, e_second = members(first[part], second[part])
            pair = (e_first * e_second).to(ctx.product_dtype)
            hidden = kept[number] if ctx.keep else linear(pair, product_weight, product_bias)
            d_active = torch.ops.aten.threshold_backward(
                d_scores[part, None].expand_as(hidden), hidden, 0
            )
            sum_active += d_active.sum(0)
            outer_active += weight_gradient(d_active, pair)
            d_pair = linear(d_active, scaled_weight).to(embeddings.dtype)
            d_embeddings.index_add_(0, first[part], e_second.mul_(d_pair))
            d_embeddings.index_add_(0, second[part], e_first.mul_(d_pair))
        d_weight, d_bias = outer_active * context[:, None], sum_active * context
        d_context = (outer_active * weight).sum(1).addcmul_(sum_active, bias)
        return d_embeddings, d_weight, d_bias, d_context, None, None, None


class _WeightedPairSum(torch.autograd.Function):
    """sum over pairs of a_ij (e_i * e_j), as column sums of E * (A E) with A = (a + a') / 2.

    The matrix A of a row is symmetric, so that A E serves the way back too, and no array
    of shape (rows, pairs, k) arises. E is looked up a few rows at a time.
    """

    @staticmethod
    def forward(ctx, embeddings, features, attention):
        width, k = features.shape[1], embeddings.shape[1]
        pooled, matrices = embeddings.new_empty(len(features), k), []
        for part in chunks(len(features), width * k):
            entries = _entries(embeddings, features[part])
            matrices.append(_symmetric(attention[part], width))
            mixed = torch.bmm(matrices[-1], entries)
            torch.sum(mixed.mul_(entries), dim=1, out=pooled[part])
        ctx.save_for_backward(embeddings, features, *matrices)
        return pooled

    @staticmethod
    def backward(ctx, d_pooled):
        embeddings, features, *matrices = ctx.saved_tensors
        width, k = features.shape[1], embeddings.shape[1]
        lower, _ = _triangles(width, embeddings.device)
        d_embeddings = torch.zeros_like(embeddings)
        d_attention = embeddings.new_empty(len(features), len(lower))
        for part, matrix in zip(chunks(len(features), width * k), matrices):
            entries, d_row = _entries(embeddings, features[part]), d_pooled[part, None]
            mixed = torch.bmm(matrix, entries)
            d_embeddings.index_add_(0, features[part].flatten(), mixed.mul_(2 * d_row).view(-1, k))
            d_matrix = torch.bmm(entries * d_row, entries.transpose(1, 2)).flatten(1)
            torch.index_select(d_matrix, 1, lower, out=d_attention[part])
        return d_embeddings, None, d_attention


def _entries(table: Tensor, features: Tensor) -> Tensor:
    return table.index_select(0, features.flatten()).view(*features.shape, table.shape[1])


def _symmetric(attention: Tensor, width: int) -> Tensor:
    """Matrices (n_rows, width, width) with half of a_ij at (i, j) and at (j, i)."""
    matrix, half = attention.new_zeros(len(attention), width * width), attention / 2
    for triangle in _triangles(width, attention.device):
        matrix.scatter_(1, triangle.expand_as(half), half)
    return matrix.view(-1, width, width)


@lru_cache(maxsize=64)
def _triangles(width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where the pairs of a row stand in its flat matrix, below and above the diagonal."""
    i, j = (torch.from_numpy(part.copy()).to(device) for part in pair_positions(width))
    return i * width + j, j * width + i
