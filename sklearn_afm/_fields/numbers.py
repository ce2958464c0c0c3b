"""A field of numbers: bins, two neighbouring knots, or one standardised column."""

from itertools import pairwise

import numpy as np

from .columns import LARGEST, NUMBER, Column
from .levels import MISSING

MOST_KEPT = 1 << 18  # numbers of a column from which edges are learnt, if there are twice as many


def edges_of(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Edges between at most `n_bins` bins.

    A column of at most `n_bins` distinct values has a bin for each. Else half of the edges are at
    quantiles of the rows, and half at quantiles of the distinct values: a column that is 0 in most
    rows has no quantiles of rows, and its few other values are what predicts.
    """
    distinct = np.unique(values)
    if len(distinct) <= n_bins:
        low, high = distinct[:-1], distinct[1:]
        middle = low / 2 + high / 2
        return np.where(middle > low, middle, high)  # of neighbouring floats it may be `low`
    if n_bins < 4:
        return np.quantile(distinct, [0.5])
    inner = np.linspace(0, 1, n_bins // 2 + 1)[1:-1]
    found = [np.quantile(part, inner, method="linear") for part in (np.sort(values), distinct)]
    edges = np.unique(np.concatenate(found))
    # Of edges with no distinct value between them, one is enough.
    place, first = np.unique(np.searchsorted(distinct, edges), return_index=True)
    return edges[first[(place > 0) & (place < len(distinct))]]


class Sample:
    """Numbers of rows: all if they are few, else some that are drawn evenly.

    All distinct numbers are among them if they are no more than `n_distinct`; so are the smallest
    and the largest.
    """

    def __init__(self, n_distinct: int):
        self._n_distinct = n_distinct
        self._kept, self._keys = np.empty(0), np.empty(0)
        self._distinct: np.ndarray | None = np.empty(0)
        self._ends = np.empty(0)
        self._rng = np.random.default_rng(0)
        self._is_whole = True

    def add(self, values: np.ndarray) -> None:
        """Add numbers."""
        if not len(values):
            return
        self._ends = np.array([values.min(), values.max(), *self._ends])
        self._ends = np.array([self._ends.min(), self._ends.max()])
        if self._distinct is not None:
            self._distinct = np.union1d(self._distinct, values)
            if len(self._distinct) > self._n_distinct:
                self._distinct = None
        self._kept = np.concatenate([self._kept, values])
        self._keys = np.concatenate([self._keys, self._rng.random(len(values))])
        if len(self._kept) > 2 * MOST_KEPT:
            kept = np.sort(np.argpartition(self._keys, MOST_KEPT)[:MOST_KEPT])
            self._kept, self._keys = self._kept[kept], self._keys[kept]
            self._is_whole = False

    def values(self) -> np.ndarray:
        """The numbers that are kept."""
        if self._is_whole:
            return self._kept
        always = self._ends if self._distinct is None else self._distinct
        return np.concatenate([self._kept, np.setdiff1d(always, self._kept)])


class NumberField:
    """Numbers as levels.

    Parameters
    ----------
    name : str
    n_bins : int
    method : {"bins", "linear", "standard"}
        "bins": one column per bin. "linear": a row has an entry for each of the two knots beside
        its number, with weights that sum to 1. "standard": one column, (x - mean) / std.
    """

    kind = NUMBER

    def __init__(self, name: str, n_bins: int, method: str):
        self.name = name
        self.n_bins = n_bins
        self.method = method
        self.entries_per_row = 1
        self.has_missing = False
        self._sample = Sample(n_bins)

    def count(self, column: Column) -> None:
        """Keep the numbers of some rows, or a part of them."""
        self.has_missing |= bool(column.missing.any())
        self._sample.add(self._present(column)[~column.missing])

    def learn(self) -> "NumberField":
        """Learn edges, knots or scale from what was kept."""
        values = self._sample.values()
        del self._sample
        self.distinct = None
        if self.method == "standard":
            self.mean = float(values.mean()) if len(values) else 0.0
            self.std = float(values.std()) or 1.0 if len(values) else 1.0
            self.n_levels = 1 if len(values) else 0
            return self
        distinct = np.unique(values)
        if len(distinct) <= self.n_bins:
            self.distinct = distinct
        self.edges = edges_of(values, self.n_bins) if len(values) else np.empty(0)
        if self.method == "linear":
            self.edges = np.unique(
                np.concatenate([distinct[:1], self.edges, distinct[-1:]])
                if self.distinct is None
                else distinct
            )
            self.n_levels = len(self.edges)
            self.entries_per_row = 2 if self.n_levels > 1 else 1
        else:
            self.n_levels = len(self.edges) + 1 if len(values) else 0
        return self

    def __len__(self) -> int:
        return self.n_levels + self.has_missing

    def names(self) -> list[str]:
        """Names of the columns: "age 17 to 25", "age = 3", "age near 20", "age"."""
        if self.method == "standard":
            names = [self.name] * self.n_levels
        elif self.method == "linear":
            names = [f"{self.name} near {text}" for text in self.texts(self.edges)]
        elif self.distinct is not None:
            names = [f"{self.name} = {text}" for text in self.texts(self.distinct)]
        else:
            texts = self.texts(self.edges)
            names = [f"{self.name} below {texts[0]}"]
            names += [f"{self.name} {low} to {high}" for low, high in pairwise(texts)]
            names += [f"{self.name} from {texts[-1]}"]
        return names + [f"{self.name} {MISSING}"] * self.has_missing

    def texts(self, values: np.ndarray, least_digits: int = 6) -> list[str]:
        """Numbers with as few digits as tell them apart, but so many at least."""
        return number_texts(values, least_digits)

    def _present(self, column: Column) -> np.ndarray:
        """The numbers as float64, 0 where they are missing."""
        x = np.where(column.missing, 0.0, column.values)
        if not (np.abs(x) <= LARGEST).all():
            raise ValueError(
                f"Column {self.name!r} has infinite numbers (infinity), or numbers beyond "
                f"{LARGEST:g}. Replace them by smaller ones, or by NaN if they are missing."
            )
        return x

    def encode(self, column: Column) -> tuple[np.ndarray, np.ndarray | None]:
        """Columns (n_rows, 1 or 2), -1 for none, and their values (None: all 1)."""
        x = self._present(column)
        missing = self.n_levels if self.has_missing else -1
        if self.method == "standard" or not self.n_levels:
            codes = np.zeros(len(x), dtype=np.int32) if self.n_levels else np.full(len(x), -1)
            values = (x - self.mean) / self.std if self.n_levels else np.ones(len(x))
            codes[column.missing], values[column.missing] = missing, 1.0
            return codes[:, None].astype(np.int32), values[:, None]
        if self.method == "bins":
            codes = np.searchsorted(self.edges, x, side="right").astype(np.int32)
            codes[column.missing] = missing
            return codes[:, None], None
        if self.n_levels == 1:
            codes = np.where(column.missing, missing, 0).astype(np.int32)
            return codes[:, None], None
        low = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, self.n_levels - 2)
        share = (x - self.edges[low]) / (self.edges[low + 1] - self.edges[low])
        share = np.clip(share, 0, 1)
        codes = np.stack([low, low + 1], axis=1).astype(np.int32)
        values = np.stack([1 - share, share], axis=1)
        codes[column.missing] = [missing, -1]
        values[column.missing] = 1.0
        return codes, values

    def decode(self, block) -> np.ndarray:
        """The number of each row from its entries, a CSR block (n_rows, len(self)).

        A bin becomes its middle, or the edge of the first and last bin. NaN without an entry.
        """
        if self.method == "standard":
            centers, offset = np.full(self.n_levels, self.std), self.mean if self.n_levels else 0.0
        elif self.method == "linear" or self.distinct is not None:
            centers, offset = (self.edges if self.method == "linear" else self.distinct), 0.0
        else:
            ends = np.concatenate([self.edges[:1], self.edges, self.edges[-1:]])
            centers, offset = (ends[:-1] + ends[1:]) / 2, 0.0
        centers = np.append(centers, [np.nan] * self.has_missing)
        found = np.full(block.shape[0], np.nan if self.method != "standard" else offset)
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        sums = np.zeros(block.shape[0])
        np.add.at(sums, rows, block.data * centers[block.indices])
        has_entry = np.diff(block.indptr) > 0
        found[has_entry] = sums[has_entry] + offset
        return found


def number_texts(values, least_digits: int) -> list[str]:
    """Numbers with as few digits as tell them apart, but so many at least."""
    for digits in range(least_digits, 18):
        texts = [_text(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _text(value: float, digits: int) -> str:
    if value == 0 or 1e-4 <= abs(value) < 1e16:
        digits = max(digits, len(str(int(abs(value)))))  # no zeros that stand for digits
        return np.format_float_positional(
            value, precision=digits, unique=False, fractional=False, trim="-"
        )
    return f"{value:.{digits}g}"
