"""interaction_scores: what each pair of each row adds to the prediction."""

import numpy as np

from ._columns import column_names, encoded_rows, take_apart
from ._plotting import pair_label
from ._results import (
    Result,
    as_predicted,
    beyond,
    check_count,
    output_names,
    per_output,
    probabilities,
    to_frame,
)
from ._terms import iter_terms

_PAIR_ARRAYS = ("row", "first", "second", "attention", "score", "cross", "contribution")


class InteractionScores(Result):
    """Result of `interaction_scores`."""

    def to_frame(self):
        """Make a pandas DataFrame with one line per pair.

        Raises ImportError if pandas is not installed.
        """
        names = ("row", "first", "second", "first_name", "second_name", "attention")
        columns = {name: self[name] for name in names}
        for name in ("score", "cross", "contribution"):
            columns |= per_output(name, self[name], self.outputs)
        return to_frame(columns)

    def _shown(self, n_lines):
        n_pairs = len(self.row)
        title = f"{n_pairs} pairs of {len(self.linear)} rows" + beyond(n_lines, n_pairs)
        names = zip(self.first_name[:n_lines], self.second_name[:n_lines])
        columns = {"row": self.row[:n_lines], "pair": [pair_label(*pair, 60) for pair in names]}
        columns["attention"] = self.attention[:n_lines]
        return title, columns | per_output(
            "contribution", self.contribution[:n_lines], self.outputs
        )


def interaction_scores(estimator, X, *, top_k=None):
    """Compute the attention, score and contribution of each pair of each row.

    For row n, `predict` (`decision_function` of a classifier) returns
    ``bias + linear[n] + interaction[n]``. Here ``interaction[n]`` is the sum of the contributions
    of the row's pairs.

    Parameters
    ----------
    estimator : estimator, Pipeline, search or FrozenEstimator
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last
        step is one. It may also be a fitted search (``refit=True``) over one of these, or one of
        these in a :class:`~sklearn.frozen.FrozenEstimator`.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, in the form that `estimator.predict` takes. As in `predict`, entries are left out if
        they are in columns that no training row had.
    top_k : int, default=None
        Number of pairs to return per row: those with the largest absolute contributions. With
        several outputs, absolute contributions are summed over the outputs. This keeps the result
        small, however many entries the rows have. None returns all pairs.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Pairs are sorted by row, and within a row by absolute contribution, largest first.
        The result prints its first ten pairs; ``result.to_frame()`` is a pandas DataFrame of all.

        row : ndarray of shape (n_pairs,)
            Position of the pair's row in X.
        first, second : ndarray of shape (n_pairs,)
            Columns i < j of the encoded X that form the pair.
        first_name, second_name : ndarray of shape (n_pairs,)
            What a reader calls the two columns, such as "colour = red" and "age 17 to 25": field
            and level as the Pipeline's encoder has them, else the names that the model was fitted
            with, else x0, x1, ...
        attention : ndarray of shape (n_pairs,)
            Attention a_ij; 1 in an FM.
        score : ndarray of shape (n_pairs,) or (n_pairs, n_outputs)
            p . (v_i * v_j) x_i x_j, in the unit of the raw score. In an AFM, it is multiplied by
            the row's number of pairs, divided by ``median_pairs_``.
        cross : ndarray of shape (n_pairs,) or (n_pairs, n_outputs)
            Weight of the pair's own (``cross_weights_``), times x_i x_j; 0 if it has none.
        contribution : ndarray of shape (n_pairs,) or (n_pairs, n_outputs)
            Attention times score, plus cross.
        bias : float or ndarray of shape (n_outputs,)
            The global bias.
        linear, interaction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Linear part and interaction part of each row. The interaction part is the sum over all
            pairs of the row, also if `top_k` leaves some out.
        unseen : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            What the mean over the levels of a field adds, if the row has an unseen level in it; 0
            in other rows. With the bias and the two parts, it adds up to the raw score.
        probability : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Of a classifier: the probability of the class of each output, and of the second class if
            there are two.
        outputs : ndarray of shape (n_outputs,)
            Class or number of each output.

    Raises
    ------
    TypeError
        If `estimator` is not an FM or AFM estimator, a Pipeline that ends in one, a fitted search
        (``refit=True``) over one of these, or one of these in a FrozenEstimator.
    ValueError
        If `top_k` is not positive, or if X does not have the columns that the estimator was fitted
        with.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import interaction_scores
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> found = interaction_scores(model, X[:2])
    >>> list(zip(found.first_name, found.second_name, found.contribution.round()))
    [('x0 = red', 'x1 = round', np.float64(2.0)), ('x0 = red', 'x1 = flat', np.float64(-2.0))]
    """
    if top_k is not None:
        check_count("top_k", top_k)
    encoder, model = take_apart(estimator)
    X = encoded_rows(encoder, model, X)
    names = column_names(encoder, model)
    pairs, linear, interaction, unseen = [], [], [], []
    for rows, terms in iter_terms(model, X):
        unseen.append(np.broadcast_to(terms.unseen, (terms.n_rows, len(terms.bias))))
        linear.append(terms.linear_sums())
        interaction.append(terms.interaction_sums())
        kept = _strongest(terms, top_k)
        arrays = {name: getattr(terms, name)[kept] for name in _PAIR_ARRAYS if name != "row"}
        pairs.append(arrays | {"row": terms.pair_row[kept] + rows.start})
    found = {name: np.concatenate([part[name] for part in pairs]) for name in _PAIR_ARRAYS}
    for name in ("score", "cross", "contribution"):
        found[name] = as_predicted(model, found[name])
    linear, interaction, unseen = map(np.concatenate, (linear, interaction, unseen))
    probability = probabilities(model, model.bias_ + linear + interaction + unseen)
    if probability is not None:
        found["probability"] = as_predicted(model, probability)
    return InteractionScores(
        **found,
        first_name=names[found["first"]],
        second_name=names[found["second"]],
        bias=model.bias_,
        linear=as_predicted(model, linear),
        interaction=as_predicted(model, interaction),
        unseen=as_predicted(model, unseen),
        outputs=output_names(model),
    )


def _strongest(terms, top_k) -> np.ndarray:
    """Return positions of a block's pairs, by row and |contribution|: the first `top_k` per row."""
    order = np.lexsort((-np.abs(terms.contribution).sum(1), terms.pair_row))
    if top_k is None:
        return order
    length = np.bincount(terms.pair_row, minlength=terms.n_rows)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(length) - length, length)
    return order[rank < top_k]
