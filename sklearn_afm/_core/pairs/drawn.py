"""The weighted sum over the pairs of long rows, estimated from pairs that are drawn."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..batches.batches import RowGroup
from ..batches.columns import select_rows, with_padding
from ..batches.fields import fields_of_entries
from .attention import AttentionNetwork
from .of_fields import of_codes


def draw_pairs(
    length: np.ndarray, n_drawn: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Positions of both members of pairs of each row, (n_rows, n_drawn), the later one first.

    Each pair of a row is as probable as any other, and can be drawn again. `length` has the number
    of entries of each row, 2 or more.
    """
    n_pairs = torch.from_numpy(length * (length - 1) // 2).to(generator.device)[:, None]
    shape = len(length), n_drawn
    share = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
    # Pairs are numbered (1, 0), (2, 0), (2, 1), (3, 0), ...: none has padding, the end of a row.
    number = torch.minimum((share * n_pairs).long(), n_pairs - 1)
    later = ((1 + torch.sqrt(1 + 8 * number.double())) / 2).long()
    return later, number - later * (later - 1) // 2


def drawn_pair_sum(
    embeddings: Tensor,
    group: RowGroup,
    network: AttentionNetwork,
    n_drawn: int,
    generator: torch.Generator,
    fields: np.ndarray | None = None,
    field_biases: Tensor | None = None,
    field_weights: Tensor | None = None,
) -> Tensor:
    """An estimate of the sum of a_ij r_ij (e_i * e_j) over the pairs of each row: (n_rows, k).

    The mean over all pairs is exact, as it costs no more than an FM. s pairs that are drawn then
    estimate what attention a and weights r change: the sum over them of (a r - 1 / s) times the
    products, with a softmax over them. So even attention and weights of 1 make no error. Else the
    standard error falls as 1 / sqrt(s), and the bias, that of a ratio, as 1 / s.

    Parameters
    ----------
    embeddings : Tensor of shape (n_features, k)
    group : RowGroup
        Rows of two entries or more.
    network : AttentionNetwork
    n_drawn : int
        s.
    generator : torch.Generator
    fields : ndarray of shape (n_columns,) or None
        The number of each column's field.
    field_biases, field_weights : Tensor of shape (n_fields, n_fields) or None
        Added to the logits; r.
    """
    length = (group.features < len(embeddings)).sum(axis=1)
    later, earlier = draw_pairs(length, n_drawn, generator)
    values, features = with_padding(embeddings, group)
    entries = select_rows(values, features)
    n_pairs = torch.from_numpy(length * (length - 1) / 2).to(values)[:, None]
    mean = (entries.sum(1).square() - entries.square().sum(1)) / (2 * n_pairs)
    first, second = (features.gather(1, place) for place in (later, earlier))
    products = select_rows(values, first) * select_rows(values, second)
    logits = F.linear(products, network.weight, network.bias).relu() @ network.context
    if fields is None or field_biases is None or field_weights is None:
        weights = logits.softmax(dim=1)
    else:
        of_entries = torch.from_numpy(fields_of_entries(fields, group)).to(values.device)
        code = of_entries.gather(1, later) * len(field_biases) + of_entries.gather(1, earlier)
        weights = (logits + of_codes(field_biases, code)).softmax(dim=1)
        weights = weights * of_codes(field_weights, code)
    return mean + torch.einsum("rs,rsk->rk", weights - 1 / n_drawn, products)
