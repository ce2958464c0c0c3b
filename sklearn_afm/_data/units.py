"""Units: the model learns on columns of root mean square 1 and on standardised targets.

Afterwards the fitted attributes are converted back, so that they apply to X and y as given. So
predictions do not depend on the unit of a column or of the target, and a column of values around
1000 does not make training diverge.

A column far from 0 (a year, a time) is centred first. If it were only scaled to a root mean square
of 1, all its values would be near 1, and training would not reach its slope.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._core.ranks import every_rank, max_over_ranks, sum_over_ranks

# Keeps linear_weights / scale representable in float32.
SMALLEST_SCALE, LARGEST_SCALE = 1e-30, 1e30
# Share of rows that are 1 in a column that is not centred: more than half, whatever rounding adds.
_MOST_ROWS = 0.5 + 1e-9


@dataclass
class Scaling:
    """The model sees (x_i - column_mean) / column_scale and (y - target_mean) / target_scale."""

    column_scale: np.ndarray  # (n_features,); 1 for columns not seen yet
    target_mean: np.ndarray  # (n_outputs,)
    target_scale: np.ndarray  # (n_outputs,)
    column_mean: np.ndarray | None = None  # (n_features,), 0 for most; None: no column is centred

    @property
    def scales_columns(self) -> bool:
        """Whether any column has another scale than 1."""
        return bool((self.column_scale != 1).any())

    def scaled_values(self, X) -> np.ndarray:
        """Stored values of a centred CSR matrix, divided by the scales of their columns."""
        return X.data / self.column_scale[X.indices]

    def fold_in(self, arrays: dict, parameters) -> dict:
        """From what was learnt to fitted attributes, which apply to X and y as given.

        `parameters` are those that the model declares.
        """
        return self._convert(arrays, parameters, 1)

    def take_out(self, arrays: dict, parameters) -> dict:
        """The inverse of `fold_in`."""
        return self._convert(arrays, parameters, -1)

    def _convert(self, arrays, parameters, direction):
        result = dict(arrays)
        if (self.target_scale != 1).any() or self.target_mean.any():
            target_scale = self.target_scale**direction
            for parameter in parameters:
                if parameter.name == "bias":
                    continue
                unit = target_scale**parameter.unit
                if "output" in parameter.axes:
                    after = len(parameter.axes) - 1 - parameter.axes.index("output")
                    unit = unit.reshape(-1, *[1] * after)
                if parameter.unit:
                    result[parameter.name] = arrays[parameter.name] * unit
            if direction == 1:
                result["bias"] = self.target_mean + target_scale * arrays["bias"]
            else:
                result["bias"] = (arrays["bias"] - self.target_mean) * target_scale
        if self.scales_columns:
            column_scale = (self.column_scale**direction)[:, None]
            for parameter in parameters:
                if parameter.per_column:
                    result[parameter.name] = result[parameter.name] / column_scale
        return result


def column_means(X, weight: np.ndarray) -> np.ndarray | None:
    """What is subtracted from each column (n_columns,); None if nothing is.

    That is the weighted mean of columns that no row has at 0 and whose mean is further from 0
    than their standard deviation. A column with zeros keeps them: they are absent entries. So does
    one that is 1 in most rows, as a hashed category of which some rows have two: other rows may
    lack it, and 0 would be very far from its mean in units of its standard deviation.
    """
    if every_rank((X.data == 1).all()):
        return None
    n_rows, n_columns = X.shape
    missing = n_rows - np.bincount(X.indices, minlength=n_columns)
    full = sum_over_ranks(missing) == 0
    if not full.any():
        return None
    share = weight / sum_over_ranks(weight.sum())
    in_full = full[X.indices]
    column, value = X.indices[in_full], X.data[in_full].astype(np.float64)
    entry_share = np.repeat(share, np.diff(X.indptr))[in_full]
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sum_over_ranks(np.bincount(column, entry_share * value, n_columns))
        square = np.bincount(column, entry_share * (value - mean[column]) ** 2, n_columns)
        square = sum_over_ranks(square)
        std = np.sqrt(square)
        far = np.isfinite(square) & (np.abs(mean) > std)
        ones = np.bincount(column, entry_share * (value == 1), n_columns)
        far &= sum_over_ranks(ones) <= _MOST_ROWS
        # Rounding errors of a constant column are no spread.
        far &= std > 10 * np.finfo(np.float64).eps * np.abs(mean)
    return np.where(far, mean, 0.0) if far.any() else None


def centered(X, mean: np.ndarray | None):
    """A canonical CSR matrix with the mean of each column subtracted; None changes nothing."""
    if mean is None:
        return X
    columns = np.flatnonzero(mean)
    n_rows = X.shape[0]
    indptr = np.arange(n_rows + 1) * len(columns)
    shift = (np.tile(mean[columns], n_rows), np.tile(columns, n_rows), indptr)
    result = X - sparse.csr_array(shift, shape=X.shape)
    # A value that is the mean is 0, whatever rounding leaves of their difference.
    rounding = 16 * np.finfo(np.float64).eps * np.abs(mean[result.indices])
    result.data[np.abs(result.data) <= rounding] = 0
    result.eliminate_zeros()
    return result


def column_scales(X, entry_weight: np.ndarray) -> np.ndarray:
    """Weighted root mean square of the entries of each column; 1 for a column without entries."""
    scales = np.ones(X.shape[1])
    if every_rank((X.data == 1).all()):
        return scales
    size = np.abs(X.data)
    # Divided by the largest value of their column, values have squares that do not overflow.
    largest = np.zeros(X.shape[1])
    np.maximum.at(largest, X.indices, size)
    largest = max_over_ranks(largest)
    squares = (size / largest[X.indices]) ** 2
    total = np.bincount(X.indices, entry_weight, minlength=X.shape[1])
    squares = np.bincount(X.indices, entry_weight * squares, minlength=X.shape[1])
    total, squares = sum_over_ranks(np.stack([total, squares]))
    seen = total > 0
    scales[seen] = largest[seen] * np.sqrt(squares[seen] / total[seen])
    return np.clip(scales, SMALLEST_SCALE, LARGEST_SCALE)


def target_moments(target: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation of each output; 1 for a constant one."""
    mean, std = mean_and_deviation(target, weight)
    return mean, scale_of_targets(mean, std)


def mean_and_deviation(target: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation of each output."""
    total = sum_over_ranks(weight.sum())
    # Divided by a power of two of their size, targets have squares that do not overflow.
    size = np.exp2(np.frexp(max_over_ranks(np.abs(target).max(axis=0)))[1] - 1)
    target = target / size
    mean = sum_over_ranks(weight @ target) / total
    std = np.sqrt(sum_over_ranks(weight @ (target - mean) ** 2) / total)
    return mean * size, std * size


def scale_of_targets(mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """The unit of each output: its standard deviation; 1 for a constant one."""
    # Rounding errors of a constant target are no spread.
    return np.where(std <= 10 * np.finfo(np.float64).eps * np.abs(mean), 1.0, std)
