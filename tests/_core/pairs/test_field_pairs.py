"""The pairs of many rows are compared with a loop over the rows."""

import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse
from test_batches import make_batch

from sklearn_afm._core.pairs import field_pairs
from sklearn_afm._core.pairs.pairs import PairFinder


def one_hot_fields(rng, sizes, n_rows):
    columns = [np.eye(size)[rng.integers(0, size, n_rows)] for size in sizes]
    return sparse.csr_array(np.concatenate(columns, axis=1))


def check_positions(group, n_features, found):
    assert found.position.shape[1] == len(group.features)
    padding = len(found.first)
    for features, position in zip(group.features, found.position.T):
        real = position[position != padding]
        pairs = sorted(map(tuple, zip(found.first[real], found.second[real])))
        row = features[features != n_features]
        assert pairs == sorted((row[i], row[j]) for i in range(len(row)) for j in range(i))


@pytest.mark.parametrize("combinations", [0, 0.5, 1e9])
def test_each_row_finds_its_pairs(rng, monkeypatch, combinations):
    """All pairs of positions are searched for, some are, or none is (all are listed)."""
    monkeypatch.setattr(field_pairs, "COMBINATIONS_PER_ROW", combinations)
    monkeypatch.setattr(field_pairs, "SEARCHED_PAIRS", 300)
    batch = make_batch(one_hot_fields(rng, (2, 5, 60, 3, 40), 200))
    (group,) = batch.groups
    found = field_pairs.find_many_pairs(group.features, batch.n_features, PairFinder())
    check_positions(group, batch.n_features, found)


@pytest.mark.parametrize("real", [True, False])
def test_ragged_rows(rng, monkeypatch, real):
    monkeypatch.setattr(field_pairs, "SEARCHED_PAIRS", 100)
    batch = make_batch(sparse.csr_array(ragged_matrix(rng, 60, 12, real)))
    for group in batch.groups:
        if group.features.shape[1] > 1:
            found = field_pairs.find_many_pairs(group.features, batch.n_features, PairFinder())
            check_positions(group, batch.n_features, found)


def test_few_combinations_are_not_searched_for(rng, monkeypatch):
    batch = make_batch(one_hot_fields(rng, (2, 5, 3), 100))
    (group,) = batch.groups
    monkeypatch.setattr(PairFinder, "distinct", None)
    found = field_pairs.find_many_pairs(group.features, batch.n_features, PairFinder())
    assert len(found.first) == 2 * 5 + 2 * 3 + 5 * 3
