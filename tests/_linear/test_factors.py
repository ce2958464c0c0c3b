"""Variational embeddings beside the free energy, computed by quadrature over all coefficients."""

from itertools import product

import numpy as np
import pytest
from scipy import sparse

from sklearn_afm._linear.blocks import field_blocks
from sklearn_afm._linear.descent import Weights
from sklearn_afm._linear.factors import Factors, sweep_factors

K = 2
FIELD = np.array([0, 0, 1, 1, 2])
UNIT = 0.7


@pytest.fixture(params=["one-hot", "real"])
def problem(request, rng):
    """Rows of three fields, some without one of them, targets and weights."""
    X = np.zeros((12, 5))
    rows = np.arange(12)
    X[rows, rng.integers(0, 2, 12)] = 1
    X[rows[:9], 2 + rng.integers(0, 2, 9)] = 1
    X[rows, 4] = 1
    if request.param == "real":
        X *= rng.normal(1, 0.5, X.shape)
    return X, rng.normal(size=(12, 1)), rng.integers(1, 3, 12).astype(float)


def started(X, rng, n_outputs=1):
    blocks = field_blocks(sparse.csr_array(X), FIELD, FIELD)
    projection = np.array([[1.0, 1.0], [1.0, -1.0]])[:n_outputs]
    factors = Factors.start(blocks, X.shape[1], 3, projection, rng)
    weights = Weights.zero(blocks, np.zeros(n_outputs), len(X))
    weights.raw += factors.scores(sparse.csr_array(X))
    return blocks, factors, weights


def scores(X, embeddings, projection):
    """Raw scores (n_rows, n_outputs) by a loop over pairs."""
    result = np.zeros((len(X), len(projection)))
    for row, x in enumerate(X):
        for i in range(len(x)):
            for j in range(i):
                result[row] += projection @ (embeddings[:, i] * embeddings[:, j]) * x[i] * x[j]
    return result


def expected_loss(X, target, weight, factors):
    """E[sum of w (score - y)^2], exact: a polynomial of second degree in each coefficient."""
    nodes, share = np.polynomial.hermite_e.hermegauss(2)
    share = share / share.sum()
    total = 0.0
    for row in range(len(X)):
        used = np.flatnonzero(X[row])
        mean, deviation = factors.mean[:, used], np.sqrt(factors.variance[:, used])
        for chosen in product(range(2), repeat=mean.size):
            chosen = np.array(chosen).reshape(mean.shape)
            embeddings = mean + deviation * nodes[chosen]
            error = scores(X[row : row + 1, used], embeddings, factors.projection) - target[row]
            total += weight[row] * share[chosen].prod() * (error**2).sum()
    return total


def free_energy(X, target, weight, factors):
    """Expected loss in its unit, and the divergence of the distributions from their priors."""
    prior = factors.prior[:, FIELD]
    ratio = factors.variance / prior
    divergence = (ratio + factors.mean**2 / prior - 1 - np.log(ratio)).sum() / 2
    return expected_loss(X, target, weight, factors) / UNIT + divergence


def sweep(blocks, factors, weights, target, weight, unit=UNIT):
    def derivatives(raw):
        return 2 * weight[:, None] * (raw - target), np.tile(2 * weight[:, None], raw.shape[1])

    return sweep_factors(blocks, factors, weights, derivatives, unit, weight.sum())


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_no_sweep_raises_the_free_energy(problem, n_outputs, rng):
    X, target, weight = problem
    target = np.hstack([target, -target[::-1]])[:, :n_outputs]
    blocks, factors, weights = started(X, rng, n_outputs)
    before = free_energy(X, target, weight, factors)
    for _ in range(7):  # the priors are learnt in the last two
        sweep(blocks, factors, weights, target, weight)
        after = free_energy(X, target, weight, factors)
        assert after < before + 1e-9
        before = after


def test_the_distributions_that_came_last_are_the_best(problem, rng):
    X, target, weight = problem
    blocks, factors, weights = started(X, rng)
    for _ in range(3):
        sweep(blocks, factors, weights, target, weight)
    best = free_energy(X, target, weight, factors)
    last = K - 1, blocks[-1].columns[0]
    for array, change in product((factors.mean, factors.variance), (0.98, 1.02)):
        kept = array[last]
        array[last] *= change
        assert free_energy(X, target, weight, factors) > best
        array[last] = kept


def test_raw_scores_and_their_variance(problem, rng):
    X, target, weight = problem
    blocks, factors, weights = started(X, rng)
    variance = sweep(blocks, factors, weights, target, weight)
    expected = scores(X, factors.mean, factors.projection)
    np.testing.assert_allclose(weights.raw, expected, atol=1e-12)
    np.testing.assert_allclose(factors.scores(sparse.csr_array(X)), expected, atol=1e-12)
    loss = weight @ ((weights.raw - target) ** 2 + variance)
    np.testing.assert_allclose(loss, expected_loss(X, target, weight, factors))


@pytest.mark.parametrize("size", [0.0, 1.0])
def test_noise_ends_all_factors_and_low_rank_does_not(size, rng):
    codes = rng.integers(0, 20, (4000, 2))
    X = sparse.csr_array(np.hstack([np.eye(20)[codes[:, 0]], np.eye(20)[codes[:, 1]]]))
    blocks = field_blocks(X, np.repeat([0, 1], 20), np.repeat([0, 1], 20))
    u, v = rng.normal(size=(2, 20, 2))
    truth = size * (u[codes[:, 0]] * v[codes[:, 1]]).sum(1, keepdims=True)
    target = truth + rng.normal(size=(4000, 1))
    factors = Factors.start(blocks, 40, 2, np.ones((1, 8)), rng)
    weights = Weights.zero(blocks, np.zeros(1), 4000)
    weights.raw += factors.scores(X)

    def derivatives(raw):
        return 2 * (raw - target), np.full_like(raw, 2)

    for _ in range(60):
        sweep_factors(blocks, factors, weights, derivatives, 2.0, 4000.0)
    assert np.mean((weights.raw - truth) ** 2) < 0.06
    assert factors.active.sum() in ([2, 3, 4] if size else [0])


def test_units(problem):
    """Targets in another unit give the same scores in it."""
    X, target, weight = problem
    found = []
    for unit in (1.0, 10.0):
        blocks, factors, weights = started(X, np.random.default_rng(3))
        factors = factors.in_units_of(1 / unit)
        weights.raw *= unit
        for _ in range(8):
            sweep(blocks, factors, weights, unit * target, weight, unit**2 * UNIT)
        found.append(weights.raw / unit)
    np.testing.assert_allclose(*found, rtol=1e-9)
