"""interaction_scores: each pair of each row, and what it adds to the prediction."""

import numpy as np
from sklearn.utils import Bunch

from ._columns import column_names, encoded_rows, take_apart
from ._results import as_predicted, check_count, output_names, per_output, to_frame
from ._terms import iter_terms

_PAIR_ARRAYS = ("row", "first", "second", "attention", "score", "contribution")


class InteractionScores(Bunch):
    """Result of `interaction_scores`."""

    def to_frame(self):
        """The pairs as a pandas DataFrame, one row a pair; ImportError without pandas."""
        names = ("row", "first", "second", "first_name", "second_name", "attention")
        columns = {name: self[name] for name in names}
        for name in ("score", "contribution"):
            columns |= per_output(name, self[name], self.outputs)
        return to_frame(columns)


def interaction_scores(estimator, X, *, top_k=None):
    """Attention, score and contribution of each pair of each row.

    ``bias + linear[n] + interaction[n]`` is what `predict` (`decision_function` of a
    classifier) gives for row n, and ``interaction[n]`` is the sum of the contributions of the
    row's pairs.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` with one
        as its last step.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows, as `estimator` predicts them: entries in columns that no training row had are
        left out.
    top_k : int, default=None
        Give only the pairs of each row with the largest absolute contribution (with several
        outputs: the largest sum of them). The result is then small whatever the rows hold;
        None gives all pairs.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Pairs are ordered by row, and within a row by falling absolute contribution.
        ``result.to_frame()`` is a pandas DataFrame of them.

        row : ndarray of shape (n_pairs,)
            Row of X.
        first, second : ndarray of shape (n_pairs,)
            Columns i < j of the encoded X.
        first_name, second_name : ndarray of shape (n_pairs,)
            Their names: those that the model was fitted with, else those of the encoder's
            ``get_feature_names_out``, else x0, x1, ...
        attention : ndarray of shape (n_pairs,)
            a_ij; 1 in an FM.
        score : ndarray of shape (n_pairs,) or (n_pairs, n_outputs)
            p . (v_i * v_j) x_i x_j, in the unit of the raw prediction; for an AFM times the row's
            number of pairs over ``median_pairs_``.
        contribution : ndarray of shape (n_pairs,) or (n_pairs, n_outputs)
            Attention times score.
        bias : float or ndarray of shape (n_outputs,)
            The global bias.
        linear, interaction : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Linear and interaction part of each row, over all its pairs.
        outputs : ndarray of shape (n_outputs,)
            Classes or numbers of the outputs.

    Raises
    ------
    TypeError
        If `estimator` is neither an FM or AFM estimator nor a Pipeline that ends in one.
    ValueError
        If `top_k` is not positive, or X is not what the estimator was fitted on.

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
    [('x0_red', 'x1_round', np.float64(2.0)), ('x0_red', 'x1_flat', np.float64(-2.0))]
    """
    if top_k is not None:
        check_count("top_k", top_k)
    encoder, model = take_apart(estimator)
    X = encoded_rows(encoder, model, X)
    names = column_names(encoder, model)
    pairs, linear, interaction = [], [], []
    for rows, terms in iter_terms(model, X):
        linear.append(terms.linear_sums())
        interaction.append(terms.interaction_sums())
        kept = _strongest(terms, top_k)
        arrays = {name: getattr(terms, name)[kept] for name in _PAIR_ARRAYS if name != "row"}
        pairs.append(arrays | {"row": terms.pair_row[kept] + rows.start})
    found = {name: np.concatenate([part[name] for part in pairs]) for name in _PAIR_ARRAYS}
    for name in ("score", "contribution"):
        found[name] = as_predicted(model, found[name])
    return InteractionScores(
        **found,
        first_name=names[found["first"]],
        second_name=names[found["second"]],
        bias=model.bias_,
        linear=as_predicted(model, np.concatenate(linear)),
        interaction=as_predicted(model, np.concatenate(interaction)),
        outputs=output_names(model),
    )


def _strongest(terms, top_k) -> np.ndarray:
    """Positions of a block's pairs, by row and falling |contribution|, `top_k` of each row."""
    order = np.lexsort((-np.abs(terms.contribution).sum(1), terms.pair_row))
    if top_k is None:
        return order
    length = np.bincount(terms.pair_row, minlength=terms.n_rows)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(length) - length, length)
    return order[rank < top_k]
