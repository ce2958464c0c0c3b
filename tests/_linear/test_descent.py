"""Weights for given strengths are those of Ridge and of LogisticRegression."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm._core.losses.log_loss import BinaryLogLoss, MultinomialLogLoss
from sklearn_afm._core.losses.squared_error import SquaredError
from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._data.fields import find_fields
from sklearn_afm._linear.blocks import field_blocks
from sklearn_afm._linear.descent import Weights, descend


@pytest.fixture(scope="module")
def rows():
    """One-hot columns, a real-valued column, and a column that some rows lack."""
    rng = np.random.default_rng(0)
    levels = OneHotEncoder().fit_transform(rng.integers(0, [4, 7, 3], (400, 3)))
    real = rng.normal(size=(400, 2)) * (rng.random((400, 2)) < 0.6)
    return canonical_csr(sparse.hstack([levels, real], format="csr"))


def descended(X, loss, target, weight, strength, n_rounds=400):
    """The bias and the weights (n_columns, n_outputs) after many rounds."""
    field = find_fields(X)
    strengths = np.broadcast_to(strength, field.max() + 1)
    blocks = field_blocks(X, field, field)
    n_outputs = len(loss.start_bias(target, weight))
    found = Weights.zero(blocks, np.zeros(n_outputs), X.shape[0])

    def derivatives(raw):
        return (weight[:, None] * part for part in loss.derivatives(raw, target)[1:])

    for _ in range(n_rounds):
        descend(blocks, found, strengths, derivatives)
    result = np.zeros((X.shape[1], n_outputs))
    for block, of_block in zip(blocks, found.of_blocks):
        result[block.columns] = of_block.T
    np.testing.assert_allclose(found.raw, found.bias + X @ result, atol=1e-9)
    return found.bias, result


def test_squared_error_gives_ridge(rows):
    rng = np.random.default_rng(1)
    target, weight = rng.normal(size=(400, 2)), rng.uniform(0.5, 2, 400)
    bias, weights = descended(rows, SquaredError(), target, weight, 0.7)
    ridge = Ridge(alpha=0.7, tol=1e-12).fit(rows.toarray(), target, weight)
    np.testing.assert_allclose(weights.T, ridge.coef_, atol=1e-6)
    np.testing.assert_allclose(bias, ridge.intercept_, atol=1e-6)


def test_log_loss_gives_logistic_regression(rows):
    rng = np.random.default_rng(2)
    target, weight = rng.integers(0, 2, (400, 1)).astype(float), rng.uniform(0.5, 2, 400)
    bias, weights = descended(rows, BinaryLogLoss(), target, weight, 0.7)
    model = LogisticRegression(C=1 / 1.4, tol=1e-10, max_iter=10_000)
    model.fit(rows.toarray(), target[:, 0], weight)
    np.testing.assert_allclose(weights.T, model.coef_, atol=1e-4)
    np.testing.assert_allclose(bias, model.intercept_, atol=1e-4)


def test_multinomial_log_loss_gives_logistic_regression(rows):
    rng = np.random.default_rng(3)
    target = rng.integers(0, 3, (400, 1)).astype(float)
    bias, weights = descended(rows, MultinomialLogLoss(3), target, np.ones(400), 0.7)
    model = LogisticRegression(C=1 / 1.4, tol=1e-10, max_iter=10_000)
    model.fit(rows.toarray(), target[:, 0])
    np.testing.assert_allclose(weights.T, model.coef_, atol=1e-3)
    np.testing.assert_allclose(
        bias - bias.mean(), model.intercept_ - model.intercept_.mean(), atol=1e-3
    )


def test_each_field_has_its_strength(rows):
    target = np.random.default_rng(4).normal(size=(400, 1))
    field = find_fields(rows)
    strength = np.array([0.1, 3.0, 20.0, 1.0, 0.5])
    _, weights = descended(rows, SquaredError(), target, np.ones(400), strength)
    # A column divided by the square root of its strength has a strength of 1.
    root = np.sqrt(strength[field])
    ridge = Ridge(alpha=1.0, tol=1e-12).fit(rows.toarray() / root, target)
    np.testing.assert_allclose(weights.T, ridge.coef_.reshape(1, -1) / root, atol=1e-6)


@pytest.mark.parametrize("loss", [SquaredError(), BinaryLogLoss(), MultinomialLogLoss(4)])
def test_derivatives(loss):
    rng = np.random.default_rng(5)
    n_outputs = {"SquaredError": 2, "BinaryLogLoss": 1}.get(type(loss).__name__, 4)
    raw = rng.normal(scale=3, size=(50, n_outputs))
    if isinstance(loss, SquaredError):
        target = rng.normal(size=(50, 2))
    else:
        target = rng.integers(0, max(2, n_outputs), (50, 1)).astype(float)
    value, gradient, curvature = loss.derivatives(raw, target)
    torch = pytest.importorskip("torch")
    leaf = torch.tensor(raw, requires_grad=True)
    terms = loss.terms(leaf, torch.tensor(target)).sum(1)
    np.testing.assert_allclose(value, terms.detach(), atol=1e-12)
    terms.sum().backward()
    np.testing.assert_allclose(gradient, leaf.grad, atol=1e-12)
    # The parabola touches the loss at `raw` and lies above it everywhere.
    for scale in (0.1, 1, 5):
        step = rng.normal(scale=scale, size=raw.shape)
        ahead = loss.derivatives(raw + step, target)[0]
        bound = value + (gradient * step + curvature * step**2 / 2).sum(axis=1)
        assert (ahead <= bound + 1e-9).all()
