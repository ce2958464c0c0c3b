"""Draw the mean contribution of a pair of fields, level by level."""

import numpy as np

from ._effects import pair_effect
from ._plotting import (
    EMPTY,
    NEUTRAL,
    axes_for,
    diverging_colors,
    label_width,
    settle,
    shortened,
    with_unit,
)

# Means of fewer rows are noisy: their cells show the number of rows.
_FEW_ROWS = 10


class PairEffectDisplay:
    """Heat map of the mean contribution of a pair of fields: the levels of one by the other's.

    White is 0, and cells without rows are grey. A number in a cell is the number of its rows, if
    they are fewer than 10. These cells do not stretch the colour scale, if there are others.

    Parameters
    ----------
    effect : :class:`~sklearn.utils.Bunch`
        Result of :func:`pair_effect`.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.
    colorbar_ : matplotlib Colorbar
        The colour scale. ``display.colorbar_.set_label("price in dollars")`` names the target.
    ax_ : matplotlib Axes
        Axes with the heat map.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> from sklearn_afm.datasets import load_flights
    >>> from sklearn_afm.inspection import PairEffectDisplay
    >>> X, y = load_flights(return_X_y=True, as_frame=True)
    >>> model = make_field_pipeline(AFMClassifier(random_state=0))
    >>> model = model.fit(X[:4000], y[:4000])
    >>> display = PairEffectDisplay.from_estimator(model, X[4000:8000], pair=("carrier", "hour"))
    >>> display.effect.mean.shape
    (15, 19)
    >>> plt.show()
    """

    def __init__(self, effect):
        self.effect = effect

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        pair,
        *,
        fields="auto",
        output=None,
        sample_weight=None,
        max_levels=20,
        ax=None,
    ):
        """Compute :func:`pair_effect` of a fitted estimator and draw it.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose
            last step is one. It may also be a fitted search (``refit=True``) over one of these,
            or one of these in a :class:`~sklearn.frozen.FrozenEstimator`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to average over, in the form that `estimator.predict` takes.
        pair : (str, str)
            Names of the field whose levels are the rows of the map, and of the other.
        fields, output, sample_weight, max_levels
            As in :func:`pair_effect`.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : PairEffectDisplay
            The display, already drawn.
        """
        effect = pair_effect(
            estimator,
            X,
            pair,
            fields=fields,
            output=output,
            sample_weight=sample_weight,
            max_levels=max_levels,
        )
        return cls(effect).plot(ax)

    def plot(self, ax=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : PairEffectDisplay
            The display itself.
        """
        found = self.effect
        self.ax_ = ax = axes_for(ax, type(self).__name__, self._size())
        self.figure_ = ax.figure
        limit, beyond = self._limit()
        self.im_ = ax.imshow(
            np.ma.masked_invalid(found.mean),
            cmap=diverging_colors(),
            vmin=-limit,
            vmax=limit,
            aspect="auto",
            interpolation="nearest",
        )
        ax.set_facecolor(EMPTY)
        self.colorbar_ = self.figure_.colorbar(
            self.im_,
            ax=ax,
            label=with_unit("mean contribution", found.unit),
            extend=beyond,
            pad=0.02,
        )
        self.colorbar_.outline.set_visible(False)
        ax.set_ylabel(self._axis_label(0, len(found.first_levels)))
        ax.set_xlabel(self._axis_label(1, len(found.second_levels)))
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
        settle(ax, y=found.first_levels, x=found.second_levels)
        self._write_notes(self._write_counts())
        return self

    def _size(self) -> tuple[float, float]:
        """Size of a new figure: the cells get more than half of its width."""
        n_first, n_second = self.effect.mean.shape
        beside = label_width(self.effect.first_levels) + 1.5  # axis label, and colour bar
        below = 0.6 + label_width(self.effect.second_levels)
        width = beside + np.clip(0.4 * n_second, max(4, 1.2 * beside), 8)
        return float(width), float(below + np.clip(0.28 * n_first, 2.8, 7))

    def _limit(self) -> tuple[float, str]:
        """Where the colour scale ends, and at which ends it has an arrow."""
        mean, few = self.effect.mean, self.effect.count < _FEW_ROWS
        steady = np.abs(mean[~few & (self.effect.count > 0)])
        limit = steady.max(initial=0) or np.nanmax(np.abs(mean)) or 1.0
        above, below = np.nanmax(mean) > limit, np.nanmin(mean) < -limit
        return limit, {(0, 0): "neither", (0, 1): "min", (1, 0): "max"}.get((above, below), "both")

    def _axis_label(self, number: int, n_shown: int) -> str:
        name, n_levels = shortened(self.effect.fields[number]), self.effect.n_levels[number]
        return f"{name}\n{n_shown} of {n_levels} levels" if n_shown < n_levels else name

    def _write_notes(self, has_numbers: bool) -> None:
        """Say above the map what grey and numbers mean, and whether there is nothing to see."""
        notes = []
        if (self.effect.count == 0).any():
            notes.append("grey: no rows")
        if has_numbers:
            notes.append(f"numbers: rows, if fewer than {_FEW_ROWS}")
        text = "; ".join(notes)
        if not np.nan_to_num(self.effect.mean).any():
            text = f"all contributions are 0: no interaction was learnt\n{text}".strip()
        self.ax_.set_title(text, fontsize=8, color=NEUTRAL, loc="left")

    def _write_counts(self) -> bool:
        """Write the number of rows into cells that have few, if it fits. Tell whether any has."""
        box = self.ax_.get_window_extent()
        n_first, n_second = self.effect.mean.shape
        cell = min(box.height / n_first, box.width / n_second) * 72 / self.figure_.dpi
        count = self.effect.count
        few = np.argwhere((count > 0) & (count < _FEW_ROWS)) if cell >= 9 else ()
        for row, column in few:
            color = self.im_.cmap(self.im_.norm(self.effect.mean[row, column]))
            dark = np.dot(color[:3], (0.3, 0.59, 0.11)) < 0.6
            self.ax_.text(
                column, row, str(count[row, column]), ha="center", va="center", fontsize=6,
                color="white" if dark else "black",
            )  # fmt: skip
        return len(few) > 0
