"""Strengths: the slope of the held-out loss, and strengths that suit how much levels vary."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm._core.losses.log_loss import BinaryLogLoss
from sklearn_afm._core.losses.squared_error import SquaredError
from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._data.fields import find_fields
from sklearn_afm._linear import strengths as module
from sklearn_afm._linear.blocks import field_blocks
from sklearn_afm._linear.strengths import learn_strengths


def made(n_rows=300, sizes=(6, 12, 3), deviations=(1.0, 0.3, 0.0), seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, sizes, (n_rows, len(sizes)))
    raw = sum(rng.normal(0, d, size)[c] for d, size, c in zip(deviations, sizes, codes.T))
    X = canonical_csr(
        OneHotEncoder(categories=[range(size) for size in sizes]).fit_transform(codes)
    )
    field = find_fields(X)
    return X, raw, field_blocks(X, field, field), rng


@pytest.mark.parametrize("loss", [SquaredError(), BinaryLogLoss()])
def test_slope_is_that_of_the_held_out_loss(loss):
    """Against differences of the held-out loss of models that an optimiser has fitted."""
    X, raw, blocks, rng = made()
    target = (raw + rng.normal(size=300))[:, None]
    if isinstance(loss, BinaryLogLoss):
        target = 1.0 * (target > 0)
    held_out = rng.random(300) < 0.3
    dense, field = X.toarray(), find_fields(X)

    def held_out_loss(strengths):
        def objective(parameters):
            score = (parameters[0] + dense @ parameters[1:])[:, None]
            value, gradient, _ = loss.derivatives(score, target)
            gradient = np.where(held_out[:, None], 0, gradient)
            ridge = strengths[field]
            return (
                value[~held_out].sum() + (ridge * parameters[1:] ** 2).sum(),
                np.append(gradient.sum(), dense.T @ gradient[:, 0] + 2 * ridge * parameters[1:]),
            )

        options = {"maxiter": 10_000, "gtol": 1e-10, "ftol": 1e-15}
        start = np.zeros(1 + X.shape[1])
        best = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
        score = (best[0] + dense @ best[1:])[:, None]
        return loss.derivatives(score, target)[0][held_out].sum()

    strengths = np.array([0.5, 4.0, 1.0])
    one = module._fold(blocks, np.ones(300), 1.0 * held_out, np.zeros(1))
    for _ in range(200):
        value, slope = module._advance(
            one, blocks, strengths, lambda r: loss.derivatives(r, target)
        )
    assert value.sum() == pytest.approx(held_out_loss(strengths), abs=1e-5)
    by = 1e-3
    expected = [
        (held_out_loss(strengths * np.exp(by * e)) - held_out_loss(strengths * np.exp(-by * e)))
        / (2 * by)
        for e in np.eye(3)
    ]
    # The curvature of the log loss is that of a parabola above it.
    np.testing.assert_allclose(
        slope, expected, rtol=1e-3 if isinstance(loss, SquaredError) else 0.4, atol=1e-3
    )


def test_fields_that_vary_more_have_smaller_strengths():
    _, raw, blocks, rng = made(4000, (40, 40, 40), (1.0, 0.2, 0.0))
    target = (raw + rng.normal(size=4000))[:, None]
    learnt = learn_strengths(
        blocks,
        lambda r: SquaredError().derivatives(r, target),
        np.ones(4000),
        1.0 * (rng.integers(0, 4, 4000) == np.arange(4)[:, None]),
        np.zeros(1),
        np.full(3, 1.5),
        dispersion=None,
    )
    found = learnt.strengths
    # The best strength is the ratio of the variances, of noise 1 and of the field's weights.
    assert 0.3 < found[0] < 3
    assert 8 < found[1] < 80
    assert found[2] > 60
    assert learnt.held_out_loss == pytest.approx(1.0, abs=0.08)


def test_strengths_do_not_depend_on_the_unit_of_the_target():
    _, raw, blocks, rng = made(600)
    target = (raw + rng.normal(size=600))[:, None]
    fold = 1.0 * (rng.integers(0, 4, 600) == np.arange(4)[:, None])
    found = [
        learn_strengths(
            blocks,
            lambda r, t=target * unit: SquaredError().derivatives(r, t),
            np.ones(600),
            fold,
            np.zeros(1),
            np.full(3, 1.5),
            dispersion=None,
        ).strengths
        for unit in (1.0, 100.0)
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)
