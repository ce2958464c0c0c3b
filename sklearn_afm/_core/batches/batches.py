"""Make mini-batches of CSR rows: number their features, and form rectangles of rows.

NumPy does the index arithmetic on the host, where it is deterministic and cheap. Torch does the
heavy work: products of embeddings.

A *feature* is a column together with its value. So x_i v_i is computed once per feature of a
batch, and then looked up for each row. Rows of similar length form a `RowGroup`: a rectangle,
padded with the feature number `n_features`. Rows with unknown levels cost only a little padding.
One long row costs the other rows nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

# Rows to copy from X at once in shuffled order: limits the size of the copy.
ROWS_PER_BLOCK = 1 << 13


@dataclass
class RowGroup:
    """Rows of similar length, as a rectangle of feature numbers."""

    rows: np.ndarray | slice  # positions in the batch
    features: np.ndarray  # (n_rows, width), padded at the end with n_features
    padded: bool
    columns: np.ndarray  # (n_features,) column of X of each feature of the batch


@dataclass
class Batch:
    """Rows of a CSR matrix, their columns renumbered from 0."""

    columns: np.ndarray  # (n_columns,) distinct columns of X in this batch
    entry_columns: np.ndarray  # (nnz,) local column of each stored entry
    feature_columns: np.ndarray | None  # (n_features,) local column; None: one per column
    feature_values: np.ndarray | None  # (n_features,) x_i; None: all are 1
    n_features: int
    groups: list[RowGroup]
    row_lengths: np.ndarray  # (n_rows,)

    @property
    def columns_of_features(self) -> np.ndarray:
        """The column of X of each feature, (n_features,)."""
        return self.columns if self.feature_columns is None else self.columns[self.feature_columns]


class Batcher:
    """Make batches of rows that have `n_columns` columns. Keep a work array between calls.

    Parameters
    ----------
    n_columns : int
    row_cost : callable, width -> int
        Floats that a row of this width needs during its computation.
    max_cost : int
        Largest sum of these over the rows of one group.
    """

    def __init__(self, n_columns: int, row_cost: Callable[[int], int], max_cost: int):
        self._slot = np.empty(n_columns, dtype=np.int64)
        self.row_cost = row_cost
        self._max_cost = max_cost

    def batch(self, indptr: np.ndarray, indices: np.ndarray, values: np.ndarray | None) -> Batch:
        """Make one batch of CSR rows. `values` is None if all values are 1."""
        indptr = np.asarray(indptr, dtype=np.int64)
        lengths = np.diff(indptr)
        columns, entry_columns, representative = self._number_columns(indices)
        if values is None:
            features, n_features = entry_columns, len(columns)
            feature_columns = feature_values = None
        else:
            position = np.arange(len(indices))
            # Equal values in a column share a feature. If some do not, this only costs work.
            owner = np.where(values == values[representative], representative, position)
            is_owner = owner == position
            features = (np.cumsum(is_owner) - 1)[owner]
            feature_columns = entry_columns[is_owner]
            feature_values = values[is_owner]
            n_features = len(feature_columns)
        of_feature = columns if feature_columns is None else columns[feature_columns]
        groups = list(self._group_rows(indptr - indptr[0], lengths, features, of_feature))
        return Batch(
            columns,
            entry_columns,
            feature_columns,
            feature_values,
            n_features,
            groups,
            lengths,
        )

    def halve_groups(self, batch: Batch) -> bool:
        """Limit groups to half of this batch's largest. Return False if all have one row only."""
        shapes = [group.features.shape for group in batch.groups]
        costs = [n_rows * max(1, self.row_cost(width)) for n_rows, width in shapes if n_rows > 1]
        if not costs:
            return False
        self._max_cost = max(costs) // 2
        return True

    def number_columns(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distinct ones of some columns, and the number of each column among them."""
        columns, number, _ = self._number_columns(indices)
        return columns, number

    def _number_columns(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Each column's last entry is written last, and represents it. So no sorting or clearing.
        position = np.arange(len(indices))
        self._slot[indices] = position
        representative = self._slot[indices]
        is_representative = representative == position
        number = np.cumsum(is_representative) - 1
        columns = indices[is_representative].astype(np.int64)
        return columns, number[representative], representative

    def _group_rows(
        self, starts: np.ndarray, lengths: np.ndarray, features: np.ndarray, columns: np.ndarray
    ) -> Iterator[RowGroup]:
        width, n_features = int(lengths.max(initial=0)), len(columns)
        if width == int(lengths.min(initial=0)):
            rectangle = features.reshape(len(lengths), width)
            for part in self._split(len(lengths), width):
                yield RowGroup(part, rectangle[part], False, columns)
            return
        # Groups of lengths 0-1 (no pair), 2, 3-4, 5-8, ...: padding is less than half of each.
        bucket = np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
        for value in np.unique(bucket):
            rows = np.flatnonzero(bucket == value)
            width = int(lengths[rows].max())
            offset = np.arange(width)
            inside = offset < lengths[rows, None]
            entry = np.where(inside, starts[rows, None] + offset, 0)
            rectangle = np.where(inside, features[entry] if len(features) else 0, n_features)
            padded = not inside.all()
            for part in self._split(len(rows), width):
                yield RowGroup(rows[part], rectangle[part], padded, columns)

    def _split(self, n_rows: int, width: int) -> Iterator[slice]:
        step = max(1, self._max_cost // max(1, self.row_cost(width)))
        for start in range(0, n_rows, step):
            yield slice(start, min(start + step, n_rows))


def iter_row_blocks(
    X: Any, order: np.ndarray, ends: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, Any]]:
    """Yield the rows of X in the given order: (positions, row pointers, CSR block) per batch.

    `ends` are the positions in the order at which batches end.
    """
    start = 0
    block_of_batch = (ends - 1) // ROWS_PER_BLOCK
    for of_block in np.split(ends, np.flatnonzero(np.diff(block_of_batch)) + 1):
        block_order = order[start : of_block[-1]]
        block = X[block_order]
        first = 0
        for last in of_block - start:
            yield block_order[first:last], block.indptr[first : last + 1], block
            first = last
        start = of_block[-1]


def entries(indptr: np.ndarray, block: Any, one_hot: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the column indices and values (None if all are 1) of the rows of `indptr`."""
    part = slice(indptr[0], indptr[-1])
    return block.indices[part], None if one_hot else block.data[part]
