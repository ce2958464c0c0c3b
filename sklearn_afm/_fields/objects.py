"""A column of Python objects: what they are, and which of them are missing."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from .columns import BOOL, CATEGORY, LIST, NUMBER, Column, date_column

_GROUPS = {  # in this order: NumPy's durations are integers too
    "text": (str,),
    "bools": (bool, np.bool_),
    "durations": (timedelta, np.timedelta64),
    "numbers": (int, float, np.number, Decimal),
    "dates": (date, np.datetime64),
    "lists": (list, tuple, np.ndarray, set, frozenset),
}


def object_column(name: str, values: np.ndarray, missing: np.ndarray | None = None) -> Column:
    """A column of Python objects, which must be of one kind.

    Raises
    ------
    ValueError
        If the objects are of several kinds, such as text and numbers.
    TypeError
        If they are no levels, such as dicts.
    """
    types = set(map(type, values.tolist()))
    if missing is None:
        missing = missing_objects(values, types)
    present = values
    if missing.any():
        present = values[~missing]
        types = set(map(type, present.tolist()))
    group = _group_of_all(name, types)
    if group == "bools":
        return Column(name, BOOL, values, missing)
    if group == "lists":
        return Column(name, LIST, values, missing)
    if group == "numbers":
        numbers = np.full(len(values), np.nan)
        numbers[~missing] = present.astype(np.float64)
        return Column(name, NUMBER, numbers, missing | np.isnan(numbers))
    if group == "durations":
        seconds = np.zeros(len(values))
        seconds[~missing] = present.astype("timedelta64[us]") / np.timedelta64(1, "s")
        return Column(name, NUMBER, seconds, missing)
    if group == "dates":
        # Of a date with a time zone, the local time is what people act by.
        local = [d.replace(tzinfo=None) if getattr(d, "tzinfo", None) else d for d in present]
        when = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[s]")
        when[~missing] = np.array(local, dtype="datetime64[s]")
        return date_column(name, when, missing)
    return Column(name, CATEGORY, values, missing)


def is_missing(value) -> bool:
    """Whether a value is None, NaN, or another value that does not equal itself."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA; arrays
        return type(value).__name__.startswith("NA")


def missing_objects(values: np.ndarray, types: set) -> np.ndarray:
    """Which of the values (n,), of these types, are missing: (n,) of bool."""
    if types <= {str, bool, int}:
        return np.zeros(len(values), dtype=bool)
    try:
        with np.errstate(invalid="ignore"):
            return np.asarray((values != values) | (values == None), dtype=bool)  # noqa: E711
    except (TypeError, ValueError):  # pandas.NA; arrays
        return np.fromiter(map(is_missing, values), bool, len(values))


def _group_of_all(name: str, types: set) -> str | None:
    """The group of all types; None if there is no value."""
    groups = {_group(kind) for kind in types}
    for kind in types:
        if kind.__hash__ is None and _group(kind) != "lists":
            raise TypeError(
                f"Column {name!r} holds a {kind.__name__}; a value argument must be a string or a "
                "number, a date, or a list of strings."
            )
    if len(groups) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in types))
        raise ValueError(
            f"Column {name!r} mixes {' and '.join(sorted(groups))} ({names}). Make all values of "
            "one kind, for example by frame[column].astype(str), pandas.to_numeric or "
            "pandas.to_datetime."
        )
    return groups.pop() if groups else None


def _group(kind: type) -> str:
    for group, kinds in _GROUPS.items():
        if issubclass(kind, kinds):
            return group
    return kind.__name__
