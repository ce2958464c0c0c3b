"""Squared error."""

import numpy as np
from torch import Tensor

from .loss import Loss


class SquaredError(Loss):
    """Squared error of each target."""

    name = "squared error"
    target_power = 2

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Squared error of each target: (n_rows, n_outputs)."""
        return (raw - target).square()

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """0, the mean of standardised targets."""
        return np.zeros(target.shape[1])

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """The raw scores themselves."""
        return raw
