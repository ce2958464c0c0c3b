"""recommend: the best items for each of many contexts."""

import numbers
from collections.abc import Callable

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_scalar
from sklearn.utils.validation import check_is_fitted

from .._bayes.copies import distinct_rows
from ._rows import joined_tables
from ._sides import encoded_sides
from ._top import top_k

# Scores of contexts and items that are in memory at once, if not one context has more; rows that
# are built at once for an estimator without a short cut.
SCORES_AT_ONCE, ROWS_AT_ONCE = 1 << 21, 1 << 16


def recommend(estimator, context, items, *, k, exclude=None):
    """The k items with the highest scores for each context.

    A row is a context together with an item. Every item is scored for every context, so the result
    is exact. Factorization machines have a short cut: what a context or an item has alone is
    computed once, and so is the pair of a level of a context and a level of an item, however many
    rows have it. For other estimators the rows are built, a part at a time.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator with one score a row, a Pipeline that ends in one, or a search over them.
        The score is what ``predict`` gives; of a classifier of two classes it is
        ``decision_function``, which has the order of ``predict_proba(...)[:, 1]``, or this
        probability if there is no such method.
    context : {DataFrame, sparse matrix, array-like} of shape (n_contexts, n_columns)
        A row for each context, such as a user at a time of day.
    items : {DataFrame, sparse matrix, array-like} of shape (n_items, n_columns)
        A row for each item. Two frames (pandas or polars) have different columns: together those of
        X in ``fit``. Two matrices have all columns of X, and a row is the sum of the two rows; a
        column may have entries in one of the matrices only.
    k : int
        Number of items for each context.
    exclude : {sparse matrix, array-like} of shape (n_contexts, n_items), default=None
        Pairs with a value other than 0 are not recommended, such as what a user has seen.

    Returns
    -------
    top : :class:`~sklearn.utils.Bunch`
        indices : ndarray of shape (n_contexts, k)
            Rows of `items`, the highest score first, and of equal scores the smaller number. If a
            context has fewer than k items left, -1 fills its row.
        scores : ndarray of shape (n_contexts, k), float64
            Their scores. NaN where the index is -1.

    Raises
    ------
    ValueError
        If the estimator has several scores a row (several targets, more than two classes), the
        columns of `context` and `items` do not go together, `items` has no row, or a score is
        infinite or NaN.
    TypeError
        If one of the two is a frame and the other is not, or the estimator cannot predict.

    Notes
    -----
    The short cut needs encoded rows that are sums of what a context gives and what an item gives.
    :class:`~sklearn_afm.FieldEncoder` makes such rows; so do scikit-learn's encoders and scalers,
    and a ColumnTransformer of them. It is tested on the tables at hand: each context is encoded
    with two items, and each item with two contexts. If a Pipeline mixes columns, as
    PolynomialFeatures and Normalizer do, the rows are built.

    For n contexts and m items, whose rows have c and d entries, an FM takes time
    n m embedding_dim. An AFM takes C D embedding_dim attention_dim + n m (c + d), where C and D are
    the numbers of distinct columns (with their values) of contexts and items. Memory grows with
    n + m, not with n m.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import AFMRegressor, make_field_pipeline
    >>> from sklearn_afm.recommendation import recommend
    >>> log = pd.DataFrame({
    ...     "user": ["Ada", "Ada", "Bob", "Bob"] * 50,
    ...     "genre": ["drama", "comedy"] * 100,
    ... })
    >>> stars = [5, 1, 1, 5] * 50
    >>> model = make_field_pipeline(AFMRegressor(random_state=0)).fit(log, stars)
    >>> films = pd.DataFrame({"genre": ["comedy", "drama", "comedy"]})
    >>> top = recommend(model, pd.DataFrame({"user": ["Ada", "Bob"]}), films, k=2)
    >>> top.indices
    array([[1, 0],
           [0, 2]])
    """
    check_scalar(k, "k", numbers.Integral, min_val=1)
    check_is_fitted(estimator)
    estimator = getattr(estimator, "best_estimator_", estimator)
    tables = joined_tables(estimator, context, items)
    n_contexts, n_items = tables.shape
    if not n_items:
        raise ValueError("items has no row: there is nothing to recommend.")
    exclude = _checked_exclude(exclude, tables.shape)
    indices = np.full((n_contexts, k), -1)
    scores = np.full((n_contexts, k), np.nan)
    scores_of = _scorer(estimator, tables) if n_contexts else None
    step = max(1, SCORES_AT_ONCE // n_items)
    for start in range(0, n_contexts, step):
        rows = slice(start, min(start + step, n_contexts))
        block = scores_of(rows)
        if exclude is not None:
            block[exclude[rows].nonzero()] = -np.inf
        indices[rows], scores[rows] = top_k(block, k)
    return Bunch(indices=indices, scores=scores)


def _checked_exclude(exclude, shape) -> sparse.csr_array | None:
    if exclude is None:
        return None
    exclude = sparse.csr_array(exclude)
    if exclude.shape != shape:
        raise ValueError(
            f"exclude has the shape {exclude.shape}; it needs a row for each of the {shape[0]} "
            f"contexts and a column for each of the {shape[1]} items."
        )
    return exclude


def _scorer(estimator, tables) -> Callable[[slice], np.ndarray]:
    """What gives the scores (n_rows, n_items) of some contexts."""
    respond = _response(estimator)
    respond(tables.rows(np.zeros(1, dtype=int), np.zeros(1, dtype=int)))  # refuses what has to be
    final, encode = estimator, lambda X: X
    if isinstance(estimator, Pipeline):
        final = estimator[-1]
        if len(estimator) > 1:
            encode = estimator[:-1].transform
    if hasattr(final, "_joined_scores"):
        sides = encoded_sides(lambda X: final._known_rows(encode(X)), tables)
        if sides is not None:
            return _joined_scorer(final, *sides)
    return _built_scorer(respond, tables)


def _joined_scorer(estimator, contexts, items) -> Callable[[slice], np.ndarray]:
    """Scores by what the estimator does for joined rows; equal items have equal scores."""
    distinct, number = distinct_rows(items)
    raw_scores = estimator._joined_scores(contexts, distinct)

    def scores(rows: slice) -> np.ndarray:
        raw = raw_scores(rows)
        if not is_classifier(estimator):
            raw = estimator._loss.predictions(raw.reshape(-1, 1)).reshape(raw.shape)
        return raw[:, number]

    return scores


def _built_scorer(respond: Callable, tables) -> Callable[[slice], np.ndarray]:
    """Scores of rows that are built a part at a time."""
    _, n_items = tables.shape

    def scores(rows: slice) -> np.ndarray:
        result = np.empty((rows.stop - rows.start) * n_items)
        for start in range(0, len(result), ROWS_AT_ONCE):
            number = np.arange(start, min(start + ROWS_AT_ONCE, len(result)))
            found = respond(tables.rows(rows.start + number // n_items, number % n_items))
            result[number] = found
        return result.reshape(-1, n_items)

    return scores


def _response(estimator) -> Callable:
    """The method that gives a score for each row."""
    name = type(estimator).__name__
    methods = ["predict", "decision_function"]
    if is_classifier(estimator):
        methods = ["decision_function", "predict_proba"]
        if len(estimator.classes_) != 2:
            raise ValueError(
                f"{name} has {len(estimator.classes_)} classes, and items can be ordered by one "
                "score only. Fit it on two: whether an item was chosen, or not."
            )
    method = next((method for method in methods if hasattr(estimator, method)), None)
    if method is None:
        raise TypeError(f"{name} has no method {' or '.join(methods)}, which would give scores.")

    def respond(X) -> np.ndarray:
        scores = np.asarray(getattr(estimator, method)(X), dtype=np.float64)
        if method == "predict_proba":
            scores = scores[:, 1]
        if scores.ndim != 1:
            raise ValueError(
                f"{name} predicts {scores.shape[1]} targets, and items can be ordered by one score "
                "only. Fit it on one target."
            )
        if not np.isfinite(scores).all():
            raise ValueError(f"{name} gives scores that are infinite or NaN.")
        return scores

    return respond
