"""Displays in scikit-learn's manner: attention, ranked pairs, one prediction, training."""

from collections.abc import Mapping

import numpy as np
from sklearn.base import is_classifier, is_regressor

from ._columns import column_names, encoded_rows, take_apart
from ._importance import pair_importance
from ._plotting import NEGATIVE, NEUTRAL, POSITIVE, SERIES, axes_for, label_axis, label_bars
from ._results import check_choice, check_count, check_output, has_output_axis, output_names
from ._table import interaction_table
from ._terms import iter_terms

_AXIS_LABELS = {
    "attention": "mean attention",
    "contribution": "mean contribution",
    "abs_contribution": "mean |contribution|",
}


class AttentionDisplay:
    """Heat map of attention or contributions: fields by fields, or rows by pairs of fields.

    Rows by pairs shows whether the attention varies from row to row: where it does not, each
    column has one colour, and the map is made of stripes. The colours of signed values are white
    at 0; those of others begin at 0, so that a colour is a share of the largest value.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        What is shown; NaN is left grey.
    row_names, column_names : list of str
        Their names.
    label : str, default="attention"
        What the values are, beside the colour bar.
    signed : bool, default=False
        Whether values may be negative.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        The heat map.
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.

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
        """Compute and plot the map of a fitted estimator.

        Parameters
        ----------
        estimator : estimator or Pipeline
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` with
            one as its last step.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows: to average over, or (`kind` "rows") to show one by one.
        kind : {"fields", "rows"}, default="fields"
            Means over rows, fields by fields; or each row, by pairs of fields.
        fields, statistic, output, sample_weight
            As in :func:`pair_importance`. "rows" shows "contribution" for "abs_contribution"
            too, and `sample_weight` only ranks its pairs.
        n_pairs : int, default=30
            Pairs of fields that "rows" shows at most, those of the largest absolute mean.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : AttentionDisplay
            The display, drawn.
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
            raise ValueError("No row of X has two non-zero features: there is nothing to show.")
        if kind == "fields":
            values = np.where(found.share > 0, found.mean, np.nan)
            names = found.fields.tolist()
            signed = statistic == "contribution"
            return cls(values, names, names, label=_AXIS_LABELS[statistic], signed=signed).plot(ax)
        pairs = found.pair_names[:n_pairs]
        quantity = "attention" if statistic == "attention" else "contribution"
        if quantity == "attention" and output is None:
            output = 0  # the attention is the same for all
        table = interaction_table(estimator, X, fields=fields, pairs=pairs, output=output)
        names = [f"{first} x {second}" for first, second in pairs]
        rows = [str(row) for row in range(len(table.prediction))]
        signed = quantity == "contribution"
        return cls(table[quantity], rows, names, label=quantity, signed=signed).plot(ax)

    def plot(self, ax=None):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

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


class PairImportanceDisplay:
    """Ranked bars of the most important pairs of fields, with their spread.

    The line on a bar is the deviation over rows of `pair_importance`, or two standard errors of
    `permutation_pair_importance`.

    Parameters
    ----------
    importance : :class:`~sklearn.utils.Bunch`
        Result of :func:`pair_importance` or :func:`permutation_pair_importance`.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars.
    ax_ : matplotlib Axes
        Where they are drawn.
    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import PairImportanceDisplay
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> display = PairImportanceDisplay.from_estimator(model, X)
    >>> len(display.bars_)
    1
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
        statistic="attention",
        output=None,
        sample_weight=None,
        n_pairs=15,
        ax=None,
    ):
        """Compute :func:`pair_importance` of a fitted estimator and plot it.

        Parameters
        ----------
        estimator : estimator or Pipeline
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` with
            one as its last step.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to average over.
        fields, statistic, output, sample_weight
            As in :func:`pair_importance`.
        n_pairs : int, default=15
            Number of bars at most.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : PairImportanceDisplay
            The display, drawn.
        """
        importance = pair_importance(
            estimator,
            X,
            fields=fields,
            statistic=statistic,
            output=output,
            sample_weight=sample_weight,
        )
        return cls(importance).plot(ax, n_pairs=n_pairs)

    def plot(self, ax=None, *, n_pairs=15):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        n_pairs : int, default=15
            Number of bars at most.

        Returns
        -------
        display : PairImportanceDisplay
            The display itself.
        """
        check_count("n_pairs", n_pairs)
        found = self.importance
        mean = found.ranked("mean")[:n_pairs]
        if "std" in found:
            spread, label = found.ranked("std")[:n_pairs], "line: deviation over rows"
        else:
            spread, label = 2 * found.ranked("std_error")[:n_pairs], "line: two standard errors"
        # A line does not say that attention may be negative.
        never_negative = found.statistic in ("attention", "abs_contribution")
        lower = np.minimum(spread, mean) if never_negative else spread
        size = (7, float(np.clip(1 + 0.25 * len(mean), 2.5, 11)))
        self.ax_ = ax = axes_for(ax, type(self).__name__, size)
        self.figure_ = ax.figure
        self.bars_ = ax.barh(
            np.arange(len(mean)),
            mean,
            xerr=[lower, spread],
            color=np.where(mean < 0, NEGATIVE, POSITIVE),
            error_kw={"ecolor": "black", "elinewidth": 1.2},
        )
        label_bars(ax, [f"{first} x {second}" for first, second in found.pair_names[:n_pairs]])
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_xlabel(f"{_AXIS_LABELS.get(found.statistic, found.statistic)} ({label})")
        return self


