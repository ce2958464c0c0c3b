"""The gradients of a step over all ranks: sparse for the columns that it touches, else dense."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .. import ranks

Gradients = dict[str, Tensor]


def mean_over_ranks(
    gradients: Gradients,
    columns: np.ndarray,
    weight: float,
    per_column: frozenset[str],
    numbered: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> tuple[Gradients, np.ndarray] | None:
    """The mean of the ranks' gradients by the weight of their rows, and the columns of its rows.

    None if no rank has rows. The gradients of per-column parameters travel as rows of the columns
    that a rank touches, padded to the most that any has: whatever the number of columns of X.

    Parameters
    ----------
    gradients : dict of Tensor
        Of the mean loss over this rank's rows.
    columns : ndarray of int64
        The distinct columns that these rows touch.
    weight : float
        The total of these rows; 0 for a rank that has none left.
    per_column : frozenset of str
        Names of the gradients that have a row for each of `columns`.
    numbered : callable, columns -> (distinct columns, number of each column among them)
    """
    if ranks.n_ranks() == 1:
        return gradients, columns
    counts, weights = ranks.gather_numbers("step", len(columns), weight).T
    if not weights.any():
        return None
    shares = (weights / weights.sum()).tolist()
    dense = {name: value for name, value in gradients.items() if name not in per_column}
    sparse = {name: value for name, value in gradients.items() if name in per_column}
    result = _dense_mean(dense, shares[ranks.rank()]) if dense else {}
    if sparse:
        n_rows = counts.astype(np.int64).tolist()
        touched = ranks.gather_rows([torch.from_numpy(columns)[:, None]], n_rows)
        columns, place = numbered(torch.cat(touched)[:, 0].numpy())
        places = torch.from_numpy(place).split(n_rows)
        result |= _sparse_mean(sparse, n_rows, shares, places, len(columns))
    return {name: result[name] for name in gradients}, columns


def _dense_mean(gradients: Gradients, share: float) -> Gradients:
    """The mean of gradients of one shape on all ranks."""
    sums = ranks.add_up(torch.cat([value.flatten() for value in gradients.values()]) * share)
    parts = sums.split([value.numel() for value in gradients.values()])
    return {name: part.view_as(gradients[name]) for name, part in zip(gradients, parts)}


def _sparse_mean(
    gradients: Gradients,
    n_rows: list[int],
    shares: list[float],
    places: Sequence[Tensor],
    n_columns: int,
) -> Gradients:
    """The mean of gradients that have a row for each of the columns that a rank touches.

    Rank by rank: the columns of a rank are distinct, so that the order of sums is fixed.
    """
    rows = ranks.gather_rows(list(gradients.values()), n_rows)
    widths = [value.shape[1] for value in gradients.values()]
    result = {name: value.new_zeros(n_columns, value.shape[1]) for name, value in gradients.items()}
    for of_rank, place, share in zip(rows, places, shares):
        place = place.to(of_rank.device)
        for sums, part in zip(result.values(), of_rank.split(widths, dim=1)):
            sums.index_add_(0, place, part, alpha=share)
    return result
