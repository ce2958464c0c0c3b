"""Weighted means, deviations and standard errors of groups of values that come in blocks."""

import numpy as np

_TINY = np.finfo(float).tiny


class Moments:
    """Weighted count, mean and sum of squared deviations, for values of several groups.

    Values come block by block, each with the number of its group. Blocks are merged by the method
    of Chan, Golub and LeVeque (1979): if all values are equal, the deviation is 0 up to rounding.
    """

    def __init__(self, length: int):
        self.count, self.weight, self.squared_weight = np.zeros((3, length))
        self.mean, self.squares = np.zeros((2, length))

    def add(self, number, value, weight):
        """Include the values of one block."""
        length = len(self.weight)
        added = np.bincount(number, weight, length)
        seen = np.maximum(added, _TINY)
        mean = np.bincount(number, weight * value, length) / seen
        squares = np.bincount(number, weight * (value - mean[number]) ** 2, length)
        total = np.maximum(self.weight + added, _TINY)
        step = (mean - self.mean) * (added > 0)
        self.squares += squares + step**2 * added * self.weight / total
        self.mean += step * added / total
        self.weight += added
        self.squared_weight += np.bincount(number, weight**2, length)
        self.count += np.bincount(number, weight > 0, length)

    @property
    def std(self):
        """Standard deviation of the values of each group."""
        return np.sqrt(self.squares / np.maximum(self.weight, _TINY))

    @property
    def std_error(self):
        """Standard error of each mean, s / sqrt(n); NaN of fewer than two values.

        With weights, n is (sum of weights)^2 / (sum of squared weights).
        """
        n = self.weight**2 / np.maximum(self.squared_weight, _TINY)
        return np.where(self.count > 1, self.std / np.sqrt(np.maximum(n - 1, 1e-9)), np.nan)
