"""pair_effect and field_effect: what the levels of one or two fields add to the prediction."""

import numpy as np

from .._data.weights import check_weights
from ._columns import encoded_rows, find_fields, find_levels, take_apart
from ._levels import Shown, shown_levels
from ._moments import Moments
from ._plotting import pair_label, shortened
from ._results import NAME_LENGTH, Result, beyond, check_count, check_output, to_frame, unit_of
from ._terms import iter_terms


class PairEffect(Result):
    """Result of `pair_effect`."""

    def to_frame(self):
        """Make a pandas DataFrame with one line per pair of levels that rows have.

        Raises ImportError if pandas is not installed.
        """
        return to_frame(self._columns())

    def _columns(self) -> dict:
        first, second = np.nonzero(self.count)
        columns = {"first": self.first_levels[first], "second": self.second_levels[second]}
        names = ("mean", "std_error", "count")
        return columns | {name: self[name][first, second] for name in names}

    def _shown(self, n_lines):
        columns, pair = self._columns(), pair_label(*self.fields, 60)
        n_pairs = len(columns["first"])
        title = f"mean contribution of {n_pairs} pairs of levels of {pair} ({self.unit})"
        columns = {name: values[:n_lines] for name, values in columns.items()}
        return title + beyond(n_lines, n_pairs), columns


class FieldEffect(Result):
    """Result of `field_effect`."""

    def to_frame(self):
        """Make a pandas DataFrame with one line per level.

        Raises ImportError if pandas is not installed.
        """
        return to_frame(self._columns())

    def _columns(self) -> dict:
        names = ("linear", "linear_std_error", "total", "total_std_error", "count")
        return {"level": self.levels} | {name: self[name] for name in names}

    def _shown(self, n_lines):
        n_levels = len(self.levels)
        field = shortened(self.field, NAME_LENGTH)
        title = f"effect of {n_levels} levels of {field} ({self.unit})"
        columns = {name: values[:n_lines] for name, values in self._columns().items()}
        return title + beyond(n_lines, n_levels), columns


def pair_effect(
    estimator, X, pair, *, fields="auto", output=None, sample_weight=None, max_levels=20
):
    """Compute the mean contribution of a pair of fields for each level of one and of the other.

    The contribution is attention times interaction score, plus cross: what the pair adds to the
    prediction beside the linear weights of its levels. If a row has several pairs of the same two
    levels, they are summed first.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to average over, in the form that `estimator.predict` takes.
    pair : (str, str)
        Names of two fields. They may be the same field if its rows have several levels.
    fields : "auto", None, list or dict, default="auto"
        Which columns of the encoded X form one field, as in :func:`pair_importance`.
    output : int, default=None
        Number of the output to explain, from 0. Required if the model has several outputs.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    max_levels : int or None, default=20
        Number of levels of each field at most. Neighbouring bins of numbers and dates become one;
        of other levels, the most frequent in X are kept. A number that is a single column is
        divided into at most ten bins. None keeps all levels.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        fields : (str, str)
            The parameter `pair`.
        first_levels, second_levels : ndarray of str, of shapes (n_first,) and (n_second,)
            Names of the levels. Bins, numbers, bools and weekdays are in their order. Other levels
            are sorted by the factors of the product u_i v_j that is closest to `mean`, by rows, so
            that levels with like effects are neighbours.
        mean : ndarray of shape (n_first, n_second)
            Weighted mean of the contributions to the raw score, over the rows that have both
            levels. NaN if there are none.
        std_error : ndarray of shape (n_first, n_second)
            Standard error of `mean` over these rows; NaN of fewer than two rows.
        count : ndarray of shape (n_first, n_second)
            Number of these rows, without rows of weight 0.
        n_levels : (int, int)
            Number of levels that rows of X have, also those that are not kept. Merged bins count
            as one.
        unit : str
            Unit of `mean`: "unit of" the target, by the name of y if ``fit`` got a Series or a
            frame, else "unit of y"; "log of" it with the losses "poisson" and "gamma": exp(mean) is
            then a factor. Of a classifier, "log odds of" its second class, or "logit of"
            a class if it has more than two.

        The result prints its first ten lines; ``result.to_frame()`` is a pandas DataFrame of all,
        one for each pair of levels.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `pair` does not name two fields that occur together in rows of X, or if another
        parameter has a value that is not allowed.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import pair_effect
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> found = pair_effect(model, X, pair=("x0", "x1"))
    >>> found.to_frame().round(1)[["first", "second", "mean", "count"]]
      first second  mean  count
    0  blue   flat   2.0    100
    1  blue  round  -2.0    100
    2   red   flat  -2.0    100
    3   red  round   2.0    100
    """
    rows = _Rows(estimator, X, "pair_effect", fields, output, sample_weight)
    if isinstance(pair, str) or len(pair) != 2:
        raise ValueError(f"pair={pair!r} must be the names of two fields.")
    first, second = (rows.shown(name, max_levels) for name in pair)
    moments = Moments(len(first) * len(second))
    for row, terms in rows.blocks():
        number, cell, value = _cells(terms, row, first, second)
        moments.add(cell, value[:, rows.output], rows.weight[number])
    if not moments.count.any():
        raise ValueError(f"No row of X has a pair of the fields {pair[0]!r} and {pair[1]!r}.")
    shape = (len(first), len(second))
    mean = np.where(moments.count > 0, moments.mean, np.nan).reshape(shape)
    order = np.ix_(*_orders(mean, moments.weight.reshape(shape), first.ordered, second.ordered))
    return PairEffect(
        fields=tuple(pair),
        first_levels=np.array(first.names, dtype=object)[order[0].ravel()],
        second_levels=np.array(second.names, dtype=object)[order[1].ravel()],
        mean=mean[order],
        std_error=moments.std_error.reshape(shape)[order],
        count=moments.count.reshape(shape).astype(int)[order],
        n_levels=(first.n_levels, second.n_levels),
        unit=unit_of(rows.model, rows.output),
    )


