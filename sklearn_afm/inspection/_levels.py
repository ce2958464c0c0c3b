"""Levels of a field: what each encoded column stands for, and which of them a table shows."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler

from .._fields.columns import WEEKDAYS
from .._fields.encoder import FieldEncoder
from .._fields.levels import MISSING, RARE
from .._fields.numbers import NumberField, edges_of, number_texts

# Digits of the ends of bins: few, as long as they tell the ends apart.
_DIGITS = 3
# Bins of a number that is one column. The model is nearly linear in it.
_BINS_OF_A_NUMBER = 10


@dataclass(frozen=True)
class Level:
    """What one encoded column stands for, within its field."""

    name: str
    place: float | None = None  # in the order of the field's levels; None: they have none
    ends: tuple[float, float] | None = None  # of a bin: neighbours may be merged
    texts: Callable = number_texts  # what writes ends: (values, least digits) -> list of str
    unit: tuple[float, float] | None = None  # of a number: it is unit[0] + unit[1] x


def bin_names(ends, texts: Callable = number_texts) -> list[str]:
    """Name the bins between pairs of ends, with few digits; an infinite end is open."""
    values = np.unique([end for pair in ends for end in pair if np.isfinite(end)])
    text_of = dict(zip(values, texts(values, _DIGITS)))
    return [_interval(text_of.get(low), text_of.get(high)) for low, high in ends]


def _interval(low: str | None, high: str | None) -> str:
    if low == high:
        return low or "any"
    if low is None or high is None:
        return f"below {high}" if low is None else f"from {low}"
    return f"{low} to {high}"


def levels_of_fields(encoder: FieldEncoder) -> np.ndarray:
    """The level of each column of a fitted FieldEncoder."""
    return _array(level for field in encoder._encoders for level in _of_field(field))


def levels_of_categories(inputs, outputs) -> np.ndarray:
    """The level of each column of OneHotEncoder, by its name and that of its input column."""
    texts = (name.removeprefix(f"{field}_") for field, name in zip(inputs, outputs))
    return _array(map(_of_category, texts))


def levels_of_bins(discretizer: KBinsDiscretizer) -> np.ndarray:
    """The bin of each column of a fitted KBinsDiscretizer."""
    return _array(
        level for edges in discretizer.bin_edges_ for level in _ordered(_ends(edges[1:-1]))
    )


def levels_of_scaled(scaler: StandardScaler, names) -> np.ndarray:
    """The number of each column of a fitted StandardScaler, with its unit."""
    means = np.zeros(len(names)) if scaler.mean_ is None else scaler.mean_
    scales = np.ones(len(names)) if scaler.scale_ is None else scaler.scale_
    return _array(Level(str(name), unit=unit) for name, unit in zip(names, zip(means, scales)))


def _array(levels) -> np.ndarray:
    levels = list(levels)
    result = np.empty(len(levels), dtype=object)
    result[:] = levels
    return result


def _of_field(field) -> list[Level]:
    if isinstance(field, NumberField):
        missing = [Level(MISSING)] * field.has_missing
        return _of_number(field) + missing
    special = {field.rare: RARE, field.missing: MISSING}
    levels = enumerate(field.levels)
    return [Level(special[at]) if at in special else _category(level) for at, level in levels]


def _of_number(field: NumberField) -> list[Level]:
    if field.method == "standard":
        return [Level(field.name, unit=(field.mean, field.std))] * field.n_levels
    if field.method == "linear":
        return _ordered([(knot, knot) for knot in field.edges], field.texts, "near ")
    if field.distinct is not None:
        return _ordered([(value, value) for value in field.distinct], field.texts)
    return _ordered(_ends(field.edges), field.texts)


def _ends(edges) -> list[tuple[float, float]]:
    """The ends of the bins between these edges; the first and the last bin are open."""
    return list(pairwise([-np.inf, *edges, np.inf]))


def _ordered(ends, texts: Callable = number_texts, prefix: str = "") -> list[Level]:
    names = bin_names(ends, texts)
    return [
        Level(f"{prefix}{name}", place, pair, texts)
        for place, (name, pair) in enumerate(zip(names, ends))
    ]


def _category(value) -> Level:
    """A level that is a number, a bool or a weekday has its place; others have no order."""
    if value in WEEKDAYS:
        return Level(value, WEEKDAYS.index(value))
    return Level(str(value), float(value) if isinstance(value, (int, float, np.number)) else None)


def _of_category(text: str) -> Level:
    """A level of OneHotEncoder, by its name."""
    if text in ("nan", "None", "<NA>"):
        return Level(MISSING)
    if text == "infrequent_sklearn":
        return Level(RARE)
    try:
        return Level(text, float(text))
    except ValueError:
        return _category(text)


def bare_name(column: str, field: str) -> str:
    """The name of a column without its field's name and a transformer's prefix."""
    before, found, level = column.partition(field)
    level = level.lstrip(" _=") if found and (not before or before.endswith("_")) else ""
    return level or column.rpartition("__")[2]


@dataclass
class Shown:
    """The levels of a field that a table shows; neighbouring bins may be one level."""

    field: str
    names: list[str]
    n_levels: int  # that rows of X have
    ordered: bool
    of_column: np.ndarray  # (n_columns,) the level; -1: of another field; from len(self): not shown
    number: int = -1  # the column that is a number, if there is one
    of_row: np.ndarray | None = None  # (n_rows,) the level of the number

    def __len__(self) -> int:
        return len(self.names)

    def of(self, row, column) -> np.ndarray:
        """The level of each entry."""
        level = self.of_column[column]
        return (
            level
            if self.of_row is None
            else np.where(column == self.number, self.of_row[row], level)
        )


def shown_levels(field: str, columns, levels, X, weight, means, max_levels) -> Shown:
    """Choose the levels of a field that are shown.

    Neighbouring bins are merged if there are more than `max_levels`. Of other levels the most
    frequent are kept. A number that is one column is divided into bins.

    Parameters
    ----------
    field : str
    columns : ndarray of the field's columns.
    levels : list of Level, of all columns.
    X : csr_array of shape (n_rows, n_columns), centred by `means`.
    weight : ndarray of shape (n_rows,)
    means : ndarray of shape (n_columns,)
    max_levels : int or None
    """
    row = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    frequency = np.bincount(X.indices, weight[row], X.shape[1])
    columns = columns[frequency[columns] > 0]
    if not len(columns):
        raise ValueError(f"No row of X has an entry in the field {field!r}.")
    max_levels = max_levels or len(columns)
    numbers = [column for column in columns if levels[column].unit is not None]
    if len(columns) == 1 and (X.data[X.indices == columns[0]] != 1).any():
        numbers = columns
    if len(numbers) == 1:
        return _number_in_bins(field, numbers[0], columns, levels, X, means, max_levels)
    merged = np.array([levels[column].ends is not None for column in columns])
    bins, others = columns[merged], columns[~merged]
    if len(columns) > max_levels > len(others) and len(bins):
        of_bins = _merged(frequency[bins], max_levels - len(others))
        of_column = np.full(X.shape[1], -1)
        of_column[bins], of_column[others] = of_bins, of_bins[-1] + 1 + np.arange(len(others))
        ends = [np.flatnonzero(of_bins == number)[[0, -1]] for number in range(of_bins[-1] + 1)]
        ends = [(levels[bins[low]].ends[0], levels[bins[high]].ends[1]) for low, high in ends]
        names = bin_names(ends, levels[bins[0]].texts)
        names += [levels[column].name for column in others]
        return Shown(field, names, len(names), True, of_column)
    by_frequency = columns[np.argsort(-frequency[columns], kind="stable")]
    kept, left_out = by_frequency[:max_levels], by_frequency[max_levels:]
    ordered = all(
        levels[c].place is not None for c in kept if levels[c].name not in (MISSING, RARE)
    )
    if ordered:  # those without a place, such as "missing", come last
        kept = np.array(sorted(kept, key=lambda c: _last_if_none(levels[c].place)))
    of_column = np.full(X.shape[1], -1)
    of_column[[*kept, *left_out]] = np.arange(len(columns))
    return Shown(field, [levels[c].name for c in kept], len(columns), ordered, of_column)


def _last_if_none(place):
    return np.inf if place is None else place


def _merged(frequency, n_groups: int) -> np.ndarray:
    """The group of each of a row of bins: at most `n_groups`, of as many rows each as may be.

    A group is full if it has its share of the rows that are left, and half of its share of all
    rows: bins of few rows join others.
    """
    group = np.zeros(len(frequency), dtype=int)
    number, filled, left = 0, 0.0, frequency.sum()
    least = left / n_groups / 2
    for place, rows in enumerate(frequency):
        full = filled >= max(least, left / (n_groups - number))
        if full and number < n_groups - 1:
            number, filled, left = number + 1, 0.0, left - filled
        group[place] = number
        filled += rows
    return np.minimum(group, number - 1) if number and filled < least else group


def _number_in_bins(field, number, columns, levels, X, means, max_levels) -> Shown:
    """Divide a number that is one column into bins; other columns, such as "missing", follow."""
    others = columns[columns != number]
    offset, scale = levels[number].unit or (0.0, 1.0)
    values = offset + scale * (X[:, [number]].toarray()[:, 0] + means[number])
    has_entry = np.diff(X[:, [number]].tocsr().indptr) > 0
    n_bins = max(2, min(_BINS_OF_A_NUMBER, max_levels - len(others)))
    edges = edges_of(values[has_entry], n_bins)
    distinct = np.unique(values[has_entry])
    few = len(distinct) <= n_bins
    names = bin_names([(value, value) for value in distinct] if few else _ends(edges))
    of_column = np.full(X.shape[1], -1)
    of_column[others] = len(names) + np.arange(len(others))
    of_row = np.searchsorted(edges, values, side="right")
    names = names + [levels[column].name for column in others]
    return Shown(field, names, len(names), True, of_column, int(number), of_row)
