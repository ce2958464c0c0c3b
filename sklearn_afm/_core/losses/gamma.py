"""Gamma loss, of positive targets whose spread is in proportion to their mean."""

import numpy as np
from torch import Tensor

from ..ranks import sum_over_ranks
from .log_link import STEEPEST, LogLinkLoss
from .loss import Derivatives


class GammaLoss(LogLinkLoss):
    """Half the gamma deviance: 0 if the mean is the target."""

    name = "half gamma deviance"
    domain = "above 0"

    def in_domain(self, target: np.ndarray) -> np.ndarray:
        """Whether each target is above 0."""
        return target > 0

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Half the deviance of each target: (n_rows, n_outputs)."""
        error = target.log() - raw
        return error.exp() - error - 1

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and a curvature.

        Its parabola is above the loss down to 1 below the raw score, or to the logarithm of the
        target if that is less. No parabola is above exp everywhere.
        """
        error = np.log(target) - raw
        ratio = np.exp(error)
        return (ratio - error - 1).sum(axis=1), 1 - ratio, np.maximum(STEEPEST * ratio, 1)

    def dispersion(self, raw: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
        """The variance of targets over their squared mean."""
        squares = ((target * np.exp(-raw) - 1) ** 2).mean(axis=1)
        total, of_all = sum_over_ranks(np.array([weight @ squares, weight.sum()]))
        return float(total / of_all)
