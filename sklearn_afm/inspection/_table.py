"""interaction_table: terms of rows by pairs of fields, as in Table 1 of the AFM paper."""

import numpy as np

from ._columns import encoded_rows, find_fields, take_apart
from ._importance import pair_importance
from ._plotting import pair_label
from ._results import (
    Result,
    aligned,
    check_count,
    check_output,
    probabilities,
    to_frame,
)
from ._terms import by_field_pair, iter_terms

_TOTALS = ("linear", "interaction", "unseen", "prediction", "probability")


class InteractionTable(Result):
    """Result of `interaction_table`. ``print`` shows it in the form of the paper's Table 1."""

    def to_frame(self):
        """Make a pandas DataFrame with one line per row of X.

        Its columns are (pair, quantity), the sub-totals, the prediction, and the probability of a
        classifier. Raises ImportError if pandas is not installed.
        """
        columns = {}
        for number, (first, second) in enumerate(self.pair_names):
            for name in ("attention", "score", "cross", "contribution"):
                columns[f"{first} x {second}", name] = self[name][:, number]
        return to_frame(columns | {(name, ""): self[name] for name in self._totals()})

    def _totals(self) -> list[str]:
        rare = {"unseen"} if not self.unseen.any() else set()
        return [name for name in _TOTALS if name in self and name not in rare]

    def _columns(self, n_lines=None) -> dict:
        """Texts of the first lines, by column."""
        columns = {"row": [str(row) for row in range(len(self.prediction))][:n_lines]}
        for number, pair in enumerate(self.pair_names):
            names = ("attention", "score", "cross", "contribution")
            cells = zip(*(self[name][:n_lines, number] for name in names))
            columns[pair_label(*pair, 40)] = [_cell(*cell) for cell in cells]
        return columns | {
            name: [f"{value:.2f}" for value in self[name][:n_lines]] for name in self._totals()
        }

    def _shown(self, n_lines):
        n_rows = len(self.prediction)
        more = f"; the first {n_lines}, all by print" if n_rows > n_lines else ""
        title = f"attention * score + cross = contribution, of {n_rows} rows{more}"
        return title, self._columns(n_lines)

    def __str__(self):
        columns = self._columns()
        rows = [list(row) for row in zip(*([name, *texts] for name, texts in columns.items()))]
        return aligned(rows, [False] * len(columns))


def _cell(attention, score, cross, contribution):
    """Format one cell, as in "0.33 * 1.20 = 0.40" or, with a cross, "0.33 * 1.20 + 0.10 = 0.50".

    A dash stands for a row that has no such pair.
    """
    if np.isnan(attention):
        return "-"
    beside = f" + {cross:.2f}" if cross else ""
    return f"{attention:.2f} * {score:.2f}{beside} = {contribution:.2f}"


def interaction_table(estimator, X, *, fields="auto", pairs=None, n_pairs=5, output=None):
    """List attention times interaction score, by rows and pairs of fields: the paper's Table 1.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to list, in the form that `estimator.predict` takes.
    fields : "auto", None, list or dict, default="auto"
        Which columns of the encoded X form one field, as in :func:`pair_importance`.
    pairs : list of (str, str), default=None
        Pairs of field names, one column of the table per pair. None takes the `n_pairs` pairs
        with the largest mean absolute contribution over these rows.
    n_pairs : int, default=5
        Number of pairs if `pairs` is None.
    output : int, default=None
        Number of the output to explain, from 0. Required if the model has several outputs.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        ``print(result)`` shows the table, and the result itself its first ten rows;
        ``result.to_frame()`` is a pandas DataFrame.

        pair_names : list of (str, str)
            Names of the two fields of each pair.
        attention, score, cross, contribution : ndarray of shape (n_samples, n_pairs)
            contribution = attention * score + cross. They are NaN if the row has no pair of the two
            fields. If it has several, attention, cross and contribution are sums over them. `score`
            is also NaN if the attention is exactly 0.
        linear, interaction : ndarray of shape (n_samples,)
            Sub-totals of the row: its linear part, and the contributions of all its pairs.
        unseen : ndarray of shape (n_samples,)
            What the mean over the levels of a field adds, if the row has an unseen level in it; 0
            in other rows. With the bias and the sub-totals, it adds up to the prediction.
        prediction : ndarray of shape (n_samples,)
            What `predict` (`decision_function` of a classifier) returns.
        probability : ndarray of shape (n_samples,)
            Of a classifier: the probability of the class of the output, and of the second class if
            there are two.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `fields` does not fit the model's columns, or if `pairs` names an unknown field.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import interaction_table
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> interaction_table(model, X[:3], pairs=[("x0", "x1")]).contribution.round()
    array([[ 2.],
           [-2.],
           [-2.]])
    """
    encoder, model = take_apart(estimator)
    output = check_output(model, output, "interaction_table")
    found = find_fields(encoder, model, fields)
    if pairs is None:
        check_count("n_pairs", n_pairs)
        fields = found.names[found.of_column]  # as found: names that are lost are missed once
        pairs = pair_importance(estimator, X, fields=fields, output=output).pair_names[:n_pairs]
    codes = _codes(found, pairs)
    X = encoded_rows(encoder, model, X)
    attention, cross, contribution = np.full((3, X.shape[0], len(pairs)), np.nan)
    linear, interaction, unseen = np.empty((3, X.shape[0], np.size(model.bias_)))
    for rows, terms in iter_terms(model, X):
        linear[rows], interaction[rows] = terms.linear_sums(), terms.interaction_sums()
        unseen[rows] = terms.unseen
        there = by_field_pair(terms, found)
        for number, code in enumerate(codes):
            at = there.pair == code
            attention[rows.start + there.row[at], number] = there.attention[at]
            cross[rows.start + there.row[at], number] = there.cross[at, output]
            contribution[rows.start + there.row[at], number] = there.contribution[at, output]
    raw = model.bias_ + linear + interaction + unseen
    probability = probabilities(model, raw)
    of_classifier = {} if probability is None else {"probability": probability[:, output]}
    return InteractionTable(
        pair_names=[tuple(pair) for pair in pairs],
        attention=attention,
        score=np.divide(
            contribution - cross,
            attention,
            where=attention > 0,
            out=np.full_like(attention, np.nan),
        ),
        cross=cross,
        contribution=contribution,
        linear=linear[:, output],
        interaction=interaction[:, output],
        unseen=unseen[:, output],
        prediction=raw[:, output],
        **of_classifier,
    )


def _codes(fields, pairs) -> list[int]:
    """Return the number f * n_fields + g of each pair of names; f <= g are its fields."""
    number = {name: position for position, name in enumerate(fields.names)}
    codes = []
    for pair in pairs:
        unknown = [name for name in pair if name not in number]
        if unknown or len(pair) != 2:
            raise ValueError(
                f"pairs has {pair!r}. Each pair must be two field names, out of "
                f"{list(number)[:20]}."
            )
        low, high = sorted(number[name] for name in pair)
        codes.append(low * len(fields) + high)
    return codes
