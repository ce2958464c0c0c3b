"""A field of levels: one column per level, for categories and for lists of them."""

from collections import Counter
from functools import cached_property
from itertools import repeat

import numpy as np
from scipy import sparse

from .columns import CATEGORY, LIST, Column
from .objects import is_missing

RARE, MISSING = "rare", "missing"


class LevelField:
    """One column per level; missing is a level if training has it, and rare levels share one.

    Parameters
    ----------
    name : str
    min_frequency : int
        Levels of fewer rows share the level "rare".
    rare_unknown : bool
        Levels that training has not seen go to "rare", if there is one. Else they are left out.
    """

    kind = CATEGORY
    entries_per_row = 1

    def __init__(self, name: str, min_frequency: int, rare_unknown: bool):
        self.name = name
        self.min_frequency = min_frequency
        self.rare_unknown = rare_unknown
        self._counts: Counter = Counter()
        self._has_missing = False

    def count(self, column: Column) -> None:
        """Count the levels of some rows."""
        self._has_missing |= bool(column.missing.any())
        self._count(column.values[~column.missing].tolist())

    def _count(self, cells: list) -> None:
        self._counts.update(cells)

    def learn(self) -> "LevelField":
        """Learn the levels from what was counted, the most frequent first."""
        counts, has_missing = self._counts, self._has_missing
        del self._counts, self._has_missing
        # A stable sort: among equals, the level that came first.
        levels = sorted(counts, key=counts.get, reverse=True)
        kept = [level for level in levels if counts[level] >= self.min_frequency]
        self.levels, self.rare_levels = kept, levels[len(kept) :]
        self.rare = self.missing = -1
        if self.rare_levels:
            self.rare = len(self.levels)
            self.levels = [*self.levels, RARE]
        if has_missing:
            self.missing = len(self.levels)
            self.levels = [*self.levels, MISSING]
        self.unknown = self.rare if self.rare_unknown else -1
        return self

    @cached_property
    def number(self) -> dict:
        """The column of each level that training has seen."""
        places = (p for p in range(len(self.levels)) if p not in (self.rare, self.missing))
        number = {self.levels[place]: place for place in places}
        return number | dict.fromkeys(self.rare_levels, self.rare)

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "number"}

    def __len__(self) -> int:
        return len(self.levels)

    def names(self) -> list[str]:
        """Names of the columns."""
        special = {self.rare: RARE, self.missing: MISSING}
        return [
            f"{self.name} {special[place]}" if place in special else f"{self.name} = {level}"
            for place, level in enumerate(self.levels)
        ]

    def encode(self, column: Column) -> tuple[np.ndarray, None]:
        """The level of each row, (n_rows, 1), -1 for none; and no values: all are 1."""
        get, unknown = self.number.get, self.unknown
        found = map(get, column.values.tolist(), repeat(unknown))
        codes = np.fromiter(found, np.int32, len(column))
        codes[column.missing] = self.missing
        return codes[:, None], None

    def decode(self, block) -> np.ndarray:
        """The level of each row from its entries, a CSR block; None for missing and for none."""
        values = np.full(block.shape[0], None, dtype=object)
        place = block.indices[block.indptr[:-1][np.diff(block.indptr) > 0]]
        levels = np.full(len(self.levels), None, dtype=object)
        for number, level in enumerate(self.levels):
            levels[number] = None if number == self.missing else level
        values[np.diff(block.indptr) > 0] = levels[place]
        return values


class ListField(LevelField):
    """Several levels in a row: an entry for each. A missing entry of a list counts for nothing.

    Parameters
    ----------
    name, min_frequency, rare_unknown
        As in `LevelField`.
    shared_weight : bool
        Whether the n entries of a row have the value 1 / sqrt(n) each, instead of 1.
    """

    kind = LIST

    def __init__(self, name: str, min_frequency: int, rare_unknown: bool, shared_weight: bool):
        super().__init__(name, min_frequency, rare_unknown)
        self.shared_weight = shared_weight

    def _count(self, cells: list) -> None:
        for cell in cells:
            self._counts.update(self._levels_of(cell))

    def _levels_of(self, cell) -> list:
        """The levels in a list, each once, without missing ones."""
        # The order of a set differs from process to process.
        cell = sorted(cell, key=str) if isinstance(cell, (set, frozenset)) else cell
        try:
            return [level for level in dict.fromkeys(cell) if not is_missing(level)]
        except TypeError as error:
            raise TypeError(
                f"Column {self.name!r} has a list with an entry that is no level ({error}): "
                f"{cell!r:.80}. Entries must be text or numbers."
            ) from error

    def encode(self, column: Column) -> sparse.csr_array:
        """The rows as CSR; an empty list has no entry."""
        get = self.number.get
        indices, indptr = [], np.zeros(len(column) + 1, dtype=np.int64)
        for row, (cell, missing) in enumerate(zip(column.values, column.missing.tolist())):
            levels = [] if missing else self._levels_of(cell)
            places = [self.missing] if missing else [get(v, self.unknown) for v in levels]
            found = sorted(set(places) - {-1})
            indices += found
            indptr[row + 1] = indptr[row] + len(found)
        length = np.diff(indptr)
        data = np.ones(len(indices))
        if self.shared_weight:
            data = np.repeat(1 / np.sqrt(np.maximum(length, 1)), length)
        index = np.array(indices, dtype=np.int32)
        return sparse.csr_array((data, index, indptr), shape=(len(column), len(self)))

    def decode(self, block) -> np.ndarray:
        """The list of levels of each row; None if it is missing."""
        values = np.empty(block.shape[0], dtype=object)
        for row in range(block.shape[0]):
            found = block.indices[block.indptr[row] : block.indptr[row + 1]]
            missing = self.missing in found and self.missing >= 0
            values[row] = None if missing else [self.levels[place] for place in found]
        return values
