"""Draw the most important pairs of fields as ranked bars, or all pairs as a map."""

import numpy as np

from ._heat_map import heat_map
from ._importance import pair_importance
from ._plotting import (
    AXIS_LABELS,
    LONGEST_PAIR,
    NEGATIVE,
    POSITIVE,
    axes_for,
    label_bars,
    pair_label,
    settle,
    sign_legend,
    width_of_bars,
    with_unit,
)
from ._results import check_choice, check_count

# What bars of either sign mean, by statistic.
_SIGNS = {
    "contribution": ("raises the prediction", "lowers it"),
    "loss increase": ("the loss rises without the pair", "falls"),
}


class PairImportanceDisplay:
    """Ranked bars of the most important pairs of fields, or a map of all: fields by fields.

    The line on a bar shows the standard error of the mean over rows.

    Parameters
    ----------
    importance : :class:`~sklearn.utils.Bunch`
        Result of :func:`pair_importance` or :func:`permutation_pair_importance`.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars, if `kind` is "bars".
    im_ : matplotlib AxesImage
        The map, if `kind` is "map".
    ax_ : matplotlib Axes
        Axes with the bars or the map.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> from sklearn_afm.datasets import load_flights
    >>> from sklearn_afm.inspection import PairImportanceDisplay
    >>> X, y = load_flights(return_X_y=True, as_frame=True)
    >>> model = make_field_pipeline(AFMClassifier(random_state=0))
    >>> model = model.fit(X[:4000], y[:4000])
    >>> display = PairImportanceDisplay.from_estimator(model, X[4000:8000])
    >>> len(display.bars_)
    15
    >>> plt.show()
    """

    def __init__(self, importance):
        self.importance = importance

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        fields="auto",
        statistic="abs_contribution",
        output=None,
        sample_weight=None,
        kind="bars",
        n_pairs=15,
        ax=None,
    ):
        """Compute :func:`pair_importance` of a fitted estimator and draw it.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose
            last step is one. It may also be a fitted search (``refit=True``) over one of these,
            or one of these in a :class:`~sklearn.frozen.FrozenEstimator`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to average over, in the form that `estimator.predict` takes.
        fields, statistic, output, sample_weight
            As in :func:`pair_importance`.
        kind : {"bars", "map"}, default="bars"
            Ranked bars, or a map of all pairs: fields by fields, with 0 in white.
        n_pairs : int, default=15
            Largest number of bars to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : PairImportanceDisplay
            The display, already drawn.
        """
        importance = pair_importance(
            estimator,
            X,
            fields=fields,
            statistic=statistic,
            output=output,
            sample_weight=sample_weight,
        )
        return cls(importance).plot(ax, kind=kind, n_pairs=n_pairs)

    def plot(self, ax=None, *, kind="bars", n_pairs=15):
        """Draw the bars or the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.
        kind : {"bars", "map"}, default="bars"
            Ranked bars, or a map of all pairs.
        n_pairs : int, default=15
            Largest number of bars to draw.

        Returns
        -------
        display : PairImportanceDisplay
            The display itself.
        """
        check_choice("kind", kind, ("bars", "map"))
        check_count("n_pairs", n_pairs)
        if kind == "map":
            return self._plot_map(ax)
        found = self.importance
        mean = found.ranked("mean")[:n_pairs]
        spread = found.ranked("std_error")[:n_pairs]
        # The line must not suggest that attention could be negative.
        never_negative = found.statistic in ("attention", "abs_contribution")
        lower = np.minimum(spread, mean) if never_negative else spread
        names = [pair_label(*pair, LONGEST_PAIR) for pair in found.pair_names[:n_pairs]]
        size = (width_of_bars(names, margin=0.5), float(np.clip(1 + 0.25 * len(mean), 2.5, 11)))
        self.ax_ = ax = axes_for(ax, type(self).__name__, size)
        self.figure_ = ax.figure
        self.bars_ = ax.barh(
            np.arange(len(mean)),
            mean,
            xerr=[lower, spread],
            color=np.where(mean < 0, NEGATIVE, POSITIVE),
            error_kw={"ecolor": "black", "elinewidth": 1.2},
        )
        label_bars(ax, names, longest=LONGEST_PAIR)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_xlabel(
            with_unit(AXIS_LABELS.get(found.statistic, found.statistic), found.get("unit"))
        )
        if found.statistic in _SIGNS:
            sign_legend(ax, *_SIGNS[found.statistic])
        settle(ax, y=names, longest=LONGEST_PAIR)
        return self

    def _plot_map(self, ax):
        found = self.importance
        occurs = np.zeros(found.mean.shape, dtype=bool)
        occurs[found.first, found.second] = occurs[found.second, found.first] = True
        values = np.where(occurs, found.mean, np.nan)
        largest = np.nanmax(np.abs(values), initial=0) or 1.0
        names = found.fields.tolist()
        label = with_unit(AXIS_LABELS.get(found.statistic, found.statistic), found.get("unit"))
        self.im_, _ = heat_map(ax, type(self).__name__, values, names, names, largest, label)
        self.ax_ = self.im_.axes
        self.figure_ = self.ax_.figure
        return self
