"""The sampler against the model in loops, closed forms, and the joint distribution itself."""

import numpy as np
import pytest
from conftest import ragged_matrix
from oracle import raw_scores
from scipy import sparse

from sklearn_afm._bayes.likelihoods import NormalNoise, ProbitLink
from sklearn_afm._bayes.priors import HyperPrior
from sklearn_afm._bayes.sampler import Sampler
from sklearn_afm._data.checks import canonical_csr


class SameNoise:
    """A generator whose normal numbers are all the same."""

    def __init__(self, value):
        self.value = value

    def standard_normal(self, size=None):
        return self.value if size is None else np.full(size, self.value)


def loops(X, sampler):
    """Scores by loops over rows and pairs."""
    linear, embeddings = sampler.linear_and_embeddings()
    return raw_scores(
        X,
        {
            "bias": np.array([sampler.bias]),
            "linear_weights": linear[:, None],
            "embeddings": embeddings,
            "projection": np.ones((1, embeddings.shape[1])),
        },
    )[:, 0]


def ragged_sampler(rng, k=3, real=True):
    """A sampler in any state, on weighted ragged rows with two overlapping fields of columns."""
    dense = ragged_matrix(rng, 30, 7, real)
    n_rows = len(dense)
    noise = NormalNoise(rng.normal(size=n_rows), rng.uniform(0.5, 2, n_rows), np.arange(n_rows))
    field = np.array([0, 0, 1, 1, 1, 0, 1])
    sampler = Sampler(canonical_csr(dense), field, noise, np.ones(k + 1), rng)
    for _ in range(3):
        sampler.sweep()
    return dense, sampler


@pytest.mark.parametrize("real", [True, False])
def test_each_draw_is_that_of_the_formula(rng, real):
    """Mean and precision of each coefficient, by differences of the scores that loops compute."""
    dense, sampler = ragged_sampler(rng, real=real)
    weight, target = sampler.likelihood.weight, sampler.likelihood.target
    alpha = sampler.likelihood.precision
    for noise in (0.0, 1.0):
        sampler._rng = SameNoise(noise)
        for layer in range(4):
            for block in sampler._blocks:
                expected = []
                for column in block.columns:
                    old = sampler.coefficients[layer, column]
                    sampler.coefficients[layer, column] = 0
                    without = loops(dense, sampler)
                    sampler.coefficients[layer, column] = 1
                    slope = loops(dense, sampler) - without
                    sampler.coefficients[layer, column] = old
                    prior = sampler.priors.precision[layer, block.field]
                    precision = prior + alpha * (weight * slope**2).sum()
                    mean = alpha * (weight * slope * (target - without)).sum()
                    mean += prior * sampler.priors.mean[layer, block.field]
                    expected.append(mean / precision + noise / np.sqrt(precision))
                sampler._draw_block(block, layer)
                drawn = sampler.coefficients[layer, block.columns]
                np.testing.assert_allclose(drawn, expected, rtol=1e-8, atol=1e-10)
        without = loops(dense, sampler) - sampler.bias
        precision = 1 + alpha * weight.sum()
        mean = alpha * (weight * (target - without)).sum() / precision
        sampler._draw_bias()
        np.testing.assert_allclose(sampler.bias, mean + noise / np.sqrt(precision))


def test_residuals_and_sums_stay_those_of_the_parameters(rng):
    dense, sampler = ragged_sampler(rng)
    for _ in range(20):
        sampler.sweep()
    residual = sampler.likelihood.target - loops(dense, sampler)
    np.testing.assert_allclose(sampler._residual, residual, atol=1e-10)
    sums = (dense @ sampler.coefficients[1:].T).T
    np.testing.assert_allclose(sampler._sums, sums, atol=1e-10)


