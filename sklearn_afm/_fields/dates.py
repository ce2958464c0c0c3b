"""The parts of a date: month, weekday and hour as levels, days as a number."""

import numpy as np

from .columns import CATEGORY, DAY, WEEKDAYS, Column
from .numbers import NumberField

EPOCH = np.datetime64("1970-01-01", "s")


def parts_of(column: Column, with_hour: bool) -> list[Column]:
    """Columns made of a column of dates: "NAME month", "NAME weekday", "NAME hour", "NAME day".

    The day is a number: days since 1 January 1970.
    """
    seconds = np.where(column.missing, EPOCH, column.values)
    days = seconds.astype("datetime64[D]")
    months = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    weekdays = np.array(WEEKDAYS, dtype=object)[(days.astype(np.int64) + 3) % 7]
    parts = [("month", CATEGORY, months.astype(object)), ("weekday", CATEGORY, weekdays)]
    if with_hour:
        parts.append(("hour", CATEGORY, hours_of(seconds).astype(object)))
    parts.append(("day", DAY, (seconds - EPOCH).astype(np.float64) / 86_400))
    return [
        Column(f"{column.name} {part}", kind, values, column.missing)
        for part, kind, values in parts
    ]


def has_hours(column: Column) -> bool:
    """Whether any date has a time of day other than midnight."""
    return bool(hours_of(column.values[~column.missing]).any())


def hours_of(seconds: np.ndarray) -> np.ndarray:
    """The hour of the day."""
    return seconds.astype(np.int64) // 3600 % 24


class DayField(NumberField):
    """Days since 1 January 1970, named by their dates."""

    def fit(self, column: Column) -> "DayField":
        """Learn edges, knots or scale. Between whole days, an edge is the next midnight."""
        super().fit(column)
        days = column.values[~column.missing]
        if self.method == "bins" and (days == np.floor(days)).all():
            self.edges = np.ceil(self.edges)
        return self

    def texts(self, values: np.ndarray, least_digits: int = 0) -> list[str]:
        """Dates, with the time if two values are of one day."""
        seconds = EPOCH + np.round(values * 86_400).astype("timedelta64[s]")
        for unit in ("D", "m", "s"):
            texts = np.datetime_as_string(seconds, unit).tolist()
            if len(set(texts)) == len(texts):
                break
        return [text.replace("T", " ") for text in texts]
