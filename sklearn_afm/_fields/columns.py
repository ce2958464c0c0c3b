"""A column of a table: its name, what it holds, its values, and which of them are missing."""

from dataclasses import dataclass

import numpy as np

CATEGORY, BOOL, NUMBER, DATE, LIST = "category", "bool", "number", "date", "list"
DAY = "day"  # a number that is made of a date
LARGEST = 1e150  # size of numbers, so that squares do not overflow
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    values: Python objects (category, bool), float64 or integers (number), datetime64[s] (date) or
    sequences (list). What stands at a missing position means nothing.
    """

    name: str
    kind: str
    values: np.ndarray
    missing: np.ndarray  # (n_rows,) of bool

    def __len__(self) -> int:
        return len(self.values)


def date_column(name: str, values: np.ndarray, missing: np.ndarray) -> Column:
    """A column of datetime64 of any unit.

    Raises
    ------
    ValueError
        If a date lies outside of the years 1 to 9999.
    """
    for extreme in () if missing.all() else (np.fmin, np.fmax):
        # Seconds could overflow, years cannot.
        year = extreme.reduce(values).astype("datetime64[Y]").astype(np.int64) + 1970
        if not 1 <= year <= 9999:
            raise ValueError(
                f"Column {name!r} has a date in the year {year}. Dates must lie in the years 1 to "
                "9999. Replace others by a missing value."
            )
    return Column(name, DATE, values.astype("datetime64[s]", copy=False), missing)


def of_numbers(column: Column) -> Column:
    """Numbers as levels, whole ones without a decimal point."""
    values = np.where(column.missing, column.values.dtype.type(0), column.values)
    if values.dtype.kind == "f" and (
        (np.floor(values) == values).all() and (np.abs(values) < 2**53).all()
    ):
        values = values.astype(np.int64)
    return Column(column.name, CATEGORY, values.astype(object), column.missing)


def split(column: Column, delimiter: str) -> Column:
    """Delimited text as lists of levels."""
    values = np.empty(len(column), dtype=object)
    for row, (cell, missing) in enumerate(zip(column.values, column.missing)):
        parts = [] if missing else [part.strip() for part in str(cell).split(delimiter)]
        values[row] = [part for part in parts if part]
    return Column(column.name, LIST, values, column.missing)
