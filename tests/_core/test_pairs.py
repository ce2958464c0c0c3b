import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse
from test_batches import make_batch

from sklearn_afm._core.pairs import find_pairs


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
@pytest.mark.parametrize("share", [True, False])
def test_each_row_finds_its_pairs(rng, real, share):
    batch = make_batch(sparse.csr_array(ragged_matrix(rng, 60, 12, real)))
    for group in batch.groups:
        found = find_pairs(group, batch.n_features, share)
        real_pairs = [row[row < len(found.first)] for row in found.position]
        result = [sorted(zip(found.first[p], found.second[p])) for p in real_pairs]
        assert result == pairs_by_loop(group, batch.n_features)


def test_equal_pairs_are_computed_once():
    X = sparse.csr_array(np.ones((100, 5)))
    batch = make_batch(X)
    (group,) = batch.groups
    assert len(find_pairs(group, batch.n_features).first) == 10
    assert len(find_pairs(group, batch.n_features, share=False).first) == 1000


def test_nearly_all_equal_pairs_of_many_rows_are_shared(rng):
    dense = np.eye(30)[rng.integers(0, 30, size=(500, 6))].reshape(500, 180)
    batch = make_batch(sparse.csr_array(dense))
    (group,) = batch.groups
    pairs = find_pairs(group, batch.n_features)
    distinct = len({pair for row in pairs_by_loop(group, batch.n_features) for pair in row})
    assert distinct <= len(pairs.first) <= 1.2 * distinct
