"""Set rows aside for early stopping: copies stay together, and both parts have each class."""

import copy
import math

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import column_or_1d

from .rows import Rows
from .units import target_moments

# If fewer distinct rows would be set aside, equal rows do not count as copies: they are different
# observations that have the same levels by chance.
_FEWEST_DISTINCT = 30
# If copies are a smaller share of the rows, they do not bias the rows set aside: they are ignored.
_SMALLEST_SHARE = 0.01
# Decimals by which rows differ.
_DECIMALS = 3


def validation_split(X, target, fraction, *, by_class: bool, seed: int):
    """Return the positions of the training rows and of the rows set aside.

    Parameters
    ----------
    X : canonical CSR of shape (n_rows, n_columns)
    target : ndarray of shape (n_rows, n_outputs)
    fraction : float or int
        Share or number of rows to set aside.
    by_class : bool
        Whether targets are classes. If so, each part gets its share of each class.
    seed : int

    Raises
    ------
    ValueError
        If no row would be left for training.
    """
    n_rows = len(target)
    n_val = fraction if isinstance(fraction, int) else math.ceil(fraction * n_rows)
    if n_val >= n_rows:
        raise ValueError(
            f"validation_fraction={fraction!r} sets aside {n_val} rows for early stopping, but "
            f"there are {n_rows} rows. None would be left for training. Lower it, pass X_val and "
            "y_val, or set early_stopping=False."
        )
    group, first = _copies(X, target)
    few_copies = n_rows - len(first) < _SMALLEST_SHARE * n_rows
    if few_copies or len(first) * n_val < _FEWEST_DISTINCT * n_rows:
        group = first = np.arange(n_rows)
    if len(first) < n_rows:
        fraction = n_val / n_rows  # of the distinct rows
    label = target[first, 0] if by_class else None
    chosen = np.zeros(len(first), dtype=bool)
    chosen[_set_aside(len(first), label, fraction, seed)] = True
    set_aside = chosen[group]
    return np.flatnonzero(~set_aside), np.flatnonzero(set_aside)


def validation_lists(first, fraction, *, seed: int):
    """The same for rows that come in lists: both parts have whole ones.

    Parameters
    ----------
    first : ndarray of shape (n_rows,)
        Not 0 in the first row of each list.
    fraction : float or int
        Share or number of lists to set aside.
    seed : int
    """
    number = (first != 0).cumsum() - 1
    n_lists = int(number[-1]) + 1
    n_val = fraction if isinstance(fraction, int) else math.ceil(fraction * n_lists)
    if n_val >= n_lists:
        raise ValueError(
            f"validation_fraction={fraction!r} sets aside {n_val} groups for early stopping, but "
            f"there are {n_lists} groups. None would be left for training. Lower it, pass X_val "
            "and y_val, or set early_stopping=False."
        )
    chosen = np.zeros(n_lists, dtype=bool)
    chosen[np.random.default_rng(seed).permutation(n_lists)[:n_val]] = True
    set_aside = chosen[number]
    return np.flatnonzero(~set_aside), np.flatnonzero(set_aside)


def is_splitter(asked) -> bool:
    """Whether `validation_fraction` is a splitter of scikit-learn."""
    return hasattr(asked, "split")


def refuse_splitter(asked, reason: str) -> None:
    """Refuse a splitter as `validation_fraction`, where it has no rows to split."""
    if is_splitter(asked):
        raise ValueError(
            f"validation_fraction={asked!r} is a splitter, but {reason}. Give X_val and y_val, or "
            "a share or number of rows."
        )


def check_groups(groups, estimator, n_rows: int, *, has_validation: bool) -> np.ndarray | None:
    """The group of each row for the splitter that uses it, (n_rows,); None without."""
    if groups is None:
        return None
    fraction = estimator.validation_fraction
    if not is_splitter(fraction):
        raise ValueError(
            f"groups is given, but validation_fraction={fraction!r} is no splitter, which would "
            "use it. Set validation_fraction to one, such as "
            "sklearn.model_selection.GroupShuffleSplit(), or leave groups out."
        )
    if has_validation or estimator.early_stopping is False:
        reason = "X_val is given" if has_validation else "early_stopping is False"
        raise ValueError(f"groups is given, but {reason}, so that no row is set aside. Omit one.")
    groups = column_or_1d(groups)
    if len(groups) != n_rows:
        raise ValueError(
            f"groups has {len(groups)} values, X {n_rows} rows. Give the group of each row."
        )
    return groups


