"""Columns of encoded rows in an ONNX graph, from the values of a frame's columns.

A field is one or two inputs. What stands for a missing value is said in `to_onnx`.
"""

from typing import Any

import numpy as np

from .._fields.columns import WEEKDAYS
from ..scorer._fields import (
    DAYS_BEFORE_1970,
    TEXT,
    DateField,
    Field,
    LevelField,
    ListField,
    NumberField,
)
from ._graph import Graph

# Stands for a missing whole number or date.
MISSING = np.iinfo(np.int64).min
# Stands for a number that is not whole, where levels are.
NO_LEVEL = MISSING + 1
_SECONDS = 86_400
# Days from the first of March of year 0 to 1970; in years that begin in March a leap day is last.
_DAYS_FROM_MARCH = DAYS_BEFORE_1970 + 305
# The first of them was a Wednesday: number 2, where Monday is 0.
_WEEKDAY_SHIFT = 2

Entries = tuple[str, "str | None"]  # columns (n_rows, width), and values there; None: all are 1


class FieldGraph:
    """The part of a graph that encodes one field.

    Parameters
    ----------
    graph : Graph
    padding : int
        Column that stands for no entry.
    """

    def __init__(self, graph: Graph, padding: int):
        self._graph, self._padding = graph, padding

    def entries(self, field: Field) -> Entries:
        """The columns of a field, and the values in them as float64."""
        if isinstance(field, ListField):
            return self._lists(field)
        if isinstance(field, LevelField):
            return self._levels(field, field.name), None
        if isinstance(field, NumberField):
            return self._numbers(field, field.name)
        assert isinstance(field, DateField)
        return self._dates(field)

    # Levels

    def _levels(self, field: LevelField, value: str) -> str:
        """The column of each value; `value` is in the type of the field's input."""
        graph, known = self._graph, field.columns_by_level
        unknown, missing = self._column(field, field.unknown), self._column(field, field.missing)
        dtype = dtype_of(field)
        if dtype is np.float64:
            return self._of_fractions(value, known, unknown, missing)
        keys = [key if isinstance(key, str) else int(key) for key in known]
        places = list(known.values())
        keys, places = [*keys, missing_value(field)], [*places, missing]
        return graph.look_up(value, keys, places, unknown)

    def _of_fractions(self, value: str, known: dict, unknown: int, missing: int) -> str:
        """The column of each number, by comparison with all levels: they are few."""
        graph = self._graph
        levels = graph.constant(np.array(list(known), dtype=np.float64))
        equal = graph.cast(graph("Equal", value, levels), np.int64)  # (n_rows, n_levels)
        place = graph("ArgMax", equal, axis=1, keepdims=1)
        found = graph("Gather", graph.constant(np.array(list(known.values()))), place, axis=0)
        any_equal = graph.cast(graph.axes("ReduceMax", equal, 1, keepdims=1), np.bool_)
        found = graph("Where", any_equal, found, self._number(unknown))
        return graph("Where", graph("IsNaN", value), self._number(missing), found)

    def _lists(self, field: ListField) -> Entries:
        graph, padding = self._graph, self._number(self._padding)
        levels = self._levels(_without_missing(field), field.name)  # padding of lists has none
        if field.missing >= 0:
            missing = self._number(self._column(field, field.missing))
            of_list = graph("Where", missing_input(field), missing, padding)
            levels = graph("Concat", levels, of_list, axis=1)
        # A column that stands further left already counts once.
        one, other = (graph.axes("Unsqueeze", levels, axis) for axis in (2, 1))
        equal = graph.cast(graph("Equal", one, other), np.int32)  # (n_rows, width, width)
        below_diagonal = graph.constant(np.int64(-1))
        earlier = graph("Trilu", equal, below_diagonal, upper=0)
        again = graph.cast(graph.axes("ReduceMax", earlier, 2, keepdims=0), np.bool_)
        columns = graph("Where", again, padding, levels)
        if not field.shared_weight:
            return columns, None
        there = graph("Not", graph("Equal", columns, padding))
        n_entries = graph.axes("ReduceSum", graph.cast(there, np.float64), 1, keepdims=1)
        one_number = graph.constant(np.float64(1))
        share = graph("Div", one_number, graph("Sqrt", graph("Max", n_entries, one_number)))
        return columns, graph("Mul", share, graph.cast(there, np.float64))

    # Numbers

    def _numbers(self, field: NumberField, value: str) -> Entries:
        graph = self._graph
        is_missing = graph("IsNaN", value)
        missing, padding = self._number(self._column(field, field.missing)), self._padding
        start = self._number(field.start)
        if field.method == "standard":
            mean, std = (graph.constant(np.float64(v)) for v in (field.mean, field.std))
            standard = graph("Div", graph("Sub", value, mean), std)
            one = graph.constant(np.float64(1))
            return (
                graph("Where", is_missing, missing, start),
                graph("Where", is_missing, one, standard),
            )
        # The number of edges that are not above the value, as a search to the right gives it.
        edges = graph.constant(np.array(field.edges, dtype=np.float64).reshape(1, -1))
        below = graph.cast(graph("GreaterOrEqual", value, edges), np.int64)
        place = graph.axes("ReduceSum", below, 1, keepdims=1)
        if field.method == "bins":
            column = graph("Add", place, start)
            return graph("Where", is_missing, missing, column), None
        if len(field.edges) == 1:
            return graph("Where", is_missing, missing, start), None
        low = graph("Sub", place, self._number(1))
        low = graph("Min", graph("Max", low, self._number(0)), self._number(len(field.edges) - 2))
        high = graph("Add", low, self._number(1))
        table = graph.constant(np.array(field.edges, dtype=np.float64))
        at_low, at_high = (graph("Gather", table, place, axis=0) for place in (low, high))
        share = graph("Div", graph("Sub", value, at_low), graph("Sub", at_high, at_low))
        zero, one = graph.constant(np.float64(0)), graph.constant(np.float64(1))
        share = graph("Min", graph("Max", share, zero), one)
        share = graph("Where", is_missing, zero, share)  # its second entry is padding
        low = graph("Where", is_missing, missing, graph("Add", low, start))
        high = graph("Where", is_missing, self._number(padding), graph("Add", high, start))
        columns = graph("Concat", low, high, axis=1)
        return columns, graph("Concat", graph("Sub", one, share), share, axis=1)

    # Dates

    def _dates(self, field: DateField) -> Entries:
        """Month, weekday, hour and day of seconds since 1970."""
        graph = self._graph
        is_missing = graph("Equal", field.name, self._number(MISSING))
        seconds = graph("Where", is_missing, self._number(0), field.name)
        # All positive, so that integer division rounds down.
        shifted = graph("Add", seconds, self._number(_DAYS_FROM_MARCH * _SECONDS))
        days = graph("Div", shifted, self._number(_SECONDS))
        weekday = self._rest(graph("Add", days, self._number(_WEEKDAY_SHIFT)), 7)
        hour = self._rest(graph("Div", shifted, self._number(3600)), 24)
        parts = [(field.month, self._month(days), range(1, 13))]
        parts.append((field.weekday, weekday, WEEKDAYS))
        if field.hour is not None:
            parts.append((field.hour, hour, range(24)))
        columns = []
        for part, number, levels in parts:
            unknown, missing = (self._column(part, p) for p in (part.unknown, part.missing))
            places = [part.columns_by_level.get(level, unknown) for level in levels]
            first = self._number(1 if part is field.month else 0)
            place = graph("Sub", number, first)
            found = graph("Gather", graph.constant(np.array(places)), place, axis=0)
            columns.append(graph("Where", is_missing, self._number(missing), found))
        number = graph("Div", graph.cast(seconds, np.float64), graph.constant(np.float64(_SECONDS)))
        number = graph("Where", is_missing, graph.constant(np.float64("nan")), number)
        of_day, values = self._numbers(field.day, number)
        levels = graph("Concat", *columns, axis=1)
        if values is not None:
            values = graph("Concat", graph.ones_like(levels), values, axis=1)
        return graph("Concat", levels, of_day, axis=1), values

    def _month(self, days: str) -> str:
        """The month (1 to 12) of days since the first of March of year 0.

        H. Hinnant, "chrono-compatible low-level date algorithms", 2013.
        """
        graph, number = self._graph, self._number
        of_era = self._rest(days, 146_097)
        leaps = graph("Sub", of_era, graph("Div", of_era, number(1460)))
        leaps = graph("Add", leaps, graph("Div", of_era, number(36_524)))
        leaps = graph("Sub", leaps, graph("Div", of_era, number(146_096)))
        year = graph("Div", leaps, number(365))
        before = graph("Mul", year, number(365))
        before = graph("Add", before, graph("Div", year, number(4)))
        before = graph("Sub", before, graph("Div", year, number(100)))
        of_year = graph("Sub", of_era, before)
        fifths = graph("Add", graph("Mul", of_year, number(5)), number(2))
        from_march = graph("Div", fifths, number(153))  # 0 is March
        return graph("Add", self._rest(graph("Add", from_march, number(2)), 12), number(1))

    def _rest(self, value: str, divisor: int) -> str:
        return self._graph("Mod", value, self._number(divisor))

    def _number(self, value: int) -> str:
        return self._graph.constant(np.int64(value))

    def _column(self, field: Any, place: int) -> int:
        return field.start + place if place >= 0 else self._padding


def _without_missing(field: ListField) -> ListField:
    settings = field.settings() | {"missing": -1}
    return ListField(**settings)


def missing_input(field: ListField) -> str:
    """Name of the input that says which lists are missing."""
    return f"{field.name} missing"


def missing_value(field: LevelField):
    """What stands for a missing level, and fills up lists."""
    dtype = dtype_of(field)
    if dtype is object:
        return "\0" if "" in field.columns_by_level else ""
    return np.nan if dtype is np.float64 else MISSING


def dtype_of(field: Field) -> type:
    """Type of a field's input: object for text, int64 or float64."""
    if isinstance(field, DateField):
        return np.int64
    if isinstance(field, NumberField):
        return np.float64
    assert isinstance(field, LevelField)
    levels = [*field.levels, *field.rare_levels]
    if all(isinstance(level, str) for level in levels):
        return object if field.holds in (TEXT, "") else np.int64
    if any(isinstance(level, str) for level in levels):
        raise ValueError(
            f"Column {field.name!r} has levels that are text and others that are not. ONNX has one "
            "type for a column: convert it to text before fit."
        )
    return np.int64 if all(level == int(level) for level in levels) else np.float64
