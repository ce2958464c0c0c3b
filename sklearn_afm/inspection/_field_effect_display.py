"""Draw what each level of a field adds, alone and with its pairs."""

import numpy as np

from ._effects import field_effect
from ._plotting import (
    NEGATIVE,
    POSITIVE,
    axes_for,
    label_bars,
    label_width,
    legend_above,
    settle,
    shortened,
    with_unit,
)

_OFFSET = 0.14  # of the two markers of a level


class FieldEffectDisplay:
    """Linear and total effect of each level of a field, as deviations from the average row.

    The *linear* effect is that of the level's linear weight, the *total* effect that of the weight
    and of all pairs with the level; see :func:`field_effect`. The lines are standard errors of the
    mean over rows.

    Parameters
    ----------
    effect : :class:`~sklearn.utils.Bunch`
        Result of :func:`field_effect`.

    Attributes
    ----------
    lines_ : dict of str to matplotlib ErrorbarContainer
        Markers and error bars of "linear" and "total".
    ax_ : matplotlib Axes
        Axes with the markers.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> from sklearn_afm.datasets import load_flights
    >>> from sklearn_afm.inspection import FieldEffectDisplay
    >>> X, y = load_flights(return_X_y=True, as_frame=True)
    >>> model = make_field_pipeline(AFMClassifier(random_state=0))
    >>> model = model.fit(X[:4000], y[:4000])
    >>> display = FieldEffectDisplay.from_estimator(model, X[4000:8000], field="weekday")
    >>> len(display.effect.levels)
    7
    >>> plt.show()
    """

    def __init__(self, effect):
        self.effect = effect

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        field,
        *,
        fields="auto",
        output=None,
        sample_weight=None,
        max_levels=20,
        ax=None,
    ):
        """Compute :func:`field_effect` of a fitted estimator and draw it.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose
            last step is one. It may also be a fitted search (``refit=True``) over one of these,
            or one of these in a :class:`~sklearn.frozen.FrozenEstimator`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to average over, in the form that `estimator.predict` takes.
        field : str
            Name of the field.
        fields, output, sample_weight, max_levels
            As in :func:`field_effect`.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : FieldEffectDisplay
            The display, already drawn.
        """
        effect = field_effect(
            estimator,
            X,
            field,
            fields=fields,
            output=output,
            sample_weight=sample_weight,
            max_levels=max_levels,
        )
        return cls(effect).plot(ax)

    def plot(self, ax=None):
        """Draw the effects.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : FieldEffectDisplay
            The display itself.
        """
        found = self.effect
        n_levels = len(found.levels)
        width = label_width(found.levels) + max(4.5, 1.2 * label_width(found.levels))
        size = (float(width + 0.5), float(np.clip(1.4 + 0.3 * n_levels, 2.6, 11)))
        self.ax_ = ax = axes_for(ax, type(self).__name__, size)
        self.figure_ = ax.figure
        ax.axvline(0, color="black", linewidth=0.8)
        self.lines_ = {}
        styles = {
            "linear": {"fmt": "D", "markersize": 4, "markerfacecolor": "white", "color": NEGATIVE},
            "total": {"fmt": "o", "markersize": 6, "color": POSITIVE},
        }
        labels = {"linear": "linear weight alone", "total": "with all its pairs"}
        for name, shift in (("linear", -_OFFSET), ("total", _OFFSET)):
            self.lines_[name] = ax.errorbar(
                found[name],
                np.arange(n_levels) + shift,
                xerr=np.nan_to_num(found[f"{name}_std_error"]),
                elinewidth=1.2,
                label=labels[name],
                **styles[name],
            )
        label_bars(ax, found.levels)
        ax.locator_params(axis="x", nbins=7)
        shown = f"{n_levels} of {found.n_levels} levels"
        ax.set_ylabel(shortened(found.field) + (f"\n{shown}" if n_levels < found.n_levels else ""))
        ax.set_xlabel(with_unit("difference from the average row", found.unit))
        legend_above(ax, list(self.lines_.values()))
        settle(ax, y=found.levels)
        return self
