"""What pairs of entries take from the pair of their fields."""

import numpy as np
from torch import Tensor

from ..batches.batches import RowGroup
from ..batches.fields import fields_of_entries
from ..tensors import shared_tensor
from .pairs import pair_positions


def of_field_pairs(matrix: Tensor, fields: np.ndarray, group: RowGroup) -> Tensor:
    """The number of each pair's two fields: (n_rows, n_pairs), anything for padding.

    Parameters
    ----------
    matrix : Tensor of shape (n_fields, n_fields)
        It counts as symmetric: the mean of both numbers of two fields.
    fields : ndarray of shape (n_columns,)
        The number of each column's field.
    group : RowGroup
    """
    later, earlier = pair_positions(group.features.shape[1])
    of_entry = fields_of_entries(fields, group)
    code = of_entry[:, later] * len(matrix) + of_entry[:, earlier]
    return of_codes(matrix, shared_tensor(code, matrix.device))


def of_codes(matrix: Tensor, code: Tensor) -> Tensor:
    """The numbers of pairs of fields f and g by code, f n_fields + g, in either order."""
    symmetric = (matrix + matrix.T) / 2
    return symmetric.flatten().index_select(0, code.flatten()).view(code.shape)
