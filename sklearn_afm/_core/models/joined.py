"""Raw scores of joined rows: every row of one matrix with every row of another.

A joined row has the entries of both. Its interactions are those within either row, which are
computed once for each row, and those between the two. A model may have a short cut for these
(`Joiner`). If not, the joined rows are built, a part at a time.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from scipy import sparse

from ..batches.batches import Batch, Batcher, entries
from ..batches.columns import look_up, rows_of_group
from .model import Model, Parameters
from .prediction import MAX_PREDICTION_COST, parameters_by_feature, predict

# Entries, and rows, of the parts of either matrix that are joined at once. Between two parts there
# are at most as many pairs as their product, unless a row alone has more entries.
FIRST_ENTRIES, SECOND_ENTRIES = 1 << 10, 1 << 12


class JoinedRows:
    """Raw scores of each row of `first` joined with each row of `second`.

    Parameters
    ----------
    model : Model
        Of one output.
    parameters : dict of Tensor
    first, second : csr_array
        Canonical, of one width. No column has entries in both.
    """

    def __init__(self, model: Model, parameters: Parameters, first: Any, second: Any):
        self._model, self._parameters = model, parameters
        self._first, self._second = first, second
        self._one_hot = bool((first.data == 1).all() and (second.data == 1).all())
        # A model that is no sum over pairs has none, whatever it inherits.
        self._joiner = None if model.pair_terms is None else model.joiner(parameters)
        cost = model.row_cost
        self._batcher = Batcher(first.shape[1], cost, MAX_PREDICTION_COST)
        self._parts = list(row_parts(second.indptr, SECOND_ENTRIES))
        self._sides = [self._side(second[part]) for part in self._parts] if self._joiner else []

    @torch.no_grad()
    def __call__(self, rows: slice) -> np.ndarray:
        """Raw scores of some rows of `first`: (n_rows, n_second), float64."""
        block = self._first[rows]
        result = np.empty((block.shape[0], self._second.shape[0]))
        for part in row_parts(block.indptr, FIRST_ENTRIES):
            own = block[part]
            side = self._side(own) if self._joiner else None
            for number, columns in enumerate(self._parts):
                found = self._joined(side, number)
                if found is None:
                    found = self._of_rows(own, self._second[columns])
                result[part, columns] = found
        return result

    @torch.no_grad()
    def _side(self, X: Any) -> tuple[torch.Tensor, Any]:
        """The linear part of some rows, and what the joiner keeps of them."""
        assert self._joiner is not None
        batch = self._batcher.batch(X.indptr, *entries(X.indptr, X, self._one_hot))
        local = parameters_by_feature(self._model, self._parameters, batch)
        return _linear(local, batch), self._joiner.side(local, batch)

    def _joined(self, side: Any, number: int) -> np.ndarray | None:
        if side is None:
            return None
        (linear, first), (other_linear, second) = side, self._sides[number]
        assert self._joiner is not None
        interactions = self._joiner(first, second)
        if interactions is None:
            return None
        linear = self._parameters["bias"] + linear
        return (interactions + linear[:, None] + other_linear).cpu().numpy()

    def _of_rows(self, first: Any, second: Any) -> np.ndarray:
        raw = predict(self._model, self._parameters, every_pair(first, second))
        return raw.reshape(first.shape[0], second.shape[0])


def _linear(local: Parameters, batch: Batch) -> torch.Tensor:
    weights = local["linear_weights"]
    result = weights.new_empty(len(batch.row_lengths))
    for group in batch.groups:
        result[rows_of_group(group, result.device)] = look_up(weights, group).sum(1)[:, 0]
    return result


def row_parts(indptr: np.ndarray, most: int) -> Iterator[slice]:
    """Consecutive rows with at most this many entries and rows together; or one row."""
    cost = indptr.astype(np.int64) + np.arange(len(indptr))
    start = 0
    while start < len(indptr) - 1:
        stop = int(np.searchsorted(cost, cost[start] + most, side="right")) - 1
        stop = max(start + 1, stop)
        yield slice(start, stop)
        start = stop


def every_pair(first: Any, second: Any) -> Any:
    """The joined rows as CSR: the first row with all rows of `second`, then the next."""
    n_first, n_second = first.shape[0], second.shape[0]
    one, other = np.repeat(np.arange(n_first), n_second), np.tile(np.arange(n_second), n_first)
    return sparse.csr_array(first[one] + second[other])
