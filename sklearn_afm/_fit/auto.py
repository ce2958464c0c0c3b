"""Settings that depend on the rows: what "auto" means, learning rates, penalties."""

import numpy as np

from .._core.models.model import Model
from .._core.ranks import sum_over_ranks

# Rates for short rows, as multiples of 1 / sqrt(embedding_dim).
_RATES = {"adagrad": 0.8, "adam": 0.04, "sgd": 0.8}
# Of a loss of logarithms: exp bends more with every step up, and a step too far is hard to undo.
_SLOW = 1 / 3
# Entries of a short row, and how much longer than usual a column's rows are to get their own rate.
_SHORT_ROW, _FAR_LONGER = 10, 4
# Rows above which an AFM without early stopping overfits.
_MANY_ROWS = 1_500
# Entries of a row up to which penalties of embeddings are taken as they are given.
_USUAL_ENTRIES = 20
# Strengths where none are learnt: of linear weights, of an FM's embeddings, of other embeddings.
_OF_LINEAR_WEIGHTS, _OF_FM, _OF_OTHERS = 0.5, 10.0, 1.0


def batch_size(asked, n_rows: int, n_ranks: int = 1) -> int:
    """Rows per step and rank: enough steps for few rows, enough equal pairs in a batch for many."""
    if asked != "auto":
        return asked
    return max(1, int(np.clip(2 ** int(np.log2(max(1, n_rows / 32))), 64, 512)) // n_ranks)


def stops_early(asked, n_rows: int, has_validation: bool) -> bool:
    """Whether early stopping is on."""
    return asked is True or (asked == "auto" and (has_validation or n_rows > _MANY_ROWS))


def learning_rate(asked, optimizer: str, embedding_dim: int, X, log_link: bool) -> float:
    """The learning rate.

    A step of size r in every coordinate moves the raw score of a row of m entries by m r and
    m^2 r^2 k / 2. So the rate that a model bears falls with m and sqrt(k).
    """
    if asked != "auto":
        return float(asked)
    rate = _RATES[optimizer] / np.sqrt(embedding_dim) * (_SLOW if log_link else 1.0)
    n_entries, n_rows = sum_over_ranks(np.array([X.nnz, X.shape[0]]))
    return float(rate * min(1.0, _SHORT_ROW / max(1.0, n_entries / n_rows)))


def rates(estimator, model: Model, rate: float, X, column_weight) -> dict[str, float | np.ndarray]:
    """Learning rate of each parameter; (n_columns, 1) if its columns differ."""
    result: dict[str, float | np.ndarray] = {p.name: rate for p in model.parameters}
    if estimator.learning_rate == "auto":
        result |= dict.fromkeys(model.per_column, _rates_of_columns(rate, X))
    for parameter in model.parameters:
        if parameter.rate is not None:
            factor = getattr(estimator, parameter.rate)
            result[parameter.name] = rate * _rate_factor(factor, column_weight)
    return result


def _rates_of_columns(rate: float, X) -> float | np.ndarray:
    """A rate per column if a few rows are far longer than the others, else one rate."""
    length = np.diff(X.indptr).astype(np.float64)
    count = np.bincount(X.indices, minlength=X.shape[1])
    total = np.bincount(X.indices, np.repeat(length, np.diff(X.indptr)), X.shape[1])
    count, total = sum_over_ranks(np.stack([count, total]))
    mean = np.divide(total, count, where=count > 0, out=np.zeros(X.shape[1]))
    n_entries, n_rows = sum_over_ranks(np.array([X.nnz, X.shape[0]]))
    usual = max(_SHORT_ROW, n_entries / n_rows)
    if not len(mean) or mean.max() <= _FAR_LONGER * usual:
        return rate
    return (rate * np.minimum(1, usual / np.maximum(mean, 1)))[:, None]


def _rate_factor(asked, column_weight) -> float:
    """What multiplies the rate of a network.

    With few rows per column, a fast attention network overfits: it gives all attention to a few
    pairs, and these are fitted to the noise of single rows.
    """
    if asked != "auto":
        return asked
    rows = column_weight.sum() / max(1, np.count_nonzero(column_weight))
    return float(np.clip(rows / 1000, 0.1, 1))


def strength(estimator, model: Model, name: str) -> float:
    """A strength; "auto" is what it is before a fit has learnt it.

    Embeddings that are not those of an FM start larger, or have less to say in each product: under
    the strength that suits an FM they would vanish before anything is learnt from them.
    """
    asked = getattr(estimator, name)
    if not isinstance(asked, str):
        return asked
    if name == "l2_linear":
        return _OF_LINEAR_WEIGHTS
    return _OF_OTHERS if model.fm is None else _OF_FM


def penalties(estimator, model: Model, median_length: int) -> dict[str, float]:
    """Strength of each parameter's penalty.

    A row of m entries has m linear terms and m^2 / 2 pairs. At one strength, rows of 200 entries
    would leave the interactions as much room as the linear part. So the penalty of embeddings grows
    with m.
    """
    crowding = max(1.0, median_length / _USUAL_ENTRIES)
    return {
        p.name: strength(estimator, model, p.strength) * (crowding if p.pairwise else 1.0)
        for p in model.parameters
        if p.strength is not None
    }
