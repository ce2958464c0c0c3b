"""Rows to learn from, and how far an epoch over them is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Epoch:
    """How far an epoch is: what is done at the end of a window of rows."""

    blocks: list[int]  # the order in which blocks are read, or a seed of what is drawn
    n_rows: int = 0
    loss_sum: list[float] | None = None  # None: of no row


class EpochData(Protocol):
    """Rows that an epoch passes through, window by window."""

    column_weight: np.ndarray  # (n_columns,) summed weight of the rows that hold a column

    @property
    def n_rows(self) -> int:
        """Number of rows."""

    def total_weight(self) -> float:
        """Summed weight of the rows."""

    def begin(self, rng: np.random.Generator) -> Epoch:
        """A new epoch."""

    def windows(self, epoch: Epoch, rows_per_step: int) -> "Iterator[TrainingData]":
        """The windows that the epoch has not done; all but the last are whole steps."""


@dataclass
class TrainingData:
    """Rows to learn from, as the trainer wants them: a window of rows, or all of them."""

    X: Any  # canonical CSR, values in the computing dtype
    one_hot: bool  # every stored value is 1
    target: Tensor  # (n_rows, n_terms): numbers, 0 and 1, or numbers of classes; or of lists
    weight: np.ndarray | None  # (n_rows,), positive; None: all 1
    column_weight: np.ndarray  # (n_columns,) summed weight of the rows that hold a column
    offset: Tensor | None = None  # (n_rows, n_outputs) what raw scores have beside the model's

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return self.X.shape[0]

    def total_weight(self) -> float:
        """Summed weight of the rows."""
        return float(self.n_rows if self.weight is None else self.weight.sum())

    def begin(self, rng: np.random.Generator) -> Epoch:
        """A new epoch. All rows are one window."""
        return Epoch([0])

    def windows(self, epoch: Epoch, rows_per_step: int) -> "Iterator[TrainingData]":
        """All rows."""
        yield self
