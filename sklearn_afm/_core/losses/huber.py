"""Huber loss."""

import numpy as np
import torch
from torch import Tensor

from .loss import Derivatives, Loss
from .quantile import weighted_quantiles


class HuberLoss(Loss):
    """Squared error up to delta; beyond it, the tangent there.

    P. Huber, "Robust Estimation of a Location Parameter", 1964.

    Parameters
    ----------
    delta : ndarray of shape (n_outputs,)
        In the unit of the targets.
    """

    name = "Huber loss"
    target_power = 2
    smooth = False

    def __init__(self, delta: np.ndarray):
        self._delta = delta

    def in_units_of(self, scale: np.ndarray) -> "HuberLoss":
        """The loss of targets that are divided by this scale."""
        return HuberLoss(self._delta / scale)

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Huber loss of each target: (n_rows, n_outputs)."""
        error, delta = (raw - target).abs(), torch.from_numpy(self._delta).to(raw)
        within = torch.minimum(error, delta)
        return within * (2 * error - within)

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and the curvature of the parabola that touches it above."""
        error = raw - target
        size, delta = np.abs(error), self._delta
        within = np.minimum(size, delta)
        gradient = 2 * np.clip(error, -delta, delta)
        return (
            (within * (2 * size - within)).sum(axis=1),
            gradient,
            2 * delta / np.maximum(size, delta),
        )

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The median of each target, near the best constant."""
        return weighted_quantiles(target, weight, 0.5)

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """The raw scores themselves."""
        return raw
