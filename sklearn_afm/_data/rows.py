"""Checked rows of a table."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from .._core.ranks import max_over_ranks, sum_over_ranks
from .units import centered


@dataclass(frozen=True)
class Rows:
    """Checked rows."""

    X: object  # canonical CSR
    y: np.ndarray  # as given
    target: np.ndarray  # (n_rows, n_targets), encoded
    sample_weight: np.ndarray  # as given, for scorers
    weight: np.ndarray  # in the objective: positive, times the weight of the class
    groups: np.ndarray | None = None  # for a splitter

    def part(self, index) -> "Rows":
        """The rows at these positions."""
        arrays = (getattr(self, field.name) for field in dataclasses.fields(self))
        return Rows(*(None if array is None else array[index] for array in arrays))

    def weight_unit(self) -> float:
        """What weights are divided by: their mean, if it is below 1 (they are then relative)."""
        total, number = sum_over_ranks(np.array([self.weight.sum(), len(self.weight)]))
        return min(1.0, float(total / number))

    def prepared(self, column_mean, weight_unit: float) -> "Rows":
        """The rows with columns centred and weights in units of rows."""
        weight = self.weight
        if weight_unit != 1:
            largest, smallest = max_over_ranks(np.array([weight.max(), -weight.min()]))
            even = largest == -smallest and weight_unit == self.weight_unit()
            weight = np.ones_like(weight) if even else weight / weight_unit
        return dataclasses.replace(self, X=centered(self.X, column_mean), weight=weight)

    def entry_weight(self) -> np.ndarray:
        """The weight of each entry's row."""
        return np.repeat(self.weight, np.diff(self.X.indptr))

    def median_length(self) -> int:
        """Weighted median of the number of entries in a row.

        Unlike the mean, it does not change if a few rows are very long.
        """
        length = np.diff(self.X.indptr)
        longest = int(max_over_ranks(length.max(initial=0)))
        total = np.cumsum(sum_over_ranks(np.bincount(length, self.weight, longest + 1)))
        return int(np.searchsorted(total, total[-1] / 2))

    def median_pairs(self) -> float:
        """Weighted median of the number of pairs in a row, at least 1."""
        length = self.median_length()
        return max(1.0, length * (length - 1) / 2)


def evenly_spaced(n_rows: int, n_chosen: int) -> np.ndarray:
    """Positions of up to `n_chosen` rows, from the first to the last."""
    return np.unique(np.linspace(0, n_rows - 1, min(n_rows, n_chosen)).astype(int))
