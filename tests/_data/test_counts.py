"""Counts over blocks of rows are those of all rows at once."""

import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse

from sklearn_afm._data.counts import ColumnCounts, TargetCounts
from sklearn_afm._data.fields import find_fields
from sklearn_afm._data.units import column_scales, target_moments


def blocks_of(n_rows, size):
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def one_hot(rng, n_rows, n_levels):
    starts = np.cumsum([0, *n_levels[:-1]])
    columns = rng.integers(0, n_levels, size=(n_rows, len(n_levels))) + starts
    indptr = np.arange(n_rows + 1) * len(n_levels)
    shape = (n_rows, sum(n_levels))
    return sparse.csr_array((np.ones(columns.size), columns.ravel(), indptr), shape=shape)


@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.parametrize("kind", ["one-hot", "real", "late", "ragged ones"])
def test_columns(kind, size, rng):
    if kind == "one-hot":
        X = one_hot(rng, 40, [3, 5, 30])  # some levels are in no row
    else:
        X = sparse.csr_array(ragged_matrix(rng, 40, 9, real=kind != "ragged ones"))
    if kind == "late":  # the first rows have only ones
        X.data[: X.indptr[20]] = 1
    if kind != "one-hot":
        X.data *= np.where(X.data == 1, 1, 10.0 ** rng.integers(-3, 4, X.nnz))
    weight = rng.uniform(0.5, 2, 40)
    counts = ColumnCounts(X.shape[1])
    for rows in blocks_of(40, size):
        counts.add(X[rows], weight[rows])
    dense = X.toarray()
    assert counts.n_rows == 40
    np.testing.assert_allclose(counts.total_weight, weight.sum())
    np.testing.assert_allclose(counts.weight, weight @ (dense != 0))
    np.testing.assert_array_equal(counts.n_entries, (dense != 0).sum(0))
    entry_weight = np.repeat(weight, np.diff(X.indptr))
    np.testing.assert_allclose(counts.column_scales(), column_scales(X, entry_weight), rtol=1e-12)
    np.testing.assert_array_equal(counts.fields(), find_fields(X))


@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.parametrize("scale", [1e-140, 1.0, 1e149])
def test_targets(size, scale, rng):
    target = (rng.normal(size=(40, 3)) + np.array([0, 100, 7])) * [1, 1, 0] * scale / 1000 + [
        0,
        0,
        5,
    ]
    weight = rng.uniform(0.5, 2, 40)
    counts = TargetCounts()
    for rows in blocks_of(40, size):
        counts.add(target[rows], weight[rows])
    mean, std = target_moments(target, weight)
    np.testing.assert_allclose(counts.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(counts.std[:2], std[:2], rtol=1e-10)
    assert counts.std[2] < 1e-12  # a constant
