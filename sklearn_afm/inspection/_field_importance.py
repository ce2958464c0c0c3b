"""field_importance: how much each field moves the predictions of many rows."""

import numpy as np

from .._attributes import parameters_of
from .._data.weights import check_weights
from ._columns import encoded_rows, find_fields, take_apart
from ._results import Result, beyond, check_output, to_frame
from ._terms import by_field_pair, iter_terms

_QUANTITIES = ("mean", "std_error", "linear", "interaction")


class FieldImportance(Result):
    """Result of `field_importance`."""

    def ranking(self) -> np.ndarray:
        """Positions of the fields, most important first."""
        return np.argsort(-self.mean, kind="stable")

    def to_frame(self):
        """Make a pandas DataFrame of the fields, most important first.

        Raises ImportError if pandas is not installed.
        """
        order = self.ranking()
        columns = {"field": self.fields[order]}
        return to_frame(columns | {name: self[name][order] for name in _QUANTITIES})

    def _shown(self, n_lines):
        order = self.ranking()[:n_lines]
        title = f"{len(self.fields)} fields by how far they move the raw score"
        title += beyond(n_lines, len(self.fields))
        columns = {"field": self.fields[order]}
        return title, columns | {name: self[name][order] for name in _QUANTITIES}


def field_importance(estimator, X, *, fields="auto", output=None, sample_weight=None):
    """Compute how far each field moves the raw score of a row, on average over rows.

    The importance of a field is the mean distance of its linear part from that part's mean over the
    rows, plus half of the same of each of its pairs with another field, plus that of the pairs
    within it.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, in the form that `estimator.predict` takes.
    fields : "auto", None, list or dict, default="auto"
        Which columns of the encoded X form one field, as in :func:`pair_importance`.
    output : int, default=None
        Number of the output, from 0. If None, importances are averaged over the outputs.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        The result prints its first ten fields; ``result.to_frame()`` is a pandas DataFrame of all,
        most important first.

        fields : ndarray of shape (n_fields,)
            Names of the fields, in the order of the columns.
        mean : ndarray of shape (n_fields,)
            Importances: `linear` plus `interaction`. They are in the unit of the raw score: that of
            the target, or logits.
        std_error : ndarray of shape (n_fields,)
            Standard error of `mean` over rows.
        linear : ndarray of shape (n_fields,)
            Mean absolute deviation of the field's linear part from its mean over the rows.
        interaction : ndarray of shape (n_fields,)
            The field's share of the interactions: half of the mean absolute deviation of the
            contributions of each of its pairs, all of it for pairs within the field.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `fields` does not fit the model's columns, or if another parameter has a value that is
        not allowed.

    See Also
    --------
    permutation_pair_importance : How much the loss rises without a pair of fields.
    sklearn.inspection.permutation_importance : How much the score falls without a column.

    Notes
    -----
    This describes the model, and needs no targets. It does not say how much a field helps to
    predict: terms of correlated fields may cancel each other, and what a field adds may be noise
    that the model has learnt. :func:`sklearn.inspection.permutation_importance` on held-out rows
    answers that question; the two orders agree only roughly.

    All terms are taken from their means, since a term that is the same in every row moves none. So
    a pair whose contribution hardly varies adds little here, and may be high in
    :func:`pair_importance`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import field_importance
    >>> X = np.random.default_rng(0).choice(["a", "b", "c"], size=(1000, 4))
    >>> y = 2.0 * (X[:, 0] == "a") + 1.0 * (X[:, 1] == X[:, 3])
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> found = field_importance(model, X)
    >>> found.fields[found.ranking()].tolist()[0]
    'x0'
    """
    encoder, model = take_apart(estimator)
    output = check_output(model, output)
    fields = find_fields(encoder, model, fields)
    X = encoded_rows(encoder, model, X)
    weight = check_weights(sample_weight, X)
    linear_mean, pair_mean = _means(model, X, fields, weight)
    linear, interaction, squares = np.zeros((3, len(fields)))
    for rows, terms in iter_terms(model, X):
        own = _by_row(
            terms.n_rows, terms.entry_row, fields.of_column[terms.column], terms.linear, fields
        )
        own = _of_output(np.abs(own - linear_mean), output)
        shared = _of_output(_shares(terms, fields, pair_mean), output)
        linear += weight[rows] @ own
        interaction += weight[rows] @ shared
        squares += weight[rows] @ (own + shared) ** 2
    total = weight.sum()
    linear, interaction = linear / total, interaction / total
    mean = linear + interaction
    variance = np.maximum(squares / total - mean**2, 0)
    return FieldImportance(
        fields=fields.names,
        mean=mean,
        std_error=np.sqrt(variance * (weight**2).sum()) / total,
        linear=linear,
        interaction=interaction,
    )


def _means(model, X, fields, weight) -> tuple[np.ndarray, np.ndarray]:
    """Mean linear part of each field, and mean contribution of each pair f * n_fields + g, f <= g.

    A row without the pair counts as 0. The shapes are (n_fields, n_outputs) and
    (n_fields ** 2, n_outputs).
    """
    weights = parameters_of(model)["linear_weights"].astype(np.float64)
    linear = np.zeros((len(fields), weights.shape[1]))
    np.add.at(linear, fields.of_column, (weight @ X)[:, None] * weights)
    pairs = np.zeros((len(fields) ** 2, weights.shape[1]))
    for rows, terms in iter_terms(model, X):
        there = by_field_pair(terms, fields)
        np.add.at(pairs, there.pair, weight[rows][there.row, None] * there.contribution)
    return linear / weight.sum(), pairs / weight.sum()


def _shares(terms, fields, mean) -> np.ndarray:
    """Half of |contribution - mean| of each pair to either field: (n_rows, n_fields, n_outputs)."""
    pairs = by_field_pair(terms, fields)
    # A row without the pair is |mean| away, and this is the start.
    absent = np.abs(mean).reshape(len(fields), len(fields), -1) / 2
    half = (np.abs(pairs.contribution - mean[pairs.pair]) - np.abs(mean[pairs.pair])) / 2
    return (
        absent.sum(0)
        + absent.sum(1)
        + sum(
            _by_row(terms.n_rows, pairs.row, field, half, fields)
            for field in np.divmod(pairs.pair, len(fields))
        )
    )


def _by_row(n_rows, row, field, values, fields) -> np.ndarray:
    """Sums of values (n, n_outputs) by row and field: (n_rows, n_fields, n_outputs)."""
    shape = n_rows, len(fields)
    code = row * len(fields) + field
    sums = [np.bincount(code, column, n_rows * len(fields)) for column in values.T]
    return np.stack([part.reshape(shape) for part in sums], axis=2)


def _of_output(values, output) -> np.ndarray:
    """One output of (..., n_outputs), or the mean over all."""
    return values.mean(-1) if output is None else values[..., output]
