"""Weights for given strengths: descent block by block, in closed form within a block."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._core.ranks import sum_each, sum_over_ranks
from .blocks import Block

# Loss's gradient and curvature at raw scores (n_rows, n_outputs), each row times its weight.
Derivatives = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass
class Weights:
    """Weights of all blocks, and what they add to the raw scores of the rows."""

    bias: np.ndarray  # (n_outputs,)
    of_blocks: list[np.ndarray]  # (n_outputs, n_levels) each
    raw: np.ndarray  # (n_rows, n_outputs)

    @classmethod
    def zero(cls, blocks: list[Block], bias: np.ndarray, n_rows: int) -> "Weights":
        """The bias alone."""
        return cls(
            bias.astype(np.float64),
            [np.zeros((len(bias), block.n_levels)) for block in blocks],
            np.tile(bias.astype(np.float64), (n_rows, 1)),
        )


def descend(
    blocks: list[Block],
    weights: Weights,
    strengths: np.ndarray,
    derivatives: Derivatives,
    n_rounds: int = 1,
) -> None:
    """Rounds over all blocks, down the loss plus strength times the squared weights.

    The loss is replaced by the parabola that has its gradient, and its curvature at the start.
    """
    gradient, curvature = derivatives(weights.raw)
    curved = sums_of_curvature(blocks, curvature)
    for number in range(n_rounds):
        if number:
            gradient, _ = derivatives(weights.raw)
        sweep(blocks, weights, strengths, -gradient, curvature, curved)


def sums_of_curvature(blocks: list[Block], curvature: np.ndarray) -> list[np.ndarray]:
    """The diagonal of X^T C X for each block, (n_outputs, n_levels): all of it within the block."""
    return sum_each(
        [np.stack([block.sums(curved, 2) for curved in curvature.T]) for block in blocks]
    )


def sweep(
    blocks: list[Block],
    weights: Weights,
    strengths: np.ndarray,
    residual: np.ndarray,
    curvature: np.ndarray,
    curved: list[np.ndarray],
) -> None:
    """One Gauss-Seidel round of (X^T C X + 2 strengths) w = X^T residual + X^T C X w.

    The levels of a block share no row, so that all its weights go to their best values at once.

    Parameters
    ----------
    residual, curvature : ndarray of shape (n_rows, n_outputs)
        What the weights have left to explain, and C.
    curved : list of ndarray of shape (n_outputs, n_levels)
        `sums_of_curvature` of each block.
    """
    for output in range(residual.shape[1]):
        left, c = residual[:, output].copy(), curvature[:, output].copy()
        raw = weights.raw[:, output].copy()
        total, ahead = sum_over_ranks(np.array([c.sum(), left.sum()]))
        if total > 0:
            step = ahead / total
            weights.bias[output] += step
            raw += step
            left -= c * step
        for block, of_block, bend in zip(blocks, weights.of_blocks, curved):
            ridge = 2 * strengths[block.group]
            ahead = sum_over_ranks(block.sums(left))
            step = (ahead - ridge * of_block[output]) / (bend[output] + ridge)
            of_block[output] += step
            change = block.spread(step)
            if block.rows is None and block.one_hot:
                # Every row has a level: the bias takes their mean, which no strength holds back.
                # Block by block, it would get there slowly.
                seen = bend[output] > 0
                mean = of_block[output][seen].mean() if seen.any() else 0.0
                of_block[output][seen] -= mean
                weights.bias[output] += mean
            if block.rows is None:
                raw += change
                left -= c * change
            else:
                raw[block.rows] += change
                left[block.rows] -= c[block.rows] * change
        weights.raw[:, output] = raw
