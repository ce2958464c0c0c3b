"""Raw scores of rows: bias + linear + projected pooled interactions, several outputs.

Parameters are a dict of tensors; those in `TABLES` have one row a column of X.
"""

import math

import numpy as np
import torch
from torch import Tensor

from .allocator import keep_freed_memory
from .batches import Batch, Batcher, RowGroup, entries
from .memory import in_groups_that_fit
from .pooling import AttentionPooling, SumPooling, dropout, look_up

TABLES = ("linear_weights", "embeddings")

# Entries of the rows, and numbers of a group of them, of which prediction takes care at once.
PREDICTION_ENTRIES = 1 << 17
MAX_PREDICTION_COST = 1 << 22


class FactorizationModel:
    """Linear part and pooled interactions (Eq. 6).

    Parameters
    ----------
    pooling : SumPooling or AttentionPooling
    dropout : float
        Share of the pooled k-vector that training sets to 0.
    """

    def __init__(self, pooling: SumPooling | AttentionPooling, dropout: float = 0.0):
        self.pooling = pooling
        self.dropout = dropout

    def training_scores(
        self, parameters: dict[str, Tensor], group: RowGroup, generator: torch.Generator
    ) -> Tensor:
        """Raw scores (n_rows, n_outputs) with dropout; tables have one row a feature."""
        pooled = self.pooling(parameters["embeddings"], group, parameters, generator)
        if self.dropout:
            pooled = dropout(pooled, self.dropout, generator)
        linear = look_up(parameters["linear_weights"], group).sum(1)
        return parameters["bias"] + linear + pooled @ parameters["projection"].T

    @torch.no_grad()
    def predict(self, parameters: dict[str, Tensor], X) -> np.ndarray:
        """Raw scores (n_rows, n_outputs) of a canonical CSR matrix."""
        keep_freed_memory()
        one_hot = bool((X.data == 1).all())
        score = self.pooling.scorer(parameters, X.shape[1], one_hot)
        batcher = Batcher(X.shape[1], score.row_cost, MAX_PREDICTION_COST)

        def renew_scorer():
            nonlocal score  # what it remembers may be half done
            score = self.pooling.scorer(parameters, X.shape[1], one_hot)

        def predict_batch(batch):
            return _predict_batch(parameters, batch, score)

        bias = parameters["bias"]
        result = bias.new_empty(X.shape[0], len(bias))
        step = max(1, PREDICTION_ENTRIES * X.shape[0] // max(1, X.nnz))
        for start in range(0, X.shape[0], step):
            indptr = X.indptr[start : start + step + 1]
            csr = (indptr, *entries(indptr, X, one_hot))
            result[start : start + step] = in_groups_that_fit(
                batcher, csr, predict_batch, renew_scorer
            )
        return result.cpu().numpy()


@torch.no_grad()
def attention_spread(pooling: AttentionPooling, parameters: dict[str, Tensor], X, one_hot) -> float:
    """Standard deviation of |R| a_ij over the pairs of all rows: 0 where attention is even.

    The attention of a row of |R| pairs sums to 1. Times |R| it has a mean of 1 in every row, so
    that rows of different lengths can be compared.
    """
    batcher = Batcher(X.shape[1], pooling.row_cost, MAX_PREDICTION_COST)
    batch = batcher.batch(X.indptr, X.indices, None if one_hot else X.data)
    tables = column_tables(parameters, batch)
    embeddings = feature_table(tables["embeddings"], batch)
    squares, n_pairs = 0.0, 0
    for group in batch.groups:
        length = (group.features < batch.n_features).sum(axis=1)
        count = torch.from_numpy(length * (length - 1) // 2).to(embeddings)[:, None]
        if group.features.shape[1] < 2:
            continue
        attention = pooling.attention(embeddings, group, parameters)
        deviation = torch.where(attention > 0, count * attention - 1, 0.0)
        squares += float(deviation.square().sum())
        n_pairs += int(count.sum())
    return math.sqrt(squares / max(1, n_pairs))


def _predict_batch(parameters, batch, score) -> Tensor:
    bias = parameters["bias"]
    tables = column_tables(parameters, batch)
    local = {name: feature_table(rows, batch) for name, rows in tables.items()}
    result = bias.new_empty(len(batch.row_lengths), len(bias))
    for group in batch.groups:
        raw = bias + look_up(local["linear_weights"], group).sum(1)
        raw += score(local["embeddings"], group, batch.columns)
        result[rows_of(group, result.device)] = raw
    return result


def column_tables(parameters: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """The rows of each table that belong to the batch's columns."""
    columns = torch.from_numpy(batch.columns).to(parameters["linear_weights"].device)
    return {name: parameters[name].index_select(0, columns) for name in TABLES}


def feature_table(rows: Tensor, batch: Batch) -> Tensor:
    """From one row a column to one row a feature, times x_i."""
    if batch.feature_columns is None:
        return rows
    columns, values = _feature_arrays(batch, rows)
    return rows.index_select(0, columns).mul_(values)


def column_gradient(d_features: Tensor, batch: Batch) -> Tensor:
    """The transpose of `feature_table`: from one row a feature to one row a column."""
    if batch.feature_columns is None:
        return d_features
    columns, values = _feature_arrays(batch, d_features)
    d_rows = d_features.new_zeros(len(batch.columns), d_features.shape[1])
    return d_rows.index_add_(0, columns, d_features * values)


def _feature_arrays(batch, like):
    columns = torch.from_numpy(batch.feature_columns).to(like.device)
    values = torch.from_numpy(batch.feature_values).to(like.device, like.dtype)
    return columns, values[:, None]


def rows_of(group: RowGroup, device: torch.device) -> Tensor | slice:
    """Positions of a group's rows in its batch, to index tensors with."""
    if isinstance(group.rows, slice):
        return group.rows
    return torch.from_numpy(group.rows).to(device)
