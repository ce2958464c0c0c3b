"""Crosses: what they add to a row, which pairs get one, and what they gain."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._linear.crosses import Crosses, cross_block


def by_loops(crosses, table):
    result = np.zeros((len(table), crosses.weights.shape[1]))
    for row, values in enumerate(table):
        for (first, second), weights in zip(crosses.columns, crosses.weights):
            result[row] += weights * values[first] * values[second]
    return result


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_scores_are_sums_over_pairs(n_outputs):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(60, 8)) * (rng.random((60, 8)) < 0.5)
    pairs = np.array([(0, 3), (0, 7), (2, 5), (4, 5), (6, 7)])
    crosses = Crosses(pairs, rng.normal(size=(5, n_outputs)))
    np.testing.assert_allclose(crosses.scores(canonical_csr(table)), by_loops(crosses, table))


def test_rows_without_a_cross_have_none():
    crosses = Crosses(np.array([(0, 1)]), np.ones((1, 1)))
    X = canonical_csr(np.array([[0.0, 0, 0], [1, 0, 1], [0, 1, 1], [0, 0, 1]]))
    np.testing.assert_array_equal(crosses.scores(X), np.zeros((4, 1)))
    assert crosses.scores(sparse.csr_array((0, 3))).shape == (0, 1)


def test_each_pair_of_levels_that_a_row_has_is_a_cross():
    first = np.array([0, 0, 1, 1, 2, -1, 2])
    second = np.array([5, 5, 5, 4, 4, 4, 4])
    block = cross_block(first, second, 6, group=3)
    np.testing.assert_array_equal(block.columns, [(0, 5), (1, 4), (1, 5), (2, 4)])
    np.testing.assert_array_equal(block.rows, [0, 1, 2, 3, 4, 6])
    np.testing.assert_array_equal(block.level, [0, 0, 2, 1, 3, 3])
    assert block.group == 3
    assert cross_block(np.array([-1, 1]), np.array([2, -1]), 3, 0) is None


def test_long_rows_are_looked_up_cross_by_cross(monkeypatch):
    monkeypatch.setattr("sklearn_afm._linear.crosses._PAIRS_AT_ONCE", 4)
    rng = np.random.default_rng(2)
    table = rng.normal(size=(9, 30)) * (rng.random((9, 30)) < 0.7)
    crosses = Crosses(np.array([(0, 3), (1, 29), (2, 5)]), rng.normal(size=(3, 2)))
    np.testing.assert_allclose(crosses.scores(canonical_csr(table)), by_loops(crosses, table))
