"""pair_importance and permutation_pair_importance: which pairs of fields matter over rows."""

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.utils import Bunch, check_consistent_length, check_random_state, column_or_1d

from .._attributes import model_of
from .._core.tensors import shared_tensor
from .._data.checks import check_dense_target
from .._data.weights import check_weights
from ._columns import encoded_rows, find_fields, take_apart
from ._results import check_choice, check_count, check_output, to_frame
from ._terms import by_field_pair, iter_terms, terms_of

STATISTICS = ("attention", "abs_contribution", "contribution")
METHODS = ("permute", "zero", "uniform")


class PairImportance(Bunch):
    """Result of `pair_importance` or `permutation_pair_importance`."""

    @property
    def pair_names(self) -> list[tuple[str, str]]:
        """Names of the two fields of each pair, most important first."""
        return list(zip(self.fields[self.first].tolist(), self.fields[self.second].tolist()))

    def ranked(self, name: str) -> np.ndarray:
        """A matrix's values in the order of `pair_names`: `name` is "mean", "std", ..."""
        return self[name][self.first, self.second]

    def to_frame(self):
        """The pairs, most important first, as a pandas DataFrame; ImportError without pandas."""
        columns = {"first": self.fields[self.first], "second": self.fields[self.second]}
        matrices = [name for name in ("mean", "std", "std_error", "share") if name in self]
        return to_frame(columns | {name: self.ranked(name) for name in matrices})


class _Moments:
    """Weighted count, mean and squared deviations of numbered values, block by block.

    Blocks are merged as by Chan, Golub and LeVeque (1979), so that values that are all equal
    have a deviation of 0 up to rounding.
    """

    def __init__(self, length: int):
        self.weight, self.mean, self.squares = np.zeros((3, length))

    def add(self, number, value, weight):
        """Count a block's values in."""
        length = len(self.weight)
        added = np.bincount(number, weight, length)
        seen = np.maximum(added, np.finfo(float).tiny)
        mean = np.bincount(number, weight * value, length) / seen
        squares = np.bincount(number, weight * (value - mean[number]) ** 2, length)
        total = np.maximum(self.weight + added, np.finfo(float).tiny)
        step = (mean - self.mean) * (added > 0)
        self.squares += squares + step**2 * added * self.weight / total
        self.mean += step * added / total
        self.weight += added

    @property
    def std(self):
        """Deviation of each number's values."""
        return np.sqrt(self.squares / np.maximum(self.weight, np.finfo(float).tiny))


def pair_importance(
    estimator, X, *, fields="auto", statistic="attention", output=None, sample_weight=None
):
    """Mean attention or contribution of each pair of fields over rows, and its deviation.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` with one
        as its last step.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, as `estimator` predicts them.
    fields : "auto", None, list or dict, default="auto"
        Which columns of the encoded X are one field. "auto" follows each encoded column of a
        Pipeline back through OneHotEncoder, KBinsDiscretizer, ColumnTransformer and what keeps
        columns' names to the input column it comes from; elsewhere each column is a field. None
        makes each encoded column a field. Else a list of one name a column (columns of the same
        name are a field), a list of slices or of arrays of column positions, or a dict of them
        by name.
    statistic : {"attention", "abs_contribution", "contribution"}, default="attention"
        What is averaged of each row: the attention a_ij (1 in an FM), the contribution
        a_ij p . (v_i * v_j) x_i x_j to the raw prediction, or its absolute value. Where a row
        has several pairs of two fields, they are summed first.
    output : int, default=None
        Output (position in ``classes_`` of a classifier of many classes) whose contribution is
        meant. None averages absolute contributions over the outputs; "contribution" of several
        outputs needs a number.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        fields : ndarray of shape (n_fields,)
            Names of the fields.
        mean : ndarray of shape (n_fields, n_fields)
            Mean over all rows, where a row without the pair counts as 0: symmetric; on the
            diagonal, pairs within a field.
        std : ndarray of shape (n_fields, n_fields)
            Deviation over the rows that have the pair. Near 0 beside `mean` says that every
            row gives the pair the same.
        share : ndarray of shape (n_fields, n_fields)
            Weighted share of the rows that have the pair.
        total : ndarray of shape (n_fields,)
            Of each field: half of each of its pairs with another, all of its own; they add up
            to the sum over the pairs, which for attention is 1.
        first, second : ndarray of shape (n_pairs,)
            Positions of the fields of each pair that occurs, by falling absolute mean.
        pair_names : list of (str, str)
            Their names.
        statistic : str
            As given.

        ``result.to_frame()`` is a pandas DataFrame of the pairs, in the same order.

    Raises
    ------
    TypeError
        If `estimator` is neither an FM or AFM estimator nor a Pipeline that ends in one.
    ValueError
        If `fields` does not fit the model's columns, or another parameter is none of its
        choices.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import pair_importance
    >>> X = np.random.default_rng(0).choice(["a", "b", "c"], size=(1000, 4))
    >>> y = 1.0 * (X[:, 1] == X[:, 3])
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> pair_importance(model, X).pair_names[0]
    ('x1', 'x3')
    """
    check_choice("statistic", statistic, STATISTICS)
    encoder, model = take_apart(estimator)
    output = check_output(model, output, statistic if statistic == "contribution" else None)
    fields = find_fields(encoder, model, fields)
    X = encoded_rows(encoder, model, X)
    weight = check_weights(sample_weight, X)
    moments = _Moments(len(fields) ** 2)
    for rows, terms in iter_terms(model, X):
        pairs = by_field_pair(terms, fields)
        moments.add(pairs.pair, row_values(pairs, statistic, output), weight[rows][pairs.row])
    share = moments.weight / weight.sum()
    mean = moments.mean * share
    return _importance(fields, mean, share > 0, std=moments.std, share=share, statistic=statistic)


