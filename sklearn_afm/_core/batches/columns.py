"""From parameters with one row per column of X to what a batch or a group of rows needs of them."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..tensors import shared_tensor
from .batches import Batch, RowGroup


def rows_of_columns(values: Tensor, batch: Batch) -> Tensor:
    """The rows that belong to the batch's columns: (n_columns, n_numbers)."""
    return values.index_select(0, shared_tensor(batch.columns, values.device))


def by_feature(rows: Tensor, batch: Batch) -> Tensor:
    """From one row per column of the batch to one row per feature, times x_i."""
    if batch.feature_columns is None:
        return rows
    columns, values = _feature_arrays(batch, rows)
    return rows.index_select(0, columns).mul_(values)


def by_column(d_features: Tensor, batch: Batch) -> Tensor:
    """The transpose of `by_feature`: from one row per feature to one row per column."""
    if batch.feature_columns is None:
        return d_features
    columns, values = _feature_arrays(batch, d_features)
    d_rows = d_features.new_zeros(len(batch.columns), d_features.shape[1])
    return d_rows.index_add_(0, columns, d_features * values)


def _feature_arrays(batch: Batch, like: Tensor) -> tuple[Tensor, Tensor]:
    assert batch.feature_columns is not None
    assert batch.feature_values is not None
    columns = shared_tensor(batch.feature_columns, like.device)
    values = shared_tensor(batch.feature_values, like.device).to(like.dtype)
    return columns, values[:, None]


def rows_of_group(group: RowGroup, device: torch.device) -> Tensor | slice:
    """Positions of a group's rows in its batch, to index tensors with."""
    if isinstance(group.rows, slice):
        return group.rows
    return shared_tensor(group.rows, device)


def look_up(values: Tensor, group: RowGroup) -> Tensor:
    """The row of each entry of the group: (n_rows, width, n_numbers), 0 for padding.

    `values` has one row per feature.
    """
    return select_rows(*with_padding(values, group))


def with_padding(values: Tensor, group: RowGroup) -> tuple[Tensor, Tensor]:
    """The values, with a row of 0 at the end if the group is padded; the group's features."""
    if group.padded:
        values = F.pad(values, (0, 0, 0, 1))
    return values, shared_tensor(group.features, values.device)


def select_rows(values: Tensor, index: Tensor) -> Tensor:
    """values[index], several times as fast: (*index.shape, n_numbers)."""
    return values.index_select(0, index.flatten()).view(*index.shape, values.shape[1])
