"""The linear part of a model: bias, weights of columns, and crosses."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .blocks import Block, field_blocks
from .choice import choose_pairs
from .crosses import Crosses, cross_blocks
from .descent import Weights, descend
from .strengths import LARGEST, Learnt, LossOfRows, learn_strengths

N_FOLDS = 4
# Rows from which strengths are learnt, and blocks and outputs that are fitted in turn.
_MOST_ROWS, _MOST_BLOCKS, _MOST_OUTPUTS = 1 << 16, 1000, 50
# Strengths to start from, times the share of the loss that is left: of fields, and of crosses.
_START, _START_OF_CROSSES = 1.5, 10.0
# A strength of so much of the largest leaves nothing.
_NOTHING_LEFT = 0.9
_MOST_ROUNDS, _TOLERANCE = 40, 1e-4

Pairs = list[tuple[int, int]]  # numbers of two fields, the smaller first


@dataclass(frozen=True)
class Problem:
    """What a linear part is fitted to."""

    X: sparse.csr_array  # canonical
    weight: np.ndarray  # (n_rows,)
    field: np.ndarray  # (n_columns,)
    group: np.ndarray  # (n_columns,) number of the strength
    bias: np.ndarray  # (n_outputs,) to start from
    loss_of: Callable[[np.ndarray | slice], LossOfRows]  # of some rows, by position

    @property
    def n_groups(self) -> int:
        """Number of the strengths of columns."""
        return int(self.group.max(initial=-1)) + 1

    def blocks(self) -> list[Block]:
        """The blocks of the fields."""
        return field_blocks(self.X, self.field, self.group)


@dataclass(frozen=True)
class LinearPart:
    """What a model adds to its interactions."""

    bias: np.ndarray  # (n_outputs,)
    weights: np.ndarray  # (n_columns, n_outputs)
    crosses: Crosses | None
    strengths: np.ndarray  # of the groups of columns, then of `pairs`
    pairs: Pairs
    held_out_loss: float
    raw: np.ndarray  # (n_rows, n_outputs) of the rows that it was fitted on


def fit_linear_part(
    problem: Problem, held_out: np.ndarray, crosses: str | Pairs | None, *, noise: bool
) -> LinearPart | None:
    """Learn strengths on held-out rows, then fit on all rows.

    Parameters
    ----------
    problem : Problem
    held_out : ndarray of shape (n_folds, n_rows)
        How much of each row's weight a fold holds out.
    crosses : "auto", None or list of (int, int)
        Pairs of fields that have crosses. "auto" takes those that lower the held-out loss.
    noise : bool
        Whether the loss has a unit (`learn_strengths`).

    Returns
    -------
    part : LinearPart or None
        None if there are too many blocks, as in bags of words, or too many outputs.
    """
    if len(problem.bias) > _MOST_OUTPUTS:
        return None
    blocks = problem.blocks()
    if len(blocks) > _MOST_BLOCKS:
        return None
    few, blocks, held_out = _learning_rows(problem, blocks, held_out)

    def learn(pairs: Pairs) -> Learnt:
        start = np.repeat([_START, _START_OF_CROSSES], [problem.n_groups, len(pairs)])
        every = [*blocks, *cross_blocks(blocks, pairs, few.X.shape, problem.n_groups)]
        loss = few.loss_of(slice(None))
        return learn_strengths(every, loss, few.weight, held_out, few.bias, start, noise)

    learnt, pairs = learn([]), []
    if crosses is not None and len(crosses):
        pairs = crosses if isinstance(crosses, list) else _chosen(few, blocks, held_out[0], learnt)
        beside = learn(pairs)
        if isinstance(crosses, list):
            learnt = beside
        elif beside.held_out_loss < learnt.held_out_loss:
            learnt, pairs = _useful(beside, pairs, problem.n_groups)
        else:
            pairs = []
    return _fitted(problem, learnt.strengths, pairs, learnt.held_out_loss)


def refit_linear_part(part: LinearPart, problem: Problem) -> LinearPart:
    """The linear part of the same strengths, fitted on other rows."""
    return _fitted(problem, part.strengths, part.pairs, part.held_out_loss)


def _learning_rows(problem: Problem, blocks: list[Block], held_out: np.ndarray):
    """All rows, or an even part of each fold if there are many; their blocks and folds."""
    n_rows = len(problem.weight)
    if n_rows <= _MOST_ROWS:
        return problem, blocks, held_out
    by_fold = np.argsort(held_out.argmax(axis=0), kind="stable")
    chosen = np.sort(by_fold[:: -(-n_rows // _MOST_ROWS)])
    few = replace(
        problem,
        X=problem.X[chosen],
        weight=problem.weight[chosen],
        loss_of=lambda rows: problem.loss_of(chosen[rows]),
    )
    return few, [block.part(chosen) for block in blocks], held_out[:, chosen]


def _chosen(problem: Problem, blocks: list[Block], held_out: np.ndarray, learnt: Learnt) -> Pairs:
    """Pairs of fields whose crosses promise to lower the held-out loss."""
    training = problem.weight - held_out
    weights = _descended(blocks, replace(problem, weight=training), learnt.strengths)
    derivatives = problem.loss_of(slice(None))(weights.raw)[1:]
    parts = [
        tuple(weight[:, None] * part for part in derivatives) for weight in (training, held_out)
    ]
    strength = _START_OF_CROSSES * learnt.left
    return choose_pairs(blocks, problem.X.shape, *parts, strength)


def _useful(learnt: Learnt, pairs: Pairs, n_groups: int) -> tuple[Learnt, Pairs]:
    """Leave out pairs whose strength leaves nothing of them."""
    useful = learnt.strengths < _NOTHING_LEFT * LARGEST * learnt.left
    useful[:n_groups] = True
    pairs = [pair for pair, use in zip(pairs, useful[n_groups:]) if use]
    return replace(learnt, strengths=learnt.strengths[useful]), pairs


def _fitted(problem: Problem, strengths, pairs: Pairs, held_out_loss: float) -> LinearPart:
    blocks = problem.blocks()
    n_fields = len(blocks)
    blocks += cross_blocks(blocks, pairs, problem.X.shape, problem.n_groups)
    weights = _descended(blocks, problem, strengths)
    of_columns = np.zeros((problem.X.shape[1], len(weights.bias)))
    for block, of_block in zip(blocks[:n_fields], weights.of_blocks):
        of_columns[block.columns] = of_block.T
    crosses = Crosses.of(blocks[n_fields:], weights.of_blocks[n_fields:])
    return LinearPart(
        weights.bias, of_columns, crosses, strengths, pairs, held_out_loss, weights.raw
    )


def _descended(blocks: list[Block], problem: Problem, strengths: np.ndarray) -> Weights:
    """Weights after rounds of descent, until a round hardly changes the raw scores."""
    weight, loss = problem.weight[:, None], problem.loss_of(slice(None))
    weights = Weights.zero(blocks, problem.bias, len(weight))
    for _ in range(_MOST_ROUNDS):
        before = weights.raw.copy()
        descend(blocks, weights, strengths, lambda raw: (weight * d for d in loss(raw)[1:]))
        change = np.abs(weights.raw - before).sum(axis=1)
        size = np.abs(weights.raw - weights.bias).sum(axis=1)
        if problem.weight @ change <= _TOLERANCE * (problem.weight @ size):
            break
    return weights
