"""Draw attention against the even share: fields by fields, or rows by pairs of fields."""

import numpy as np

from .._attributes import model_of
from .._core.models.spread import EVEN_ATTENTION
from .._data.weights import check_weights
from ._columns import encoded_rows, find_fields, take_apart
from ._heat_map import heat_map
from ._plotting import pair_label
from ._results import check_choice, check_count
from ._terms import by_field_pair, iter_terms

# The colours reach at least from 1 / 1.1 to 1.1 even shares, so that rounding stays white, and at
# most from 1 / 10 to 10.
_LEAST, _MOST = 1.1, 10.0


class AttentionDisplay:
    """Heat map of attention in even shares: fields by fields, or rows by pairs of fields.

    The even share of a pair is 1 / (number of pairs of the row). White is even, blue more, brown
    less. If the attention is even in all rows, the picture says so: contributions then tell pairs
    apart (:class:`PairImportanceDisplay`), and attention does not. The map of rows by pairs shows
    whether the attention varies from row to row. If it does not, the map consists of stripes.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Attention divided by the even share. NaN is grey.
    row_names, column_names : list of str
        Names of the rows and columns of `values`.
    spread : float
        Standard deviation of the attention over the pairs of rows, in even shares, as
        ``attention_spread_``. Below .01 the attention is called even.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.
    ax_ : matplotlib Axes
        Axes with the heat map.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.datasets import make_interactions
    >>> from sklearn_afm.inspection import AttentionDisplay
    >>> made = make_interactions(3000, n_fields=5, n_pairs=2, random_state=0)
    >>> model = AFMRegressor(crosses=None, l2_embedding=10, random_state=0)
    >>> model = model.fit(made.data, made.target)
    >>> display = AttentionDisplay.from_estimator(model, made.data, fields=made.fields)
    >>> display.values.shape
    (5, 5)
    >>> plt.show()
    """

    def __init__(self, values, row_names, column_names, *, spread):
        self.values = values
        self.row_names = row_names
        self.column_names = column_names
        self.spread = spread

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        kind="fields",
        fields="auto",
        n_pairs=30,
        sample_weight=None,
        ax=None,
    ):
        """Compute and draw the attention of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator
            A fitted AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose last step
            is one. It may also be a fitted search (``refit=True``) over one of these, or one of
            these in a :class:`~sklearn.frozen.FrozenEstimator`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to average over, or, if `kind` is "rows", to show one by one. They have the form
            that `estimator.predict` takes.
        kind : {"fields", "rows"}, default="fields"
            What the map shows. "fields": the attention of each pair of fields, summed over the rows
            that have the pair and divided by their even shares. "rows": the same of each row, by
            pairs of fields.
        fields : "auto", None, list or dict, default="auto"
            Which columns of the encoded X form one field, as in :func:`pair_importance`.
        n_pairs : int, default=30
            Largest number of pairs of fields to show if `kind` is "rows": those with the most
            attention in even shares.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. If `kind` is "rows", it only affects the ranking of the pairs.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : AttentionDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If the model has no attention, as an FM, or no row of X has a pair.
        """
        check_choice("kind", kind, ("fields", "rows"))
        check_count("n_pairs", n_pairs)
        encoder, model = take_apart(estimator)
        if not model_of(model).weighs_pairs:
            raise ValueError(
                f"{type(model).__name__} has no attention: it weighs all pairs alike. "
                "Contributions tell its pairs apart, as PairImportanceDisplay shows."
            )
        fields = find_fields(encoder, model, fields)
        X = encoded_rows(encoder, model, X)
        shares, spread = _shares(model, X, fields, check_weights(sample_weight, X))
        pairs = np.flatnonzero(~np.isnan(shares))
        if not len(pairs):
            raise ValueError("No row of X has two non-zero features. There are no pairs to show.")
        if kind == "fields":
            upper = shares.reshape(len(fields), len(fields))
            names = fields.names.tolist()
            values = np.where(np.isnan(upper), upper.T, upper)
            return cls(values, names, names, spread=spread).plot(ax)
        pairs = pairs[np.argsort(-shares[pairs], kind="stable")[:n_pairs]]
        first, second = np.divmod(pairs, len(fields))
        names = [
            pair_label(*pair) for pair in zip(fields.names[first].tolist(), fields.names[second])
        ]
        values = _shares_by_row(model, X, fields, pairs)
        rows = [str(row) for row in range(len(values))]
        return cls(values, rows, names, spread=spread).plot(ax)

    def plot(self, ax=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : AttentionDisplay
            The display itself.
        """
        present = self.values[self.values > 0]
        furthest = np.exp(np.abs(np.log(present)).max(initial=0))
        limit = float(np.clip(furthest, _LEAST, _MOST))
        self.im_, bar = heat_map(
            ax,
            type(self).__name__,
            self.values,
            self.row_names,
            self.column_names,
            limit,
            "attention, in even shares",
            log=True,
        )
        self.ax_ = self.im_.axes
        self.figure_ = self.ax_.figure
        ticks = [1 / limit, 1 / np.sqrt(limit), 1.0, np.sqrt(limit), limit]
        bar.set_ticks(ticks, labels=[f"{tick:.3g}" if tick != 1 else "even" for tick in ticks])
        bar.minorticks_off()
        self.ax_.set_title(self._title(), fontsize="medium")
        return self

    def _title(self) -> str:
        if self.spread < EVEN_ATTENTION:
            return (
                "Attention is even: this model weighs all pairs alike.\n"
                "See contributions: PairEffectDisplay, PairImportanceDisplay"
            )
        from_pair_to_pair = f"Attention varies by {100 * self.spread:.2g}% of the even share"
        if np.nanmax(np.abs(self.values - 1)) < EVEN_ATTENTION:
            return f'On average, attention is even.\n{from_pair_to_pair} within rows: kind="rows"'
        return from_pair_to_pair


def _shares(model, X, fields, weight) -> tuple[np.ndarray, float]:
    """Attention in even shares of each pair f * n_fields + g with f <= g, NaN of none; the spread.

    A row with several pairs of two fields has as many shares for them.
    """
    attention, even = np.zeros((2, len(fields) ** 2))
    squares = n_pairs = 0.0
    for rows, terms in iter_terms(model, X):
        there = by_field_pair(terms, fields)
        share, w = there.n_pairs / there.n_row_pairs, weight[rows][there.row]
        attention += np.bincount(there.pair, w * there.attention, len(attention))
        even += np.bincount(there.pair, w * share, len(even))
        squares += (w * there.n_pairs * (there.attention / share - 1) ** 2).sum()
        n_pairs += (w * there.n_pairs).sum()
    found = np.divide(attention, even, where=even > 0, out=np.full_like(even, np.nan))
    return found, float(np.sqrt(squares / max(n_pairs, 1e-300)))


def _shares_by_row(model, X, fields, pairs) -> np.ndarray:
    """Attention in even shares of each row and pair, (n_rows, len(pairs)); NaN without the pair."""
    values = np.full((X.shape[0], len(pairs)), np.nan)
    for rows, terms in iter_terms(model, X):
        there = by_field_pair(terms, fields)
        share = there.attention * there.n_row_pairs / there.n_pairs
        for number, pair in enumerate(pairs):
            at = there.pair == pair
            values[rows.start + there.row[at], number] = share[at]
    return values
