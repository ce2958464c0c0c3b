"""Encoded columns of a row's values: what a fitted FieldEncoder gives, for one value at a time."""

import math
from bisect import bisect_right
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from .._fields.checks import PLURAL
from .._fields.columns import BOOL, CATEGORY, LARGEST, NUMBER, WEEKDAYS
from .._fields.objects import is_missing

DAYS_BEFORE_1970 = 719_163  # of the calendar that begins with 1 for the first of January of year 1

LISTS = (list, tuple, set, frozenset, np.ndarray)
TEXT = "text"

# What JSON can hold, by which a field is stored.
Settings = dict[str, object]


class Field:
    """The encoded columns of one value of a row.

    Parameters
    ----------
    name : str
        Of the row's value.
    start : int
        First encoded column. Other columns of the field are given from here on; -1 means none.
    """

    # Whether each value has one column, with the value 1, which the method `column` gives.
    has_one_column = False

    def __init__(self, name: str, start: int):
        self.name, self.start = name, start

    def add(self, value, columns: list, values: list) -> None:
        """Append the columns of a value, and what stands in them.

        Raises
        ------
        TypeError
            If the value is of another kind than in training.
        ValueError
            If a number is infinite or too large, or a date lies outside of the years 1 to 9999.
        """
        raise NotImplementedError

    def settings(self) -> Settings:
        """What the constructor takes, as JSON can hold it."""
        derived = "columns_by_level"
        return {n: value for n, value in vars(self).items() if n[0] != "_" and n != derived}

    def _refuse(self, value, what: str):
        raise TypeError(
            f"{self.name!r} held {what} in training, and is {value!r:.80} "
            f"({type(value).__name__}). Convert it to what it was."
        )


class LevelField(Field):
    """One of several levels.

    Parameters
    ----------
    name, start
        As in `Field`.
    holds : {"text", "category", "bool", "number"}
        What its values are: "category" if levels are not text alone. Empty: training had none.
    levels : list
        Levels, in the order of their columns.
    rare_levels : list
        Levels that share the column `rare`.
    rare, missing, unknown : int
        Column of rare levels, of a missing value and of levels that training has not seen.
    """

    has_one_column = True

    def __init__(self, name, start, holds, levels, rare_levels, rare, missing, unknown):
        super().__init__(name, start)
        self.holds, self.levels, self.rare_levels = holds, levels, rare_levels
        self.rare, self.missing, self.unknown = rare, missing, unknown
        number = {level: place for place, level in enumerate(levels)}
        number |= dict.fromkeys(rare_levels, rare)
        self.columns_by_level = {level: start + place for level, place in number.items()}
        self._of_missing, self._of_unknown = (
            start + place if place >= 0 else -1 for place in (missing, unknown)
        )

    def add(self, value, columns, values):
        """Append the column of a level."""
        columns.append(self.column(value))
        values.append(1.0)

    def column(self, value) -> int:
        """The column of a level; -1 for none."""
        if type(value) is not str or self.holds != TEXT:
            if is_missing(value):
                return self._of_missing
            if not self.holds:
                return self._of_unknown
            if not _IS[self.holds](value):
                self._refuse(value, PLURAL.get(self.holds, TEXT))
            if self.holds == NUMBER:
                value = _plain_number(value)
        return self.columns_by_level.get(value, self._of_unknown)


class ListField(LevelField):
    """Several levels: a list of them, or text with a delimiter.

    Parameters
    ----------
    name, start, levels, rare_levels, rare, missing, unknown
        As in `LevelField`.
    delimiter : str or None
        None: the value is a list.
    shared_weight : bool
        Whether n columns hold 1 / sqrt(n) each, instead of 1.
    """

    has_one_column = False

    def __init__(
        self, name, start, levels, rare_levels, rare, missing, unknown, delimiter, shared_weight
    ):
        super().__init__(name, start, "", levels, rare_levels, rare, missing, unknown)
        self.delimiter, self.shared_weight = delimiter, shared_weight

    def settings(self):
        """What the constructor takes."""
        return {name: value for name, value in super().settings().items() if name != "holds"}

    def add(self, value, columns, values):
        """Append the columns of all levels."""
        if is_missing(value):
            found = {self._of_missing}
        else:
            get = self.columns_by_level.get
            found = {get(level, self._of_unknown) for level in self.levels_of(value)}
        found = sorted(found - {-1})
        columns += found
        weight = 1 / math.sqrt(len(found)) if self.shared_weight and found else 1.0
        values += [weight] * len(found)

    def levels_of(self, value) -> list:
        if self.delimiter is not None:
            if not isinstance(value, str):
                self._refuse(value, "text")
            parts = [part.strip() for part in value.split(self.delimiter)]
            return [part for part in parts if part]
        if not isinstance(value, LISTS):
            self._refuse(value, "lists")
        levels = [level for level in value if not is_missing(level)]
        if not all(map(_is_hashable, levels)):
            self._refuse(value, "lists of text or numbers")
        return levels


