"""Checks of names, and of the parameters that name columns."""

import re
import warnings
from collections import Counter
from itertools import islice
from numbers import Integral

import numpy as np

from .columns import BOOL, CATEGORY, DATE, LIST, NUMBER, Column

# 2024-01-31, 31.1.2024 or 1/31/2024, and a time perhaps.
_DATE = re.compile(r"\s*(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4})(?![^T\s])")
_MOST_READ = 100  # levels of a column that are read to see whether it holds dates

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


def warn_of_text_dates(columns, as_categories: set[int], delimiters: dict) -> None:
    """Warn of text that looks like dates: each date would be a level of its own."""
    names = [
        column.name
        for position, column in enumerate(columns)
        if column.kind == CATEGORY
        and position not in as_categories
        and column.name not in delimiters
        and _looks_like_dates(column)
    ]
    if names:
        warnings.warn(
            f"Columns {names} hold text that looks like dates, and each text is a level. Convert "
            "them by pandas.to_datetime, or read the file with parse_dates, so that month, "
            "weekday, hour and day become fields. To keep the levels, name the columns in "
            "categorical_features.",
            stacklevel=2,
        )


def _looks_like_dates(column: Column) -> bool:
    """Whether the first texts of the column are all dates."""
    texts = list(islice((v for v, m in zip(column.values, column.missing) if not m), _MOST_READ))
    return bool(texts) and all(isinstance(text, str) and _DATE.match(text) for text in texts)


def _check_kind(column: Column, parameter: str, kinds: set) -> None:
    if column.kind not in kinds:
        raise ValueError(
            f"{parameter} names {column.name!r}, which holds {PLURAL[column.kind]}. Leave it out, "
            "or convert the column to text."
        )


def _twice(names) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
