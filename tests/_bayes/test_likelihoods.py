"""Noise and latent variables are drawn from their distributions given the scores."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from sklearn_afm._bayes.likelihoods import NormalNoise, ProbitLink


def test_precision_of_noise(rng):
    target, weight = rng.normal(size=6), np.array([1, 2, 0.5, 1, 3, 1])
    row, score = np.array([0, 1, 1, 2, 2, 2]), rng.normal(size=3)
    noise = NormalNoise(target, weight, row)
    drawn = []
    for _ in range(20_000):
        noise.draw(score, rng)
        drawn.append(noise.precision)
    shape = 0.5 + weight.sum() / 2
    rate = 0.5 + (weight * (target - score[row]) ** 2).sum() / 2
    np.testing.assert_allclose(np.mean(drawn), shape / rate, rtol=0.02)
    np.testing.assert_allclose(np.std(drawn), np.sqrt(shape) / rate, rtol=0.04)


def test_copies_pull_as_their_mean_does():
    noise = NormalNoise(np.array([1.0, 4.0, 7.0]), np.array([1.0, 2.0, 5.0]), np.array([0, 0, 1]))
    np.testing.assert_allclose(noise.target, [3, 7])
    np.testing.assert_allclose(noise.weight, [3, 5])


@pytest.mark.parametrize("score", [-4.0, -0.3, 2.0])
def test_latent_variables_are_truncated_normals(rng, score):
    """Row 0 was observed three times: twice positive. Row 1 was observed once: negative."""
    link = ProbitLink(np.array([True, False, False]), np.array([2, 1, 1]), np.array([0, 0, 1]))
    drawn = []
    for _ in range(20_000):
        link.draw(np.array([score, score]), rng)
        drawn.append(link.target)
    positive = truncnorm(-score, np.inf, loc=score)
    negative = truncnorm(-np.inf, -score, loc=score)
    mean = [(2 * positive.mean() + negative.mean()) / 3, negative.mean()]
    std = [np.sqrt(2 * positive.var() + negative.var()) / 3, negative.std()]
    np.testing.assert_allclose(np.mean(drawn, axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.std(drawn, axis=0), std, rtol=0.04)


def test_latent_variables_are_finite_far_in_the_tail(rng):
    link = ProbitLink(np.array([True, False]), np.ones(2), np.array([0, 1]))
    for size in (30.0, 35.0, 1e5):
        link.draw(np.array([-size, size]), rng)
        assert np.isfinite(link.target).all()


def test_the_order_of_observations_has_no_effect():
    label, row = np.array([True, False, True, True]), np.array([1, 0, 0, 1])
    order = [2, 0, 3, 1]
    drawn = []
    for index in (slice(None), order):
        link = ProbitLink(label[index], np.ones(4), row[index])
        link.draw(np.array([0.2, -0.1]), np.random.default_rng(0))
        drawn.append(link.target)
    np.testing.assert_array_equal(*drawn)
