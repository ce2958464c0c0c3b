"""Interactions of joined rows weighed by attention: each row of a side with each of another.

The pairs of a joined row are those within either row and those between the two. The sums of a
softmax, of exp(logit) and of exp(logit) times value, are sums over the three groups. Within a side
they are computed once a row. Between the sides, exp(logit) belongs to two features, whatever rows
have them: it is computed once for them, and summed over the features of either row.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..batches.batches import Batch, RowGroup
from ..batches.columns import rows_of_group
from ..tensors import shared_tensor
from .of_fields import of_codes, of_field_pairs
from .products import chunks, linear
from .scorer import PairScorer, gather

# exp of a number further below 0 than this is too small for float64 to have all its digits.
LARGEST_SPREAD = 600.0
# Hidden units of several features that one matrix product computes.
UNITS_AT_ONCE = 1 << 8


class FieldMatrices(NamedTuple):
    """Weights and attention biases of pairs of fields (n_fields, n_fields), and columns' fields."""

    weights: Tensor
    biases: Tensor
    fields: np.ndarray


class AttendedRows(NamedTuple):
    """What is needed of rows that are joined with others."""

    embeddings: Tensor  # (n_features, k)
    fields: Tensor  # (n_features,) number of the field, if the model uses fields
    feature: Tensor  # (n_entries,) features of the entries, row by row
    start: Tensor  # (n_rows,) of the row's entries
    length: Tensor  # (n_rows,) number of its entries
    highest: Tensor  # (n_rows,) largest logit of the pairs within the row; -inf without
    weight: Tensor  # (n_rows,) their sum of exp(logit - highest)
    value: Tensor  # (n_rows,) their sum of exp(logit - highest) times value


class AttentionJoiner:
    """Interactions of joined rows of an AFM with one output.

    Parameters
    ----------
    network : tuple of Tensor
        W (t, k), b (t,) and h (t,) of Eq. 5.
    projection : Tensor of shape (1, k)
        p of Eq. 6.
    of_fields : FieldMatrices or None
    usual_pairs : float or None
        As in `in_proportion`.
    """

    def __init__(
        self,
        network: tuple[Tensor, Tensor, Tensor],
        projection: Tensor,
        of_fields: FieldMatrices | None,
        usual_pairs: float | None,
    ):
        self._network, self._projection = network, projection
        self._of_fields, self._usual_pairs = of_fields, usual_pairs
        self._scorer = PairScorer(network, projection, 0, False, usual_pairs)

    def side(self, parameters: dict[str, Tensor], batch: Batch) -> AttendedRows:
        """Sums over the pairs within each row, and what pairs with other rows need."""
        embeddings, lengths = parameters["embeddings"], batch.row_lengths
        start = np.cumsum(lengths) - lengths
        feature = np.empty(lengths.sum(), dtype=np.int64)
        sums = embeddings.new_zeros(3, len(lengths), dtype=torch.float64)
        sums[0] = -torch.inf
        for group in batch.groups:
            n_rows, width = group.features.shape
            entry = start[group.rows][:, None] + np.arange(width)
            real = group.features < batch.n_features
            feature[entry[real]] = group.features[real]
            if n_rows and width > 1:
                sums[:, rows_of_group(group, embeddings.device)] = self._own(embeddings, group)
        fields = batch.columns_of_features
        if self._of_fields is not None:
            fields = self._of_fields.fields[fields]
        arrays = fields, feature, start, lengths
        places = (shared_tensor(array, embeddings.device) for array in arrays)
        return AttendedRows(embeddings, *places, *sums)

    def _own(self, embeddings: Tensor, group: RowGroup) -> Tensor:
        """The last three of `AttendedRows`, of the rows of a group: (3, n_rows)."""
        numbers, position = self._scorer.numbers(embeddings, group.features, group.columns)
        logits, values = (gather(part, position).double() for part in numbers)
        if self._of_fields is not None:
            weights, biases, fields = self._of_fields
            logits += of_field_pairs(biases, fields, group).T
            values *= of_field_pairs(weights, fields, group).T
        highest = logits.amax(0)
        weight = (logits - highest).exp_()
        return torch.stack([highest, weight.sum(0), (weight * values).sum(0)])

    def __call__(self, first: AttendedRows, second: AttendedRows) -> Tensor | None:
        """Interactions (n_first, n_second); None if exp of the logits would not be exact."""
        logits, values = self._between(first, second)
        every = torch.cat([logits.flatten(), first.highest, second.highest])
        every = every[every != -torch.inf]  # of rows without a pair
        if not len(every):
            return logits.new_zeros(len(first.length), len(second.length))
        lowest, highest = torch.aminmax(every)
        if not highest - lowest <= LARGEST_SPREAD:  # nor is NaN
            return None
        weight = (logits - highest).exp_()
        weight, value = (
            _sums_of_rows(_sums_of_rows(part, second).T.contiguous(), first)
            for part in (weight, weight * values)
        )
        for side, shape in ((first, (-1, 1)), (second, (1, -1))):
            factor = (side.highest - highest).exp_()
            weight += (side.weight * factor).view(shape)
            value += (side.value * factor).view(shape)
        result = value.div_(weight.masked_fill_(weight == 0, 1.0))  # a row without a pair: 0 / 0
        if self._usual_pairs is not None:
            length = first.length[:, None] + second.length
            result *= (length * (length - 1)).to(result.dtype) / (2 * self._usual_pairs)
        return result

    def _between(self, first: AttendedRows, second: AttendedRows) -> tuple[Tensor, Tensor]:
        """Logit and value of each pair of features of both sides, (n_second, n_first), float64."""
        weight, bias, context = self._network
        logits = weight.new_empty(len(second.embeddings), len(first.embeddings))
        step = max(1, UNITS_AT_ONCE // len(bias))
        for start in range(0, len(first.embeddings), step):
            part = slice(start, start + step)
            # W (e_a * e_b) of several a at once, as a product of matrices that needs no e_a * e_b.
            turned = (first.embeddings[part, None] * weight).flatten(0, 1)
            biases = bias.repeat(len(turned) // len(bias))
            for rows in chunks(len(second.embeddings), len(turned), weight.device):
                hidden = linear(second.embeddings[rows], turned, biases).relu_()
                logits[rows, part] = torch.mv(hidden.view(-1, len(bias)), context).view(
                    hidden.shape[0], -1
                )
        logits = logits.double()
        values = (second.embeddings @ (first.embeddings * self._projection).T).double()
        if self._of_fields is not None:
            weights, biases, _ = self._of_fields
            code = second.fields[:, None] * len(weights) + first.fields
            logits += of_codes(biases, code)
            values *= of_codes(weights, code)
        return logits, values


def _sums_of_rows(values: Tensor, side: AttendedRows) -> Tensor:
    """Sums over the features of each row: (n_features, n) -> (n_rows, n)."""
    if not len(side.feature):
        return values.new_zeros(len(side.start), values.shape[1])
    return F.embedding_bag(side.feature, values, side.start, mode="sum")
