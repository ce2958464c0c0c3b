"""Training and validation error by epoch."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import is_regressor

from ._columns import take_apart
from ._plotting import SERIES, axes_for
from ._results import check_choice


class HistoryDisplay:
    """Training and validation error by epoch, of one estimator or several.

    The training error is that of the rows as they were learnt from, with dropout and while the
    parameters move; the validation error is that of the parameters after the epoch. A dot marks
    the epoch whose parameters were kept.

    Parameters
    ----------
    histories : dict of str to list of dict
        ``history_`` of each estimator, by name.
    best : dict of str to int, default=None
        ``best_iter_`` of each.
    measure : {"RMSE", "loss"}, default="loss"
        "RMSE" draws the square root of the losses.

    Attributes
    ----------
    lines_ : dict of str to list of matplotlib Line2D
        Lines of each estimator: training and, where there is one, validation.
    ax_ : matplotlib Axes
        Where they are drawn.
    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> from sklearn_afm import AFMRegressor, FMRegressor
    >>> from sklearn_afm.inspection import HistoryDisplay
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = X[:, 0] * X[:, 1]
    >>> models = {
    ...     "FM": FMRegressor(max_iter=5, random_state=0).fit(X, y),
    ...     "AFM": AFMRegressor(max_iter=5, early_stopping=True, random_state=0).fit(X, y),
    ... }
    >>> display = HistoryDisplay.from_estimator(models)
    >>> [len(lines) for lines in display.lines_.values()]
    [1, 2]
    """

    def __init__(self, histories, *, best=None, measure="loss"):
        self.histories = histories
        self.best = best
        self.measure = measure

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Plot the training of fitted estimators.

        Parameters
        ----------
        estimator : estimator, Pipeline, or list or dict of them
            Fitted FM or AFM estimators, or Pipelines with one as their last step; a dict names
            them. Regressors show the root of the mean squared error, classifiers the log loss.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : HistoryDisplay
            The display, drawn.
        """
        if isinstance(estimator, Mapping):
            models = {name: take_apart(one)[1] for name, one in estimator.items()}
        else:
            several = estimator if isinstance(estimator, (list, tuple)) else [estimator]
            parts = [take_apart(one)[1] for one in several]
            names = [type(model).__name__ for model in parts]
            if len(set(names)) < len(names):
                names = [f"{name} {number}" for number, name in enumerate(names)]
            models = dict(zip(names, parts))
        if not models:
            raise ValueError("There is no estimator to show: the list or dict is empty.")
        tasks = {is_regressor(model) for model in models.values()}
        if len(tasks) > 1:
            raise ValueError("Regressors and classifiers have no common error to show.")
        return cls(
            {name: model.history_ for name, model in models.items()},
            best={name: model.best_iter_ for name, model in models.items()},
            measure="RMSE" if tasks == {True} else "loss",
        ).plot(ax)

    def plot(self, ax=None):
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : HistoryDisplay
            The display itself.
        """
        check_choice("measure", self.measure, ("RMSE", "loss"))
        self.ax_ = ax = axes_for(ax, type(self).__name__, (6.4, 4))
        self.figure_ = ax.figure
        self.lines_ = {}
        for number, (name, history) in enumerate(self.histories.items()):
            color = SERIES[number % len(SERIES)]
            epochs = np.array([record["epoch"] for record in history])
            lines = []
            for part, style in (("train", "--"), ("validation", "-")):
                if f"{part}_loss" not in history[0]:
                    continue
                error = np.array([record[f"{part}_loss"] for record in history])
                error = np.sqrt(error) if self.measure == "RMSE" else error
                label = f"{name}, {'training' if part == 'train' else part}"
                lines += ax.plot(epochs, error, style, color=color, label=label)
            if self.best is not None:
                kept = epochs == self.best[name]
                ax.plot(epochs[kept], error[kept], "o", color=color, markersize=5)
            self.lines_[name] = lines
        ax.set_xlabel("epoch")
        ax.set_ylabel("RMSE" if self.measure == "RMSE" else "log loss")
        ax.grid(linewidth=0.4, alpha=0.6)
        ax.legend()
        return self
