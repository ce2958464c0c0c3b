"""Losses of regression: loops, derivatives, best constants, units."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.metrics import mean_gamma_deviance, mean_pinball_loss, mean_poisson_deviance

from sklearn_afm._core.losses.absolute_error import AbsoluteError
from sklearn_afm._core.losses.gamma import GammaLoss
from sklearn_afm._core.losses.huber import HuberLoss
from sklearn_afm._core.losses.poisson import PoissonLoss
from sklearn_afm._core.losses.quantile import PinballLoss, weighted_quantiles

DELTA = np.array([0.7, 1.5])
LOSSES = {
    "absolute": AbsoluteError(),
    "huber": HuberLoss(DELTA),
    "pinball": PinballLoss(0.8),
    "poisson": PoissonLoss(),
    "gamma": GammaLoss(),
}


def loop(name, raw, target, output):
    """The loss of one raw score."""
    error = target - raw
    if name == "absolute":
        return abs(error)
    if name == "huber":
        delta = DELTA[output]
        return error**2 if abs(error) <= delta else 2 * delta * abs(error) - delta**2
    if name == "pinball":
        return 0.8 * error if error > 0 else -0.2 * error
    if name == "poisson":
        of_target = target * np.log(target) - target if target > 0 else 0.0
        return np.exp(raw) - target * raw + of_target
    return raw - np.log(target) + target / np.exp(raw) - 1


def example(rng, name, n_rows=60):
    raw = rng.normal(size=(n_rows, 2))
    if name == "poisson":
        return raw, rng.poisson(2.0, size=raw.shape).astype(float)
    return raw, rng.gamma(2.0, size=raw.shape) if name == "gamma" else 2 * rng.normal(
        size=(n_rows, 2)
    )


@pytest.mark.parametrize("name", LOSSES)
def test_terms_and_derivatives_of_loops(rng, name):
    raw, target = example(rng, name)
    expected = [
        [loop(name, *pair, k) for k, pair in enumerate(zip(*row))] for row in zip(raw, target)
    ]
    terms = LOSSES[name].terms(torch.tensor(raw), torch.tensor(target))
    np.testing.assert_allclose(terms, expected, atol=1e-12)
    loss, gradient, _ = LOSSES[name].derivatives(raw, target)
    np.testing.assert_allclose(loss, np.sum(expected, axis=1), atol=1e-12)
    leaf = torch.tensor(raw, requires_grad=True)
    LOSSES[name].terms(leaf, torch.tensor(target)).sum().backward()
    numeric = np.empty_like(raw)
    for (row, k), value in np.ndenumerate(raw):
        up, down = (loop(name, value + step, target[row, k], k) for step in (1e-6, -1e-6))
        numeric[row, k] = (up - down) / 2e-6
    np.testing.assert_allclose(leaf.grad, numeric, atol=1e-7)
    far = np.abs(raw - target) > 0.01  # nearer errors of a kink are smoothed
    assert far.mean() > 0.9
    np.testing.assert_allclose(gradient[far], numeric[far], atol=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_parabolas_touch_the_loss_and_are_above_it(rng, name):
    """Of exp: up to 1 beyond the raw score, and as far as the target."""
    raw, target = example(rng, name, 300)
    _, gradient, curvature = LOSSES[name].derivatives(raw, target)
    at = LOSSES[name].terms(torch.tensor(raw), torch.tensor(target)).numpy()
    for step in np.linspace(-4, 4, 41):
        there = LOSSES[name].terms(torch.tensor(raw + step), torch.tensor(target)).numpy()
        parabola = at + gradient * step + curvature * step**2 / 2
        allowed = np.abs(raw - target) > 0.01
        if name in ("poisson", "gamma"):
            sign = 1 if name == "poisson" else -1
            with np.errstate(divide="ignore"):
                allowed = sign * step <= np.maximum(1, sign * (np.log(target) - raw))
        assert (there <= parabola + 1e-9)[allowed].all(), step


@pytest.mark.parametrize("name", LOSSES)
def test_training_starts_at_the_best_constant(rng, name):
    _, target = example(rng, name, 500)
    weight = rng.uniform(0.5, 2, 500)
    start = LOSSES[name].start_bias(target, weight)
    assert start.shape == (2,)
    for k in range(2):

        def loss(bias, k=k):
            return weight @ [loop(name, bias, t, k) for t in target[:, k]] / weight.sum()

        best = minimize_scalar(loss, bounds=(-5, 5), method="bounded").fun
        assert loss(start[k]) == pytest.approx(best, abs=3e-3 if name == "huber" else 1e-4)


def test_deviances_and_pinball_loss_of_scikit_learn(rng):
    for name, metric in (("poisson", mean_poisson_deviance), ("gamma", mean_gamma_deviance)):
        raw, target = example(rng, name)
        terms = LOSSES[name].terms(torch.tensor(raw), torch.tensor(target))
        means = LOSSES[name].predictions(raw)
        assert terms.mean().item() == pytest.approx(
            metric(target[:, 0], means[:, 0]) / 4 + metric(target[:, 1], means[:, 1]) / 4
        )
    raw, target = example(rng, "pinball")
    terms = LOSSES["pinball"].terms(torch.tensor(raw), torch.tensor(target))
    assert terms.mean().item() == pytest.approx(mean_pinball_loss(target, raw, alpha=0.8))


def test_weights_are_repetition_in_quantiles(rng):
    target, weight = rng.normal(size=(40, 2)), rng.integers(1, 4, 40)
    for q in (0.1, 0.5, 0.9):
        repeated = weighted_quantiles(np.repeat(target, weight, axis=0), np.ones(weight.sum()), q)
        np.testing.assert_array_equal(weighted_quantiles(target, weight.astype(float), q), repeated)
        below = weight @ (target <= repeated) / weight.sum()
        assert (below >= q).all()
        assert (below < q + 3 / weight.sum() + 1e-9).all()


@pytest.mark.parametrize("name", ["absolute", "pinball", "huber"])
def test_of_normal_is_the_loss_of_the_best_constant_of_normal_targets(rng, name):
    target = rng.normal(size=(200_000, 1))
    loss = HuberLoss(np.array([50.0])) if name == "huber" else LOSSES[name]
    bias = target.mean() if name == "huber" else loss.start_bias(target, np.ones(len(target)))
    terms = loss.terms(torch.tensor(np.zeros_like(target) + bias), torch.tensor(target))
    assert terms.mean().item() == pytest.approx(loss.of_normal, rel=0.01)


def test_huber_in_other_units(rng):
    raw, target = example(rng, "huber")
    scale = np.array([10.0, 0.1])
    own = LOSSES["huber"].terms(torch.tensor(raw), torch.tensor(target)).numpy()
    other = LOSSES["huber"].in_units_of(scale)
    scaled = other.terms(torch.tensor(raw / scale), torch.tensor(target / scale)).numpy()
    np.testing.assert_allclose(scaled * scale**2, own)


def test_dispersion_of_overdispersed_counts_and_of_gamma_targets(rng):
    mean = np.exp(rng.normal(size=(100_000, 1)))
    weight = rng.uniform(0.5, 2, len(mean))
    counts = 5.0 * rng.poisson(mean / 5)
    assert PoissonLoss().dispersion(np.log(mean), counts, weight) == pytest.approx(5, rel=0.05)
    amounts = mean * rng.gamma(4.0, 1 / 4, mean.shape)
    assert GammaLoss().dispersion(np.log(mean), amounts, weight) == pytest.approx(1 / 4, rel=0.05)


def test_unseen_levels_have_the_mean_of_exp(rng):
    raw = np.array([[0.5]])
    drawn = raw + np.sqrt(0.3) * rng.normal(size=(400_000, 1))
    found = np.exp(PoissonLoss().averaged(raw, np.array([[0.3]])))
    assert found.item() == pytest.approx(np.exp(drawn).mean(), rel=0.01)
