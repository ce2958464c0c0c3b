"""The linear part of a model: bias, weights of columns, and crosses."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .blocks import Block, field_blocks
from .crosses import Crosses, columns_of_rows, cross_block, held_out_gain
from .descent import Weights, descend
from .strengths import LARGEST, Learnt, LossOfRows, learn_strengths

N_FOLDS = 4
# Rows from which strengths are learnt, blocks that are fitted in turn, and crosses among them.
_MOST_ROWS, MOST_BLOCKS, _MOST_CROSSES = 1 << 16, 1000, 100
# Strengths to start from, in units of the held-out loss: of fields, and of crosses.
_START, _START_OF_CROSSES = 1.5, 10.0
_MOST_ROUNDS, _TOLERANCE = 40, 1e-4


@dataclass(frozen=True)
class LinearPart:
    """What a model adds to its interactions."""

    bias: np.ndarray  # (n_outputs,)
    weights: np.ndarray  # (n_columns, n_outputs)
    crosses: Crosses | None
    strength_of_column: np.ndarray  # (n_columns,)
    strength_of_pair: dict[tuple[int, int], float]  # by the numbers of two fields
    held_out_loss: float
    raw: np.ndarray  # (n_rows, n_outputs) of the rows that it was fitted on


@dataclass(frozen=True)
class Task:
    """What the linear part learns."""

    X: sparse.csr_array  # canonical
    weight: np.ndarray  # (n_rows,)
    fold: np.ndarray  # (n_rows,)
    field: np.ndarray  # (n_columns,)
    group: np.ndarray  # (n_columns,) number of the strength
    bias: np.ndarray  # (n_outputs,) to start from
    noise: bool  # strengths are in units of the held-out loss


def fit_linear_part(task: Task, loss_of, crosses) -> LinearPart | None:
    """Learn strengths on held-out rows, then fit on all rows.

    Parameters
    ----------
    task : Task
    loss_of : callable, rows -> LossOfRows
        The loss of some rows, given by position.
    crosses : "auto", None or list of (int, int)
        Pairs of fields that have crosses. "auto" tries all.

    Returns
    -------
    part : LinearPart or None
        None if there are too many blocks, as in rows of many real values or bags of words.
    """
    n_rows, n_columns = task.X.shape
    blocks = field_blocks(task.X, task.field, task.group)
    if len(blocks) > MOST_BLOCKS:
        return None
    n_groups = int(task.group.max(initial=-1)) + 1
    learning = _Learning.on(task, blocks, loss_of, n_groups)
    learnt = learning.learn(learning.blocks)
    pairs: list[tuple[int, int]] = []
    if crosses is not None and len(crosses):
        candidates = learning.candidates(learnt, crosses)
        beside = learning.learn(learning.with_crosses(candidates))
        if crosses != "auto" or beside.held_out_loss < learnt.held_out_loss:
            used = np.ones(len(candidates), dtype=bool)
            if crosses == "auto":
                used = beside.strengths[n_groups:] < 0.9 * LARGEST * beside.left
            pairs = [pair for pair, use in zip(candidates, used) if use]
            kept = np.concatenate([np.ones(n_groups, dtype=bool), used])
            learnt = replace(beside, strengths=beside.strengths[kept])
    strengths = learnt.strengths
    blocks = [*blocks, *_cross_blocks(blocks, pairs, n_rows, n_columns, n_groups)]
    weights = _fitted(blocks, task, strengths, loss_of(slice(None)))
    return LinearPart(
        weights.bias,
        _of_columns(blocks, weights, n_columns),
        _as_crosses(blocks, weights),
        strengths[task.group],
        {
            (blocks[first].field, blocks[second].field): float(strengths[n_groups + number])
            for number, (first, second) in enumerate(pairs)
        },
        learnt.held_out_loss,
        weights.raw,
    )


@dataclass(frozen=True)
class _Learning:
    """The rows from which strengths are learnt."""

    task: Task
    blocks: list[Block]
    loss: LossOfRows
    weight: np.ndarray
    fold: np.ndarray
    n_groups: int

    @classmethod
    def on(cls, task: Task, blocks: list[Block], loss_of, n_groups: int) -> "_Learning":
        """All rows, or an even part of each fold if there are many."""
        n_rows = len(task.weight)
        if n_rows <= _MOST_ROWS:
            return cls(task, blocks, loss_of(slice(None)), task.weight, task.fold, n_groups)
        chosen = np.sort(np.argsort(task.fold, kind="stable")[:: -(-n_rows // _MOST_ROWS)])
        parts = [block.part(chosen) for block in blocks]
        loss = loss_of(chosen)
        return cls(task, parts, loss, task.weight[chosen], task.fold[chosen], n_groups)

    def learn(self, blocks: list[Block]) -> Learnt:
        """The strength of each group of these blocks."""
        n_groups = max((block.group + 1 for block in blocks), default=0)
        start = np.full(max(n_groups, self.n_groups), _START)
        start[self.n_groups :] = _START_OF_CROSSES
        return learn_strengths(
            blocks, self.loss, self.weight, self.fold, self.task.bias, start, self.task.noise
        )

    def with_crosses(self, pairs: list[tuple[int, int]]) -> list[Block]:
        """The blocks of fields and of these pairs of them."""
        size = len(self.weight), self.task.X.shape[1]
        return [*self.blocks, *_cross_blocks(self.blocks, pairs, *size, self.n_groups)]

    def candidates(self, learnt: Learnt, crosses) -> list[tuple[int, int]]:
        """Positions of the pairs of blocks that have crosses, most useful first."""
        eligible = [number for number, block in enumerate(self.blocks) if block.one_hot]
        pairs = [(one, other) for one in eligible for other in eligible if one < other]
        pairs = [p for p in pairs if self.blocks[p[0]].field != self.blocks[p[1]].field]
        if crosses != "auto":
            asked = {frozenset(pair) for pair in crosses}
            field = [block.field for block in self.blocks]
            return [p for p in pairs if frozenset((field[p[0]], field[p[1]])) in asked]
        gains = self._gains(pairs, learnt)
        best = sorted((p for p in pairs if gains[p] > 0), key=lambda p: -gains[p])
        return sorted(best[:_MOST_CROSSES])

    def _gains(self, pairs, learnt: Learnt) -> dict[tuple[int, int], float]:
        """Held-out gain of each pair of blocks beside the fields, in the first fold."""
        training = np.where(self.fold != self.fold.min(), self.weight, 0.0)[:, None]
        held_out = self.weight[:, None] - training
        weights = Weights.zero(self.blocks, self.task.bias, len(self.weight))
        for _ in range(_MOST_ROUNDS // 4):
            descend(
                self.blocks,
                weights,
                learnt.strengths,
                lambda raw: (training * d for d in self.loss(raw)[1:]),
            )
        _, gradient, curvature = self.loss(weights.raw)
        parts = [(part * gradient, part * curvature) for part in (training, held_out)]
        columns = {
            number: columns_of_rows(self.blocks[number], len(self.weight))
            for number in {number for pair in pairs for number in pair}
        }
        strength = _START_OF_CROSSES * learnt.left
        gains = {}
        for one, other in pairs:
            block = cross_block(columns[one], columns[other], self.task.X.shape[1], 0)
            gains[one, other] = 0.0 if block is None else held_out_gain(block, *parts, strength)
        return gains


def _cross_blocks(blocks, pairs, n_rows: int, n_columns: int, n_groups: int) -> list[Block]:
    columns = {
        number: columns_of_rows(blocks[number], n_rows)
        for number in {number for pair in pairs for number in pair}
    }
    made = [
        cross_block(columns[one], columns[other], n_columns, n_groups + number)
        for number, (one, other) in enumerate(pairs)
    ]
    return [block for block in made if block is not None]


def _fitted(blocks, task: Task, strengths, loss: LossOfRows) -> Weights:
    """Weights fitted on all rows, until a round changes the raw scores no more."""
    weight = task.weight[:, None]
    weights = Weights.zero(blocks, task.bias, len(weight))
    for _ in range(_MOST_ROUNDS):
        before = weights.raw
        weights.raw = before.copy()
        descend(blocks, weights, strengths, lambda raw: (weight * d for d in loss(raw)[1:]))
        change, size = np.abs(weights.raw - before).mean(), weights.raw.std()
        if change <= _TOLERANCE * size:
            break
    return weights


def _of_columns(blocks, weights: Weights, n_columns: int) -> np.ndarray:
    result = np.zeros((n_columns, len(weights.bias)))
    for block, of_block in zip(blocks, weights.of_blocks):
        if block.columns.ndim == 1:
            result[block.columns] = of_block.T
    return result


def _as_crosses(blocks, weights: Weights) -> Crosses | None:
    """The crosses of all blocks, in the order of their columns."""
    found = [
        (block.columns, of_block.T)
        for block, of_block in zip(blocks, weights.of_blocks)
        if block.columns.ndim == 2
    ]
    if not found:
        return None
    columns, values = (np.concatenate(parts) for parts in zip(*found))
    order = np.lexsort(columns.T[::-1])
    return Crosses(columns[order], values[order])
