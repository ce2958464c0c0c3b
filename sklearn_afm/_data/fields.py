"""Fields: groups of columns that share a prior, from the rows alone or as the user gives them."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._core.ranks import max_over_ranks

_NO_ENTRY = -2


@dataclass(frozen=True)
class FieldsOfColumns:
    """Fields as a fit sees them."""

    label: np.ndarray  # (n_columns,) as the user gave them, or numbers
    number: np.ndarray  # (n_columns,) from 0
    group: np.ndarray  # (n_columns,) number of the strength


def find_fields(X: sparse.csr_array) -> np.ndarray:
    """The number of each column's field, (n_columns,), ascending from 0.

    The fields are the fewest runs of neighbouring columns such that no row has two entries in one.
    On one-hot rows they are the columns that were encoded, if some row has an entry in the first
    column of a field and one in the field before. A column of several values is a field of its own.

    Parameters
    ----------
    X : csr_array
        Canonical.
    """
    left = np.full(X.shape[1], _NO_ENTRY)
    np.maximum.at(left, X.indices, left_of_entries(X))
    left = max_over_ranks(left).astype(np.int64, copy=False)
    return fields_by_left(left, left > _NO_ENTRY, _has_several_values(X))


def left_of_entries(X: sparse.csr_array) -> np.ndarray:
    """The column of the entry before each entry in its row, (nnz,); -1 if there is none."""
    left = np.empty(X.nnz, dtype=np.int64)
    left[:1] = -1
    left[1:] = X.indices[:-1]
    starts = X.indptr[:-1]
    left[starts[starts < X.nnz]] = -1
    return left


def fields_by_left(left: np.ndarray, seen: np.ndarray, has_several: np.ndarray) -> np.ndarray:
    """The fields of columns, by what rows have to the left of them.

    Parameters
    ----------
    left : ndarray of shape (n_columns,)
        The largest column that an entry of this column has to its left in its row; below 0: none.
    seen, has_several : ndarray of shape (n_columns,)
        Whether a column has entries, and entries of different values.
    """
    columns = np.flatnonzero(seen)
    opens = has_several[columns]
    opens[1:] |= opens[:-1]
    field, start = np.zeros(len(seen), dtype=np.int64), None
    for column, left_of_it, opens_one in zip(
        columns.tolist(), left[columns].tolist(), opens.tolist()
    ):
        if start is None:
            start = column
        elif opens_one or left_of_it >= start:
            start, field[column] = column, 1
    # A column without entries is in the field of the column before it.
    return np.cumsum(field, out=field)


def fields_of(X: sparse.csr_array, fields) -> np.ndarray:
    """The number of each column's field, (n_columns,), by an estimator's parameter `fields`.

    Parameters
    ----------
    X : csr_array
        Canonical.
    fields : "auto", array-like of shape (n_columns,) or None
        Labels of fields. "auto" finds them; None is one field of all columns.
    """
    n_columns = X.shape[1]
    if fields is None:
        return np.zeros(n_columns, dtype=np.int64)
    if isinstance(fields, str):
        return find_fields(X)
    labels = np.asarray(fields)
    if labels.shape != (n_columns,):
        raise ValueError(
            f"fields has the shape {labels.shape}, but X has {n_columns} columns. Give one label "
            'per column, "auto" or None.'
        )
    return numbered(labels)


def fields_of_columns(asked, X: sparse.csr_array, label: np.ndarray | None) -> FieldsOfColumns:
    """The field of each column, and the strength that it shares.

    Found fields of one column share a strength: one column says little about its own.

    Parameters
    ----------
    asked : "auto", array-like of shape (n_columns,) or None
        The estimator's parameter `fields`.
    X : csr_array
        Canonical.
    label : ndarray of shape (n_columns,) or None
        Fields of an earlier fit, which stay; None: there are none.
    """
    is_found = asked is None or isinstance(asked, str)
    if label is not None:
        number = numbered(label)
    elif is_found:
        number = label = find_fields(X)
    else:
        number, label = fields_of(X, asked), np.asarray(asked)
    if asked is None:
        return FieldsOfColumns(label, number, np.zeros_like(number))
    if not is_found:
        return FieldsOfColumns(label, number, number)
    size = np.bincount(number, minlength=1)
    alone = np.where(size[number] == 1, -1, number)
    return FieldsOfColumns(label, number, np.unique(alone, return_inverse=True)[1])


def numbered(labels: np.ndarray) -> np.ndarray:
    """The number of each column's field, from its label."""
    return np.unique(labels, return_inverse=True)[1]


def _has_several_values(X: sparse.csr_array) -> np.ndarray:
    """Whether each column has entries of different values."""
    values = X.data.astype(np.float64, copy=False)
    extremes = np.array([values.max(initial=-np.inf), -values.min(initial=np.inf)])
    largest, smallest = max_over_ranks(extremes)
    if largest <= -smallest:
        return np.zeros(X.shape[1], dtype=bool)
    extremes = np.full((2, X.shape[1]), -np.inf)
    np.maximum.at(extremes[0], X.indices, values)
    np.maximum.at(extremes[1], X.indices, -values)
    largest, smallest = max_over_ranks(extremes)
    return largest > -smallest