def field_effect(
    estimator, X, field, *, fields="auto", output=None, sample_weight=None, max_levels=20
):
    """Compute what each level of a field adds to the prediction, alone and with its pairs.

    The *linear* effect of a level is the mean of its linear term over the rows with this level,
    minus the mean over all levels. Its *total* effect is the mean of its linear term plus the
    contributions of all pairs that it is part of, over the rows with this level, minus the mean
    over all levels. So both are deviations from the average row.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to average over, in the form that `estimator.predict` takes.
    field : str
        Name of the field.
    fields, output, sample_weight, max_levels
        As in :func:`pair_effect`.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        field : str
            The parameter `field`.
        levels : ndarray of str, of shape (n_levels,)
            Names of the levels. Bins, numbers, bools and weekdays are in their order, other levels
            by `total`, largest first.
        linear, total : ndarray of shape (n_levels,)
            The two effects, weighted by rows. The means that are subtracted count each row and
            level, also levels that are not kept.
        linear_std_error, total_std_error : ndarray of shape (n_levels,)
            Standard error of the level's mean over its rows; NaN of a level of one row.
        count : ndarray of shape (n_levels,)
            Number of rows with the level, without rows of weight 0.
        n_levels : int
            Number of levels that rows of X have, also those that are not kept. Merged bins count
            as one.
        unit : str
            Unit of the effects, as in :func:`pair_effect`.

        The result prints its first ten lines; ``result.to_frame()`` is a pandas DataFrame of all,
        one for each level.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `field` is no field that rows of X have, or if another parameter has a value that is
        not allowed.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import field_effect
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [3.0, 3.0, -1.0, -1.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> found = field_effect(model, X, "x0")
    >>> found.to_frame().round(1)[["level", "total", "count"]]
      level  total  count
    0   red    2.0    200
    1  blue   -2.0    200
    """
    rows = _Rows(estimator, X, "field_effect", fields, output, sample_weight)
    shown = rows.shown(field, max_levels)
    n_levels = max(len(shown), shown.of_column.max() + 1)  # also those that are not shown
    linear, total = Moments(n_levels), Moments(n_levels)
    for row, terms in rows.blocks():
        number, level, values = _effects(terms, row, shown, n_levels)
        weight = rows.weight[number]
        linear.add(level, values[0][:, rows.output], weight)
        total.add(level, values[1][:, rows.output], weight)
    order = np.arange(len(shown))
    if not shown.ordered:
        order = np.argsort(-total.mean[: len(shown)], kind="stable")
    found = {"linear": linear, "total": total}
    effects = {
        name: (moments.mean - np.average(moments.mean, weights=moments.weight))[order]
        for name, moments in found.items()
    }
    errors = {f"{name}_std_error": moments.std_error[order] for name, moments in found.items()}
    return FieldEffect(
        field=field,
        levels=np.array(shown.names, dtype=object)[order],
        **effects,
        **errors,
        count=total.count[order].astype(int),
        n_levels=shown.n_levels,
        unit=unit_of(rows.model, rows.output),
    )


