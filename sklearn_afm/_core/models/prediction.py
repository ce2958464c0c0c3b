"""Raw scores of the rows of a matrix, a block of rows at a time."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..batches.allocator import keep_freed_memory
from ..batches.batches import Batch, Batcher, entries
from ..batches.columns import by_feature, look_up, rows_of_columns, rows_of_group
from ..batches.memory import in_groups_that_fit
from .model import Model, Parameters, Scorer

# Entries of a block of rows, and floats of a group of them.
PREDICTION_ENTRIES = 1 << 17
MAX_PREDICTION_COST = 1 << 22


@torch.no_grad()
def predict(model: Model, parameters: Parameters, X: Any) -> np.ndarray:
    """Raw scores (n_rows, n_outputs) of a canonical CSR matrix."""
    keep_freed_memory()
    one_hot = bool((X.data == 1).all())
    scorer = model.scorer(parameters, X.shape[1], one_hot)
    batcher = Batcher(X.shape[1], scorer.row_cost, MAX_PREDICTION_COST)

    def renew_scorer() -> None:
        nonlocal scorer  # what it remembers may be half done
        scorer = model.scorer(parameters, X.shape[1], one_hot)

    def predict_batch(batch: Batch) -> Tensor:
        return _predict_batch(model, parameters, batch, scorer)

    bias = parameters["bias"]
    result = bias.new_empty(X.shape[0], len(bias))
    step = max(1, PREDICTION_ENTRIES * X.shape[0] // max(1, X.nnz))
    for start in range(0, X.shape[0], step):
        indptr = X.indptr[start : start + step + 1]
        csr = (indptr, *entries(indptr, X, one_hot))
        result[start : start + step] = in_groups_that_fit(batcher, csr, predict_batch, renew_scorer)
    return result.cpu().numpy()


def _predict_batch(model: Model, parameters: Parameters, batch: Batch, scorer: Scorer) -> Tensor:
    local = parameters_by_feature(model, parameters, batch)
    bias = parameters["bias"]
    result = bias.new_empty(len(batch.row_lengths), len(bias))
    for group in batch.groups:
        raw = bias + look_up(local["linear_weights"], group).sum(1)
        raw += scorer(local, group, batch.columns)
        result[rows_of_group(group, result.device)] = raw
    return result


def parameters_by_feature(model: Model, parameters: Parameters, batch: Batch) -> Parameters:
    """The parameters; those with one row per column have one row per feature of the batch."""
    features = {
        name: by_feature(rows_of_columns(parameters[name], batch), batch)
        for name in model.per_column
    }
    return parameters | features
