"""Compute the terms of predictions (Eq. 6), linear and one per pair, a block of rows at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from .._attributes import crosses_of, model_of, parameters_of, unseen_of
from .._core.batches.batches import Batcher
from .._core.batches.columns import by_feature
from .._core.pairs.pairs import pair_positions
from ._columns import Fields

# Pairs in one block of rows. Each pair takes some hundred bytes while it is computed.
PAIRS_PER_BLOCK = 1 << 17
# Numbers of one rectangle of rows, so that their embeddings stay small too.
_MAX_COST = 1 << 22


@dataclass
class Terms:
    """Terms of a block of rows: one element per entry, and one per pair.

    Pairs are in no particular order. Rows are numbered from the first row of the block. All terms
    are in the unit of the raw scores.
    """

    bias: np.ndarray  # (n_outputs,)
    n_rows: int
    entry_row: np.ndarray  # (n_entries,)
    column: np.ndarray  # (n_entries,)
    linear: np.ndarray  # (n_entries, n_outputs)  w_i x_i
    pair_row: np.ndarray  # (n_pairs,)
    first: np.ndarray  # (n_pairs,) column; smaller than
    second: np.ndarray  # (n_pairs,) this one
    attention: np.ndarray  # (n_pairs,)  a_ij; 1 in an FM
    score: np.ndarray  # (n_pairs, n_outputs)  p . (v_i * v_j) x_i x_j, times the row's share
    cross: np.ndarray  # (n_pairs, n_outputs)  w_ij x_i x_j of the pairs that are crosses
    unseen: np.ndarray | float = 0.0  # (n_rows, n_outputs) of the mean over unseen levels

    @property
    def contribution(self) -> np.ndarray:
        """What each pair adds to the raw scores: (n_pairs, n_outputs)."""
        return self.attention[:, None] * self.score + self.cross

    def linear_sums(self) -> np.ndarray:
        """Linear part of each row: (n_rows, n_outputs)."""
        return _sums(self.entry_row, self.linear, self.n_rows)

    def interaction_sums(self) -> np.ndarray:
        """Interaction part of each row: (n_rows, n_outputs)."""
        return _sums(self.pair_row, self.contribution, self.n_rows)

    def raw_scores(self) -> np.ndarray:
        """What the model predicts: (n_rows, n_outputs)."""
        return self.bias + self.linear_sums() + self.interaction_sums() + self.unseen


@dataclass
class FieldPairTerms:
    """Terms of a block, summed over the pairs of each row and two fields; sorted by row."""

    row: np.ndarray  # (n,)
    pair: np.ndarray  # (n,) f * n_fields + g with f <= g
    attention: np.ndarray  # (n,)
    score: np.ndarray  # (n, n_outputs)
    cross: np.ndarray  # (n, n_outputs)
    contribution: np.ndarray  # (n, n_outputs)
    n_pairs: np.ndarray  # (n,) pairs of the row, of these two fields
    n_row_pairs: np.ndarray  # (n,) pairs of the row, of all fields


def iter_terms(model, X) -> Iterator[tuple[slice, Terms]]:
    """Yield blocks of rows of a canonical CSR matrix (as slices), and their terms."""
    for rows in row_blocks(X):
        yield rows, terms_of(model, X[rows])


def row_blocks(X) -> Iterator[slice]:
    """Yield slices of rows whose number of pairs and entries is bounded."""
    length = np.diff(X.indptr).astype(np.int64)
    block = np.cumsum(length * (length + 1) // 2 + 1) // PAIRS_PER_BLOCK
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    yield from (slice(*ends) for ends in zip(starts, [*starts[1:], len(length)]))


def terms_of(estimator, X) -> Terms:
    """The terms of all rows of X, in float64: they add up whatever the model's precision."""
    model, parameters = model_of(estimator), parameters_of(estimator)
    one_hot = bool((X.data == 1).all())
    k = parameters["embeddings"].shape[1]
    batcher = Batcher(
        X.shape[1], lambda width: width * (k + width * (4 + model.n_outputs)), _MAX_COST
    )
    batch = batcher.batch(X.indptr, X.indices, None if one_hot else X.data)
    columns = batch.columns
    if batch.feature_columns is not None:
        columns = columns[batch.feature_columns]
    local = {}
    for name, array in parameters.items():
        if name in model.per_column:
            rows = torch.from_numpy(array[batch.columns].astype(np.float64))
            local[name] = by_feature(rows, batch)
        else:
            local[name] = torch.tensor(array, dtype=torch.float64, device="cpu")
    parts = [
        _group_pairs(model, local, group, np.append(columns, -1))
        for group in batch.groups
        if group.features.shape[1] > 1
    ] or [_no_pairs(model.n_outputs)]
    pairs = [np.concatenate(arrays) for arrays in zip(*parts)]
    cross = _crosses_of_pairs(crosses_of(estimator), X, *pairs[:3], model.n_outputs)
    length = np.diff(X.indptr)
    weights = parameters["linear_weights"][X.indices].astype(np.float64)
    terms = Terms(
        parameters["bias"].astype(np.float64),
        X.shape[0],
        np.repeat(np.arange(X.shape[0]), length),
        X.indices.astype(np.int64),
        weights * X.data[:, None],
        *pairs,
        cross,
    )
    unseen, raw = unseen_of(estimator), terms.raw_scores()
    if unseen is not None:
        terms.unseen = unseen.averaged(raw, X, estimator._loss) - raw
    return terms


