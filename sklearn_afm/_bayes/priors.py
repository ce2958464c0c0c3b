"""Priors of the coefficients: a mean and a precision per field and layer, drawn as well."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HyperPrior:
    """Precision ~ Gamma(shape, shape variance), and mean ~ N(0, 1 / (n precision)).

    The values are those of libFM and myFM, whose variance is 1.
    """

    shape: float = 0.5
    n: float = 1.0  # as many coefficients of 0 count in the mean


def prior_variances(length: int, embedding_dim: int) -> np.ndarray:
    """The variance of each layer's coefficients that is expected, (1 + embedding_dim,).

    With it, the linear part and the interactions of a row of this many entries have variance 1
    each, as the target has. It counts where rows are few.
    """
    pairs = max(1.0, length * (length - 1) / 2)
    factors = np.full(embedding_dim, 1 / np.sqrt(pairs * embedding_dim))
    return np.concatenate([[1 / max(1, length)], factors])


class FieldPriors:
    """Normal priors of the coefficients of each layer (weights, or one factor) and field.

    Parameters
    ----------
    field : ndarray of shape (n_columns,)
        Number of each column's field.
    seen : ndarray of shape (n_columns,)
        Whether each column has entries. Others say nothing of their field.
    variances : ndarray of shape (n_layers,)
        See `prior_variances`.
    hyper : HyperPrior
    """

    def __init__(
        self, field: np.ndarray, seen: np.ndarray, variances: np.ndarray, hyper: HyperPrior
    ):
        n_fields = int(field.max()) + 1
        self._seen = np.flatnonzero(seen)
        self._field, self._hyper = field[self._seen], hyper
        self._size = np.bincount(self._field, minlength=n_fields)
        self._rate = hyper.shape * variances[:, None]
        self.mean = np.zeros((len(variances), n_fields))
        self.precision = np.ones((len(variances), n_fields)) / variances[:, None]

    def draw(self, coefficients: np.ndarray, rng: np.random.Generator) -> None:
        """Draw precisions, then means, given the coefficients (n_layers, n_columns)."""
        hyper, known = self._hyper, coefficients[:, self._seen]
        squares = self._sums((known - self.mean[:, self._field]) ** 2)
        shape = hyper.shape + (self._size + 1) / 2
        rate = self._rate + (squares + hyper.n * self.mean**2) / 2
        self.precision = rng.standard_gamma(np.broadcast_to(shape, rate.shape)) / rate
        weight = self._size + hyper.n
        noise = rng.standard_normal(rate.shape) / np.sqrt(weight * self.precision)
        self.mean = self._sums(known) / weight + noise

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """The sum over each field, (n_layers, n_fields)."""
        n_fields = len(self._size)
        return np.array([np.bincount(self._field, layer, n_fields) for layer in values])
