"""A Gibbs sampler of the factorization machine's posterior (Freudenthaler et al. 2011)."""

import numpy as np
from scipy import sparse

from .blocks import Block, blocks_of
from .likelihoods import NormalNoise, ProbitLink
from .priors import FieldPriors, HyperPrior
from .scores import scores

START_SCALE = 0.1  # of embeddings, as in libFM


class Sampler:
    """The state of the chain. Layer 0 of `coefficients` is w, layer f is factor f of V.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns)
        Distinct rows, canonical.
    field : ndarray of shape (n_columns,)
        Number of each column's field.
    likelihood : NormalNoise or ProbitLink
    variances : ndarray of shape (1 + embedding_dim,)
        What is expected of the coefficients by layer; see `prior_variances`.
    rng : Generator
    hyper : HyperPrior
    """

    def __init__(
        self,
        X: sparse.csr_array,
        field: np.ndarray,
        likelihood: NormalNoise | ProbitLink,
        variances: np.ndarray,
        rng: np.random.Generator,
        hyper: HyperPrior | None = None,
    ):
        n_columns = X.shape[1]
        self.likelihood, self._rng = likelihood, rng
        self._blocks = blocks_of(X, field)
        self._even = bool((likelihood.weight == 1).all())
        seen = np.bincount(X.indices, minlength=n_columns) > 0
        self.priors = FieldPriors(field, seen, variances, hyper or HyperPrior())
        self.bias = 0.0
        self.coefficients = START_SCALE * rng.standard_normal((len(variances), n_columns))
        self.coefficients[0] = 0
        self._sums = np.ascontiguousarray((X @ self.coefficients[1:].T).T)  # X V, by factor
        self._residual = likelihood.target - scores(X, 0.0, *self.linear_and_embeddings())

    def linear_and_embeddings(self) -> tuple[np.ndarray, np.ndarray]:
        """w (n_columns,) and V (n_columns, k)."""
        return self.coefficients[0], self.coefficients[1:].T

    def sweep(self) -> None:
        """Draw everything once."""
        self.draw_targets()
        self._draw_bias()
        self.priors.draw(self.coefficients, self._rng)
        for layer in range(len(self.coefficients)):
            for block in self._blocks:
                self._draw_block(block, layer)

    def draw_targets(self) -> None:
        """Draw what lies between scores and targets."""
        score = self.likelihood.target - self._residual
        self.likelihood.draw(score, self._rng)
        self._residual = self.likelihood.target - score

    def _draw_bias(self) -> None:
        """Its prior is the standard normal distribution."""
        weight, alpha = self.likelihood.weight, self.likelihood.precision
        precision = 1 + alpha * weight.sum()
        mean = alpha * (weight @ self._residual + weight.sum() * self.bias) / precision
        new = mean + self._rng.standard_normal() / np.sqrt(precision)
        self._residual -= new - self.bias
        self.bias = new

    def _draw_block(self, block: Block, layer: int) -> None:
        """Draw a layer of all columns of a block. The score is linear in each, with a slope."""
        rows, place, x = block.rows, block.place, block.values
        n_columns = len(block.columns)
        old, residual = self.coefficients[layer, block.columns], self._residual[rows]
        if layer:
            sums = self._sums[layer - 1]
            own = old[place] if x is None else x * old[place]
            slope = sums[rows] - own
            if x is not None:
                slope *= x
        else:
            slope = np.ones(len(place)) if x is None else x
        weighted = slope if self._even else slope * self.likelihood.weight[rows]
        squares = np.bincount(place, weighted * slope, n_columns)
        products = np.bincount(place, weighted * residual, n_columns)
        alpha = self.likelihood.precision
        prior_mean = self.priors.mean[layer, block.field]
        prior_precision = self.priors.precision[layer, block.field]
        precision = alpha * squares + prior_precision
        mean = (alpha * (products + squares * old) + prior_precision * prior_mean) / precision
        new = mean + self._rng.standard_normal(n_columns) / np.sqrt(precision)
        self.coefficients[layer, block.columns] = new
        change = (new - old)[place]
        self._residual[rows] -= slope * change
        if layer:
            sums[rows] += change if x is None else x * change
