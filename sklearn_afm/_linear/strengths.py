"""Learn strengths: down the gradient of the held-out loss of models that are fitted with them.

With w the weights that minimise the training loss plus sum of strength_g ||w_g||^2, and v the
gradient of the held-out loss by w, the implicit function theorem gives

    d held-out loss / d strength_g = -2 w_g . (H^-1 v)_g,

where H is the curvature of the training objective (J. Larsen et al., "Design and regularization of
neural networks: the optimal use of a validation set", NNSP 1996). Both w and H^-1 v are found by
rounds of block descent, and stay nearly right from one step to the next.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._core.ranks import sum_over_ranks
from .blocks import Block
from .descent import Weights, descend, sums_of_curvature, sweep

# Loss of each row, its gradient and curvature, (n_rows,) and twice (n_rows, n_outputs).
LossOfRows = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]

SMALLEST, LARGEST = 1e-2, 1e4  # times the share of the loss that is left
_STEPS, _ROUNDS = 20, 2
_FIRST_STEP, _LARGEST_STEP, _LAST_STEP = 0.5, 1.0, 0.1  # of the logarithm
# Pull towards the strengths at the start, in units of the loss of one row per squared logarithm.
_PULL = 0.5
# Slopes below this share of the loss are none.
_FLAT = 1e-9
# Of the loss that is left: strengths stay positive.
_SMALLEST_SHARE = 1e-8


@dataclass(frozen=True)
class Learnt:
    """Strengths, and what they were learnt by."""

    strengths: np.ndarray  # (n_groups,)
    held_out: np.ndarray  # (n_rows,) loss of each row while it is held out, times its weight
    held_out_loss: float  # mean
    left: float  # share of the loss that is left; 1 for a loss without a unit


@dataclass
class _Fold:
    """A model fitted without some rows, and the direction that its weights move in."""

    training: np.ndarray  # (n_rows, 1) weight of each row in training
    held_out: np.ndarray  # (n_rows, 1) weight of each row in the held-out loss
    weights: Weights
    direction: Weights  # H^-1 v


def learn_strengths(
    blocks: list[Block],
    loss: LossOfRows,
    weight: np.ndarray,
    held_out: np.ndarray,
    bias: np.ndarray,
    start: np.ndarray,
    dispersion: float | None,
) -> Learnt:
    """Strengths under which the held-out loss is lowest.

    Parameters
    ----------
    blocks : list of Block
    loss : callable
    weight : ndarray of shape (n_rows,)
    held_out : ndarray of shape (n_folds, n_rows)
        How much of each row's weight a fold holds out.
    bias : ndarray of shape (n_outputs,)
        Bias to start from.
    start : ndarray of shape (n_groups,)
        Strengths to start from, times the share of the loss that is left.
    dispersion : float or None
        The loss is minus the logarithm of a likelihood, times this: strengths are in proportion to
        it. None: the loss has a unit, as squared error has. A strength is then the variance of the
        noise over that of the weights: it falls with the share of the loss that is left.
    """
    folds = [_fold(blocks, weight, of_fold, bias) for of_fold in held_out]
    total = sum_over_ranks(weight.sum())
    at_start = sum_over_ranks(weight @ loss(np.tile(bias, (len(weight), 1)))[0]) / total or 1.0
    unit, left = (at_start, 1.0) if dispersion is None else (dispersion, dispersion)
    log_start = np.log(start)
    log, step, before = log_start.copy(), np.full(len(start), _FIRST_STEP), np.zeros(len(start))
    best, best_value, best_rows = log, np.inf, np.zeros(len(weight))
    for number in range(_STEPS):
        slope, of_rows = np.zeros(len(start)), np.zeros(len(weight))
        for one in folds:
            added, added_slope = _advance(one, blocks, np.exp(log) * left, loss)
            of_rows += added
            slope += added_slope
        held_out_loss = sum_over_ranks(of_rows.sum())
        value = held_out_loss / unit + _PULL * ((log - log_start) ** 2).sum()
        slope = slope / unit + 2 * _PULL * (log - log_start)
        slope[np.abs(slope) < _FLAT * (1 + value)] = 0  # rounding errors have no sign
        if number > 2 and value < best_value:
            best, best_value, best_rows = log, value, of_rows
        log, step, before = _resilient(log, step, slope, before)
        if number > 2 and step.mean() < _LAST_STEP:
            break
        if dispersion is None and number < 2:
            unit = held_out_loss / total or at_start
            left = float(np.clip(unit / at_start, _SMALLEST_SHARE, 1))
    held_out_loss = sum_over_ranks(best_rows.sum()) / total
    return Learnt(np.exp(best) * left, best_rows, held_out_loss, left)


def _fold(blocks, weight, held_out, bias) -> _Fold:
    return _Fold(
        (weight - held_out)[:, None],
        held_out[:, None],
        Weights.zero(blocks, bias, len(weight)),
        Weights.zero(blocks, np.zeros_like(bias), len(weight)),
    )


def _advance(one: _Fold, blocks, strengths, loss: LossOfRows) -> tuple[np.ndarray, np.ndarray]:
    """Bring a fold's model up to date; its held-out loss by row, and the slope by log strengths."""

    def derivatives(raw):
        return (one.training * part for part in loss(raw)[1:])

    descend(blocks, one.weights, strengths, derivatives, _ROUNDS)
    of_rows, gradient, curvature = loss(one.weights.raw)
    ahead, curved = one.held_out * gradient, one.training * curvature
    bend = sums_of_curvature(blocks, curved)
    for _ in range(_ROUNDS):
        left = ahead - curved * one.direction.raw
        sweep(blocks, one.direction, strengths, left, curved, bend)
    slope = np.zeros(len(strengths))
    for block, w, direction in zip(blocks, one.weights.of_blocks, one.direction.of_blocks):
        slope[block.group] -= 2 * strengths[block.group] * float((w * direction).sum())
    return one.held_out[:, 0] * of_rows, slope


def _resilient(log, step, slope, before):
    """A step of Rprop (Riedmiller and Braun, ICNN 1993): by the sign of the slope alone."""
    agree = slope * before
    step = np.where(agree > 0, np.minimum(1.2 * step, _LARGEST_STEP), step)
    step = np.where(agree < 0, step / 2, step)
    slope = np.where(agree < 0, 0.0, slope)
    log = np.clip(log - step * np.sign(slope), np.log(SMALLEST), np.log(LARGEST))
    return log, step, slope
