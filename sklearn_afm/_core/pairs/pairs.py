"""Enumerate the pairs of each row, and share equal pairs between rows.

A pair has the same attention logit and the same interaction in every row that has it: Eq. 5 and 6
depend on a pair only through (v_i * v_j) x_i x_j. So each distinct pair of a group of rows is
computed once, and the result is gathered for each row.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..batches.batches import RowGroup
from ..tensors import shared_tensor

_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio (Knuth, TAOCP 6.4)
# Slots per pair. The more slots, the fewer distinct pairs get the same slot.
SLOTS_PER_PAIR = 16
# Up to this number of possible pairs, each of them has its own slot. This saves the hashing.
MAX_OWN_SLOTS = 1 << 21


@dataclass
class SharedPairs:
    """Distinct pairs of a group of rows, and the positions of each row's pairs among them."""

    first: np.ndarray  # (n_distinct,) feature number of one member of each pair
    second: np.ndarray  # (n_distinct,) feature number of the other member
    position: np.ndarray  # (n_rows, n_pairs) in the distinct pairs; n_distinct: padding


@lru_cache(maxsize=64)
def pair_positions(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions (i, j), i > j, of the pairs in a row of `width` entries."""
    first, second = np.tril_indices(width, -1)
    first.flags.writeable = second.flags.writeable = False
    return first, second


@lru_cache(maxsize=64)
def pair_positions_on(device: torch.device, width: int) -> tuple[Tensor, Tensor]:
    """The same, as tensors."""
    first, second = pair_positions(width)
    return shared_tensor(first, device), shared_tensor(second, device)


class PairFinder:
    """Find the distinct pairs of groups of rows. Keep the work array for this between calls."""

    def __init__(self) -> None:
        self._table = np.empty(0, dtype=np.int32)

    def __call__(self, group: RowGroup, n_features: int) -> SharedPairs:
        """Return the distinct pairs of a group of rows."""
        i, j = pair_positions(group.features.shape[1])
        # Entries of a row are sorted by column. So the members of a pair have the same order in
        # all rows.
        first = group.features.take(i, axis=1).ravel()
        second = group.features.take(j, axis=1).ravel()
        shape = (len(group.features), len(i))
        if group.features.size == n_features and not group.padded:
            # Each feature occurs once, as real-valued ones do. So each pair occurs once.
            return SharedPairs(first, second, np.arange(len(first)).reshape(shape))
        if not group.padded:
            owner, position = self.distinct(first, second, n_features)
            return SharedPairs(first[owner], second[owner], position.reshape(shape))
        # Padding is at the end of a row. So a pair has it in the member with the larger position.
        real = np.flatnonzero(first != n_features)
        first, second = first[real], second[real]
        owner, real_position = self.distinct(first, second, n_features)
        position = np.full(shape[0] * shape[1], len(owner))
        position[real] = real_position
        return SharedPairs(first[owner], second[owner], position.reshape(shape))

    def distinct(
        self, first: np.ndarray, second: np.ndarray, n_features: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the position of one representative per distinct pair, and each pair's number."""
        # Write each pair's position into its slot, and read it back. So no sorting or clearing.
        index = np.arange(len(first), dtype=np.int32)
        key = first * n_features
        key += second
        slot, n_slots = key, n_features * n_features
        if n_slots > MAX_OWN_SLOTS:
            bits = (SLOTS_PER_PAIR * len(key)).bit_length()
            slot, n_slots = _hash(key, bits), 1 << bits
        if len(self._table) < n_slots:
            self._table = np.empty(n_slots, dtype=np.int32)
        self._table[slot] = index
        representative = self._table.take(slot)
        if slot is not key:
            # A pair that reads the position of a different pair represents itself. Such pairs are
            # few. They cost work, but never cause an error.
            representative = np.where(key[representative] == key, representative, index)
        owner = np.flatnonzero(representative == index)
        number = np.empty(len(key), dtype=np.int64)
        number[owner] = np.arange(len(owner))
        return owner, number.take(representative)


class PairNumbers:
    """Number pairs, given as keys, in the order of their first occurrence.

    This is a hash table with linear probing (Knuth, TAOCP 6.4). It takes a whole array of keys at
    a time.
    """

    def __init__(self) -> None:
        self._keys = np.full(1 << 12, -1)
        self._numbers = np.empty(1 << 12, dtype=np.int32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __call__(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of each key, and the positions of the new keys."""
        self._make_room(len(keys))
        before = self._length
        slot = self._slots(keys)
        number = self._numbers[slot]
        new = np.flatnonzero(number < 0)
        # Of equal new keys, the last one's number is written last. It is the number of them all.
        self._numbers[slot[new]] = np.arange(before, before + len(new))
        number[new] = self._numbers[slot[new]]
        self._length = before + len(new)
        return number, new

    def _slots(self, keys: np.ndarray) -> np.ndarray:
        """Return the slot of each key. Give a free slot to a new key."""
        bits = len(self._keys).bit_length() - 1
        slot = _hash(keys, bits)
        pending = np.arange(len(keys))
        while len(pending):
            wanted, key = slot[pending], keys[pending]
            free = self._keys[wanted] < 0
            self._keys[wanted[free]] = key[free]
            self._numbers[wanted[free]] = -1
            pending = pending[self._keys[wanted] != key]
            slot[pending] = (slot[pending] + 1) & (len(self._keys) - 1)
        return slot

    def _make_room(self, n_keys: int) -> None:
        """Keep at least half of the slots free."""
        wanted = 2 * (self._length + n_keys)
        if wanted <= len(self._keys):
            return
        taken = self._keys >= 0
        keys, numbers = self._keys[taken], self._numbers[taken]
        size = 1 << wanted.bit_length()
        self._keys = np.full(size, -1)
        self._numbers = np.empty(size, dtype=np.int32)
        self._numbers[self._slots(keys)] = numbers


def _hash(key: np.ndarray, bits: int) -> np.ndarray:
    return ((key.view(np.uint64) * _HASH_MULTIPLIER) >> np.uint64(64 - bits)).view(np.int64)
