import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse
from test_batches import make_batch

from sklearn_afm._core.pairs.pairs import PairFinder, PairNumbers


def pairs_by_loop(group, n_features):
    return [
        sorted(
            (row[i], row[j])
            for i in range(len(row))
            for j in range(i)
            if n_features not in (row[i], row[j])
        )
        for row in group.features
    ]


@pytest.mark.parametrize("real", [True, False])
def test_each_row_finds_its_pairs(rng, real):
    batch = make_batch(sparse.csr_array(ragged_matrix(rng, 60, 12, real)))
    for group in batch.groups:
        found = PairFinder()(group, batch.n_features)
        real_pairs = [row[row < len(found.first)] for row in found.position]
        result = [sorted(zip(found.first[p], found.second[p])) for p in real_pairs]
        assert result == pairs_by_loop(group, batch.n_features)


def test_equal_pairs_are_computed_once():
    X = sparse.csr_array(np.ones((100, 5)))
    batch = make_batch(X)
    (group,) = batch.groups
    assert len(PairFinder()(group, batch.n_features).first) == 10


def test_nearly_all_equal_pairs_of_many_rows_are_shared(rng):
    dense = np.eye(30)[rng.integers(0, 30, size=(500, 6))].reshape(500, 180)
    batch = make_batch(sparse.csr_array(dense))
    (group,) = batch.groups
    pairs = PairFinder()(group, batch.n_features)
    distinct = len({pair for row in pairs_by_loop(group, batch.n_features) for pair in row})
    assert distinct <= len(pairs.first) <= 1.2 * distinct


def test_a_finder_serves_groups_of_any_size(rng):
    """Values of earlier groups stay in its work array, and must do no harm."""
    finder = PairFinder()
    for n_rows in (40, 3, 200, 40):
        batch = make_batch(sparse.csr_array(ragged_matrix(rng, n_rows, 12)))
        for group in batch.groups:
            found = finder(group, batch.n_features)
            real_pairs = [row[row < len(found.first)] for row in found.position]
            result = [sorted(zip(found.first[p], found.second[p])) for p in real_pairs]
            assert result == pairs_by_loop(group, batch.n_features)


def test_pairs_that_share_a_slot_are_told_apart(rng, monkeypatch):
    monkeypatch.setattr("sklearn_afm._core.pairs.pairs.SLOTS_PER_PAIR", 0)
    monkeypatch.setattr("sklearn_afm._core.pairs.pairs._hash", lambda key, bits: 0 * key)
    batch = make_batch(sparse.csr_array(ragged_matrix(rng, 60, 30)))
    for group in batch.groups:
        found = PairFinder()(group, batch.n_features)
        real_pairs = [row[row < len(found.first)] for row in found.position]
        result = [sorted(zip(found.first[p], found.second[p])) for p in real_pairs]
        assert result == pairs_by_loop(group, batch.n_features)


@pytest.mark.parametrize("collide", [True, False])
def test_numbers_of_pairs_equal_those_of_a_dict(rng, monkeypatch, collide):
    if collide:
        monkeypatch.setattr("sklearn_afm._core.pairs.pairs._hash", lambda key, bits: key % 3)
    numbers, seen = PairNumbers(), {}
    for n_keys in (5, 50, 500, 0, 500) if collide else (5, 5000, 50_000, 0, 50_000):
        keys = rng.integers(0, 4 * n_keys + 1, size=n_keys)
        found, new = numbers(keys)
        assert set(keys[new]) == set(keys) - set(seen)
        for key, number in zip(keys.tolist(), found.tolist()):
            assert seen.setdefault(key, number) == number
        assert len(set(seen.values())) == len(seen)
        assert max(seen.values(), default=0) < max(1, len(numbers))
