"""Absolute error."""

import numpy as np
from torch import Tensor

from .loss import Derivatives, Loss
from .quantile import SMALLEST_ERROR, weighted_quantiles


class AbsoluteError(Loss):
    """Absolute error of each target: its best constant is the median."""

    name = "absolute error"
    target_power = 1
    smooth = False
    of_normal = float(np.sqrt(2 / np.pi))

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Absolute error of each target: (n_rows, n_outputs)."""
        return (raw - target).abs()

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and the curvature of the parabola that touches it above.

        An error near 0 has no such parabola: it has the curvature of `SMALLEST_ERROR`.
        """
        error = raw - target
        size = np.maximum(np.abs(error), SMALLEST_ERROR)
        return np.abs(error).sum(axis=1), error / size, 1 / size

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The median of each target."""
        return weighted_quantiles(target, weight, 0.5)

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """The raw scores themselves."""
        return raw
