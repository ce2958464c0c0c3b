"""Blocks: the columns of a field, or the crosses of two fields; a row has at most one of each."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._core.ranks import sum_over_ranks, union
from .._data.fields import find_fields


@dataclass(frozen=True)
class Block:
    """Levels of which a row has at most one, so that their weights do not act on one another."""

    rows: np.ndarray | None  # (n_entries,) rows that have a level; None: all rows of all ranks
    level: np.ndarray  # (n_entries,)
    value: np.ndarray | None  # (n_entries,); None: all 1
    columns: np.ndarray  # (n_levels,) column of each level, or (n_levels, 2) of each cross
    field: int  # number of its field; -1: a cross
    group: int  # number of the strength that its weights share

    @property
    def one_hot(self) -> bool:
        """Whether all its values are 1."""
        return self.value is None

    @property
    def n_levels(self) -> int:
        """Number of weights."""
        return len(self.columns)

    @property
    def of_rows(self) -> np.ndarray | slice:
        """What takes the row of each entry out of an array."""
        return slice(None) if self.rows is None else self.rows

    def sums(self, of_rows: np.ndarray, power: int = 1) -> np.ndarray:
        """Sum over this rank's rows of each level, (n_levels,), times the value to this power."""
        return self.sums_of(of_rows[self.of_rows], power)

    def sums_of(self, of_entries: np.ndarray, power: int = 1) -> np.ndarray:
        """Sum over this rank's entries of each level, (n_levels,), times value to this power."""
        if self.value is not None:
            of_entries = of_entries * self.value**power
        return np.bincount(self.level, of_entries, self.n_levels)

    def spread(self, of_levels: np.ndarray, power: int = 1) -> np.ndarray:
        """What each entry has from its level, (n_entries,), times the value to this power."""
        values = of_levels[self.level]
        return values if self.value is None else values * self.value**power

    def part(self, chosen: np.ndarray) -> "Block":
        """The block of some rows, numbered anew; all levels stay."""
        if self.rows is None:
            kept, rows = chosen, None
        else:
            place = np.full(int(max(self.rows.max(initial=0), chosen.max(initial=0))) + 1, -1)
            place[chosen] = np.arange(len(chosen))
            kept = np.flatnonzero(place[self.rows] >= 0)
            rows = place[self.rows[kept]]
        value = None if self.value is None else self.value[kept]
        return Block(rows, self.level[kept], value, self.columns, self.field, self.group)


def field_blocks(X: sparse.csr_array, field: np.ndarray, group: np.ndarray) -> list[Block]:
    """Blocks of the columns of each field that have entries, in the order of the columns.

    A field in which a row has several entries is several blocks.

    Parameters
    ----------
    X : csr_array
        Canonical.
    field, group : ndarray of shape (n_columns,)
        Number of the field, and of the strength, of each column.
    """
    seen = union(X.indices)
    if not len(seen):
        return []
    place = np.searchsorted(seen, X.indices)
    run = np.stack([find_fields(X)[seen], field[seen]])
    starts = np.flatnonzero(np.append(True, (run[:, 1:] != run[:, :-1]).any(axis=0)))
    entry_row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    entry_block = np.searchsorted(starts, place, side="right") - 1
    order = np.argsort(entry_block, kind="stable")
    bounds = np.searchsorted(entry_block[order], np.arange(len(starts) + 1))
    missing = X.shape[0] - np.diff(bounds)
    not_one = np.bincount(entry_block[X.data != 1], minlength=len(starts))
    missing, not_one = sum_over_ranks(np.stack([missing, not_one]))
    blocks = []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(seen)])):
        entries = order[bounds[number] : bounds[number + 1]]
        blocks.append(
            Block(
                entry_row[entries] if missing[number] else None,
                place[entries] - start,
                X.data[entries].astype(np.float64) if not_one[number] else None,
                seen[start:end].astype(np.int64),
                int(field[seen[start]]),
                int(group[seen[start]]),
            )
        )
    return blocks
