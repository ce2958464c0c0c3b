"""Metrics of rankings by group, which scikit-learn does not have."""

import numbers

import numpy as np
from sklearn.utils import check_array, check_consistent_length, check_scalar, column_or_1d

from ._groups import group_numbers

__all__ = [
    "hit_rate_at_k",
    "mean_reciprocal_rank",
    "ndcg_at_k",
    "precision_at_k",
    "recall_at_k",
]

# Grades up to here have gains that float64 and float32 hold.
LARGEST_GRADE = 30

_SHARED = """y_true : array-like of shape (n_samples,)
        Relevance of each row: numbers of 0 or more. Rows above 0 are relevant.
    y_score : array-like of shape (n_samples,)
        Score of each row; the highest of a group is its first.
    group : array-like, default=None
        As in ``fit`` of :class:`~sklearn_afm.FMRanker`: an id for each row, or the sizes of groups
        of consecutive rows. None: all rows are one group."""


def _with_shared_words(function):
    function.__doc__ = function.__doc__.replace("{shared}", _SHARED)
    return function


@_with_shared_words
def hit_rate_at_k(y_true, y_score, *, group=None, k=10):
    """Share of groups that have a relevant row among the first k.

    Parameters
    ----------
    {shared}
    k : int, default=10
        Length of the list that is shown.

    Returns
    -------
    score : float
        Mean over the groups that have a relevant row.

    Raises
    ------
    ValueError
        If no group has a relevant row, or a relevance is negative.

    Notes
    -----
    Of rows of equal score, those that are not relevant come first. So ties never help.

    Examples
    --------
    >>> from sklearn_afm.metrics import hit_rate_at_k
    >>> hit_rate_at_k([1, 0, 0, 0, 0, 1], [3, 2, 1, 3, 2, 1], group=[3, 3], k=2)
    0.5
    """
    return _of_first(y_true, y_score, group, k, lambda found, relevant: found > 0)


@_with_shared_words
def precision_at_k(y_true, y_score, *, group=None, k=10):
    """Share of relevant rows among the first k of a group.

    Parameters
    ----------
    {shared}
    k : int, default=10
        Length of the list that is shown. A shorter group counts as if rows that are not relevant
        followed.

    Returns
    -------
    score : float
        Mean over the groups that have a relevant row.

    Raises
    ------
    ValueError
        If no group has a relevant row, or a relevance is negative.

    Notes
    -----
    Of rows of equal score, those that are not relevant come first. So ties never help.

    Examples
    --------
    >>> from sklearn_afm.metrics import precision_at_k
    >>> precision_at_k([1, 0, 0, 0, 0, 1], [3, 2, 1, 3, 2, 1], group=[3, 3], k=2)
    0.25
    """
    return _of_first(y_true, y_score, group, k, lambda found, relevant: found / k)


@_with_shared_words
def recall_at_k(y_true, y_score, *, group=None, k=10):
    """Share of a group's relevant rows that are among its first k.

    Parameters
    ----------
    {shared}
    k : int, default=10
        Length of the list that is shown.

    Returns
    -------
    score : float
        Mean over the groups that have a relevant row.

    Raises
    ------
    ValueError
        If no group has a relevant row, or a relevance is negative.

    Notes
    -----
    Of rows of equal score, those that are not relevant come first. So ties never help.

    Examples
    --------
    >>> from sklearn_afm.metrics import recall_at_k
    >>> recall_at_k([1, 0, 1, 0, 0, 1], [3, 2, 1, 3, 2, 1], group=[3, 3], k=2)
    0.25
    """
    return _of_first(y_true, y_score, group, k, lambda found, relevant: found / relevant)


@_with_shared_words
def mean_reciprocal_rank(y_true, y_score, *, group=None):
    """Mean of 1 / the place of a group's first relevant row.

    Parameters
    ----------
    {shared}

    Returns
    -------
    score : float
        Mean over the groups that have a relevant row.

    Raises
    ------
    ValueError
        If no group has a relevant row, or a relevance is negative.

    Notes
    -----
    Of rows of equal score, those that are not relevant come first. So ties never help.

    Examples
    --------
    >>> from sklearn_afm.metrics import mean_reciprocal_rank
    >>> mean_reciprocal_rank([1, 0, 0, 0, 1], [3, 2, 1, 3, 2], group=[3, 2])
    0.75
    """
    relevant, number, place = _ranked(*_checked(y_true, y_score, group))
    best = np.zeros(number[-1] + 1)
    np.maximum.at(best, number[relevant], 1 / (place[relevant] + 1))
    return _mean(best, np.bincount(number, relevant) > 0)


