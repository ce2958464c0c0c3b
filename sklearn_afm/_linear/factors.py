"""Embeddings of a factorization machine by variational inference, a factor and a block at a time.

Each v_if has a normal distribution of its own, and a prior N(0, s^2) for each group of columns and
factor. In turn, the distributions of a block's columns take their best values in closed form, and
each prior the mean square of its coefficients. A factor that explains nothing goes to 0.

C. Bishop, "Variational principal components", ICANN 1999; Y. J. Lim and Y. W. Teh, "Variational
Bayesian approach to movie rating prediction", KDD Cup 2007.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._core.ranks import sum_each, sum_over_ranks
from .blocks import Block
from .descent import Derivatives, Weights

# Standard deviation of the embeddings at the start, as in libFM.
_START = 0.1
# Sweeps before priors are learnt, and before factors can end.
_FIXED_SWEEPS, _KEPT_SWEEPS = 5, 7
# A factor ends if the standard deviation of its scores is below this share of that of the noise.
_NOTHING = 0.01
_SMALLEST_VARIANCE = 1e-12


@dataclass
class Factors:
    """Distributions of the embeddings, by factor, and their priors."""

    projection: np.ndarray  # (n_outputs, k), p: fixed
    mean: np.ndarray  # (k, n_columns)
    variance: np.ndarray  # (k, n_columns)
    prior: np.ndarray  # (k, n_groups), variances
    penalty: (
        np.ndarray
    )  # (k, n_columns), of the squared means, beside the loss: see `sweep_factors`
    active: np.ndarray  # (k,), bool
    unit: float = 1.0  # of the loss: see `sweep_factors`
    n_sweeps: int = 0

    @classmethod
    def start(
        cls,
        blocks: list[Block],
        n_columns: int,
        n_groups: int,
        projection: np.ndarray,
        rng: np.random.Generator,
    ) -> "Factors":
        """Small random embeddings, and priors under which a row's interactions have variance 1."""
        k = projection.shape[1]
        n_pairs = max(1, len(blocks) * (len(blocks) - 1) / 2)
        mean, variance = np.zeros((k, n_columns)), np.zeros((k, n_columns))
        for block in blocks:
            mean[:, block.columns] = _START * rng.standard_normal((k, block.n_levels))
            variance[:, block.columns] = _START**2
        prior = np.full((k, n_groups), 1 / np.sqrt(n_pairs * k))
        active = np.ones(k, dtype=bool)
        return cls(projection, mean, variance, prior, np.zeros_like(mean), active)

    def in_units_of(self, unit: float) -> "Factors":
        """The same, for raw scores that are divided by this unit."""
        return replace(
            self,
            mean=self.mean / np.sqrt(unit),
            variance=self.variance / unit,
            prior=self.prior / unit,
            penalty=self.penalty / unit,
            unit=self.unit / unit**2,
        )

    @property
    def strengths(self) -> np.ndarray:
        """Penalty of squared embeddings that stands for the prior of each group, (n_groups,)."""
        return self.unit / (2 * self.prior.mean(axis=0))

    def scores(self, X: sparse.csr_array) -> np.ndarray:
        """What the factors add to the raw scores, (n_rows, n_outputs)."""
        mean = self.mean[self.active].T
        squares = sparse.csr_array((X.data**2, X.indices, X.indptr), shape=X.shape)
        pooled = ((X @ mean) ** 2 - squares @ mean**2) / 2
        return pooled @ self.projection[:, self.active].T

    @property
    def settled(self) -> bool:
        """Whether no factor would end yet for being young."""
        return self.n_sweeps > _KEPT_SWEEPS


