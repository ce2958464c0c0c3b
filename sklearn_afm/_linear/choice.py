"""Choose the pairs of fields that are worth crossing."""

import numpy as np

from .._core.ranks import sum_each, sum_over_ranks
from .blocks import Block
from .crosses import columns_of_rows, cross_block

# Fields among which pairs are tried, pairs that are chosen, and crosses in all, per row.
_MOST_FIELDS, _MOST_PAIRS, _MOST_CROSSES = 64, 100, 16

Parabola = tuple[np.ndarray, np.ndarray]  # gradient and curvature, (n_rows, n_outputs) each


def choose_pairs(
    blocks: list[Block],
    shape: tuple[int, int],
    training: Parabola,
    held_out: Parabola,
    strength: float,
) -> list[tuple[int, int]]:
    """Numbers of the pairs of one-hot fields whose crosses lower the held-out loss, in order.

    Each pair of fields is tried alone, beside a model that is fitted to the training rows.

    Parameters
    ----------
    blocks : list of Block
    shape : (int, int)
        Number of rows and columns.
    training, held_out : (ndarray, ndarray)
        The loss around the model's raw scores, 0 for the rows of the other part.
    strength : float
        Of the crosses.
    """
    one_hot = [block for block in blocks if block.one_hot]
    if len(one_hot) > _MOST_FIELDS:
        return []
    columns = [columns_of_rows(block, shape[0]) for block in one_hot]
    gains: dict[tuple[int, int], float] = {}
    n_crosses: dict[tuple[int, int], int] = {}
    for first, one in enumerate(one_hot):
        for second, other in enumerate(one_hot[:first]):
            cross = cross_block(columns[second], columns[first], shape[1], 0)
            if cross is None or one.field == other.field:
                continue
            pair = min(one.field, other.field), max(one.field, other.field)
            gain = _held_out_gain(cross, training, held_out, strength)
            gains[pair] = gains.get(pair, 0.0) + gain
            n_crosses[pair] = n_crosses.get(pair, 0) + cross.n_levels
    best = sorted((pair for pair in gains if gains[pair] > 0), key=lambda pair: -gains[pair])
    total = np.cumsum([n_crosses[pair] for pair in best])
    most = _MOST_CROSSES * sum_over_ranks(shape[0])
    return sorted(best[: min(_MOST_PAIRS, np.count_nonzero(total <= most))])


def _held_out_gain(block: Block, training: Parabola, held_out: Parabola, strength: float) -> float:
    """By how much a block lowers the held-out loss."""
    gain = 0.0
    for output in range(training[0].shape[1]):
        gradient, curvature, ahead, curved = sum_each(
            [block.sums(part[:, output]) for part in (*training, *held_out)]
        )
        step = -gradient / (curvature + 2 * strength)
        gain -= float((ahead * step + curved * step**2 / 2).sum())
    return gain
