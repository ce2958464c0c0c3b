"""A part of the rows that stays in memory: those with the smallest keys."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

LARGEST_KEY = 2**64 - 1


@dataclass(frozen=True)
class Block:
    """Checked rows of a block, their targets as given."""

    X: sparse.csr_array  # canonical
    y: np.ndarray
    sample_weight: np.ndarray  # as given
    weight: np.ndarray  # positive, times the weight of the class

    def part(self, index) -> "Block":
        """The rows at these positions."""
        return Block(self.X[index], self.y[index], self.sample_weight[index], self.weight[index])


def joined(blocks: list[Block]) -> Block:
    """The rows of several blocks."""
    if len(blocks) == 1:
        return blocks[0]
    X = sparse.csr_array(sparse.vstack([block.X for block in blocks], format="csr"))
    names = ("y", "sample_weight", "weight")
    return Block(X, *(np.concatenate([getattr(b, name) for b in blocks]) for name in names))


class RowHash:
    """A number for each row, by what it holds: equal rows have equal numbers."""

    def __init__(self, n_columns: int):
        self._of_columns = np.random.default_rng(0).standard_normal(n_columns)

    def __call__(self, X: sparse.csr_array) -> np.ndarray:
        """Numbers (n_rows,) as if drawn evenly from those of 64 bits."""
        with np.errstate(over="ignore", invalid="ignore"):
            bits = (X @ self._of_columns).astype(np.float64).view(np.uint64)
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        # G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators", 2014.
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))


class SmallestKeys:
    """The rows with the smallest keys of all that were added, at most `limit`.

    Parameters
    ----------
    limit : int
    largest : int
        Rows with larger keys are never kept.
    """

    def __init__(self, limit: int, largest: int = LARGEST_KEY):
        self._limit = limit
        self.largest = np.uint64(min(largest, LARGEST_KEY))
        self._parts: list[Block] = []
        self._keys = np.empty(0, dtype=np.uint64)
        self._numbers = np.empty(0, dtype=np.int64)

    def add(self, block: Block, keys: np.ndarray, number: int) -> list[Block]:
        """Add the rows of block `number`; returns all rows that will not be kept."""
        kept = keys <= self.largest
        if not kept.any():
            return [block]
        self._parts.append(block if kept.all() else block.part(kept))
        self._keys = np.concatenate([self._keys, keys[kept]])
        self._numbers = np.concatenate([self._numbers, np.full(kept.sum(), number)])
        dropped = [] if kept.all() else [block.part(~kept)]
        return dropped + (self._shrunk() if len(self._keys) > 2 * self._limit else [])

    def close(self) -> list[Block]:
        """Keep no more rows than the limit; returns those that are dropped."""
        return self._shrunk() if len(self._keys) > self._limit else []

    def rows(self) -> Block | None:
        """The rows that are kept, in the order in which they came; None if there are none."""
        if not len(self._keys):
            return None
        self._parts = [joined(self._parts)]
        return self._parts[0]

    def per_block(self, n_blocks: int) -> np.ndarray:
        """How many rows of each block are kept."""
        return np.bincount(self._numbers, minlength=n_blocks)

    def _shrunk(self) -> list[Block]:
        self.largest = np.partition(self._keys, self._limit - 1)[self._limit - 1]
        kept = self._keys <= self.largest
        if kept.sum() > self._limit:  # equal rows, which stay together
            kept = self._keys < self.largest
            self.largest -= np.uint64(1)
        rows = joined(self._parts)
        self._parts = [rows.part(kept)] if kept.any() else []
        self._keys, self._numbers = self._keys[kept], self._numbers[kept]
        return [rows.part(~kept)]
