"""Pooling: from the feature embeddings of a row's pairs to one k-vector.

`SumPooling` is the FM's (Eq. 3), `AttentionPooling` the AFM's (Eq. 4 to 6). A pooling has

- `row_cost(width)`: numbers that a row of this width needs in memory;
- a call with the feature embeddings x_i v_i, a `RowGroup`, the parameters and, in training,
  a generator: pooled vectors (n_rows, k), differentiable;
- `score(...)`, the same without the generator: pooled vectors times the projection
  (n_rows, n_outputs), for prediction.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .batches import RowGroup
from .pairs import find_pairs, pair_positions

# Distinct pairs in one matrix product: their (pairs, k) arrays then stay in cache.
PAIRS_PER_CHUNK = 4096
# Index and attention numbers that each pair of each row needs.
INDICES_PER_PAIR = 16
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

    def score(self, embeddings: Tensor, group: RowGroup, parameters: dict[str, Tensor]) -> Tensor:
        """Interaction scores of each row of the group: (n_rows, n_outputs)."""
        return self(embeddings, group, parameters) @ parameters["projection"].T


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
    """

    def __init__(
        self, embedding_dim, attention_dim, dropout=0.0, product_dtype=None, share_pairs=True
    ):
        self.embedding_dim = embedding_dim
        self.attention_dim = attention_dim
        self.dropout = dropout
        self.product_dtype = product_dtype
        self.share_pairs = share_pairs

    def row_cost(self, width: int) -> int:
        """Numbers in memory a row."""
        n_pairs = width * (width - 1) // 2
        return n_pairs * INDICES_PER_PAIR + width * self.embedding_dim

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
            keep = torch.empty_like(attention).bernoulli_(1 - self.dropout, generator=generator)
            attention = attention * keep / (1 - self.dropout)
        return _WeightedPairSum.apply(look_up(embeddings, group), attention)

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

    def score(self, embeddings: Tensor, group: RowGroup, parameters: dict[str, Tensor]) -> Tensor:
        """Interaction scores of each row of the group: (n_rows, n_outputs)."""
        projection = parameters["projection"]
        if len(projection) > 1 or group.features.shape[1] < 2:
            return self(embeddings, group, parameters) @ projection.T
        # One output: a distinct pair is two numbers, its attention score and its value.
        first, second, position = self._pairs(embeddings, group)
        scores, values = embeddings.new_empty(2, len(first) + 1)
        scores[-1], values[-1] = -torch.inf, 0  # padding
        weight, bias = parameters["attention_weight"].T, parameters["attention_bias"]
        for part in _chunks(len(first)):
            pair = embeddings[first[part]].mul_(embeddings[second[part]])
            torch.mv(pair, projection[0], out=values[part])
            hidden = torch.addmm(bias, pair, weight).relu_()
            torch.mv(hidden, parameters["attention_context"], out=scores[part])
        attention = scores[position].softmax(dim=1)
        return attention.mul_(values[position]).sum(1, keepdim=True)

    def _pairs(self, embeddings, group):
        pairs = find_pairs(group, len(embeddings), self.share_pairs)
        return (
            torch.from_numpy(index).to(embeddings.device)
            for index in (pairs.first, pairs.second, pairs.position)
        )


def _attention_of_scores(scores: Tensor, position: Tensor, padded: bool) -> Tensor:
    """Softmax over the pairs of each row; position len(scores) stands for no pair."""
    if padded:
        scores = F.pad(scores, (0, 1), value=-torch.inf)
    return scores.index_select(0, position.reshape(-1)).view(position.shape).softmax(dim=1)


def look_up(table: Tensor, group: RowGroup) -> Tensor:
    """Table rows of each entry of the group: (n_rows, width, n_numbers), 0 for padding."""
    if group.padded:
        table = F.pad(table, (0, 0, 0, 1))
    return F.embedding(torch.from_numpy(group.features).to(table.device), table)


