"""Checks of names, and of the parameters that name columns."""

from collections import Counter
from numbers import Integral

import numpy as np

from .columns import BOOL, CATEGORY, DATE, LIST, NUMBER, Column

PLURAL = {
    CATEGORY: "categories",
    BOOL: "bools",
    NUMBER: "numbers",
    DATE: "dates",
    LIST: "lists",
}


def check_names(columns) -> None:
    """Raise ValueError if two columns have one name."""
    if twice := _twice(column.name for column in columns):
        raise ValueError(f"Columns have the same name: {twice}. Rename them.")


def check_field_names(names) -> None:
    """Raise ValueError if a column is called as a part of a date is."""
    if twice := _twice(names):
        raise ValueError(
            f"Parts of a date and another column have the same name: {twice}. Rename the column."
        )


def check_order(names: list[str], known: list[str]) -> None:
    """Raise ValueError if the columns are not those of fit.

    scikit-learn compares no names of structured arrays, and none that are no text.
    """
    unnamed = [f"x{position}" for position in range(len(names))]
    if names != known and unnamed not in (names, known):
        raise ValueError(
            f"X has the columns {names[:20]}, and had {known[:20]} in fit. Give the same columns "
            "in the same order."
        )


def categories(columns, categorical_features, delimiters: dict) -> set[int]:
    """Positions of the columns that `categorical_features` names; checks `delimiters` too."""
    number = {column.name: position for position, column in enumerate(columns)}
    unknown = [name for name in delimiters if name not in number]
    positions = set()
    for name in np.asarray(categorical_features, dtype=object).tolist():
        if isinstance(name, Integral) and -len(columns) <= name < len(columns):
            positions.add(int(name) % len(columns))
        elif name in number:
            positions.add(number[name])
        else:
            unknown.append(name)
    if unknown:
        raise ValueError(
            f"categorical_features and delimiters name columns that X has not: {unknown}; its "
            f"columns are {list(number)[:20]}."
        )
    for position in positions:
        _check_kind(columns[position], "categorical_features", {CATEGORY, BOOL, NUMBER})
    for name, delimiter in delimiters.items():
        _check_kind(columns[number[name]], "delimiters", {CATEGORY})
        if not (isinstance(delimiter, str) and delimiter):
            raise ValueError(f"The delimiter of {name!r} must be text, and is {delimiter!r}.")
    return positions


def _check_kind(column: Column, parameter: str, kinds: set) -> None:
    if column.kind not in kinds:
        raise ValueError(
            f"{parameter} names {column.name!r}, which holds {PLURAL[column.kind]}. Leave it out, "
            "or convert the column to text."
        )


def _twice(names) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
