"""Blocks: columns that are drawn at once, because no row has entries in two of them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse

from .._data.fields import find_fields


@dataclass(frozen=True)
class Block:
    """The entries of some columns of one field, at most one per row, in the order of the rows."""

    field: int
    columns: np.ndarray  # of X
    rows: np.ndarray | slice  # of each entry; a slice if each row has one
    place: np.ndarray  # of each entry's column in `columns`
    values: np.ndarray | None  # of each entry; None if all are 1


def blocks_of(X: sparse.csr_array, field: np.ndarray) -> list[Block]:
    """The fewest blocks of neighbouring columns of a field, for each field.

    Parameters
    ----------
    X : csr_array
        Canonical.
    field : ndarray of shape (n_columns,)
        Number of each column's field. Fields need not be exclusive, nor neighbouring columns.
    """
    order = np.argsort(field, kind="stable")
    X = X[:, order]
    X.sort_indices()
    run, field = find_fields(X), field[order]
    opens = np.ones(len(run), dtype=bool)
    opens[1:] = (run[1:] != run[:-1]) | (field[1:] != field[:-1])
    bounds = np.append(np.flatnonzero(opens), len(run))
    by_column = X.tocsc()
    return [
        _block(by_column, int(field[start]), order, start, stop) for start, stop in pairwise(bounds)
    ]


def _block(X: sparse.csc_array, field: int, order: np.ndarray, start: int, stop: int) -> Block:
    entries = slice(X.indptr[start], X.indptr[stop])
    rows, values = X.indices[entries].astype(np.intp), X.data[entries].astype(np.float64)
    place = np.repeat(np.arange(stop - start), np.diff(X.indptr[start : stop + 1]))
    by_row = np.argsort(rows)
    full = len(rows) == X.shape[0]
    return Block(
        field,
        order[start:stop],
        slice(None) if full else rows[by_row],
        place[by_row],
        None if (values == 1).all() else values[by_row],
    )