class _PairScores(torch.autograd.Function):
    """h . relu(W (e_i * e_j) + b) of listed pairs, a chunk of pairs at a time."""

    @staticmethod
    def forward(ctx, embeddings, weight, bias, context, first, second, product_dtype):
        n_pairs = len(first)
        keep = any(ctx.needs_input_grad) and n_pairs * len(bias) <= MAX_KEPT_HIDDEN
        hidden = weight.new_empty(n_pairs if keep else 0, len(bias), dtype=product_dtype)
        scores = embeddings.new_empty(n_pairs)
        bias_p, weight_p = bias.to(product_dtype), weight.to(product_dtype).T
        for part in _chunks(n_pairs):
            pair = embeddings[first[part]].mul_(embeddings[second[part]])
            out = hidden[part] if keep else None
            layer = torch.addmm(bias_p, pair.to(product_dtype), weight_p, out=out).relu_()
            torch.mv(layer.to(scores.dtype), context, out=scores[part])
        ctx.keep = keep
        ctx.save_for_backward(embeddings, weight, bias, context, first, second, hidden)
        return scores

    @staticmethod
    def backward(ctx, d_scores):
        embeddings, weight, bias, context, first, second, hidden = ctx.saved_tensors
        product_dtype = hidden.dtype
        bias_p, weight_p = bias.to(product_dtype), weight.to(product_dtype)
        d_embeddings = torch.zeros_like(embeddings)
        d_weight, d_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        d_context = torch.zeros_like(context)
        for part in _chunks(len(first)):
            e_first, e_second = embeddings[first[part]], embeddings[second[part]]
            pair = (e_first * e_second).to(product_dtype)
            layer = hidden[part] if ctx.keep else torch.addmm(bias_p, pair, weight_p.T).relu_()
            d_context.addmv_(layer.T.to(context.dtype), d_scores[part])
            d_layer = torch.outer(d_scores[part], context).to(product_dtype)
            d_layer.mul_(layer > 0)
            d_bias += d_layer.sum(0)
            d_weight += d_layer.T @ pair
            d_pair = (d_layer @ weight_p).to(embeddings.dtype)
            d_embeddings.index_add_(0, first[part], d_pair * e_second)
            d_embeddings.index_add_(0, second[part], d_pair.mul_(e_first))
        return d_embeddings, d_weight, d_bias, d_context, None, None, None


def _chunks(n_pairs: int):
    return (
        slice(start, min(start + PAIRS_PER_CHUNK, n_pairs))
        for start in range(0, n_pairs, PAIRS_PER_CHUNK)
    )


class _WeightedPairSum(torch.autograd.Function):
    """sum over pairs of a_ij (e_i * e_j), as column sums of E * (A E) with A = (a + a') / 2.

    The matrix A of a row is symmetric, so that A E serves the way back too, and no array
    of shape (rows, pairs, k) arises.
    """

    @staticmethod
    def forward(ctx, entries, attention):
        mixed = torch.bmm(_symmetric(attention, entries.shape[1]), entries)
        ctx.save_for_backward(entries, mixed)
        return (entries * mixed).sum(1)

    @staticmethod
    def backward(ctx, d_pooled):
        entries, mixed = ctx.saved_tensors
        scaled = entries * d_pooled[:, None]
        d_matrix = torch.bmm(scaled, entries.transpose(1, 2)).flatten(1)
        lower, _ = _triangles(entries.shape[1], entries.device)
        return mixed * (2 * d_pooled[:, None]), d_matrix.index_select(1, lower)


def _symmetric(attention: Tensor, width: int) -> Tensor:
    """Matrices (n_rows, width, width) with half of a_ij at (i, j) and at (j, i)."""
    lower, upper = _triangles(width, attention.device)
    matrix = attention.new_zeros(len(attention), width * width)
    half = attention / 2
    matrix[:, lower] = half
    matrix[:, upper] = half
    return matrix.view(-1, width, width)


def _triangles(width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    i, j = (torch.from_numpy(part.copy()).to(device) for part in pair_positions(width))
    return i * width + j, j * width + i