def row_values(pairs, statistic, output) -> np.ndarray:
    """The statistic of each row and pair of fields, (n,)."""
    if statistic == "attention":
        return pairs.attention
    values = pairs.contribution if statistic == "contribution" else np.abs(pairs.contribution)
    return values.mean(1) if output is None else values[:, output]


def _importance(fields, mean, occurs, *, statistic, **flat) -> PairImportance:
    """From flat arrays over f * n_fields + g, f <= g, to symmetric matrices and a ranking."""
    n_fields = len(fields)
    pairs = np.flatnonzero(occurs)
    pairs = pairs[np.argsort(-np.abs(mean[pairs]), kind="stable")]
    first, second = np.divmod(pairs, n_fields)
    matrices = {}
    for name, values in {"mean": mean, **flat}.items():
        upper = values.reshape(n_fields, n_fields)
        matrices[name] = upper + np.triu(upper, 1).T
    mean = matrices["mean"]
    return PairImportance(
        fields=fields.names,
        **matrices,
        total=(mean.sum(1) + np.diag(mean)) / 2,
        first=first,
        second=second,
        statistic=statistic,
    )


def permutation_pair_importance(
    estimator,
    X,
    y,
    *,
    fields="auto",
    method="permute",
    n_repeats=5,
    sample_weight=None,
    random_state=None,
):
    """How much the loss rises when what each pair of fields contributes is taken away.

    It tells whether predictions rest on the pairs that the attention weighs. Each pair of fields
    is changed alone, in all rows; linear terms and other pairs stay as they are.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` with one
        as its last step.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, as `estimator` predicts them; preferably not those of training.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets or labels.
    fields : "auto", None, list or dict, default="auto"
        Which columns are one field, as in :func:`pair_importance`.
    method : {"permute", "zero", "uniform"}, default="permute"
        What happens to the contribution of the pair. "permute" gives each row that of another
        row, drawn at random: what rests on which levels meet is lost, the mean stays. "zero"
        leaves it out. "uniform" sets the attention of the row's pairs of these two fields to 1 /
        (number of pairs of the row), and asks what the attention alone is worth; an FM has none.
    n_repeats : int, default=5
        Permutations to average over.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    random_state : int, RandomState instance or None, default=None
        Draws the permutations.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        fields : ndarray of shape (n_fields,)
            Names of the fields.
        mean : ndarray of shape (n_fields, n_fields)
            Rise of the mean loss: squared error (a mean over targets) in the target's unit
            squared, or log loss in nats. Symmetric; negative where the change would help.
        std_error : ndarray of shape (n_fields, n_fields)
            Standard error of `mean` over rows.
        loss : float
            Mean loss of the unchanged predictions.
        total : ndarray of shape (n_fields,)
            Of each field: half of each of its pairs with another, all of its own.
        first, second : ndarray of shape (n_pairs,)
            Positions of the fields of each pair that occurs, by falling absolute mean.
        pair_names : list of (str, str)
            Their names.
        statistic : str
            "loss increase".

        ``result.to_frame()`` is a pandas DataFrame of the pairs, in the same order.

    Raises
    ------
    TypeError
        If `estimator` is neither an FM or AFM estimator nor a Pipeline that ends in one.
    ValueError
        If `fields` does not fit the model's columns, `y` has labels that the model does not
        know, or another parameter is none of its choices.

    Notes
    -----
    With "uniform" the attention of the other pairs stays as it is, so that the row's attention
    no longer sums to 1. Scaling the others to sum to 1 would multiply their contributions by
    (1 - 1 / n_pairs) / (1 - a), ten times for a pair with attention .9, and the loss would then
    tell of them instead of this pair.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import permutation_pair_importance
    >>> X = np.random.default_rng(0).choice(["a", "b", "c"], size=(1000, 4))
    >>> y = 1.0 * (X[:, 1] == X[:, 3])
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> found = permutation_pair_importance(model, X, y, random_state=0)
    >>> found.pair_names[0]
    ('x1', 'x3')
    """
    check_choice("method", method, METHODS)
    check_count("n_repeats", n_repeats)
    encoder, model = take_apart(estimator)
    if method == "uniform" and not model_of(model).weighs_pairs:
        raise ValueError(
            f'method="uniform" is about the attention, and {type(model).__name__} has none: '
            'use "permute" or "zero".'
        )
    fields = find_fields(encoder, model, fields)
    X = encoded_rows(encoder, model, X)
    target = _target(model, y, X)
    weight = check_weights(sample_weight, X)
    loss = _row_loss(model)
    # As in a fit, None is a seed of its own: NumPy's global generator is neither read nor moved.
    rng = np.random.RandomState() if random_state is None else check_random_state(random_state)
    orders = [rng.permutation(X.shape[0]) for _ in range(n_repeats if method == "permute" else 0)]

    n_codes = len(fields) ** 2
    total, squares, occurs = np.zeros((3, n_codes))
    baseline = 0.0
    for rows, terms in iter_terms(model, X):
        raw, own = terms.raw_scores(), by_field_pair(terms, fields)
        row_loss = loss(raw, target[rows])
        baseline += weight[rows] @ row_loss
        occurs += np.bincount(own.pair, minlength=n_codes)
        if method == "permute":
            others = (by_field_pair(terms_of(model, X[o[rows]]), fields) for o in orders)
            changes = [_exchange(own, other, n_codes) for other in others]
        elif method == "zero":
            changes = [(own.row, own.pair, -own.contribution)]
        else:
            even = own.score / own.n_row_pairs[:, None]
            changes = [(own.row, own.pair, even - own.contribution)]
        codes, rises = [], []
        for row, pair, change in changes:
            rise = loss(raw[row] + change, target[rows][row]) - row_loss[row]
            codes.append(row * n_codes + pair)
            rises.append(rise / len(changes))
        # Repeats of a row are averaged first: the standard error counts rows.
        code, inverse = np.unique(np.concatenate(codes), return_inverse=True)
        rise = np.bincount(inverse, np.concatenate(rises), len(code))
        row, pair = np.divmod(code, n_codes)
        total += np.bincount(pair, weight[rows][row] * rise, n_codes)
        squares += np.bincount(pair, weight[rows][row] * rise**2, n_codes)
    mean = total / weight.sum()
    variance = np.maximum(squares / weight.sum() - mean**2, 0)
    std_error = np.sqrt(variance * (weight**2).sum()) / weight.sum()
    result = _importance(fields, mean, occurs > 0, std_error=std_error, statistic="loss increase")
    result.loss = float(baseline / weight.sum())
    return result


