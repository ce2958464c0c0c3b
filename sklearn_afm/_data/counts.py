"""What a fit needs to know of all its rows, counted block by block."""

import numpy as np

from .fields import fields_by_left, left_of_entries
from .units import LARGEST_SCALE, SMALLEST_SCALE, mean_and_deviation


class ColumnCounts:
    """Counts of each column over blocks of rows.

    Attributes
    ----------
    n_rows : int
    total_weight : float
    weight, n_entries : ndarray of shape (n_columns,)
        Summed weight, and number, of the rows that hold a column.
    """

    def __init__(self, n_columns: int):
        self.n_rows, self.total_weight = 0, 0.0
        self.weight = np.zeros(n_columns)
        self.n_entries = np.zeros(n_columns, dtype=np.int64)
        self._left = np.full(n_columns, -1, dtype=np.int64)
        self._several = np.zeros(n_columns, dtype=bool)
        # Of entries other than 1, once there are any: the largest of each column, the sum of the
        # weighted squares of x / largest, and a value of each column.
        self._largest: np.ndarray | None = None

    def add(self, X, weight: np.ndarray) -> None:
        """Count rows: canonical CSR, and positive weights."""
        entry_weight = np.repeat(weight, np.diff(X.indptr))
        if self._largest is not None or not (X.data == 1).all():
            self._add_values(X, entry_weight)
        n_columns = len(self.weight)
        self.n_rows += X.shape[0]
        self.total_weight += float(weight.sum())
        self.weight += np.bincount(X.indices, entry_weight, n_columns)
        self.n_entries += np.bincount(X.indices, minlength=n_columns)
        np.maximum.at(self._left, X.indices, left_of_entries(X))

    def _add_values(self, X, entry_weight: np.ndarray) -> None:
        if self._largest is None:  # all entries were 1 until now
            self._largest = (self.n_entries > 0).astype(np.float64)
            self._squares = self.weight.copy()
            self._value = np.where(self.n_entries > 0, 1.0, np.nan)
        size, before = np.abs(X.data).astype(np.float64), self._largest.copy()
        np.maximum.at(self._largest, X.indices, size)
        # Divided by the largest value of their column, values have squares that do not overflow.
        self._squares *= np.divide(before, self._largest, where=before > 0, out=before) ** 2
        squares = (size / self._largest[X.indices]) ** 2
        self._squares += np.bincount(X.indices, entry_weight * squares, len(before))
        is_new = np.isnan(self._value[X.indices])
        self._value[X.indices[is_new]] = X.data[is_new]
        self._several[X.indices[X.data != self._value[X.indices]]] = True

    def column_scales(self) -> np.ndarray:
        """Weighted root mean square of the entries of each column; 1 for one without entries."""
        scales = np.ones(len(self.weight))
        if self._largest is None:
            return scales
        seen = self.weight > 0
        scales[seen] = self._largest[seen] * np.sqrt(self._squares[seen] / self.weight[seen])
        return np.clip(scales, SMALLEST_SCALE, LARGEST_SCALE)

    def fields(self) -> np.ndarray:
        """The number of each column's field, as `find_fields` finds it on all rows."""
        return fields_by_left(self._left, self.n_entries > 0, self._several)


class TargetCounts:
    """Weighted mean and standard deviation of each output over blocks of rows.

    T. Chan, G. Golub and R. LeVeque, "Algorithms for computing the sample variance", 1983.
    """

    def __init__(self) -> None:
        self._total = 0.0
        self.mean = self.std = np.zeros(1)

    def add(self, target: np.ndarray, weight: np.ndarray) -> None:
        """Count rows: targets (n_rows, n_outputs), and positive weights."""
        total, (mean, std) = float(weight.sum()), mean_and_deviation(target, weight)
        if not self._total:
            self._total, self.mean, self.std = total, mean, std
            return
        share = total / (self._total + total)
        step = mean - self.mean
        # In units of the largest, so that squares do not overflow.
        unit = np.maximum(np.maximum(self.std, std), np.abs(step))
        unit = np.where(unit > 0, unit, 1.0)
        variance = (1 - share) * (self.std / unit) ** 2 + share * (std / unit) ** 2
        variance += share * (1 - share) * (step / unit) ** 2
        self.mean, self.std = self.mean + share * step, unit * np.sqrt(variance)
        self._total += total