def _crosses_of_pairs(crosses, X, row, first, second, n_outputs: int) -> np.ndarray:
    """What each pair has as a cross, (n_pairs, n_outputs)."""
    result = np.zeros((len(row), n_outputs))
    if crosses is None or not len(row):
        return result
    code = (row * X.shape[1] + first) * X.shape[1] + second
    order = np.argsort(code)
    for part in crosses.found(X):
        wanted = (part.row * X.shape[1] + part.first) * X.shape[1] + part.second
        place = order[np.searchsorted(code, wanted, sorter=order)]
        result[place] = crosses.weights[part.cross] * part.factor[:, None]
    return result


@torch.no_grad()
def _group_pairs(model, parameters, group, columns):
    """Row, columns, attention and score of each pair of a group; columns[-1]: padding."""
    later, earlier = pair_positions(group.features.shape[1])
    attention, score = (values.numpy() for values in model.pair_terms(parameters, group))
    if isinstance(group.rows, slice):
        rows = np.arange(group.rows.start, group.rows.stop)
    else:
        rows = group.rows
    rectangle = columns[group.features]
    real = rectangle[:, later] >= 0  # padding is at the end of a row
    return (
        np.repeat(rows, real.sum(1)),
        rectangle[:, earlier][real],
        rectangle[:, later][real],
        attention[real],
        score[real],
    )


def _no_pairs(n_outputs):
    index = np.empty(0, dtype=np.int64)
    return index, index, index, np.empty(0), np.empty((0, n_outputs))


def by_field_pair(terms: Terms, fields: Fields) -> FieldPairTerms:
    """Sum the terms of each row over the pairs of two fields."""
    one, other = fields.of_column[terms.first], fields.of_column[terms.second]
    pair = np.minimum(one, other) * len(fields) + np.maximum(one, other)
    code, inverse = np.unique(terms.pair_row * len(fields) ** 2 + pair, return_inverse=True)
    row, pair = np.divmod(code, len(fields) ** 2)
    return FieldPairTerms(
        row,
        pair,
        np.bincount(inverse, terms.attention, len(code)),
        _sums(inverse, terms.score, len(code)),
        _sums(inverse, terms.cross, len(code)),
        _sums(inverse, terms.contribution, len(code)),
        np.bincount(inverse, minlength=len(code)),
        np.bincount(terms.pair_row, minlength=terms.n_rows)[row],
    )


def _sums(number, values, length):
    """Column sums (length, n_outputs) of the values of each number."""
    return np.stack([np.bincount(number, column, length) for column in values.T], axis=1)
