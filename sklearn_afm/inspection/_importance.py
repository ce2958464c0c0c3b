"""pair_importance and permutation_pair_importance: which pairs of fields matter over many rows."""

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
        """Values of the matrix `name` ("mean", "std", ...) in the order of `pair_names`."""
        return self[name][self.first, self.second]

    def to_frame(self):
        """Make a pandas DataFrame of the pairs, most important first.

        Raises ImportError if pandas is not installed.
        """
        columns = {"first": self.fields[self.first], "second": self.fields[self.second]}
        matrices = [name for name in ("mean", "std", "std_error", "share") if name in self]
        return to_frame(columns | {name: self.ranked(name) for name in matrices})


class _Moments:
    """Weighted count, mean and sum of squared deviations, for values of several groups.

    Values come block by block, each with the number of its group. Blocks are merged by the method
    of Chan, Golub and LeVeque (1979): if all values are equal, the deviation is 0 up to rounding.
    """

    def __init__(self, length: int):
        self.weight, self.mean, self.squares = np.zeros((3, length))

    def add(self, number, value, weight):
        """Include the values of one block."""
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
        """Standard deviation of the values of each group."""
        return np.sqrt(self.squares / np.maximum(self.weight, np.finfo(float).tiny))


def pair_importance(
    estimator, X, *, fields="auto", statistic="attention", output=None, sample_weight=None
):
    """Compute the mean attention or contribution of each pair of fields, and its deviation.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, in the form that `estimator.predict` takes.
    fields : "auto", None, list or dict, default="auto"
        Which columns of the encoded X form one field:

        - "auto": in a Pipeline, all encoded columns that come from the same input column form one
          field. They are traced back through OneHotEncoder, KBinsDiscretizer, ColumnTransformer
          and transformers that keep column names. Without a Pipeline, or if they cannot be
          traced, each column is a field.
        - None: each encoded column is a field.
        - list of str: one name per column. Columns with the same name form one field.
        - list of slices or of arrays of column positions: one per field.
        - dict: name of each field and its slice or array.
    statistic : {"attention", "abs_contribution", "contribution"}, default="attention"
        What is averaged over rows: the attention a_ij (1 in an FM), the contribution
        a_ij p . (v_i * v_j) x_i x_j to the raw score, or the absolute value of the contribution.
        If a row has several pairs of the same two fields, they are summed first.
    output : int, default=None
        Number of the output whose contributions are averaged, from 0. The outputs of a classifier
        with more than two classes are in the order of ``classes_``. If None, absolute
        contributions are averaged over the outputs. Required if `statistic` is "contribution"
        and the model has several outputs.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        fields : ndarray of shape (n_fields,)
            Names of the fields.
        mean : ndarray of shape (n_fields, n_fields)
            Mean over all rows. A row without the pair counts as 0. The matrix is symmetric; its
            diagonal is for pairs within one field.
        std : ndarray of shape (n_fields, n_fields)
            Standard deviation over the rows that have the pair. If it is much smaller than
            `mean`, all these rows have nearly the same value.
        share : ndarray of shape (n_fields, n_fields)
            Share of the rows that have the pair, by weight.
        total : ndarray of shape (n_fields,)
            Total of each field: half the mean of each pair with another field, plus the mean of
            the pairs within the field. The totals add up to the sum of the means of all pairs. For
            the attention of an AFM, this sum is the share of the rows that have a pair, by weight:
            the attention of such a row sums to 1, and a row without a pair has none.
        first, second : ndarray of shape (n_pairs,)
            Positions in `fields` of the two fields of each pair that occurs, sorted by absolute
            mean, largest first.
        pair_names : list of (str, str)
            Names of the two fields of each pair, in the same order.
        statistic : str
            The parameter `statistic`.

        ``result.to_frame()`` is a pandas DataFrame of the pairs, in the same order.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `fields` does not fit the model's columns, or if another parameter has a value that is
        not allowed.

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
    """Return the statistic of each row and pair of fields, (n,)."""
    if statistic == "attention":
        return pairs.attention
    values = pairs.contribution if statistic == "contribution" else np.abs(pairs.contribution)
    return values.mean(1) if output is None else values[:, output]


def _importance(fields, mean, occurs, *, statistic, **flat) -> PairImportance:
    """Make the result: symmetric matrices of flat arrays, and a ranking of the pairs.

    The element f * n_fields + g of a flat array belongs to the fields f <= g.
    """
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
    """Compute how much the loss rises if the contribution of each pair of fields is taken away.

    This tests whether predictions really depend on the pairs that have much attention. The
    contributions of one pair of fields are changed at a time, in all rows. Linear terms and other
    pairs stay as they are.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, in the form that `estimator.predict` takes. Preferably they are not training rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets or labels of the rows.
    fields : "auto", None, list or dict, default="auto"
        Which columns of the encoded X form one field, as in :func:`pair_importance`.
    method : {"permute", "zero", "uniform"}, default="permute"
        How the contribution of the pair is changed:

        - "permute": each row gets the contribution of another row, drawn at random. The effect of
          which levels meet in the row is lost; the mean contribution stays.
        - "zero": the contribution is left out.
        - "uniform": the attention of the row's pairs of these two fields becomes 1 / (number of
          pairs of the row). This measures the value of the attention alone. It is not allowed for
          an FM, which has no attention.
    n_repeats : int, default=5
        Number of permutations to average over, if `method` is "permute".
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        fields : ndarray of shape (n_fields,)
            Names of the fields.
        mean : ndarray of shape (n_fields, n_fields)
            Rise of the mean loss. The loss is the squared error of a regressor (the mean over
            targets, in the target's unit squared) or the log loss of a classifier, in nats. The
            matrix is symmetric. A negative value means that the change lowers the loss.
        std_error : ndarray of shape (n_fields, n_fields)
            Standard error of `mean` over rows.
        loss : float
            Mean loss of the unchanged predictions.
        total : ndarray of shape (n_fields,)
            Total of each field: half the mean of each pair with another field, plus the mean of
            the pairs within the field.
        first, second : ndarray of shape (n_pairs,)
            Positions in `fields` of the two fields of each pair that occurs, sorted by absolute
            mean, largest first.
        pair_names : list of (str, str)
            Names of the two fields of each pair, in the same order.
        statistic : str
            "loss increase".

        ``result.to_frame()`` is a pandas DataFrame of the pairs, in the same order.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `fields` does not fit the model's columns, if `y` has labels that the model does not
        know, or if another parameter has a value that is not allowed.

    Notes
    -----
    With "uniform", the attention of the other pairs stays as it is, so that the row's attention
    no longer sums to 1. Scaling the others so that the sum is 1 would multiply their contributions
    by (1 - 1 / n_pairs) / (1 - a). For a pair with attention a = 0.9 this is about 10. The loss
    would then measure the other pairs instead of this one.

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
            f'method="uniform" changes the attention, but {type(model).__name__} has none. '
            'Set method to "permute" or "zero".'
        )
    fields = find_fields(encoder, model, fields)
    X = encoded_rows(encoder, model, X)
    target = _target(model, y, X)
    weight = check_weights(sample_weight, X)
    loss = _row_loss(model)
    # None means a fresh seed, as in fit: NumPy's global generator is neither read nor changed.
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
        # Average the repeats of each row first: the standard error is over rows, not over repeats.
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
    """Return row, pair and change if the contributions of `own` become those of `other`."""
    codes = np.concatenate([part.row * n_codes + part.pair for part in (own, other)])
    values = np.concatenate([-own.contribution, other.contribution])
    code, inverse = np.unique(codes, return_inverse=True)
    change = [np.bincount(inverse, column, len(code)) for column in values.T]
    return *np.divmod(code, n_codes), np.stack(change, axis=1)


def _target(model, y, X) -> np.ndarray:
    """Check y; return targets (n_rows, n_outputs), or positions of the labels (n_rows, 1)."""
    check_dense_target(y)
    check_consistent_length(X, y)
    if is_classifier(model):
        y = column_or_1d(y)
        unknown = np.setdiff1d(y, model.classes_)
        if len(unknown):
            raise ValueError(
                f"y has labels that the model does not know: {unknown[:5].tolist()}. "
                f"The model's classes are {model.classes_[:10].tolist()}."
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
            f"{missing.argmax()}. These rows have no loss. Drop them from X and y."
        )
    return y


def _row_loss(model):
    """Return a function: the model's loss of each row, from raw scores and targets."""
    terms = model._loss.terms

    def loss(raw, target):
        return terms(torch.from_numpy(raw), shared_tensor(target, "cpu")).mean(1).numpy()

    return loss
