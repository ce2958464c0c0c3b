import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse

from sklearn_afm._core.batches.batches import Batcher, entries, iter_row_blocks


def make_batch(X, max_cost=10**9):
    one_hot = bool((X.data == 1).all())
    batcher = Batcher(X.shape[1], lambda width: max(1, width), max_cost)
    return batcher.batch(X.indptr, *entries(X.indptr, X, one_hot))


def rebuild(batch, shape):
    """Return the dense matrix that a batch describes."""
    columns, values = np.arange(len(batch.columns)), np.ones(len(batch.columns))
    if batch.feature_columns is not None:
        columns, values = batch.feature_columns, batch.feature_values
    dense = np.zeros(shape)
    seen = np.zeros(shape[0], dtype=int)
    for group in batch.groups:
        rows = np.arange(shape[0])[group.rows]
        seen[rows] += 1
        for row, features in zip(rows, group.features):
            real = features[features < batch.n_features]
            assert group.padded or len(real) == len(features)
            dense[row, batch.columns[columns[real]]] += values[real]
    assert (seen == 1).all()
    return dense


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("max_cost", [1, 20, 10**9])
def test_a_batch_describes_its_rows(rng, real, max_cost):
    dense = ragged_matrix(rng, 40, 12, real)
    batch = make_batch(sparse.csr_array(dense), max_cost)
    np.testing.assert_array_equal(rebuild(batch, dense.shape), dense)


def test_equal_values_of_a_column_share_a_feature():
    X = sparse.csr_array(np.array([[2.0, 5.0], [2.0, 6.0], [2.0, 7.0]]))
    batch = make_batch(X)
    assert batch.n_features == 4
    np.testing.assert_array_equal(rebuild(batch, X.shape), X.toarray())


def test_a_long_row_does_not_widen_the_others():
    dense = np.zeros((50, 200))
    dense[:, :3] = 1
    dense[0] = 1
    batch = make_batch(sparse.csr_array(dense))
    assert sum(group.features.size for group in batch.groups) == 49 * 3 + 200


def test_rows_without_entries():
    batch = make_batch(sparse.csr_array((3, 4)))
    assert [group.features.shape for group in batch.groups] == [(3, 0)]


def test_blocks_pass_over_each_row_once(rng, monkeypatch):
    monkeypatch.setattr("sklearn_afm._core.batches.batches.ROWS_PER_BLOCK", 16)
    dense = ragged_matrix(rng, 45, 6)
    order = rng.permutation(45)
    seen, ends = [], np.append(np.arange(7, 45, 7), 45)
    for rows, indptr, block in iter_row_blocks(sparse.csr_array(dense), order, ends):
        assert len(rows) == 7 or len(seen) + len(rows) == 45
        indices, values = entries(indptr, block, one_hot=False)
        starts = indptr - indptr[0]
        for number, row in enumerate(rows):
            part = slice(starts[number], starts[number + 1])
            rebuilt = np.zeros(6)
            rebuilt[indices[part]] = values[part]
            np.testing.assert_array_equal(rebuilt, dense[row])
        seen += rows.tolist()
    assert seen == order.tolist()
