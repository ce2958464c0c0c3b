"""Draw attention or contributions as a heat map: fields by fields, or rows by pairs of fields."""

import numpy as np

from ._importance import pair_importance
from ._plotting import AXIS_LABELS, axes_for, label_axis
from ._results import check_choice, check_count
from ._table import interaction_table


class AttentionDisplay:
    """Heat map of attention or contributions: fields by fields, or rows by pairs of fields.

    The map of rows by pairs shows whether the attention varies from row to row. If it does not
    vary, each column of the map has one colour, and the map consists of stripes. If values can be
    negative, the colour of 0 is white. If not, the colour scale starts at 0, so that a colour
    shows a value's share of the largest value.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Values to show. NaN is grey.
    row_names, column_names : list of str
        Names of the rows and columns of `values`.
    label : str, default="attention"
        What the values are. It is written beside the colour bar.
    signed : bool, default=False
        Whether values can be negative.

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
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import AttentionDisplay
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> AttentionDisplay.from_estimator(model, X).values
    array([[nan,  1.],
           [ 1., nan]])
    """

    def __init__(self, values, row_names, column_names, *, label="attention", signed=False):
        self.values = values
        self.row_names = row_names
        self.column_names = column_names
        self.label = label
        self.signed = signed

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        kind="fields",
        fields="auto",
        statistic="attention",
        n_pairs=30,
        output=None,
        sample_weight=None,
        ax=None,
    ):
        """Compute and draw the heat map of a fitted estimator.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose
            last step is one. It may also be a fitted search (``refit=True``) over one of these,
            or one of these in a :class:`~sklearn.frozen.FrozenEstimator`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to average over, or, if `kind` is "rows", to show one by one. They have the form
            that `estimator.predict` takes.
        kind : {"fields", "rows"}, default="fields"
            What the map shows. "fields": means over the rows, fields by fields. "rows": the
            values of each row, by pairs of fields.
        fields, statistic, output, sample_weight
            As in :func:`pair_importance`. If `kind` is "rows", the map shows signed contributions
            for "abs_contribution" too, and `sample_weight` only affects the ranking of the pairs.
        n_pairs : int, default=30
            Largest number of pairs of fields to show if `kind` is "rows". The map shows the pairs
            with the largest absolute means.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : AttentionDisplay
            The display, already drawn.
        """
        check_choice("kind", kind, ("fields", "rows"))
        check_count("n_pairs", n_pairs)
        found = pair_importance(
            estimator,
            X,
            fields=fields,
            statistic=statistic,
            output=output,
            sample_weight=sample_weight,
        )
        if not found.pair_names:
            raise ValueError("No row of X has two non-zero features. There are no pairs to show.")
        if kind == "fields":
            values = np.where(found.share > 0, found.mean, np.nan)
            names = found.fields.tolist()
            signed = statistic == "contribution"
            return cls(values, names, names, label=AXIS_LABELS[statistic], signed=signed).plot(ax)
        pairs = found.pair_names[:n_pairs]
        quantity = "attention" if statistic == "attention" else "contribution"
        if quantity == "attention" and output is None:
            output = 0  # all outputs have the same attention
        table = interaction_table(estimator, X, fields=fields, pairs=pairs, output=output)
        names = [f"{first} x {second}" for first, second in pairs]
        rows = [str(row) for row in range(len(table.prediction))]
        signed = quantity == "contribution"
        return cls(table[quantity], rows, names, label=quantity, signed=signed).plot(ax)

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
        n_rows, n_columns = self.values.shape
        square = list(self.row_names) == list(self.column_names)
        height = 1.6 + 0.22 * n_rows if square else 2.2 + 0.1 * n_rows
        size = (float(np.clip(2.2 + 0.25 * n_columns, 5, 13)), float(np.clip(height, 3.8, 11)))
        self.ax_ = ax = axes_for(ax, type(self).__name__, size)
        self.figure_ = ax.figure
        largest = np.nanmax(np.abs(self.values), initial=0) or 1.0
        self.im_ = ax.imshow(
            np.ma.masked_invalid(self.values),
            cmap="RdBu" if self.signed else "viridis",
            vmin=-largest if self.signed else 0,
            vmax=largest,
            aspect="equal" if square else "auto",
            interpolation="nearest",
        )
        ax.set_facecolor("#CCCCCC")
        label_axis(ax, "x", self.column_names)
        label_axis(ax, "y", self.row_names, smallest=4 if square else 8)
        if not square:
            ax.set_ylabel("row")
        self.figure_.colorbar(self.im_, ax=ax, label=self.label, shrink=0.8)
        return self
