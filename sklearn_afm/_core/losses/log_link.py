"""Losses of raw scores that are the logarithm of the mean."""

import numpy as np

from ..ranks import sum_over_ranks
from .loss import Loss

# The parabola of curvature STEEPEST times exp(raw) is above exp up to raw + 1: 2 (e - 2).
STEEPEST = 1.4366


class LogLinkLoss(Loss):
    """What they share."""

    log_link = True

    def start_bias(self, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The logarithm of each target's mean; minus infinity if all are 0."""
        with np.errstate(divide="ignore"):
            return np.log(sum_over_ranks(weight @ target) / sum_over_ranks(weight.sum()))

    def predictions(self, raw: np.ndarray) -> np.ndarray:
        """The means: above 0."""
        with np.errstate(over="ignore"):
            return np.exp(raw)

    def averaged(self, raw: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """The logarithm of the mean of exp, exactly so for normal raw scores."""
        return raw + variance / 2
