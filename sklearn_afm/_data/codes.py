"""Tables of category codes: whole numbers that name levels, and that a model would multiply."""

import numpy as np
from scipy import sparse

# Standard errors that a difference of two counts exceeds if it is not by chance.
_BEYOND_CHANCE = 4


def columns_of_codes(X: sparse.csr_array) -> np.ndarray:
    """Columns that hold codes of categories, as an OrdinalEncoder makes them; few false alarms.

    Every column of the table must hold all whole numbers from 0 to its largest, and two columns
    more than 0 and 1: measurements have gaps, decimals or an offset. Beside one of these nothing is
    said, since a count then looks the same as a code. In one column some value must be rarer than a
    smaller and a larger one, beyond chance: counts rise and fall once.
    """
    none = np.empty(0, dtype=np.int64)
    if X.data.max(initial=0) <= 1 or X.data.min() < 0 or (X.data != np.floor(X.data)).any():
        return none
    top = X.max(axis=0).toarray().ravel()
    codes = np.flatnonzero(top > 1)
    if len(codes) < 2 or top.sum() > X.nnz:  # with fewer entries than values there is a gap
        return none
    start = np.concatenate([[0], np.cumsum(top + 1)]).astype(np.int64)
    count = np.bincount(start[X.indices] + X.data.astype(np.int64), minlength=start[-1])
    count[start[:-1]] = X.shape[0] - np.diff(sparse.csc_array(X).indptr)
    if (count == 0).any():
        return none
    uneven = any(_has_dip(count[start[column] : start[column + 1]]) for column in codes)
    return codes if uneven else none


def _has_dip(count: np.ndarray) -> bool:
    """Whether a count is lower than one before and one after it, beyond chance."""
    before = np.maximum.accumulate(count)
    after = np.maximum.accumulate(count[::-1])[::-1]
    lower = np.minimum(before, after)
    return bool((lower - count > _BEYOND_CHANCE * np.sqrt(lower + count)).any())
