"""What is fitted in closed form: bias, linear weights, crosses and embeddings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._core.ranks import sum_over_ranks
from .._data.weights import standard_error
from .blocks import Block, field_blocks
from .choice import choose_pairs
from .crosses import Crosses, cross_blocks
from .descent import Weights, descend
from .factors import Factors, sweep_factors
from .strengths import LARGEST, Learnt, learn_strengths

N_FOLDS = 4
# Rows from which strengths are learnt, and blocks and outputs that are fitted in turn.
_MOST_ROWS, _MOST_BLOCKS, _MOST_OUTPUTS = 1 << 16, 1000, 50
# Strengths to start from, times the share of the loss that is left: of fields, and of crosses.
_START, _START_OF_CROSSES = 1.5, 10.0
# Strengths of Ridge and LogisticRegression. They stay if those learnt are not clearly better.
_OF_RIDGE, _OF_LOGISTIC_REGRESSION = 1.0, 0.5
# A strength of so much of the largest leaves nothing.
_NOTHING_LEFT = 0.9
_MOST_ROUNDS, _TOLERANCE = 400, 1e-4
# Blocks up to which there are embeddings.
_MOST_BLOCKS_OF_FACTORS, _MOST_ROUNDS_OF_FACTORS, _TOLERANCE_OF_FACTORS = 100, 40, 1e-3
# Rows from which embeddings are started; if no factor is left, all rows are spared.
_MOST_ROWS_OF_FACTORS = 1 << 17
_FIRST_ROUNDS, _SMALLEST_UNIT = 5, 1e-12

Pairs = list[tuple[int, int]]  # numbers of two fields, the smaller first


@dataclass(frozen=True)
class Problem:
    """What a linear part is fitted to."""

    X: sparse.csr_array  # canonical
    target: np.ndarray  # (n_rows, n_terms)
    weight: np.ndarray  # (n_rows,)
    field: np.ndarray  # (n_columns,)
    group: np.ndarray  # (n_columns,) number of the strength
    bias: np.ndarray  # (n_outputs,) to start from
    derivatives: Callable  # of a `Loss`
    power: int  # of the target's unit that the loss is in; 0: it has no unit
    dispersion: Callable | None = None  # of a `Loss`

    @property
    def n_rows(self) -> int:
        """Number of rows of all ranks."""
        return int(sum_over_ranks(len(self.weight)))

    @property
    def total_weight(self) -> float:
        """Their weight."""
        return float(sum_over_ranks(self.weight.sum()))

    @property
    def n_groups(self) -> int:
        """Number of the strengths of columns."""
        return int(self.group.max(initial=-1)) + 1

    def blocks(self) -> list[Block]:
        """The blocks of the fields."""
        return field_blocks(self.X, self.field, self.group)

    def part(self, rows: np.ndarray | slice) -> "Problem":
        """The problem of some rows."""
        return replace(self, X=self.X[rows], target=self.target[rows], weight=self.weight[rows])

    def loss_of_rows(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Loss of each row, its gradient and its curvature."""
        return self.derivatives(raw, self.target)

    def weighted(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and curvature, times the weight of each row."""
        _, gradient, curvature = self.loss_of_rows(raw)
        return self.weight[:, None] * gradient, self.weight[:, None] * curvature

    def loss(self, raw: np.ndarray) -> float:
        """The loss of all rows."""
        return float(sum_over_ranks(self.weight @ self.loss_of_rows(raw)[0]))


@dataclass(frozen=True)
class Strengths:
    """Strengths of the groups of columns, then of the pairs of fields that have crosses."""

    values: np.ndarray
    pairs: Pairs
    held_out_loss: float
    dispersion: float = 1.0  # the loss is minus the logarithm of a likelihood, times this

    def without_crosses(self) -> "Strengths":
        """Those of the groups of columns."""
        n_groups = len(self.values) - len(self.pairs)
        return replace(self, values=self.values[:n_groups], pairs=[])


@dataclass(frozen=True)
class LinearPart:
    """What a model adds to its interactions, and embeddings that these start from."""

    bias: np.ndarray  # (n_outputs,)
    weights: np.ndarray  # (n_columns, n_outputs)
    crosses: Crosses | None
    factors: Factors | None
    strengths: Strengths
    raw: np.ndarray  # (n_rows, n_outputs) of the rows that it was fitted on, without `factors`

    def raw_scores(self, X: sparse.csr_array) -> np.ndarray:
        """Raw scores of rows, with those of the factors, (n_rows, n_outputs)."""
        result = self.bias + X @ self.weights
        if self.crosses is not None:
            result += self.crosses.scores(X)
        return result if self.factors is None else result + self.factors.scores(X)


def learn(problem: Problem, held_out: np.ndarray, crosses: str | Pairs | None) -> Strengths | None:
    """Strengths under which the held-out loss is lowest, and pairs of fields that lower it.

    Parameters
    ----------
    problem : Problem
    held_out : ndarray of shape (n_folds, n_rows)
        How much of each row's weight a fold holds out.
    crosses : "auto", None or list of (int, int)
        Pairs of fields that have crosses. "auto" takes those that lower the held-out loss.

    Returns
    -------
    strengths : Strengths or None
        None if there are too many blocks, as in bags of words, or too many outputs.
    """
    if len(problem.bias) > _MOST_OUTPUTS:
        return None
    blocks = problem.blocks()
    if len(blocks) > _MOST_BLOCKS:
        return None
    few, blocks, held_out = _learning_rows(problem, blocks, held_out)
    dispersion = _dispersion(few, blocks, held_out[0])

    def learn_with(pairs: Pairs) -> Learnt:
        start = np.repeat([_START, _START_OF_CROSSES], [problem.n_groups, len(pairs)])
        every = [*blocks, *cross_blocks(blocks, pairs, few.X.shape, problem.n_groups)]
        unit = None if few.power else dispersion
        return learn_strengths(every, few.loss_of_rows, few.weight, held_out, few.bias, start, unit)

    learnt, pairs = learn_with([]), []
    usual = _with_usual_strengths(few, blocks, held_out, dispersion)
    if not _is_better(learnt, usual, few.weight):
        learnt = replace(usual, left=learnt.left)
    if crosses is not None and len(crosses):
        pairs = crosses if isinstance(crosses, list) else _chosen(few, blocks, held_out[0], learnt)
        beside = learn_with(pairs)
        if isinstance(crosses, list):
            learnt = beside
        elif _is_better(beside, learnt, few.weight):
            learnt, pairs = _useful(beside, pairs, problem.n_groups)
        else:
            pairs = []
    return Strengths(learnt.strengths, pairs, learnt.held_out_loss, dispersion)


def fit_linear_part(
    problem: Problem, strengths: Strengths, factors: Factors | None = None
) -> LinearPart:
    """Fit the linear part with given strengths, and embeddings from these on (changed in place)."""
    n_rows = problem.n_rows
    if factors is not None and not factors.n_sweeps and n_rows > _MOST_ROWS_OF_FACTORS:
        few = problem.part(slice(None, None, -(-n_rows // _MOST_ROWS_OF_FACTORS)))
        fit_linear_part(few, strengths.without_crosses(), factors)
    fields = problem.blocks()
    crosses = cross_blocks(fields, strengths.pairs, problem.X.shape, problem.n_groups)
    blocks = [*fields, *crosses]
    weights = Weights.zero(blocks, problem.bias, len(problem.weight))
    raw_of_factors = 0.0
    if factors is not None:
        weights.raw += factors.scores(problem.X)
        # Crosses explain what embeddings could, and more besides. If they came first, little would
        # be left.
        if crosses and not factors.n_sweeps:
            _fit_factors(fields, fields, weights, factors, problem, strengths)
        if factors.active.any():
            _fit_factors(fields, blocks, weights, factors, problem, strengths)
        raw_of_factors = factors.scores(problem.X)
    if factors is None or not factors.active.any():
        _descend_to_the_end(blocks, weights, problem, strengths.values)
    of_columns = np.zeros((problem.X.shape[1], len(weights.bias)))
    for block, of_block in zip(fields, weights.of_blocks):
        of_columns[block.columns] = of_block.T
    return LinearPart(
        weights.bias,
        of_columns,
        Crosses.of(crosses, weights.of_blocks[len(fields) :]),
        factors,
        strengths,
        weights.raw - raw_of_factors,
    )


def start_of_factors(
    problem: Problem, projection: np.ndarray, rng: np.random.Generator
) -> Factors | None:
    """Embeddings to start from; None if there are no pairs of blocks, or too many."""
    blocks = problem.blocks()
    if not 2 <= len(blocks) <= _MOST_BLOCKS_OF_FACTORS:
        return None
    n_columns = problem.X.shape[1]
    factors = Factors.start(blocks, n_columns, problem.n_groups, projection, rng)
    squares = sum_over_ranks(problem.weight @ (problem.target**2).mean(axis=1))
    size = np.sqrt(squares / problem.total_weight)
    return factors.in_units_of(1 / size) if problem.power and size > 0 else factors


def _learning_rows(problem: Problem, blocks: list[Block], held_out: np.ndarray):
    """All rows, or an even part of each fold if there are many; their blocks and folds."""
    n_rows = problem.n_rows
    if n_rows <= _MOST_ROWS:
        return problem, blocks, held_out
    by_fold = np.argsort(held_out.argmax(axis=0), kind="stable")
    chosen = np.sort(by_fold[:: -(-n_rows // _MOST_ROWS)])
    return problem.part(chosen), [block.part(chosen) for block in blocks], held_out[:, chosen]


def _dispersion(problem: Problem, blocks: list[Block], held_out: np.ndarray) -> float:
    """The dispersion of rows that a linear model of the other rows predicts."""
    if problem.dispersion is None:
        return 1.0
    training = replace(problem, weight=problem.weight - held_out)
    strengths = np.full(problem.n_groups, _OF_LOGISTIC_REGRESSION)
    raw = _descended(blocks, training, strengths).raw
    return max(problem.dispersion(raw, problem.target, held_out), _SMALLEST_UNIT)


def _with_usual_strengths(
    problem: Problem, blocks: list[Block], held_out: np.ndarray, dispersion: float
) -> Learnt:
    """The strengths that linear models have untuned, and the held-out loss under them."""
    usual = _OF_RIDGE if problem.power else _OF_LOGISTIC_REGRESSION * dispersion
    strengths, of_rows = np.full(problem.n_groups, usual), np.zeros(len(problem.weight))
    for of_fold in held_out:
        training = replace(problem, weight=problem.weight - of_fold)
        raw = _descended(blocks, training, strengths).raw
        of_rows += of_fold * problem.loss_of_rows(raw)[0]
    held_out_loss = sum_over_ranks(of_rows.sum()) / problem.total_weight
    return Learnt(strengths, of_rows, held_out_loss, 1.0)


def _chosen(problem: Problem, blocks: list[Block], held_out: np.ndarray, learnt: Learnt) -> Pairs:
    """Pairs of fields whose crosses promise to lower the held-out loss."""
    training = problem.weight - held_out
    weights = _descended(blocks, replace(problem, weight=training), learnt.strengths)
    derivatives = problem.loss_of_rows(weights.raw)[1:]
    parts = [
        tuple(weight[:, None] * part for part in derivatives) for weight in (training, held_out)
    ]
    strength = _START_OF_CROSSES * learnt.left
    return choose_pairs(blocks, problem.X.shape, *parts, strength)


def _is_better(one: Learnt, other: Learnt, weight: np.ndarray) -> bool:
    """Whether the held-out loss is lower by more than one standard error."""
    gain = (other.held_out - one.held_out) / weight
    total, of_all = sum_over_ranks(np.array([weight @ gain, weight.sum()]))
    return total / of_all > standard_error(gain, weight)


def _useful(learnt: Learnt, pairs: Pairs, n_groups: int) -> tuple[Learnt, Pairs]:
    """Leave out pairs whose strength leaves nothing of them."""
    useful = learnt.strengths < _NOTHING_LEFT * LARGEST * learnt.left
    useful[:n_groups] = True
    pairs = [pair for pair, use in zip(pairs, useful[n_groups:]) if use]
    return replace(learnt, strengths=learnt.strengths[useful]), pairs


def _fit_factors(
    fields: list[Block],
    blocks: list[Block],
    weights: Weights,
    factors: Factors,
    problem: Problem,
    strengths: Strengths,
) -> None:
    """Rounds over linear weights and embeddings."""
    total, variance = problem.total_weight, np.zeros_like(weights.raw)
    descend(blocks, weights, strengths.values, problem.weighted, _FIRST_ROUNDS)
    for _ in range(_MOST_ROUNDS_OF_FACTORS):
        before = weights.raw.copy()
        descend(blocks, weights, strengths.values, problem.weighted)
        unit = strengths.dispersion
        if problem.power:  # the most likely unit of errors with a density exp(-loss / unit)
            curvature = problem.loss_of_rows(weights.raw)[2]
            of_variance = sum_over_ranks((problem.weight @ (curvature / 2 * variance)).sum())
            expected = problem.loss(weights.raw) + of_variance
            unit = problem.power * expected / (total * weights.raw.shape[1])
            unit = max(unit, _SMALLEST_UNIT)
        variance = sweep_factors(fields, factors, weights, problem.weighted, unit, total)
        if factors.settled and _hardly_changed(before, weights, problem, _TOLERANCE_OF_FACTORS):
            break


def _descended(blocks: list[Block], problem: Problem, strengths: np.ndarray) -> Weights:
    """Weights for given strengths."""
    weights = Weights.zero(blocks, problem.bias, len(problem.weight))
    _descend_to_the_end(blocks, weights, problem, strengths)
    return weights


def _descend_to_the_end(blocks, weights: Weights, problem: Problem, strengths) -> None:
    """Rounds of descent, until a round hardly changes the raw scores."""
    for _ in range(_MOST_ROUNDS):
        before = weights.raw.copy()
        descend(blocks, weights, strengths, problem.weighted)
        if _hardly_changed(before, weights, problem, _TOLERANCE):
            break


def _hardly_changed(before: np.ndarray, weights: Weights, problem: Problem, share: float) -> bool:
    change = np.abs(weights.raw - before).sum(axis=1)
    size = np.abs(weights.raw - weights.bias).sum(axis=1)
    change, size = sum_over_ranks(np.array([problem.weight @ change, problem.weight @ size]))
    return bool(change <= share * size)
