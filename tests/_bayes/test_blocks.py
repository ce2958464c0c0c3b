"""Blocks hold each entry once, no row twice, and columns of one field."""

import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse

from sklearn_afm._bayes.blocks import blocks_of
from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._data.fields import find_fields


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("fields", ["found", "one", "mixed"])
def test_blocks_divide_the_entries(rng, real, fields):
    dense = ragged_matrix(rng, 40, 12, real)
    dense[:, 3] = 0  # a column without entries
    X = canonical_csr(dense)
    field = {
        "found": find_fields(X),
        "one": np.zeros(12, dtype=int),
        "mixed": rng.integers(0, 3, size=12),
    }[fields]
    blocks = blocks_of(X, field)
    assert sorted(np.concatenate([block.columns for block in blocks])) == list(range(12))
    filled = np.zeros_like(dense)
    for block in blocks:
        assert set(field[block.columns]) == {block.field}
        rows = np.arange(40)[block.rows]
        assert (np.diff(rows) > 0).all()
        filled[rows, block.columns[block.place]] += 1 if block.values is None else block.values
    np.testing.assert_array_equal(filled, dense)


def test_one_hot_fields_are_a_block_each(one_hot_data):
    X, _ = one_hot_data
    blocks = blocks_of(X, np.repeat(np.arange(4), 5))
    assert [block.columns.tolist() for block in blocks] == np.arange(20).reshape(4, 5).tolist()
    assert all(block.rows == slice(None) and block.values is None for block in blocks)


def test_neighbours_of_another_field_come_between(one_hot_data):
    """Columns of a field are a block also if they are not neighbours."""
    X, _ = one_hot_data
    order = np.random.default_rng(0).permutation(20)
    blocks = blocks_of(sparse.csr_array(X.toarray()[:, order]), order // 5)
    assert [sorted(order[block.columns]) for block in blocks] == np.arange(20).reshape(
        4, 5
    ).tolist()


def test_a_block_ends_with_its_field():
    """No row has entries in both fields, so that a run of exclusive columns has both."""
    X = sparse.csr_array(np.eye(4))
    blocks = blocks_of(X, np.array([0, 0, 1, 1]))
    assert [(block.field, block.columns.tolist()) for block in blocks] == [(0, [0, 1]), (1, [2, 3])]
