"""interaction_table: terms of rows by pairs of fields, as in Table 1 of the AFM paper."""

import numpy as np
from sklearn.utils import Bunch

from ._columns import encoded_rows, find_fields, take_apart
from ._importance import pair_importance
from ._results import check_count, check_output, to_frame
from ._terms import by_field_pair, iter_terms


class InteractionTable(Bunch):
    """Result of `interaction_table`. ``print`` shows it in the form of the paper's Table 1."""

    def to_frame(self):
        """Make a pandas DataFrame with one line per row of X.

        Its columns are (pair, quantity), and the prediction. Raises ImportError if pandas is not
        installed.
        """
        columns = {}
        for number, (first, second) in enumerate(self.pair_names):
            for name in ("attention", "score", "cross", "contribution"):
                columns[f"{first} x {second}", name] = self[name][:, number]
        return to_frame(columns | {("prediction", ""): self.prediction})

    def __str__(self):
        heads = ["row", *(f"{first} x {second}" for first, second in self.pair_names)]
        lines = [[*heads, "prediction"]]
        for row, prediction in enumerate(self.prediction):
            names = ("attention", "score", "cross", "contribution")
            cells = zip(*(self[name][row] for name in names))
            lines.append([str(row), *(_cell(*cell) for cell in cells), f"{prediction:.2f}"])
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines
        )


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
        ``print(result)`` shows the table; ``result.to_frame()`` is a pandas DataFrame.

        pair_names : list of (str, str)
            Names of the two fields of each pair.
        attention, score, cross, contribution : ndarray of shape (n_samples, n_pairs)
            contribution = attention * score + cross. They are NaN if the row has no pair of the two
            fields. If it has several, attention, cross and contribution are sums over them. `score`
            is also NaN if the attention is exactly 0.
        prediction : ndarray of shape (n_samples,)
            What `predict` (`decision_function` of a classifier) returns.

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
        options = {"fields": fields, "statistic": "abs_contribution", "output": output}
        pairs = pair_importance(estimator, X, **options).pair_names[:n_pairs]
    codes = _codes(found, pairs)
    X = encoded_rows(encoder, model, X)
    attention, cross, contribution = np.full((3, X.shape[0], len(pairs)), np.nan)
    prediction = np.empty(X.shape[0])
    for rows, terms in iter_terms(model, X):
        prediction[rows] = terms.raw_scores()[:, output]
        there = by_field_pair(terms, found)
        for number, code in enumerate(codes):
            at = there.pair == code
            attention[rows.start + there.row[at], number] = there.attention[at]
            cross[rows.start + there.row[at], number] = there.cross[at, output]
            contribution[rows.start + there.row[at], number] = there.contribution[at, output]
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
        prediction=prediction,
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
