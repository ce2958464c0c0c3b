"""Groups of rows that are ranked against each other: from sizes or ids to a number for each row."""

import numpy as np
from sklearn.utils import column_or_1d


def group_numbers(group, n_rows: int, name: str = "group") -> np.ndarray:
    """The number of each row's group, (n_rows,), from 0 in the order of ids or of rows.

    Parameters
    ----------
    group : array-like or None
        An id for each row, or the sizes of groups of consecutive rows; None: one group. As many
        values as rows are ids.
    n_rows : int
    name : str
        What messages call it.
    """
    if group is None:
        return np.zeros(n_rows, dtype=np.int64)
    group = column_or_1d(group)
    if len(group) == n_rows:
        return _numbers_of_ids(group, name)
    is_count = group.dtype.kind in "iu" and (group > 0).all()
    if not is_count or group.sum() != n_rows:
        found = f"sum to {group.sum()}" if is_count else f"are not sizes: {group[:5].tolist()}"
        raise ValueError(
            f"{name} has {len(group)} values, which {found}; there are {n_rows} rows. Give an id "
            "for each row, or the sizes of groups of consecutive rows, which sum to the number of "
            "rows."
        )
    return np.repeat(np.arange(len(group)), group)


def _numbers_of_ids(group: np.ndarray, name: str) -> np.ndarray:
    missing = group != group  # NaN
    if np.any(missing):
        raise ValueError(f"{name} has no id for row {np.flatnonzero(missing)[0]}: it is NaN.")
    try:
        return np.unique(group, return_inverse=True)[1]
    except TypeError as error:
        raise ValueError(
            f"The ids in {name} cannot be sorted ({error}). Give ids of one type, such as integers."
        ) from error