def test_linear_draws_have_the_closed_form(rng):
    """Without interactions and with known precisions: Bayesian linear regression."""
    dense = np.round(rng.normal(size=(40, 4)), 2)
    target = dense @ [1, -1, 0.5, 0] + 0.3 + rng.normal(size=40)
    noise = NormalNoise(target, np.ones(40), np.arange(40))
    sampler = Sampler(canonical_csr(dense), np.array([0, 0, 1, 1]), noise, np.ones(2), rng)
    alpha = noise.precision = 0.8
    sampler.priors.mean[0], sampler.priors.precision[0] = [0.5, -0.2], [2.0, 5.0]
    sampler._residual += sampler._sums[0] ** 2 / 2  # of V = 0
    sampler._residual -= (dense**2 @ sampler.coefficients[1] ** 2) / 2
    sampler._sums[:], sampler.coefficients[1] = 0, 0
    drawn = []
    for _ in range(20_000):
        sampler._draw_bias()
        for block in sampler._blocks:
            sampler._draw_block(block, 0)
        drawn.append([sampler.bias, *sampler.coefficients[0]])
    design = np.column_stack([np.ones(40), dense])
    prior_mean, prior = np.array([0, 0.5, 0.5, -0.2, -0.2]), np.diag([1.0, 2, 2, 5, 5])
    covariance = np.linalg.inv(prior + alpha * design.T @ design)
    mean = covariance @ (prior @ prior_mean + alpha * design.T @ target)
    np.testing.assert_allclose(np.mean(drawn, axis=0), mean, atol=0.006)
    np.testing.assert_allclose(np.cov(drawn, rowvar=False), covariance, atol=0.001)


@pytest.mark.parametrize("kind", ["noise", "probit"])
def test_parameters_keep_their_prior_if_targets_are_drawn_too(rng, kind):
    """Geweke (2004): sweeps that alternate with new targets leave the joint distribution as it is.

    So the parameters have the distribution of their prior.
    """
    X = sparse.csr_array(np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0.5], [0, 1, 0, -1.0]]))
    row, hyper, variances = np.arange(4), HyperPrior(shape=3.0), np.array([1.0, 0.8])
    field = np.array([0, 0, 1, 1])

    def new_targets(sampler):
        score = sampler.likelihood.target - sampler._residual
        if kind == "noise":
            noise = rng.standard_normal(4) / np.sqrt(sampler.likelihood.precision)
            sampler.likelihood.target = score + noise
        else:
            label = score + rng.standard_normal(4) > 0
            sampler.likelihood = ProbitLink(label, np.ones(4), row)
        sampler._residual = sampler.likelihood.target - score

    def functions(bias, coefficients, mean, precision, alpha):
        """Bounded functions, so that heavy tails do no harm."""
        w, v = coefficients
        return np.tanh(
            [bias, w[0], w[3], w[0] * w[1], v[0] ** 2, v[0] * v[1], v[2] * v[3], v[0] * v[2],
             mean[0, 0], mean[1, 1] ** 2, precision[0, 1] / 2, precision[1, 0] / 2,
             w[0] ** 2, w[2] ** 2, bias**2, alpha]
        )  # fmt: skip

    def from_prior():
        precision = rng.gamma(hyper.shape, size=(2, 2)) / (hyper.shape * variances[:, None])
        mean = rng.standard_normal((2, 2)) / np.sqrt(hyper.n * precision)
        noise = rng.standard_normal((2, 4)) / np.sqrt(precision[:, field])
        alpha = rng.gamma(0.5, 2) if kind == "noise" else 1.0
        return functions(rng.standard_normal(), mean[:, field] + noise, mean, precision, alpha)

    expected = np.array([from_prior() for _ in range(20_000)])
    if kind == "noise":
        likelihood = NormalNoise(np.zeros(4), np.ones(4), row)
    else:
        likelihood = ProbitLink(np.ones(4, dtype=bool), np.ones(4), row)
    sampler = Sampler(X, field, likelihood, variances, rng, hyper)
    drawn = []
    for _ in range(30_000):
        sampler.sweep()
        new_targets(sampler)
        priors, alpha = sampler.priors, sampler.likelihood.precision
        drawn.append(
            functions(sampler.bias, sampler.coefficients, priors.mean, priors.precision, alpha)
        )
    batches = np.array(drawn).reshape(100, 300, -1).mean(axis=1)
    error = np.sqrt(batches.var(axis=0) / 100 + expected.var(axis=0) / len(expected))
    differences = (batches.mean(axis=0) - expected.mean(axis=0)) / np.maximum(error, 1e-12)
    assert np.abs(differences).max() < 4, differences
