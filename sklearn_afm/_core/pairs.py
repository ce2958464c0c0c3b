"""Enumerate the pairs of each row, and share equal ones.

The score and the value of a pair are the same in every row that has it, so each distinct
pair of a group is computed once and gathered (model: Eq. 5 and 6 depend on a pair through
(v_i * v_j) x_i x_j alone).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .batches import RowGroup

_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio (Knuth, TAOCP 6.4)


@dataclass
class SharedPairs:
    """Distinct pairs of a group, and where each row finds its own."""

    first: np.ndarray  # (n_distinct,) feature number of one member
    second: np.ndarray  # (n_distinct,) of the other
    position: np.ndarray  # (n_rows, n_pairs) into the distinct pairs; n_distinct: padding


@lru_cache(maxsize=64)
def pair_positions(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions (i, j), i > j, of the pairs in a row of `width` entries."""
    first, second = np.tril_indices(width, -1)
    first.flags.writeable = second.flags.writeable = False
    return first, second


def find_pairs(group: RowGroup, n_features: int, share: bool = True) -> SharedPairs:
    """The distinct pairs of a group of rows.

    With `share=False` every pair of every row stands for itself: the same result, more
    work (for tests and measurements).
    """
    i, j = pair_positions(group.features.shape[1])
    # Entries of a row are sorted by column, so that a pair has one orientation everywhere.
    second = group.features[:, j].ravel()
    first = group.features[:, i].ravel()
    shape = (len(group.features), len(i))
    if not group.padded:
        owner, n_distinct, position = _distinct(first, second, n_features, share)
        return SharedPairs(first[owner], second[owner], position.reshape(shape))
    # Padding is at the end of a row, hence in the member with the larger position.
    real = np.flatnonzero(first != n_features)
    first, second = first[real], second[real]
    owner, n_distinct, real_position = _distinct(first, second, n_features, share)
    position = np.full(shape[0] * shape[1], n_distinct)
    position[real] = real_position
    return SharedPairs(first[owner], second[owner], position.reshape(shape))


def _distinct(first, second, n_features, share):
    """Positions of the representatives, their number, and each pair's representative."""
    n_pairs = len(first)
    index = np.arange(n_pairs)
    if not share:
        return index, n_pairs, index
    # Write every position into a hash table and read it back: what reads back a pair equal
    # to itself is represented by it, the few others represent themselves. No sort.
    key = first * n_features + second
    bits = max(4, int(4 * n_pairs).bit_length())
    slot = ((key.astype(np.uint64) * _HASH_MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64)
    table = np.empty(1 << bits, dtype=np.int64)
    table[slot] = index
    representative = table[slot]
    representative = np.where(key[representative] == key, representative, index)
    is_own = representative == index
    number = np.cumsum(is_own) - 1
    owner = np.flatnonzero(is_own)
    return owner, len(owner), number[representative]
