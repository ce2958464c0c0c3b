"""Poisson loss, of counts."""

import numpy as np
import torch
from scipy.special import xlogy
from torch import Tensor

from ..ranks import sum_over_ranks
from .log_link import STEEPEST, LogLinkLoss
from .loss import Derivatives


class PoissonLoss(LogLinkLoss):
    """Half the Poisson deviance: 0 if the mean is the target."""

    name = "half Poisson deviance"
    domain = "0 or above"

    def in_domain(self, target: np.ndarray) -> np.ndarray:
        """Whether each target is 0 or above."""
        return target >= 0

    def terms(self, raw: Tensor, target: Tensor) -> Tensor:
        """Half the deviance of each target: (n_rows, n_outputs)."""
        return raw.exp() - target * raw + (torch.xlogy(target, target) - target)

    def derivatives(self, raw: np.ndarray, target: np.ndarray) -> Derivatives:
        """Loss of each row, gradient, and a curvature.

        Its parabola is above the loss up to 1 beyond the raw score, or to the logarithm of the
        target if that is more. No parabola is above exp everywhere.
        """
        mean = np.exp(raw)
        loss = mean - target * raw + xlogy(target, target) - target
        return loss.sum(axis=1), mean - target, np.maximum(STEEPEST * mean, target)

    def dispersion(self, raw: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
        """The variance of counts over their mean, which is 1 of Poisson counts."""
        mean = np.exp(raw)
        squares, means = sum_over_ranks(weight @ np.c_[((target - mean) ** 2).sum(1), mean.sum(1)])
        return float(squares / means)
