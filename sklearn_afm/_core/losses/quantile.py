"""Pinball loss: its best constant is a quantile."""

import numpy as np
from scipy.special import ndtri
from torch import Tensor

from ..ranks import gather, n_ranks
from .loss import Derivatives, Loss

# Errors below this, in the units of the model, have the curvature of an error of this size.
SMALLEST_ERROR = 1e-2


class PinballLoss(Loss):
    """The quantile times what a prediction lacks; 1 - quantile times what it has too much.

    R. Koenker and G. Bassett, "Regression Quantiles", Econometrica 46, 1978.

    Parameters
    ----------
    quantile : float
        Above 0 and below 1.
    """

    name = "pinball loss"
    target_power = 1
    smooth = False

    def __init__(self, quantile: float):
        self._quantile = quantile
        self.of_normal = float(np.exp(-(ndtri(quantile) ** 2) / 2) / np.sqrt(2 * np.pi))

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Pinball loss of each target: (n_rows, n_outputs)."""
        error = target - raw
        return self._quantile * error.clamp_min(0) + (1 - self._quantile) * (-error).clamp_min(0)

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and the curvature of the parabola that touches it above.

        D. Hunter and K. Lange, "Quantile regression via an MM algorithm", 2000.
        """
        error, q = raw - target, self._quantile
        size = np.maximum(np.abs(error), SMALLEST_ERROR)
        loss = np.where(error < 0, -q, 1 - q) * error
        return loss.sum(axis=1), error / (2 * size) + 0.5 - q, 1 / (2 * size)

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The quantile of each target."""
        return weighted_quantiles(target, weight, self._quantile)

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """The raw scores themselves."""
        return raw


def weighted_quantiles(target: np.ndarray, weight: np.ndarray, quantile: float) -> np.ndarray:
    """The smallest value of each output that so much of the weight does not exceed."""
    if n_ranks() > 1:
        target, weight = (np.concatenate(parts) for parts in zip(*gather((target, weight))))
    result = np.empty(target.shape[1])
    for output, values in enumerate(target.T):
        order = np.argsort(values, kind="stable")
        total = np.cumsum(weight[order])
        place = np.searchsorted(total, quantile * total[-1])
        result[output] = values[order[min(int(place), len(order) - 1)]]
    return result
