"""The fields of a group's entries, and sums of what a row has of each field."""

import numpy as np
from torch import Tensor

from ..tensors import shared_tensor
from .batches import RowGroup
from .columns import look_up


def number_of_fields(fields: np.ndarray | None) -> int:
    """How many fields there are; 1 if none are known, as in a docstring."""
    return 1 if fields is None else int(fields.max()) + 1


def fields_of_entries(fields: np.ndarray, group: RowGroup) -> np.ndarray:
    """The field of each entry of a group: (n_rows, width); 0 for padding.

    Parameters
    ----------
    fields : ndarray of shape (n_columns,)
        The number of each column's field.
    group : RowGroup
    """
    return np.append(fields[group.columns], 0)[group.features]


def sums_by_field(values: Tensor, fields: np.ndarray, group: RowGroup) -> Tensor:
    """What the entries of each field of a row sum up to: (n_rows, n_fields, n_numbers).

    A field of which a row has no entry is zeros. `values` has one row per feature.
    """
    entries = look_up(values, group)
    n_rows, width, n_numbers = entries.shape
    n_fields = number_of_fields(fields)
    number = fields_of_entries(fields, group) + n_fields * np.arange(n_rows)[:, None]
    place = shared_tensor(number.ravel(), values.device)
    sums = entries.new_zeros(n_rows * n_fields, n_numbers)
    sums = sums.index_add(0, place, entries.view(n_rows * width, n_numbers))
    return sums.view(n_rows, n_fields, n_numbers)