class _Rows:
    """What both functions need of an estimator and its rows."""

    def __init__(self, estimator, X, function, fields, output, sample_weight):
        encoder, self.model = take_apart(estimator)
        self.output = check_output(self.model, output, function)
        self.fields = find_fields(encoder, self.model, fields)
        self.levels = find_levels(encoder, self.model, self.fields)
        self.X = encoded_rows(encoder, self.model, X)
        self.weight = check_weights(sample_weight, self.X)

    def shown(self, name, max_levels) -> Shown:
        """The levels of a field that are shown."""
        if max_levels is not None:
            check_count("max_levels", max_levels)
        known = self.fields.names.tolist()
        if name not in known:
            raise ValueError(f"{name!r} is no field. The fields are {known[:20]}.")
        columns = np.flatnonzero(self.fields.of_column == known.index(name))
        means = self.model.column_mean_
        means = np.zeros(self.X.shape[1]) if means is None else means
        return shown_levels(name, columns, self.levels, self.X, self.weight, means, max_levels)

    def blocks(self):
        """Yield the number of the first row of each block, and its terms."""
        for rows, terms in iter_terms(self.model, self.X):
            yield rows.start, terms


def _cells(terms, start: int, first: Shown, second: Shown):
    """Row, cell (number in a flat table) and contribution of each row and pair of levels."""
    row = start + terms.pair_row
    rows, cells, values = [], [], []
    for one, other in ((terms.first, terms.second), (terms.second, terms.first)):
        i, j = first.of(row, one), second.of(row, other)
        found = (i >= 0) & (i < len(first)) & (j >= 0) & (j < len(second))
        rows.append(row[found])
        cells.append(i[found] * len(second) + j[found])
        values.append(terms.contribution[found])
    return _summed(*map(np.concatenate, (rows, cells, values)), len(first) * len(second))


def _effects(terms, start: int, shown: Shown, n_levels: int):
    """Row, level, and (linear, total) of each row and level of a field."""
    row = start + terms.entry_row
    level = shown.of(row, terms.column)
    own = level >= 0
    rows, levels, linear, total = [row[own]], [level[own]], [terms.linear[own]], [terms.linear[own]]
    row = start + terms.pair_row
    first, second = shown.of(row, terms.first), shown.of(row, terms.second)
    # A pair of two entries of one level counts once.
    for level, found in ((first, first >= 0), (second, (second >= 0) & (second != first))):
        rows.append(row[found])
        levels.append(level[found])
        total.append(terms.contribution[found])
        linear.append(np.zeros_like(total[-1]))
    values = np.stack([np.concatenate(linear), np.concatenate(total)], axis=1)
    row, level, values = _summed(np.concatenate(rows), np.concatenate(levels), values, n_levels)
    return row, level, (values[:, 0], values[:, 1])


def _summed(row, group, values, n_groups: int):
    """Sum the values of the same row and group."""
    code, inverse = np.unique(row.astype(np.int64) * n_groups + group, return_inverse=True)
    sums = np.zeros((len(code), *values.shape[1:]))
    np.add.at(sums, inverse, values)
    return *np.divmod(code, n_groups), sums


def _orders(mean, weight, first_ordered: bool, second_ordered: bool):
    """Orders of rows and columns: as they are, or with like ones beside each other."""
    left, right = _closest_product(np.nan_to_num(mean), weight / weight.max())
    # One of the two signs: along an order that is given, values rise.
    given = left if first_ordered else right if second_ordered else left
    if given @ (np.arange(len(given)) - (len(given) - 1) / 2) < 0:
        left, right = -left, -right
    orders = np.argsort(left, kind="stable"), np.argsort(right, kind="stable")
    return (
        np.arange(len(left)) if first_ordered else orders[0],
        np.arange(len(right)) if second_ordered else orders[1],
    )


def _closest_product(values, weight):
    """The u and v whose u_i v_j is closest to `values` by weighted squares (about)."""
    left = np.linalg.svd(values * np.sqrt(weight), full_matrices=False)[0][:, 0]
    for _ in range(10):  # least squares for one of them at a time
        right = (weight * values).T @ left / np.maximum(weight.T @ left**2, 1e-30)
        left = (weight * values) @ right / np.maximum(weight @ right**2, 1e-30)
        left /= np.linalg.norm(left) or 1.0
    return left, right