class NumberField(Field):
    """A number: its bin, the two knots beside it, or one standardised column.

    Parameters
    ----------
    name, start
        As in `Field`.
    method : {"bins", "linear", "standard"}
        As `numbers` of FieldEncoder.
    edges : list of float
        Edges of bins, or knots.
    n_levels, missing : int
        Number of columns without that of a missing number, and that column.
    mean, std : float
        Of the standardised column.
    """

    def __init__(self, name, start, method, edges, n_levels, missing, mean, std):
        super().__init__(name, start)
        self.method, self.edges, self.n_levels = method, edges, n_levels
        self.missing, self.mean, self.std = missing, mean, std
        self._of_missing = start + missing if missing >= 0 else -1

    @property
    def has_one_column(self):
        """Whether the numbers are in bins."""
        return self.method == "bins"

    def column(self, value) -> int:
        """The column of a number's bin; -1 for none."""
        number = self.number(value)
        if number is None:
            return self._of_missing
        return self.start + bisect_right(self.edges, number)

    def add(self, value, columns, values):
        """Append the columns of a number."""
        number = self.number(value)
        if number is None:
            columns.append(self._of_missing)
            values.append(1.0)
        elif self.method == "bins":
            columns.append(self.column(value))
            values.append(1.0)
        elif self.method == "linear":
            self._add_knots(number, columns, values)
        else:
            columns.append(self.start)
            values.append((number - self.mean) / self.std)

    def number(self, value) -> float | None:
        """A value as a number; None if it is missing."""
        if type(value) is not float and type(value) is not int:
            if is_missing(value):
                return None
            if not _is_number(value):
                self._refuse(value, "numbers")
            value = _plain_number(value)
        try:
            number = float(value)
        except OverflowError:  # of a whole number of hundreds of digits
            number = math.inf
        if not -LARGEST <= number <= LARGEST:
            if number != number:
                return None
            raise ValueError(
                f"{self.name!r} is {value!s:.80}. Numbers must lie within {LARGEST:g} in size. "
                "Replace it by a smaller number, or by None if it is missing."
            )
        return number

    def _add_knots(self, number, columns, values):
        edges = self.edges
        if len(edges) == 1:
            columns.append(self.start)
            values.append(1.0)
            return
        low = min(max(bisect_right(edges, number) - 1, 0), len(edges) - 2)
        share = (number - edges[low]) / (edges[low + 1] - edges[low])
        share = min(max(share, 0.0), 1.0)
        columns += [self.start + low, self.start + low + 1]
        values += [1 - share, share]


class DateField(Field):
    """A date: month, weekday, hour and day.

    Parameters
    ----------
    name, start
        As in `Field`; the start is not used.
    month, weekday, hour : LevelField or None
    day : NumberField
    """

    def __init__(self, name, start, month, weekday, hour, day):
        super().__init__(name, start)
        self.month, self.weekday, self.hour, self.day = month, weekday, hour, day

    def add(self, value, columns, values):
        """Append the columns of a date's parts."""
        seconds = self.seconds(value)
        parts = (None, None, None, None) if seconds is None else _parts_of(seconds)
        fields = (self.month, self.weekday, self.hour, self.day)
        for field, part in zip(fields, parts):
            if field is not None:
                field.add(part, columns, values)

    def seconds(self, value) -> int | None:
        """Seconds since 1970, by the local time of a date with a time zone; None if missing."""
        if is_missing(value):
            return None
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.replace(tzinfo=None)
        if not isinstance(value, (date, np.datetime64)):
            self._refuse(value, "dates")
        year = np.datetime64(value, "Y").astype(int) + 1970
        if not 1 <= year <= 9999:
            raise ValueError(
                f"{self.name!r} is a date in the year {year}. Dates must lie in the years 1 to "
                "9999. Give None if it is missing."
            )
        return int(np.datetime64(value, "s").astype(np.int64))


def _parts_of(seconds: int) -> tuple:
    """Month, weekday, hour and day of seconds since 1970."""
    days = seconds // 86_400
    when = date.fromordinal(days + DAYS_BEFORE_1970)
    hour = seconds // 3600 % 24
    return when.month, WEEKDAYS[when.weekday()], hour, seconds / 86_400


def _is_bool(value) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_number(value) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, (int, float, Decimal, np.number, timedelta, np.timedelta64))


def _plain_number(value):
    """A number as one of Python or NumPy; of a duration, its seconds."""
    if isinstance(value, (timedelta, np.timedelta64)):
        return np.timedelta64(value, "us") / np.timedelta64(1, "s")
    return float(value) if isinstance(value, Decimal) else value


def _is_text(value) -> bool:
    return isinstance(value, str)


def _is_hashable(value) -> bool:
    return type(value).__hash__ is not None


_IS = {TEXT: _is_text, CATEGORY: _is_hashable, BOOL: _is_bool, NUMBER: _is_number}
