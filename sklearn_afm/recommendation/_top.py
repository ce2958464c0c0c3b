"""The largest numbers of each row."""

import numpy as np


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and scores of the k largest of each row, in descending order; equal ones by column.

    -inf stands for a column that does not count. Where no others are left, columns are -1 and
    scores are NaN.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
    k : int
    """
    n_rows, n_columns = scores.shape
    n_found = min(k, n_columns)
    columns, found = np.full((n_rows, k), -1), np.full((n_rows, k), np.nan)
    if not n_found or not n_rows:
        return columns, found
    lowest = np.partition(scores, n_columns - n_found, axis=1)[:, n_columns - n_found, None]
    chosen = scores > lowest
    # Of the columns that equal the lowest, the first ones fill what is left.
    equal = scores == lowest
    n_left = n_found - np.count_nonzero(chosen, axis=1, keepdims=True)
    equal &= np.cumsum(equal, axis=1, dtype=np.int32) <= n_left
    chosen |= equal
    candidates = np.nonzero(chosen)[1].reshape(n_rows, n_found)
    values = np.take_along_axis(scores, candidates, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    columns[:, :n_found] = np.take_along_axis(candidates, order, axis=1)
    found[:, :n_found] = np.take_along_axis(values, order, axis=1)
    columns[found == -np.inf] = -1
    found[found == -np.inf] = np.nan
    return columns, found
