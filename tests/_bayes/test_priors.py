"""Priors are drawn from their normal-gamma posterior, which has a closed form."""

import numpy as np

from sklearn_afm._bayes.priors import FieldPriors, HyperPrior, prior_variances


def test_draws_have_the_moments_of_the_posterior(rng):
    field, seen = np.array([0, 0, 1, 0, 1, 1, 1]), np.array([1, 1, 1, 0, 1, 1, 1], dtype=bool)
    hyper = HyperPrior(shape=2.0, n=0.7)
    variances = np.array([0.75, 0.2])
    coefficients = rng.normal(1, 2, size=(2, 7))
    priors = FieldPriors(field, seen, variances, hyper)
    means, precisions = [], []
    for _ in range(20_000):
        priors.draw(coefficients, rng)
        means.append(priors.mean)
        precisions.append(priors.precision)
    for layer in range(2):
        for number in range(2):
            values = coefficients[layer, (field == number) & seen]
            m, average = len(values), values.mean()
            shape = hyper.shape + m / 2
            rate = hyper.shape * variances[layer] + ((values - average) ** 2).sum() / 2
            rate += hyper.n * m * average**2 / (hyper.n + m) / 2
            mean = m * average / (hyper.n + m)
            drawn = np.array(precisions)[:, layer, number]
            np.testing.assert_allclose(drawn.mean(), shape / rate, rtol=0.03)
            np.testing.assert_allclose(drawn.std(), np.sqrt(shape) / rate, rtol=0.05)
            drawn = np.array(means)[:, layer, number]
            spread = np.sqrt(rate / (shape - 1) / (hyper.n + m))
            np.testing.assert_allclose(drawn.mean(), mean, atol=0.03 * spread)
            np.testing.assert_allclose(drawn.std(), spread, rtol=0.05)


def test_columns_without_entries_say_nothing(rng):
    field, seen = np.zeros(4, dtype=int), np.array([True, True, False, True])
    drawn = []
    for last in (0.0, 1e6):
        priors = FieldPriors(field, seen, np.ones(1), HyperPrior())
        priors.draw(np.array([[1.0, 2.0, last, 3.0]]), np.random.default_rng(0))
        drawn.append((priors.mean.item(), priors.precision.item()))
    assert drawn[0] == drawn[1]


def test_expected_variances_give_a_row_variance_one(rng):
    variances = prior_variances(6, 4)
    w, *v = np.sqrt(variances)[:, None, None] * rng.standard_normal((5, 6, 50_000))
    np.testing.assert_allclose(w.sum(axis=0).var(), 1, rtol=0.03)
    pairs = sum(f[i] * f[j] for f in v for i in range(6) for j in range(i))
    np.testing.assert_allclose(pairs.var(), 1, rtol=0.05)
    assert prior_variances(0, 1).tolist() == [1, 1]
