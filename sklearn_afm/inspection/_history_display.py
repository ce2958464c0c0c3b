"""Draw training and validation error by epoch."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import is_regressor

from ._columns import take_apart
from ._plotting import LONGEST, SERIES, axes_for, legend_above, settle, shortened, with_unit
from ._results import check_choice, unit_of


class HistoryDisplay:
    """Lines of the training and validation error by epoch, for one or several estimators.

    The training error is measured during the epoch: with dropout, and while the parameters
    change. The validation error is measured after the epoch. A dot marks the epoch whose
    parameters were kept.

    Parameters
    ----------
    histories : dict of str to list of dict
        Name and ``history_`` of each estimator.
    best : dict of str to int, default=None
        Name and ``best_iter_`` of each estimator. None draws no dots.
    measure : {"RMSE", "loss"}, default="loss"
        Error to draw. "RMSE" draws the square root of the loss.
    unit : str, default="unit of y"
        Unit of the RMSE, in words.
    loss : str, default="log loss (nats)"
        Name of the loss, in words.

    Attributes
    ----------
    lines_ : dict of str to list of matplotlib Line2D
        Lines of each estimator: the training error, then the validation error if it was recorded.
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_afm import AFMRegressor, FMRegressor
    >>> from sklearn_afm.datasets import make_interactions
    >>> from sklearn_afm.inspection import HistoryDisplay
    >>> X, y = make_interactions(2000, n_fields=5, n_pairs=2, random_state=0, return_X_y=True)
    >>> settings = {"l2_linear": 0.5, "l2_embedding": 10, "max_iter": 30, "random_state": 0}
    >>> models = {"FM": FMRegressor(**settings), "AFM": AFMRegressor(**settings)}
    >>> models = {name: model.fit(X, y) for name, model in models.items()}
    >>> display = HistoryDisplay.from_estimator(models)
    >>> [len(lines) for lines in display.lines_.values()]
    [2, 2]
    >>> plt.show()
    """

    def __init__(
        self, histories, *, best=None, measure="loss", unit="unit of y", loss="log loss (nats)"
    ):
        self.histories = histories
        self.best = best
        self.measure = measure
        self.unit = unit
        self.loss = loss

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the training history of fitted estimators.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator, or list or dict of them
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose
            last step is one. It may also be a fitted search (``refit=True``) over one of these,
            or one of these in a :class:`~sklearn.frozen.FrozenEstimator`. A list or dict draws
            several of them. The keys of a dict name them. The error is the root mean squared
            error (RMSE) of regressors that minimise the squared error, and else the loss.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : HistoryDisplay
            The display, already drawn.
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
            raise ValueError("There is no estimator to show: estimator is an empty list or dict.")
        tasks = {is_regressor(model) for model in models.values()}
        if len(tasks) > 1:
            raise ValueError("Regressors and classifiers share no error. Draw them separately.")
        losses = {model._loss.name for model in models.values()}
        if len(losses) > 1:
            raise ValueError(
                f"Errors of several losses ({', '.join(sorted(losses))}) share no axis."
            )
        squared = losses == {"squared error"}
        return cls(
            {name: model.history_ for name, model in models.items()},
            best={name: model.best_iter_ for name, model in models.items()},
            measure="RMSE" if squared else "loss",
            unit=_unit(models.values()) if squared else "",
            loss=losses.pop() if tasks == {True} else "log loss (nats)",
        ).plot(ax)

    def plot(self, ax=None):
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : HistoryDisplay
            The display itself.
        """
        check_choice("measure", self.measure, ("RMSE", "loss"))
        empty = [name for name, history in self.histories.items() if not history]
        if empty or not self.histories:
            raise ValueError(
                f"There is no epoch to draw: the history of {empty[0]!r} is empty. Give the "
                "history_ of an estimator that was trained for an epoch at least."
                if empty
                else "There is no history to draw: histories is empty."
            )
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
                label = f"{shortened(name)}, {'training' if part == 'train' else part}"
                lines += ax.plot(epochs, error, style, color=color, label=label)
            if self.best is not None:
                kept = epochs == self.best[name]
                ax.plot(epochs[kept], error[kept], "o", color=color, markersize=5)
            self.lines_[name] = lines
        ax.set_xlabel("epoch")
        rmse = self.measure == "RMSE"
        ax.set_ylabel(with_unit("RMSE", self.unit) if rmse else self.loss)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(linewidth=0.4, alpha=0.6)
        drawn = [line for lines in self.lines_.values() for line in lines]
        short = max(len(line.get_label()) for line in drawn) < LONGEST
        legend_above(ax, drawn, n_columns=2 if short else 1)
        settle(ax)
        return self


def _unit(models) -> str:
    """The unit of the errors of all these models; that of y if they name their targets apart."""
    units = {unit_of(model, 0 if np.size(model.bias_) == 1 else None) for model in models}
    return units.pop() if len(units) == 1 else "unit of y"
