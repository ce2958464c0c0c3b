"""Rows that are not in memory as they are: read block by block, or drawn anew in each epoch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse

from .data import Epoch, TrainingData


@dataclass
class BlockData:
    """Rows in blocks, of which a window is in memory.

    An epoch puts the blocks into a random order, one behind the other, and cuts this row of rows
    into windows: each but the last has `window_rows` rows, or the next number that is a whole
    number of steps. So a window does not end where a block ends: what is left of the block is the
    beginning of the next window. The trainer takes the rows of a window in random order.
    """

    read: Callable[[int], TrainingData]  # the rows of a block
    sizes: np.ndarray  # (n_blocks,) number of their rows
    summed_weight: float
    column_weight: np.ndarray  # (n_columns,) summed weight of the rows that hold a column
    window_rows: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.sizes.sum())

    def total_weight(self) -> float:
        """Summed weight of the rows."""
        return self.summed_weight

    def begin(self, rng: np.random.Generator) -> Epoch:
        """A new epoch, its blocks in random order."""
        return Epoch(rng.permutation(len(self.sizes)).tolist())

    def windows(self, epoch: Epoch, rows_per_step: int) -> Iterator[TrainingData]:
        """The windows that the epoch has not done; all but the last are whole steps."""
        size = -(-max(self.window_rows, int(self.sizes.max())) // rows_per_step) * rows_per_step
        held: list[TrainingData] = []
        n_held, done = 0, epoch.n_rows
        for number in epoch.blocks:
            n_rows = int(self.sizes[number])
            if done >= n_rows:
                done -= n_rows
                continue
            held.append(_part(self.read(number), slice(done, None)))
            n_held += n_rows - done
            done = 0
            while n_held >= size:  # once: no block is larger than a window
                last, n_held = held.pop(), n_held - size
                cut = last.n_rows - n_held
                held.append(_part(last, slice(None, cut)))
                yield _joined(held)
                held = [_part(last, slice(cut, None))] if n_held else []
        if held:
            yield _joined(held)


@dataclass
class DrawnData:
    """Rows that are drawn anew in each epoch, as one window."""

    draw: Callable[[int], TrainingData]  # by a seed
    n_rows: int
    summed_weight: float
    column_weight: np.ndarray  # (n_columns,) summed weight of the rows that hold a column

    def total_weight(self) -> float:
        """Summed weight of the rows."""
        return self.summed_weight

    def begin(self, rng: np.random.Generator) -> Epoch:
        """A new epoch: what it draws follows from a number."""
        return Epoch([int(rng.integers(2**63))])

    def windows(self, epoch: Epoch, rows_per_step: int) -> Iterator[TrainingData]:
        """All rows."""
        yield self.draw(epoch.blocks[0])


def _part(data: TrainingData, rows: slice) -> TrainingData:
    if rows == slice(0, None):
        return data
    return replace(
        data,
        X=data.X[rows],
        target=data.target[rows],
        weight=None if data.weight is None else data.weight[rows],
        offset=None if data.offset is None else data.offset[rows],
    )


def _joined(parts: list[TrainingData]) -> TrainingData:
    if len(parts) == 1:
        return parts[0]
    weight = None
    if any(part.weight is not None for part in parts):
        weights = (np.ones(part.n_rows) if part.weight is None else part.weight for part in parts)
        weight = np.concatenate(list(weights))
    offsets = [part.offset for part in parts if part.offset is not None]
    return TrainingData(
        sparse.csr_array(sparse.vstack([part.X for part in parts], format="csr")),
        all(part.one_hot for part in parts),
        torch.cat([part.target for part in parts]),
        weight,
        parts[0].column_weight,
        torch.cat(offsets) if offsets else None,
    )