def last_split(rows: Rows, splitter, *, by_class: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The positions of the training rows and of the rows set aside, as a splitter has them.

    Of several splits it is the last: in a series of time, that with the most training rows.
    `seed` is for a splitter without one.
    """
    title, n_rows = f"validation_fraction={splitter!r}", len(rows.y)
    if getattr(splitter, "random_state", seed) is None:
        splitter = copy.copy(splitter)
        splitter.random_state = seed
    try:
        parts = list(splitter.split(rows.X, rows.y, rows.groups))[-1:]
    except ValueError as error:
        hint = ""
        if rows.groups is None:
            hint = " If it needs the group of each row, give groups to fit."
        raise ValueError(f"{title} cannot split the {n_rows} rows: {error}{hint}") from error
    if not parts:
        raise ValueError(f"{title} gives no split of the {n_rows} rows.")
    every = np.arange(n_rows)
    for name, part in zip(("training rows", "rows to set aside"), parts[0]):
        if not len(part):
            raise ValueError(f"The last split of {title} has no {name}, of {n_rows} rows.")
    try:
        train, aside = (every[part] for part in parts[0])
    except IndexError as error:
        raise ValueError(
            f"The last split of {title} has rows that X does not have ({error}). X has {n_rows} "
            "rows that count: rows of weight 0 are left out before the split."
        ) from error
    common = np.intersect1d(train, aside)
    if len(common):
        raise ValueError(
            f"The last split of {title} has {len(common)} rows both for training and set aside, "
            f"first row {common[0]}. They would be validated on themselves."
        )
    if by_class and (rows.target[train] == rows.target[train[0]]).all():
        raise ValueError(
            f"The last split of {title} has training rows of one class alone: {rows.y[train[0]]!r}."
        )
    return train, aside


def _set_aside(n: int, label, fraction, seed) -> np.ndarray:
    """Return the positions to set aside. Both parts get one of each label that occurs twice."""
    options = {"test_size": fraction, "random_state": seed}
    everything = np.arange(n)
    if label is None:
        return train_test_split(everything, **options)[1]
    codes, counts = np.unique(label, return_inverse=True, return_counts=True)[1:]
    n_val = fraction if isinstance(fraction, int) else math.ceil(fraction * n)
    shared = everything[counts[codes] > 1]
    if n_val < len(counts) or n_val >= len(shared):  # not enough for one of each label
        return train_test_split(everything, **options)[1]
    if isinstance(fraction, float) and len(shared) < n:
        options["test_size"] = n_val
    train, validation = train_test_split(shared, stratify=codes[shared], **options)
    missing = np.setdiff1d(codes[train], codes[validation])
    # The training part is in random order, so the first position of a label is a random one.
    moved = np.array([train[np.argmax(codes[train] == code)] for code in missing], dtype=int)
    return np.concatenate([validation, moved])


def _copies(X, target):
    """Return the group of each row, and the first row of each group. A row's copies are a group.

    Rows are copies if they have equal X and equal targets. If rows with equal X have different
    targets, they are different observations, not copies.
    """
    # Equal rows have equal products. Other rows have different ones, except 1 time in 10^15.
    key = np.random.default_rng(0).standard_normal(X.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        product = X @ key
    _, first, group = np.unique(product, return_index=True, return_inverse=True)
    if len(first) == len(product):
        everything = np.arange(len(product))
        return everything, everything
    differs = (target != target[first[group]]).any(axis=1)
    several = np.bincount(group, differs, len(first)) > 0
    apart = np.where(several[group], len(first) + np.arange(len(group)), group)
    _, first, group = np.unique(apart, return_index=True, return_inverse=True)
    return group, first


def held_out_weights(X, target, weight, n_folds: int) -> np.ndarray:
    """How much of each row's weight each fold holds out, (n_folds, n_rows).

    This depends on what the rows hold, not on their order or on a seed. Each fold holds out an
    equal number of a row's copies. What cannot be shared evenly is in one fold, by chance. So a
    weight of 2 has the effect of giving a row twice, and rows of few levels are in all folds.

    Parameters
    ----------
    X : canonical CSR of shape (n_rows, n_columns), in the model's units
    target : ndarray of shape (n_rows, n_targets), in the model's units
    weight : ndarray of shape (n_rows,)
    """
    # Rounded, so that units do not count.
    X = type(X)((np.round(X.data.astype(np.float64), _DECIMALS), X.indices, X.indptr), X.shape)
    rng = np.random.default_rng(1)
    columns = rng.standard_normal(X.shape[1])
    outputs = rng.standard_normal(target.shape[1])
    _, scale = target_moments(target.astype(np.float64), weight)
    target = target / scale
    product = X @ columns + np.round(target, _DECIMALS) @ outputs
    _, first, group = np.unique(product, return_index=True, return_inverse=True)
    total = np.bincount(group, weight)
    # Bits of a product of odd numbers are as good as random (D. Knuth, TAOCP 3, 6.4).
    bits = product[first].view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    fold = (bits >> np.uint64(40)).astype(np.int64) % n_folds
    even = np.floor(total / n_folds)
    of_groups = np.tile(even, (n_folds, 1))
    of_groups[fold, np.arange(len(total))] += total - n_folds * even
    return (of_groups / total)[:, group] * weight
