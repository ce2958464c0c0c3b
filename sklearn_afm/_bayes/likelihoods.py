"""How targets depend on scores: normal noise, or a probit link with latent normal variables.

Copies of a row count once, with their summed weight, since draws depend on the sum of their
targets alone.
"""

import numpy as np
from scipy.special import ndtr, ndtri

# ndtr of less is no number of float64.
_LOWEST_SCORE = -35.0


class NormalNoise:
    """Targets are scores plus normal noise. Its precision has the prior Gamma(1/2, 1/2).

    Parameters
    ----------
    target, weight : ndarray of shape (n_observations,)
    row : ndarray of shape (n_observations,)
        The distinct row of each observation.
    """

    def __init__(self, target: np.ndarray, weight: np.ndarray, row: np.ndarray):
        self.weight = np.bincount(row, weight)
        self.target = np.bincount(row, weight * target) / self.weight
        self.precision = 1.0
        self._total = weight.sum()
        self._among_copies = weight @ (target - self.target[row]) ** 2

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> None:
        """Draw the precision."""
        squares = self._among_copies + self.weight @ (self.target - score) ** 2
        self.precision = rng.standard_gamma((1 + self._total) / 2) / ((1 + squares) / 2)


class ProbitLink:
    """The label is whether a latent variable, score plus standard normal noise, is positive.

    Parameters
    ----------
    label : ndarray of shape (n_observations,), bool
    weight : ndarray of shape (n_observations,)
        Whole numbers: how often each observation was made.
    row : ndarray of shape (n_observations,)
        The distinct row of each observation.
    """

    precision = 1.0

    def __init__(self, label: np.ndarray, weight: np.ndarray, row: np.ndarray):
        counts = weight.astype(np.int64)
        # In the order of the distinct rows, so that the order of observations has no effect.
        order = np.lexsort((label, row))
        self._row = np.repeat(row[order], counts[order])
        self._sign = np.repeat(np.where(label, 1.0, -1.0)[order], counts[order])
        self.weight = np.bincount(self._row).astype(np.float64)
        self.target = np.zeros(len(self.weight))

    def draw(self, score: np.ndarray, rng: np.random.Generator) -> None:
        """Draw the latent variables; the target of a row is their mean."""
        towards = np.maximum(self._sign * score[self._row], _LOWEST_SCORE)
        # Uniform in (0, 1], times the probability of the label.
        noise = ndtri((1 - rng.random(len(towards))) * ndtr(towards))
        self.target = np.bincount(self._row, self._sign * (towards - noise)) / self.weight