class InteractionDisplay:
    """One row's prediction as a sum: intercept, linear terms and interactions, as a waterfall.

    Bars run from the sum of the terms above them; the last ends at the prediction.

    Parameters
    ----------
    names : list of str
        Names of the terms.
    values : ndarray of shape (n_terms,)
        What each adds.
    intercept : float
        Where the sum begins.
    label : str, default="prediction"
        What is predicted.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars: the intercept, the terms drawn one by one, and the others together.
    ax_ : matplotlib Axes
        Where they are drawn.
    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.inspection import InteractionDisplay
    >>> X = [["red", "round"], ["red", "flat"], ["blue", "round"], ["blue", "flat"]] * 100
    >>> y = [2.0, -2.0, -2.0, 2.0] * 100
    >>> model = make_pipeline(OneHotEncoder(), AFMRegressor(random_state=0)).fit(X, y)
    >>> display = InteractionDisplay.from_estimator(model, X, row=1)
    >>> display.names
    ['x0_red', 'x1_flat', 'x0_red x x1_flat']
    >>> round(float(display.intercept + display.values.sum()))
    -2
    """

    def __init__(self, names, values, intercept, *, label="prediction"):
        self.names = names
        self.values = values
        self.intercept = intercept
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, X, *, row=0, output=None, n_terms=12, ax=None):
        """Compute and plot the terms of one row.

        Parameters
        ----------
        estimator : estimator or Pipeline
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` with
            one as its last step.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, as `estimator` predicts them.
        row : int, default=0
            The row of X to explain; a negative one counts from the end.
        output : int, default=None
            Output that is meant; needed where the model has several.
        n_terms : int, default=12
            Terms drawn one by one, those of the largest absolute value.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : InteractionDisplay
            The display, drawn.
        """
        encoder, model = take_apart(estimator)
        output = check_output(model, output, "InteractionDisplay")
        X = encoded_rows(encoder, model, X)
        if not isinstance(row, (int, np.integer)) or not -X.shape[0] <= row < X.shape[0]:
            raise ValueError(f"row={row!r} is no row of X, which has {X.shape[0]}.")
        row = int(row) % X.shape[0]
        ((_, terms),) = iter_terms(model, X[row : row + 1])
        names = column_names(encoder, model)
        pair_names = [f"{names[i]} x {names[j]}" for i, j in zip(terms.first, terms.second)]
        return cls(
            [*names[terms.column].tolist(), *pair_names],
            np.concatenate([terms.linear, terms.contribution])[:, output],
            float(terms.intercept[output]),
            label=_prediction_label(model, output),
        ).plot(ax, n_terms=n_terms)

    def plot(self, ax=None, *, n_terms=12):
        """Draw the waterfall.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        n_terms : int, default=12
            Terms drawn one by one, those of the largest absolute value.

        Returns
        -------
        display : InteractionDisplay
            The display itself.
        """
        check_count("n_terms", n_terms)
        order = np.argsort(-np.abs(self.values), kind="stable")
        shown, others = order[:n_terms], order[n_terms:]
        names = ["intercept", *(self.names[term] for term in shown)]
        steps = [self.intercept, *self.values[shown]]
        if len(others):
            names.append(f"{len(others)} smaller terms")
            steps.append(self.values[others].sum())
        ends = np.cumsum(steps)
        starts = np.append(0.0, ends[:-1])
        size = (7, float(np.clip(1 + 0.28 * len(steps), 2.5, 11)))
        self.ax_ = ax = axes_for(ax, type(self).__name__, size)
        self.figure_ = ax.figure
        colors = [NEGATIVE if step < 0 else POSITIVE for step in steps]
        colors[0] = NEUTRAL
        self.bars_ = ax.barh(np.arange(len(steps)), steps, left=starts, color=colors)
        ax.bar_label(self.bars_, [f"{step:+.3g}" for step in steps], padding=3, fontsize=8)
        for position, end in enumerate(ends[:-1]):
            ax.plot([end, end], [position - 0.4, position + 1.4], color=NEUTRAL, linewidth=0.6)
        ax.axvline(ends[-1], color="black", linewidth=1, linestyle=":")
        label_bars(ax, names)
        room = 0.15 * np.ptp([0.0, *ends])  # for the numbers at the bars
        ax.set_xlim(min(0.0, *ends) - room, max(0.0, *ends) + room)
        ax.set_xlabel(f"{self.label} = {ends[-1]:.4g}")
        return self


def _prediction_label(model, output):
    if not is_classifier(model):
        return f"prediction of target {output}" if has_output_axis(model) else "prediction"
    label = output_names(model)[output] if has_output_axis(model) else model.classes_[1]
    return f"logit of {label}"


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