def sweep_factors(
    blocks: list[Block],
    factors: Factors,
    weights: Weights,
    derivatives: Derivatives,
    unit: float,
    total_weight: float,
) -> np.ndarray:
    """Bring all distributions to their best values in turn. Returns the variance of the scores.

    What holds a mean back is its prior, and the variances of what it is multiplied by: together
    they are the penalty under which a model without variances has its minimum near these means.

    Parameters
    ----------
    blocks : list of Block
        The fields.
    factors : Factors
    weights : Weights
        Their raw scores hold those of the factors.
    derivatives : callable
        Of the loss, as `descend` takes it.
    unit : float
        The loss is minus the logarithm of the likelihood, times this.
    total_weight : float
        Of the rows.

    Returns
    -------
    variance : ndarray of shape (n_rows, n_outputs)
    """
    gradient, curvature = derivatives(weights.raw)
    residual, variance = -gradient, np.zeros_like(weights.raw)
    for factor in np.flatnonzero(factors.active):
        p = factors.projection[:, factor]
        curved = curvature @ p**2
        change, score, of_score = _sweep_factor(blocks, factors, factor, curved, residual @ p, unit)
        explained = sum_over_ranks(curved @ score**2) / (unit * total_weight)
        if explained < _NOTHING**2 and factors.n_sweeps >= _KEPT_SWEEPS:
            factors.mean[factor], factors.active[factor] = 0, False
            change, of_score = change - score, np.zeros_like(of_score)
        step = np.outer(change, p)
        weights.raw += step
        residual -= curvature * step
        variance += np.outer(of_score, p**2)
    factors.unit = unit
    factors.n_sweeps += 1
    return variance


def _sweep_factor(blocks, factors: Factors, factor: int, curved, residual, unit: float):
    """Change of the scores of one factor, the scores, and their variance, (n_rows,) each.

    The entries of a row have values v = m x and variances s x^2, with the sums V and S. Their score
    is linear in each m, with the slope x (V - v).
    """
    mean, variance, prior = factors.mean[factor], factors.variance[factor], factors.prior[factor]
    values = [block.spread(mean[block.columns]) for block in blocks]
    variances = [block.spread(variance[block.columns], 2) for block in blocks]
    V, S, VS, change = np.zeros((4, len(residual)))
    for block, v, s in zip(blocks, values, variances):
        V[block.of_rows] += v
        S[block.of_rows] += s
        VS[block.of_rows] += v * s
    for place, block in enumerate(blocks):
        rows, v, s = block.of_rows, values[place], variances[place]
        c, slope, others = curved[rows], V[rows] - v, S[rows] - s
        others_vs = VS[rows] - v * s
        # The others' scores and the slope depend on one another.
        together = slope * others - others_vs
        held_back, precision, ahead = sum_each(
            [
                block.sums_of(c * others, 2),
                block.sums_of(c * slope**2, 2),
                block.sums_of(slope * (residual[rows] + c * slope * v) - c * together),
            ]
        )
        held_back = held_back + unit / prior[block.group]
        precision = precision + held_back
        mean[block.columns], variance[block.columns] = ahead / precision, unit / precision
        factors.penalty[factor, block.columns] = held_back / 2
        values[place] = block.spread(mean[block.columns])
        variances[place] = block.spread(variance[block.columns], 2)
        step = slope * (values[place] - v)
        residual[rows] -= c * step
        change[rows] += step
        V[rows] = slope + values[place]
        S[rows] = others + variances[place]
        VS[rows] = others_vs + values[place] * variances[place]
        if factors.n_sweeps >= _FIXED_SWEEPS:
            _learn_prior(blocks, mean, variance, prior)
    squares, of_score = np.zeros_like(V), S**2 / 2
    for block, v, s in zip(blocks, values, variances):
        rows = block.of_rows
        squares[rows] += v**2
        of_score[rows] += s * (V[rows] - v) ** 2 - s**2 / 2
    return change, (V**2 - squares) / 2, of_score


def _learn_prior(blocks, mean, variance, prior) -> None:
    """The mean square of each group's coefficients."""
    group = [block.group for block in blocks]
    squares = [(mean[b.columns] ** 2 + variance[b.columns]).sum() for b in blocks]
    size = np.bincount(group, [block.n_levels for block in blocks], len(prior))
    known = size > 0
    prior[known] = np.bincount(group, squares, len(prior))[known] / size[known]
    np.maximum(prior, _SMALLEST_VARIANCE, out=prior)
