"""Rows that stay in memory: the smallest keys, equal rows together."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_afm._data.kept import LARGEST_KEY, Block, RowHash, SmallestKeys


def block_of(numbers):
    X = sparse.csr_array(np.asarray(numbers, dtype=float)[:, None])
    ones = np.ones(len(numbers))
    return Block(X, np.asarray(numbers), ones, ones)


@pytest.mark.parametrize("limit", [1, 10, 99, 1000])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_smallest_keys_are_kept_and_all_others_given_back(limit, share, rng):
    keys = rng.integers(0, LARGEST_KEY, 500, dtype=np.uint64)
    largest = int(share * LARGEST_KEY)
    kept, dropped = SmallestKeys(limit, largest), []
    for number in range(25):
        rows = np.arange(20 * number, 20 * number + 20)
        dropped += kept.add(block_of(rows), keys[rows], number)
    dropped += kept.close()
    expected = [i for i in np.argsort(keys)[:limit] if int(keys[i]) <= largest]
    found = kept.rows().y
    assert found.tolist() == sorted(expected)
    everything = np.concatenate([found, *(block.y for block in dropped)])
    assert sorted(everything) == list(range(500))
    np.testing.assert_array_equal(kept.per_block(25), np.bincount(found // 20, minlength=25))
    assert set(found) == {i for i in range(500) if keys[i] <= kept.largest}


def test_equal_keys_stay_together(rng):
    keys = np.repeat(rng.integers(0, LARGEST_KEY, 50, dtype=np.uint64), 10)
    kept = SmallestKeys(25)
    dropped = kept.add(block_of(np.arange(500)), keys, 0) + kept.close()
    found = kept.rows().y
    assert len(found) == 20
    assert not set(found // 10) & set(np.concatenate([block.y for block in dropped]) // 10)
    kept = SmallestKeys(25)  # of one row a hundred times, all or none
    dropped = kept.add(block_of(np.zeros(100)), np.full(100, 7, dtype=np.uint64), 0) + kept.close()
    assert sum(len(block.y) for block in dropped) == 100 or kept.rows() is not None


def test_hashes_are_even_and_equal_for_equal_rows(rng):
    levels = rng.integers(0, 30, size=(4000, 3)) + np.array([0, 30, 60])
    indptr = np.arange(4001) * 3
    X = sparse.csr_array((np.ones(12000), levels.ravel(), indptr), shape=(4000, 90))
    hash_of_rows = RowHash(90)
    found = hash_of_rows(X)
    np.testing.assert_array_equal(found, hash_of_rows(X.astype(np.float32)))
    np.testing.assert_array_equal(found[:100], RowHash(90)(X[:100]))
    distinct, index = np.unique(levels, axis=0, return_inverse=True)
    assert len(np.unique(found)) == len(distinct)
    assert len(np.unique(np.stack([found, index.ravel().astype(np.uint64)]), axis=1).T) == len(
        distinct
    )
    shares = np.unique(found) / LARGEST_KEY
    for bound in (0.1, 0.5, 0.9):
        assert abs((shares < bound).mean() - bound) < 0.03
