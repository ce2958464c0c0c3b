"""pair_importance: which pairs of fields matter over many rows."""

import numpy as np

from .._data.weights import check_weights
from ._columns import encoded_rows, find_fields, take_apart
from ._moments import Moments
from ._plotting import AXIS_LABELS, pair_label
from ._results import Result, beyond, check_choice, check_output, to_frame, unit_of
from ._terms import by_field_pair, iter_terms

STATISTICS = ("abs_contribution", "contribution", "attention")


class PairImportance(Result):
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
        return to_frame(columns | {name: self.ranked(name) for name in self._matrices()})

    def _matrices(self) -> list[str]:
        return [name for name in ("mean", "std", "std_error", "share") if name in self]

    def _shown(self, n_lines):
        pairs = self.pair_names
        measure = AXIS_LABELS.get(self.statistic, self.statistic)
        title = f"{len(pairs)} pairs of fields by {measure}" + beyond(n_lines, len(pairs))
        columns = {"pair": [pair_label(*pair, 60) for pair in pairs[:n_lines]]}
        return title, columns | {name: self.ranked(name)[:n_lines] for name in self._matrices()}


def pair_importance(
    estimator, X, *, fields="auto", statistic="abs_contribution", output=None, sample_weight=None
):
    """Compute the mean contribution or attention of each pair of fields, and its deviation.

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
    statistic : {"abs_contribution", "contribution", "attention"}, default="abs_contribution"
        What is averaged over rows: the absolute value of the pair's contribution to the raw score,
        the contribution itself (attention times score, plus cross), or the attention a_ij (1 in an
        FM), which is a weight and not an effect. If a row has several pairs of the same two fields,
        they are summed first.
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
        std_error : ndarray of shape (n_fields, n_fields)
            Standard error of `mean` over all rows.
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
        unit : str
            Unit of `mean`, as in :func:`pair_effect`; "units of y", "logs of y" or "logits" of an
            average over outputs; "" of attention, which has none.

        The result prints its first ten pairs; ``result.to_frame()`` is a pandas DataFrame of all,
        in the same order.

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
    moments = Moments(len(fields) ** 2)
    for rows, terms in iter_terms(model, X):
        pairs = by_field_pair(terms, fields)
        moments.add(pairs.pair, row_values(pairs, statistic, output), weight[rows][pairs.row])
    share = moments.weight / weight.sum()
    # Over all rows: a row without the pair counts as 0.
    mean = moments.mean * share
    variance = share * moments.std**2 + share * (1 - share) * moments.mean**2
    std_error = np.sqrt(variance * (weight**2).sum()) / weight.sum()
    return importance_of(
        fields,
        mean,
        share > 0,
        std=moments.std,
        std_error=std_error,
        share=share,
        statistic=statistic,
        unit="" if statistic == "attention" else unit_of(model, output),
    )


def row_values(pairs, statistic, output) -> np.ndarray:
    """Return the statistic of each row and pair of fields, (n,)."""
    if statistic == "attention":
        return pairs.attention
    values = pairs.contribution if statistic == "contribution" else np.abs(pairs.contribution)
    return values.mean(1) if output is None else values[:, output]


def importance_of(fields, mean, occurs, *, statistic, unit, **flat) -> PairImportance:
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
        unit=unit,
    )
