"""Crosses: a weight for each pair of levels of two fields, and no embedding."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._core.pairs.pairs import pair_positions
from .blocks import Block

# Rows that must have both levels of a cross.
_FEWEST_ROWS = 2
# Pairs of rows and columns that are looked up at once.
_PAIRS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Crosses:
    """Pairs of columns that have a weight."""

    columns: np.ndarray  # (n_crosses, 2), first < second, in ascending order
    weights: np.ndarray  # (n_crosses, n_outputs)

    @classmethod
    def of(cls, blocks: list[Block], weights: list[np.ndarray]) -> "Crosses | None":
        """The crosses of blocks of them, from weights (n_outputs, n_levels); None without."""
        if not blocks:
            return None
        columns = np.concatenate([block.columns for block in blocks])
        values = np.concatenate([of_block.T for of_block in weights])
        order = np.lexsort(columns.T[::-1])
        return cls(columns[order], values[order])

    def scores(self, X: sparse.csr_array) -> np.ndarray:
        """What the crosses of each row add to the raw scores, (n_rows, n_outputs).

        Parameters
        ----------
        X : csr_array
            Canonical. A cross counts w x_i x_j.
        """
        result = np.zeros((X.shape[0], self.weights.shape[1]))
        for rows, _, _, cross, factor in self.found(X):
            for output, weights in enumerate(self.weights.T):
                result[:, output] += np.bincount(rows, weights[cross] * factor, X.shape[0])
        return result

    def found(self, X: sparse.csr_array):
        """Yield row, first column, second column, number of the cross and x_i x_j, in parts."""
        X = X.tocsr()
        taking_part = np.zeros(X.shape[1], dtype=bool)
        taking_part[self.columns.ravel()] = True
        keep = taking_part[X.indices]
        length = np.diff(np.concatenate([[0], np.cumsum(keep)])[X.indptr])
        start = np.cumsum(length) - length
        columns, values = X.indices[keep].astype(np.int64), X.data[keep]
        keys = self.columns[:, 0] * X.shape[1] + self.columns[:, 1]
        for size in np.unique(length[length > 1]):
            later, earlier = pair_positions(int(size))
            every = np.flatnonzero(length == size)
            step = max(1, _PAIRS_AT_ONCE // len(later))
            for at in range(0, len(every), step):
                rows = every[at : at + step]
                entries = start[rows, None] + np.arange(size)
                own, own_values = columns[entries], values[entries]
                wanted = own[:, earlier] * X.shape[1] + own[:, later]
                place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
                row, pair = np.nonzero(keys[place] == wanted)
                first, second = earlier[pair], later[pair]
                yield (
                    rows[row],
                    own[row, first],
                    own[row, second],
                    place[row, pair],
                    own_values[row, first] * own_values[row, second],
                )


def columns_of_rows(block: Block, n_rows: int) -> np.ndarray:
    """The column of a field that each row has an entry in, (n_rows,); -1 without."""
    result = np.full(n_rows, -1)
    result[slice(None) if block.rows is None else block.rows] = block.columns[block.level]
    return result


def cross_block(first: np.ndarray, second: np.ndarray, n_columns: int, group: int) -> Block | None:
    """The crosses of two fields, from the columns of each row; None if no cross is repeated."""
    rows = np.flatnonzero((first >= 0) & (second >= 0))
    low, high = np.minimum(first[rows], second[rows]), np.maximum(first[rows], second[rows])
    keys, level, count = np.unique(low * n_columns + high, return_inverse=True, return_counts=True)
    repeated = count >= _FEWEST_ROWS
    if not repeated.any():
        return None
    kept = repeated[level]
    level = (np.cumsum(repeated) - 1)[level[kept]]
    columns = np.stack(np.divmod(keys[repeated], n_columns), axis=1)
    every = len(level) == len(first)
    return Block(None if every else rows[kept], level, None, columns, -1, group)


def cross_blocks(
    blocks: list[Block], pairs: list[tuple[int, int]], shape: tuple[int, int], n_groups: int
) -> list[Block]:
    """The crosses of pairs of one-hot fields; the number of a pair's strength is after n_groups."""
    of_field: dict[int, list[np.ndarray]] = {}
    for block in blocks:
        if block.one_hot and any(block.field in pair for pair in pairs):
            of_field.setdefault(block.field, []).append(columns_of_rows(block, shape[0]))
    made = [
        cross_block(one, other, shape[1], n_groups + number)
        for number, (first, second) in enumerate(pairs)
        for one in of_field.get(first, ())
        for other in of_field.get(second, ())
    ]
    return [block for block in made if block is not None]
