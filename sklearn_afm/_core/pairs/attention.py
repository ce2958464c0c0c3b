"""The attention of each pair of a row (Eq. 5)."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..batches.batches import RowGroup
from ..batches.columns import with_padding
from ..tensors import shared_tensor
from .pairs import PairFinder, pair_positions_on
from .products import MemberLookup, chunks, linear, weight_gradient
from .scorer import gather

# Numbers in memory for each pair of a row: indices and attention.
INDICES_PER_PAIR = 32
# Floats that the hidden layer of one group may keep for the way back. If it needs more, it is
# computed again there.
MAX_KEPT_HIDDEN = 1 << 26


class AttentionNetwork(NamedTuple):
    """W (t, k), b (t,) and h (t,) of Eq. 5."""

    weight: Tensor
    bias: Tensor
    context: Tensor


def attention_of_pairs(
    embeddings: Tensor,
    group: RowGroup,
    network: AttentionNetwork,
    find_pairs: PairFinder | None,
    product_dtype: torch.dtype | None = None,
    bias_of_pairs: Tensor | None = None,
) -> Tensor:
    """Attention of each pair of each row (Eq. 5): (n_rows, n_pairs), 0 for padding.

    Parameters
    ----------
    embeddings : Tensor of shape (n_features, k)
        x_i v_i.
    group : RowGroup
    network : AttentionNetwork
    find_pairs : PairFinder or None
        Finds equal pairs, which are computed once. None: each pair of each row is computed.
    product_dtype : torch.dtype or None
        Type in which the matrix products run. None: that of the embeddings.
    bias_of_pairs : Tensor of shape (n_rows, n_pairs) or None
        Added to the logits.
    """
    product_dtype = product_dtype or embeddings.dtype
    if find_pairs is None:
        logits = _logits_of_rows(embeddings, group, network, product_dtype)
    else:
        logits = _logits_of_shared(embeddings, group, network, find_pairs, product_dtype)
    logits = logits if bias_of_pairs is None else logits + bias_of_pairs
    return logits.softmax(dim=1)


def _logits_of_shared(
    embeddings: Tensor,
    group: RowGroup,
    network: AttentionNetwork,
    find_pairs: PairFinder,
    product_dtype: torch.dtype,
) -> Tensor:
    """The attention logit of each pair of each row, -inf for padding; equal pairs are shared."""
    pairs = find_pairs(group, len(embeddings))
    first, second, position = (
        shared_tensor(index, embeddings.device)
        for index in (pairs.first, pairs.second, pairs.position)
    )
    logits = _AttentionLogits.apply(embeddings, *network, first, second, product_dtype)
    if group.padded:  # position len(logits) stands for no pair
        logits = F.pad(logits, (0, 1), value=-torch.inf)
    return gather(logits, position)


def _logits_of_rows(
    embeddings: Tensor, group: RowGroup, network: AttentionNetwork, product_dtype: torch.dtype
) -> Tensor:
    """The attention logit of each pair of each row, -inf for padding."""
    padding = len(embeddings)
    embeddings, features = with_padding(embeddings, group)
    first, second = (
        features.index_select(1, part)
        for part in pair_positions_on(features.device, features.shape[1])
    )
    logits = _AttentionLogits.apply(
        embeddings, *network, first.flatten(), second.flatten(), product_dtype
    ).view(first.shape)
    # Padding is at the end of a row. So a pair has it in the member with the larger position.
    return logits.masked_fill(first == padding, -torch.inf) if group.padded else logits


class _AttentionLogits(torch.autograd.Function):
    """h . relu(W (e_i * e_j) + b) of listed pairs, a chunk of pairs at a time."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        embeddings: Tensor,
        weight: Tensor,
        bias: Tensor,
        context: Tensor,
        first: Tensor,
        second: Tensor,
        product_dtype: torch.dtype,
    ) -> Tensor:
        n_pairs = len(first)
        ctx.keep = any(ctx.needs_input_grad) and n_pairs * len(bias) <= MAX_KEPT_HIDDEN
        product_weight, product_bias = weight.to(product_dtype), bias.to(product_dtype)
        logits, kept = embeddings.new_empty(n_pairs), []
        members = MemberLookup(embeddings, len(first))
        for part in chunks(n_pairs, embeddings.shape[1], first.device, len(bias)):
            e_first, e_second = members(first[part], second[part])
            pair = e_first.mul_(e_second).to(product_dtype)
            hidden = linear(pair, product_weight, product_bias).relu_()
            torch.mv(hidden.to(logits.dtype), context, out=logits[part])
            if ctx.keep:
                kept.append(hidden)
        ctx.product_dtype = product_dtype
        ctx.save_for_backward(embeddings, weight, bias, context, first, second, *kept)
        return logits

    @staticmethod
    def backward(ctx: Any, d_logits: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        embeddings, weight, bias, context, first, second, *kept = ctx.saved_tensors
        product_weight, product_bias = weight.to(ctx.product_dtype), bias.to(ctx.product_dtype)
        d_logits = d_logits.to(ctx.product_dtype)
        # With m_q the mask of hidden units that pair q activates and d_q its gradient, all
        # follow from  S = sum_q d_q m_q  and  G = sum_q d_q m_q (e_i * e_j)^T.
        scaled_weight = (weight * context[:, None]).T.contiguous().to(ctx.product_dtype)
        sum_active, outer_active = torch.zeros_like(bias), torch.zeros_like(weight)
        d_embeddings, members = torch.zeros_like(embeddings), MemberLookup(embeddings, len(first))
        parts = chunks(len(first), embeddings.shape[1], first.device, len(bias))
        for number, part in enumerate(parts):
            e_first, e_second = members(first[part], second[part])
            pair = (e_first * e_second).to(ctx.product_dtype)
            hidden = kept[number] if ctx.keep else linear(pair, product_weight, product_bias)
            d_active = torch.ops.aten.threshold_backward(
                d_logits[part, None].expand_as(hidden), hidden, 0
            )
            sum_active += d_active.sum(0)
            outer_active += weight_gradient(d_active, pair)
            d_pair = linear(d_active, scaled_weight).to(embeddings.dtype)
            d_embeddings.index_add_(0, first[part], e_second.mul_(d_pair))
            d_embeddings.index_add_(0, second[part], e_first.mul_(d_pair))
        d_weight, d_bias = outer_active * context[:, None], sum_active * context
        d_context = (outer_active * weight).sum(1).addcmul_(sum_active, bias)
        return d_embeddings, d_weight, d_bias, d_context, None, None, None