def _exchange(own, other, n_codes):
    """Row, pair and change of each contribution of `own` when it becomes that of `other`."""
    codes = np.concatenate([part.row * n_codes + part.pair for part in (own, other)])
    values = np.concatenate([-own.contribution, other.contribution])
    code, inverse = np.unique(codes, return_inverse=True)
    change = [np.bincount(inverse, column, len(code)) for column in values.T]
    return *np.divmod(code, n_codes), np.stack(change, axis=1)


def _target(model, y, X) -> np.ndarray:
    """Targets (n_rows, n_outputs), or positions of the labels (n_rows, 1)."""
    check_dense_target(y)
    check_consistent_length(X, y)
    if is_classifier(model):
        y = column_or_1d(y)
        unknown = np.setdiff1d(y, model.classes_)
        if len(unknown):
            raise ValueError(
                f"y has labels that the model does not know: {unknown[:5].tolist()}; "
                f"its classes are {model.classes_[:10].tolist()}."
            )
        return np.searchsorted(model.classes_, y)[:, None].astype(np.float64)
    y = np.asarray(y, dtype=np.float64).reshape(X.shape[0], -1)
    n_outputs = np.size(model.bias_)
    if y.shape[1] != n_outputs:
        raise ValueError(f"y has {y.shape[1]} targets, but the model predicts {n_outputs}.")
    missing = ~np.isfinite(y).all(axis=1)
    if missing.any():
        raise ValueError(
            f"y is NaN or infinite in {np.count_nonzero(missing)} of {len(y)} rows, first in row "
            f"{missing.argmax()}: no loss can be told for them. Drop these rows of X and y."
        )
    return y


def _row_loss(model):
    """The model's loss of each row, from raw scores and targets."""
    terms = model._loss.terms

    def loss(raw, target):
        return terms(torch.from_numpy(raw), shared_tensor(target, "cpu")).mean(1).numpy()

    return loss