@_with_shared_words
def ndcg_at_k(y_true, y_score, *, group=None, k=None):
    """Normalised discounted cumulative gain of groups of any length.

    Parameters
    ----------
    {shared}
        The gain of a row is 2^relevance - 1.
    k : int or None, default=None
        Number of rows of a group that count. None: all.

    Returns
    -------
    score : float
        Mean over the groups that have a relevant row.

    Raises
    ------
    ValueError
        If no group has a relevant row, or a relevance is negative or above 30.

    Notes
    -----
    Rows of equal score get the mean of the discounts of their places, as in
    :func:`sklearn.metrics.ndcg_score`, which takes gains and groups of one length: of
    ``2**y_true - 1`` it gives the same.

    Examples
    --------
    >>> from sklearn_afm.metrics import ndcg_at_k
    >>> round(ndcg_at_k([1, 0, 0, 0, 1], [3, 2, 1, 3, 2], group=[3, 2]), 3)
    0.815
    """
    y_true, y_score, number = _checked(y_true, y_score, group)
    if k is not None:
        check_scalar(k, "k", numbers.Integral, min_val=1)
    return mean_ndcg(check_grades(y_true, "y_true"), y_score, number, k)


def check_grades(grade: np.ndarray, name: str) -> np.ndarray:
    """Refuse grades that have no gain."""
    if grade.min(initial=0) < 0 or grade.max(initial=0) > LARGEST_GRADE:
        raise ValueError(
            f"{name} goes from {grade.min():g} to {grade.max():g}; relevance must lie within 0 to "
            f"{LARGEST_GRADE}, as its gain is 2^relevance - 1. Give small integers, such as 0 to 4."
        )
    return grade


def mean_ndcg(grade: np.ndarray, score: np.ndarray, number: np.ndarray, k=None) -> float:
    """Mean NDCG over groups, for checked arrays and numbers of groups; NaN if none is relevant."""
    gain, n_groups = 2.0**grade - 1, number.max() + 1
    order = np.lexsort((-score, number))
    discount = 1 / np.log2(_places(number[order]) + 2)
    if k is not None:
        discount[_places(number[order]) >= k] = 0
    first_of_tie = np.append(True, (np.diff(number[order]) != 0) | (np.diff(score[order]) != 0))
    tie = first_of_tie.cumsum() - 1
    shared = np.bincount(tie, discount) / np.bincount(tie)
    found = np.bincount(number[order], gain[order] * shared[tie], n_groups)
    best = gain[np.lexsort((-gain, number))]
    best = np.bincount(number[order], best * discount, n_groups)
    return _mean(found / np.where(best > 0, best, 1), best > 0)


def _of_first(y_true, y_score, group, k, of_group) -> float:
    """Mean of a function of how many relevant rows a group has among its first k, and in all."""
    check_scalar(k, "k", numbers.Integral, min_val=1)
    relevant, number, place = _ranked(*_checked(y_true, y_score, group))
    found = np.bincount(number, relevant & (place < k))
    in_all = np.bincount(number, relevant)
    return _mean(of_group(found, np.maximum(in_all, 1)), in_all > 0)


def _checked(y_true, y_score, group) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y_true, y_score = (
        check_array(column_or_1d(y), ensure_2d=False, dtype=np.float64, input_name=name)
        for name, y in (("y_true", y_true), ("y_score", y_score))
    )
    check_consistent_length(y_true, y_score)
    if y_true.min() < 0:
        raise ValueError(f"y_true has {y_true.min():g}; relevance must be 0 or more.")
    if not y_true.any():
        raise ValueError("No row of y_true is relevant (above 0): there is nothing to rank.")
    return y_true, y_score, group_numbers(group, len(y_true))


def _ranked(y_true, y_score, number) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether rows are relevant, their group and their place in it from 0, in ranked order."""
    order = np.lexsort((y_true > 0, -y_score, number))
    return y_true[order] > 0, number[order], _places(number[order])


def _places(number: np.ndarray) -> np.ndarray:
    """The place of each row in its group, whose rows follow each other."""
    lengths = np.bincount(number)
    return np.arange(len(number)) - (lengths.cumsum() - lengths)[number]


def _mean(values: np.ndarray, counts: np.ndarray) -> float:
    """The mean over the groups that count; NaN if none does."""
    return float(values[counts].mean()) if counts.any() else np.nan
