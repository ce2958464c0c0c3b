"""Draws of the posterior that are kept, in the units of X and y, and what they predict."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._data.units import Scaling
from .sampler import Sampler
from .scores import scores


@dataclass(frozen=True)
class Draws:
    """Parameters by draw. Coefficients are float32, since they take nearly all of the memory."""

    bias: np.ndarray  # (n_draws,)
    linear_weights: np.ndarray  # (n_draws, n_columns)
    embeddings: np.ndarray  # (n_draws, n_columns, k)

    def scores(self, X: sparse.csr_array) -> Iterator[np.ndarray]:
        """Yield the scores (n_rows,) by each draw."""
        linear, embeddings = self.linear_weights, self.embeddings
        if X.nnz < X.shape[1]:  # a few rows need a few columns
            columns, place = np.unique(X.indices, return_inverse=True)
            X = sparse.csr_array((X.data, place, X.indptr), shape=(X.shape[0], len(columns)))
            linear, embeddings = linear[:, columns], embeddings[:, columns]
        for draw, bias in enumerate(self.bias):
            yield scores(X, bias, linear[draw], embeddings[draw])


def sample(
    sampler: Sampler,
    scaling: Scaling,
    n_sweeps: int,
    n_burn_in: int,
    n_draws: int,
) -> tuple[Draws, np.ndarray]:
    """Run the chain. The draws, evenly spread over the sweeps after the burn-in, and their noise.

    Parameters
    ----------
    sampler : Sampler
    scaling : Scaling
        From the units of the sampler to those of X and y.
    n_sweeps, n_burn_in, n_draws : int
        At most `n_draws` sweeps are kept, the last of all among them.

    Returns
    -------
    draws : Draws
    noise_std : ndarray of shape (n_draws,)
    """
    n_draws = min(n_draws, n_sweeps - n_burn_in)
    kept = n_burn_in + (np.arange(1, n_draws + 1) * (n_sweeps - n_burn_in)) // n_draws
    n_columns, k = sampler.linear_and_embeddings()[1].shape
    bias, noise_std = np.empty(n_draws), np.empty(n_draws)
    linear = np.empty((n_draws, n_columns), dtype=np.float32)
    embeddings = np.empty((n_draws, n_columns, k), dtype=np.float32)
    mean, scale = scaling.target_mean[0], scaling.target_scale[0]
    # A product of two embeddings has the unit of the target.
    linear_unit = scale / scaling.column_scale
    embedding_unit = np.sqrt(scale) / scaling.column_scale
    for sweep in range(1, n_sweeps + 1):
        sampler.sweep()
        if sweep in kept:
            draw = np.searchsorted(kept, sweep)
            weights, factors = sampler.linear_and_embeddings()
            bias[draw] = mean + scale * sampler.bias
            noise_std[draw] = scale / np.sqrt(sampler.likelihood.precision)
            with np.errstate(over="ignore"):
                linear[draw] = linear_unit * weights
                embeddings[draw] = embedding_unit[:, None] * factors
    if not (np.isfinite(linear).all() and np.isfinite(embeddings).all()):
        raise ValueError(
            "Parameters are too large for float32: a column of X is tiny beside y. Scale X or y."
        )
    return Draws(bias, linear, embeddings), noise_std
