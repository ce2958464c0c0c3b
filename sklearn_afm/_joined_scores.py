"""Raw scores of a fitted estimator for joined rows: each row of one matrix with each of another."""

import numpy as np
from scipy import sparse

from ._attributes import crosses_of, model_of, parameters_of, unseen_of
from ._core.batches.memory import torch_memory_errors
from ._core.devices import prediction_device
from ._core.models.joined import JoinedRows
from ._core.tensors import shared_tensor
from ._linear.crosses import Crosses


class JoinedScores:
    """Raw scores of each row of `first` with each row of `second`, as `raw_scores` gives them.

    Parameters
    ----------
    estimator : estimator
        Fitted, of one output.
    first, second : csr_array
        Centred canonical rows of known entries. No column has entries in both. A joined row has
        the entries of both.
    """

    def __init__(self, estimator, first: sparse.csr_array, second: sparse.csr_array):
        model, device = model_of(estimator), prediction_device(estimator.device)
        arrays = parameters_of(estimator, model)
        tensors = {name: shared_tensor(array, device) for name, array in arrays.items()}
        with torch_memory_errors():
            self._formula = JoinedRows(model, tensors, first, second)
        crosses = crosses_of(estimator)
        self._crosses = None if crosses is None else _JoinedCrosses(crosses, first, second)
        self._unseen, self._loss = unseen_of(estimator), estimator._loss
        if self._unseen is not None:
            self._lacking = [self._unseen.lacking(X) for X in (first, second)]

    def __call__(self, rows: slice) -> np.ndarray:
        """Raw scores (n_rows, n_second) of some rows of `first`."""
        with torch_memory_errors():
            raw = self._formula(rows)
        if self._crosses is not None:
            raw += self._crosses(rows)
        if self._unseen is not None:
            first, second = self._lacking
            first = type(first)(*(part[rows] for part in first))
            raw = self._unseen.averaged_joined(raw, first, second, self._loss)
        finite = np.isfinite(raw)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise ValueError(
                f"The prediction is infinite or NaN for {np.count_nonzero(~finite)} of {raw.size} "
                f"pairs, first for context {rows.start + row} with item {column}. Clip or scale "
                "their values as they were for training."
            )
        return raw


class _JoinedCrosses:
    """What crosses add to joined rows: those within either row, and those between the two."""

    def __init__(self, crosses: Crosses, first: sparse.csr_array, second: sparse.csr_array):
        self._first = first
        self._within = [crosses.scores(X)[:, 0] for X in (first, second)]
        matrix = crosses.matrix(first.shape[1])
        used = np.zeros(first.shape[1], dtype=bool)
        used[second.indices] = True
        columns = np.flatnonzero(used & (np.diff(matrix.indptr) > 0))
        self._weights, self._second = matrix[:, columns], second[:, columns].tocsr()

    def __call__(self, rows: slice) -> np.ndarray:
        # (n_second, n_rows): a sparse matrix times a dense one, whose rows are contiguous.
        of_columns = (self._first[rows] @ self._weights).T.toarray(order="C")
        first, second = self._within
        return (self._second @ of_columns).T + first[rows, None] + second
