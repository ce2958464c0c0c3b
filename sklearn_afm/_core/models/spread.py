"""How uneven the attention of a model is over the pairs of rows."""

import math
from typing import Any

import torch

from ..batches.batches import Batcher
from .model import Parameters
from .prediction import MAX_PREDICTION_COST, parameters_by_feature

# Standard deviation over pairs, in units of the mean, below which attention is called even.
EVEN_ATTENTION = 0.01


@torch.no_grad()
def attention_spread(model: Any, parameters: Parameters, X: Any, one_hot: bool) -> float:
    """Standard deviation of |R| a_ij over the pairs of all rows.

    The attention of a row of |R| pairs sums to 1. Times |R| it has a mean of 1 in every row, so
    that rows of different lengths can be compared.

    Parameters
    ----------
    model : Model
        It has a method `attention(parameters, group)`, which gives (n_rows, n_pairs).
    parameters : dict of Tensor
    X : csr_array
        Canonical.
    one_hot : bool
        All values are 1.
    """
    batcher = Batcher(X.shape[1], model.row_cost, MAX_PREDICTION_COST)
    batch = batcher.batch(X.indptr, X.indices, None if one_hot else X.data)
    local = parameters_by_feature(model, parameters, batch)
    squares, n_pairs = 0.0, 0
    for group in batch.groups:
        length = (group.features < batch.n_features).sum(axis=1)
        count = torch.from_numpy(length * (length - 1) // 2).to(local["embeddings"])[:, None]
        if group.features.shape[1] < 2:
            continue
        attention = model.attention(local, group)
        deviation = torch.where(attention > 0, count * attention - 1, 0.0)
        squares += float(deviation.square().sum())
        n_pairs += int(count.sum())
    return math.sqrt(squares / max(1, n_pairs))


def spread_in_words(spread: float) -> str:
    """The line of it that `verbose` shows."""
    even = ": it stayed even" if spread < EVEN_ATTENTION else ""
    return f"attention varies by {100 * spread:.3g}% of its mean from pair to pair{even}"
