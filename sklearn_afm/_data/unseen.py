"""Unseen levels: rows that lack a field which every training row has.

Training learns what each level adds beside the others. A row of another level is predicted by the
mean over the levels of its field: raw scores move by the mean of what a level adds, and the loss
says what its spread does to the prediction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .._core.losses.loss import Loss
from .._core.ranks import sum_each, sum_over_ranks
from .checks import without_entries
from .rows import evenly_spaced

# Training rows from which the mean and the spread are computed, and their predictions in all.
_MAX_ROWS, _MAX_PREDICTIONS, _MIN_ROWS = 10_000, 1 << 18, 500


class Lacking(NamedTuple):
    """What rows have of the fields that training rows always have."""

    lacks: np.ndarray  # (n_rows, n_fields) bool
    n_entries: np.ndarray  # (n_rows,) entries in these fields


@dataclass(frozen=True)
class UnseenLevels:
    """What a level of each field adds to raw scores; NaN for a field that rows may lack."""

    label: np.ndarray  # (n_columns,) of the field of each column
    labels: np.ndarray  # (n_fields,) in ascending order
    mean: np.ndarray  # (n_fields, n_outputs)
    variance: np.ndarray  # (n_fields, n_outputs)

    def averaged(self, raw: np.ndarray, X: sparse.csr_array, loss: Loss) -> np.ndarray:
        """Raw scores (n_rows, n_outputs) of canonical rows, averaged over levels they lack."""
        needed = ~np.isnan(self.mean[:, 0])
        counts = needed[self._fields_of(X)]
        length = np.diff(np.concatenate([[0], np.cumsum(counts)])[X.indptr])
        short = np.flatnonzero(length < np.count_nonzero(needed))
        if not len(short):
            return raw
        part = X[short]
        row = np.repeat(np.arange(len(short)), np.diff(part.indptr))
        lacks = np.tile(needed, (len(short), 1))
        lacks[row, self._fields_of(part)] = False
        mean, variance = (np.nan_to_num(values) for values in (self.mean, self.variance))
        result = raw.copy()
        result[short] = loss.averaged(raw[short] + lacks @ mean, lacks @ variance)
        return result

    def lacking(self, X: sparse.csr_array) -> "Lacking":
        """What canonical rows lack, which are to be joined with others."""
        needed = np.flatnonzero(~np.isnan(self.mean[:, 0]))
        number = np.full(len(self.labels), -1)
        number[needed] = np.arange(len(needed))
        row, place = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr)), number[self._fields_of(X)]
        row, place = row[place >= 0], place[place >= 0]
        lacks = np.ones((X.shape[0], len(needed)), dtype=bool)
        lacks[row, place] = False
        return Lacking(lacks, np.bincount(row, minlength=X.shape[0]))

    def averaged_joined(
        self, raw: np.ndarray, first: "Lacking", second: "Lacking", loss: Loss
    ) -> np.ndarray:
        """The same as `averaged` for joined rows of one output, (n_first, n_second)."""
        short = first.n_entries[:, None] + second.n_entries < first.lacks.shape[1]
        if not short.any():
            return raw
        both = first.lacks.any(axis=0) & second.lacks.any(axis=0)
        # A joined row lacks a field if both rows lack it.
        lacks, others = (side.lacks[:, both].astype(np.float64) for side in (first, second))
        of_needed = ~np.isnan(self.mean[:, 0])
        mean, variance = (
            (lacks * values[of_needed, 0][both]) @ others.T for values in (self.mean, self.variance)
        )
        averaged = loss.averaged((raw + mean).reshape(-1, 1), variance.reshape(-1, 1))
        return np.where(short, averaged.reshape(raw.shape), raw)

    def _fields_of(self, X: sparse.csr_array) -> np.ndarray:
        """Number of the field of each entry: of entries alone, since few rows have few of them."""
        return np.searchsorted(self.labels, self.label[X.indices])


def learn_unseen_levels(
    X: sparse.csr_array,
    weight: np.ndarray,
    label: np.ndarray,
    raw_scores: Callable[[sparse.csr_array], np.ndarray],
) -> UnseenLevels:
    """What levels add, on (a part of) the training rows.

    Parameters
    ----------
    X : csr_array
        Canonical training rows.
    weight : ndarray of shape (n_rows,)
    label : ndarray of shape (n_columns,)
        Label of the field of each column.
    raw_scores : callable
        It takes rows and returns their raw scores (n_rows, n_outputs).
    """
    labels, field = np.unique(label, return_inverse=True)
    fields = _fields_of_all_rows(X, field)
    n_rows = max(_MIN_ROWS, min(_MAX_ROWS, _MAX_PREDICTIONS // max(1, len(fields))))
    chosen = evenly_spaced(X.shape[0], n_rows)
    X, weight = X[chosen], weight[chosen]
    raw = raw_scores(X if len(fields) else X[:1])
    shape = (len(labels), raw.shape[1])
    mean, variance = np.full(shape, np.nan), np.full(shape, np.nan)
    total, entry_field = sum_over_ranks(weight.sum()), field[X.indices]
    for number in fields:
        added = raw - raw_scores(without_entries(X, entry_field == number))
        mean[number] = sum_over_ranks(weight @ added) / total
        variance[number] = sum_over_ranks(weight @ (added - mean[number]) ** 2) / total
    return UnseenLevels(label, labels, mean, variance)


def _fields_of_all_rows(X: sparse.csr_array, field: np.ndarray) -> np.ndarray:
    """Numbers of the one-hot fields of several levels in which each row has one entry."""
    entry_field = field[X.indices]
    n_fields = int(field.max(initial=-1)) + 1
    seen = np.zeros(len(field), dtype=bool)
    seen[X.indices] = True
    impossible = np.bincount(entry_field, minlength=n_fields) != X.shape[0]
    impossible |= np.bincount(entry_field, X.data != 1, n_fields) > 0
    # As many entries as rows, and no two in the same row.
    entry_row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    in_order = np.argsort(entry_field, kind="stable")
    row, number = entry_row[in_order], entry_field[in_order]
    again = (row[1:] == row[:-1]) & (number[1:] == number[:-1])
    impossible[number[1:][again]] = True
    impossible, seen = sum_each([impossible.astype(float), seen.astype(float)])
    n_levels = np.bincount(field, seen > 0, n_fields)
    return np.flatnonzero((impossible == 0) & (n_levels > 1))
