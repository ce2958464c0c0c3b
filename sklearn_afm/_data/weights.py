"""Weights of rows."""

import numpy as np

from .._compat import check_sample_weight
from .._core.ranks import sum_over_ranks

# float32 and float64 can hold sums and products of weights between these.
SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-30, 1e30


def check_weights(sample_weight, X) -> np.ndarray:
    """Weights (n_rows,) as float64; 1 if none are given."""
    if np.ma.is_masked(sample_weight):
        raise ValueError("sample_weight has masked entries; give those rows a weight of 0.")
    with np.errstate(over="ignore", invalid="ignore"):
        weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return check_weight_range(weight)


def check_weight_range(weight: np.ndarray) -> np.ndarray:
    """Return the weights, or refuse them if all are 0 or one is too small or too large."""
    if not weight.any():
        raise ValueError(
            "All sample weights (times class_weight) are zero: there is nothing to learn from. "
            "Give at least one row a positive weight."
        )
    smallest, largest = weight[weight != 0].min(initial=1), weight.max()
    if not (smallest >= SMALLEST_WEIGHT and largest <= LARGEST_WEIGHT):
        raise ValueError(
            f"Weights of rows (sample_weight times class_weight) must be 0 or within "
            f"{SMALLEST_WEIGHT:g} to {LARGEST_WEIGHT:g}; they go from {smallest:g} to {largest:g}."
        )
    return weight


def standard_error(values: np.ndarray, weight: np.ndarray) -> float:
    """Standard error of the weighted mean of values (n_rows,)."""
    total = sum_over_ranks(weight.sum())
    share = weight / total
    mean = sum_over_ranks(share @ values)
    with np.errstate(over="ignore"):  # infinite: nothing is sure
        return float(np.sqrt(sum_over_ranks(share @ (values - mean) ** 2) / total))
