"""The linear part of each loss against scikit-learn's models and against a numeric minimum."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import GammaRegressor, PoissonRegressor

from sklearn_afm._core.losses.absolute_error import AbsoluteError
from sklearn_afm._core.losses.gamma import GammaLoss
from sklearn_afm._core.losses.huber import HuberLoss
from sklearn_afm._core.losses.poisson import PoissonLoss
from sklearn_afm._core.losses.quantile import PinballLoss
from sklearn_afm._linear.fit import Problem, Strengths, fit_linear_part

STRENGTH = 2.0


def linear_part(loss, X, y, weight):
    """The linear part of one-hot columns of one strength."""
    rows = sparse.csr_array(X)
    group = np.zeros(X.shape[1], dtype=int)
    bias = loss.start_bias(y[:, None], weight)
    target = y[:, None]
    fields = np.repeat(np.arange(X.shape[1] // 4), 4)
    problem = Problem(
        rows, target, weight, fields, group, bias, loss.derivatives, loss.target_power
    )
    return fit_linear_part(problem, Strengths(np.array([STRENGTH]), [], 1.0))


@pytest.fixture
def rows(rng):
    levels = rng.integers(0, 4, size=(400, 3))
    score = rng.normal(size=(3, 4))[np.arange(3), levels].sum(1)
    return np.eye(4)[levels].reshape(400, 12), score, rng.uniform(0.5, 2, 400)


@pytest.mark.parametrize("kind", ["poisson", "gamma", "skewed counts"])
def test_it_is_the_generalised_linear_model_of_scikit_learn(kind, rows, rng):
    X, score, weight = rows
    if kind == "gamma":
        y = np.exp(score) * rng.gamma(2.0, 0.5, len(score))
    else:
        y = rng.poisson(np.exp(score * (3 if kind == "skewed counts" else 1))).astype(float)
    Linear, loss = (
        (GammaRegressor, GammaLoss()) if kind == "gamma" else (PoissonRegressor, PoissonLoss())
    )
    part = linear_part(loss, X, y, weight)
    model = Linear(alpha=2 * STRENGTH / weight.sum(), tol=1e-10, max_iter=10_000)
    expected = np.log(model.fit(X, y, sample_weight=weight).predict(X))
    np.testing.assert_allclose(part.raw[:, 0], expected, atol=5e-3)


@pytest.mark.parametrize(
    "loss",
    [AbsoluteError(), PinballLoss(0.8), HuberLoss(np.array([0.5]))],
    ids=lambda loss: loss.name,
)
def test_it_is_near_the_minimum(loss, rows, rng):
    X, score, weight = rows
    y = score + rng.standard_t(3, len(score))

    def objective(values):
        raw = (values[0] + X @ values[1:])[:, None]
        return weight @ loss.derivatives(raw, y[:, None])[0] + STRENGTH * values[1:] @ values[1:]

    part = linear_part(loss, X, y, weight)
    found = objective(np.append(part.bias, part.weights[:, 0]))
    best = minimize(objective, np.append(part.bias, part.weights[:, 0]), method="Powell").fun
    at_start = objective(np.append(loss.start_bias(y[:, None], weight), np.zeros(12)))
    assert found - best < 2e-3 * (at_start - best)
