"""The gradients of a step over all ranks: sparse for the columns that it touches, else dense."""

from collections.abc import Callable

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
    total = weights.sum()
    if not total:
        return None
    share = weight / total
    dense = [name for name in gradients if name not in per_column]
    sparse = [name for name in gradients if name in per_column]
    result = {}
    if dense:
        sums = ranks.add_up(torch.cat([gradients[name].flatten() for name in dense]) * share)
        for name, part in zip(dense, sums.split([gradients[name].numel() for name in dense])):
            result[name] = part.view_as(gradients[name])
    if sparse:
        n_rows = counts.astype(np.int64).tolist()
        touched = ranks.gather_rows(torch.from_numpy(columns), n_rows)
        rows = ranks.gather_rows(torch.cat([gradients[name] for name in sparse], 1) * share, n_rows)
        columns, place = numbered(torch.cat(touched).numpy())
        sums = rows[0].new_zeros(len(columns), rows[0].shape[1])
        # Rank by rank: the columns of a rank are distinct, so that the order of sums is fixed.
        for part, of_part in zip(torch.from_numpy(place).split(n_rows), rows):
            sums.index_add_(0, part.to(sums.device), of_part)
        widths = [gradients[name].shape[1] for name in sparse]
        result |= dict(zip(sparse, sums.split(widths, dim=1)))
    return {name: result[name] for name in gradients}, columns
