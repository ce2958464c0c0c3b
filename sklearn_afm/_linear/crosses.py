"""Crosses: a weight for each pair of levels of two fields, and no embedding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .._core.pairs.pairs import pair_positions
from .._core.ranks import sum_over_ranks, union
from .blocks import Block

# Pairs of rows and columns that are looked up at once.
_PAIRS_AT_ONCE = 1 << 20


class Found(NamedTuple):
    """Crosses that rows have."""

    row: np.ndarray
    first: np.ndarray  # column; smaller than
    second: np.ndarray  # this one
    cross: np.ndarray  # number
    factor: np.ndarray  # x_i x_j


@dataclass(frozen=True)
class Crosses:
    """Pairs of columns that have a weight."""

    columns: np.ndarray  # (n_crosses, 2), first < second, in ascending order
    weights: np.ndarray  # (n_crosses, n_outputs)

    @classmethod
    def of(cls, blocks: list[Block], weights: list[np.ndarray]) -> "Crosses | None":
        """The crosses of blocks of them, from weights (n_outputs, n_levels); None without."""
        if not blocks:
            return None
        columns = np.concatenate([block.columns for block in blocks])
        values = np.concatenate([of_block.T for of_block in weights])
        order = np.lexsort(columns.T[::-1])
        return cls(columns[order], values[order])

    def scores(self, X: sparse.csr_array) -> np.ndarray:
        """What the crosses of each row add to the raw scores, (n_rows, n_outputs).

        Parameters
        ----------
        X : csr_array
            Canonical. A cross counts w x_i x_j.
        """
        result = np.zeros((X.shape[0], self.weights.shape[1]))
        for part in self.found(X):
            for output, weights in enumerate(self.weights.T):
                added = weights[part.cross] * part.factor
                result[:, output] += np.bincount(part.row, added, X.shape[0])
        return result

    def matrix(self, n_columns: int) -> sparse.csr_array:
        """The weights of one output as a symmetric matrix (n_columns, n_columns)."""
        one, other = self.columns.T
        places = np.concatenate([one, other]), np.concatenate([other, one])
        weights = np.tile(self.weights[:, 0], 2)
        return sparse.csr_array((weights, places), shape=(n_columns, n_columns))

    def found(self, X: sparse.csr_array) -> Iterator[Found]:
        """Yield the crosses that rows have, in parts."""
        keep = np.ones(X.nnz, dtype=bool)
        if X.nnz > len(self.columns):  # else it costs more than it saves
            taking_part = np.zeros(X.shape[1], dtype=bool)
            taking_part[self.columns.ravel()] = True
            keep = taking_part[X.indices]
        length = np.diff(np.concatenate([[0], np.cumsum(keep)])[X.indptr])
        start = np.cumsum(length) - length
        columns, values = X.indices[keep].astype(np.int64), X.data[keep]
        for size in np.unique(length[length > 1]):
            rows = np.flatnonzero(length == size)
            n_pairs = int(size) * (int(size) - 1) // 2
            if n_pairs > max(len(self.columns), _PAIRS_AT_ONCE):
                for row in rows:
                    own = slice(start[row], start[row] + size)
                    yield self._found_in_long_row(row, X.shape[1], columns[own], values[own])
                continue
            step = max(1, _PAIRS_AT_ONCE // n_pairs)
            for first in range(0, len(rows), step):
                part = rows[first : first + step]
                entries = start[part, None] + np.arange(size)
                yield self._found_in(part, X.shape[1], columns[entries], values[entries])

    def _found_in(self, rows, n_columns: int, columns, values) -> Found:
        """Crosses of rows of one length: all their pairs are looked up."""
        later, earlier = pair_positions(columns.shape[1])
        keys = self.columns[:, 0] * n_columns + self.columns[:, 1]
        wanted = columns[:, earlier] * n_columns + columns[:, later]
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        row, pair = np.nonzero(keys[place] == wanted)
        first, second = (row, earlier[pair]), (row, later[pair])
        cross, factor = place[row, pair], values[first] * values[second]
        return Found(rows[row], columns[first], columns[second], cross, factor)

    def _found_in_long_row(self, row: int, n_columns: int, columns, values) -> Found:
        """Crosses of a row that has more pairs than there are crosses: all crosses are tried."""
        dense = np.zeros(n_columns)
        dense[columns] = values
        factor = dense[self.columns].prod(axis=1)
        cross = np.flatnonzero(factor)
        return Found(np.full(len(cross), row), *self.columns[cross].T, cross, factor[cross])


def columns_of_rows(block: Block, n_rows: int) -> np.ndarray:
    """The column of a field that each row has an entry in, (n_rows,); -1 without."""
    result = np.full(n_rows, -1)
    result[slice(None) if block.rows is None else block.rows] = block.columns[block.level]
    return result


def cross_block(first: np.ndarray, second: np.ndarray, n_columns: int, group: int) -> Block | None:
    """The crosses of two fields, from the columns of each row; None if no row has both fields."""
    rows = np.flatnonzero((first >= 0) & (second >= 0))
    n_with, n_without = sum_over_ranks(np.array([len(rows), len(first) - len(rows)]))
    if not n_with:
        return None
    low, high = np.minimum(first[rows], second[rows]), np.maximum(first[rows], second[rows])
    key = low * n_columns + high
    keys = union(key)
    columns = np.stack(np.divmod(keys, n_columns), axis=1)
    level = np.searchsorted(keys, key)
    return Block(rows if n_without else None, level, None, columns, -1, group)


def cross_blocks(
    blocks: list[Block], pairs: list[tuple[int, int]], shape: tuple[int, int], n_groups: int
) -> list[Block]:
    """The crosses of pairs of one-hot fields; the number of a pair's strength is after n_groups."""
    of_field: dict[int, list[np.ndarray]] = {}
    for block in blocks:
        if block.one_hot and any(block.field in pair for pair in pairs):
            of_field.setdefault(block.field, []).append(columns_of_rows(block, shape[0]))
    made = [
        cross_block(one, other, shape[1], n_groups + number)
        for number, (first, second) in enumerate(pairs)
        for one in of_field.get(first, ())
        for other in of_field.get(second, ())
    ]
    return [block for block in made if block is not None]
