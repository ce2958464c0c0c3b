"""permutation_pair_importance: how much the loss rises without what a pair of fields adds."""

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d

from .._attributes import model_of
from .._core.tensors import shared_tensor
from .._data.checks import check_dense_target
from .._data.weights import check_weights
from ._columns import encoded_rows, find_fields, take_apart
from ._importance import importance_of
from ._results import check_choice, check_count
from ._terms import by_field_pair, iter_terms, terms_of

METHODS = ("permute", "zero", "uniform")


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
            Rise of the mean loss. The loss is that of the regressor's `loss` (the mean over
            targets; a squared error is in the target's unit squared) or the log loss of a
            classifier, in nats. The matrix is symmetric. A negative value means that the change
            lowers the loss.
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
        unit : str
            "log loss, nats", or the name of the regressor's loss, such as "squared error".

        The result prints its first ten pairs; ``result.to_frame()`` is a pandas DataFrame of all,
        in the same order.

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
    if model._loss.compares_rows:
        raise ValueError(
            f"{type(model).__name__} compares rows within groups, so that a row has no loss of its "
            "own. pair_importance takes rankers."
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
            even = own.score / own.n_row_pairs[:, None] + own.cross
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
    result = importance_of(
        fields,
        mean,
        occurs > 0,
        std_error=std_error,
        statistic="loss increase",
        unit="log loss, nats" if is_classifier(model) else model._loss.name,
    )
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
