"""Draw one prediction as a waterfall of its terms."""

import numpy as np
from sklearn.base import is_classifier

from ._columns import column_names, encoded_rows, take_apart
from ._plotting import NEGATIVE, NEUTRAL, POSITIVE, axes_for, label_bars
from ._results import check_count, check_output, has_output_axis, output_names
from ._terms import iter_terms


class InteractionDisplay:
    """Waterfall of one row's prediction: the sum of bias, linear terms and interactions.

    Each bar starts at the sum of the terms above it. The last bar ends at the prediction.

    Parameters
    ----------
    names : list of str
        Names of the terms.
    values : ndarray of shape (n_terms,)
        What each term adds to the prediction.
    bias : float
        Bias, the first term of the sum.
    label : str, default="prediction"
        What is predicted.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars: the bias, the terms drawn one by one, and one bar for all others.
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure that contains the axes.

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
    >>> round(float(display.bias + display.values.sum()))
    -2
    """

    def __init__(self, names, values, bias, *, label="prediction"):
        self.names = names
        self.values = values
        self.bias = bias
        self.label = label

    @classmethod
    def from_estimator(cls, estimator, X, *, row=0, output=None, n_terms=12, ax=None):
        """Compute and draw the terms of one row.

        Parameters
        ----------
        estimator : estimator, Pipeline, search or FrozenEstimator
            A fitted FM or AFM estimator, or a fitted :class:`~sklearn.pipeline.Pipeline` whose
            last step is one. It may also be a fitted search (``refit=True``) over one of these,
            or one of these in a :class:`~sklearn.frozen.FrozenEstimator`.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, in the form that `estimator.predict` takes.
        row : int, default=0
            Position of the row of X to explain. A negative number counts from the end.
        output : int, default=None
            Number of the output to explain, from 0. Required if the model has several outputs.
        n_terms : int, default=12
            Number of terms to draw one by one: those with the largest absolute values.
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.

        Returns
        -------
        display : InteractionDisplay
            The display, already drawn.
        """
        encoder, model = take_apart(estimator)
        output = check_output(model, output, "InteractionDisplay")
        X = encoded_rows(encoder, model, X)
        if not isinstance(row, (int, np.integer)) or not -X.shape[0] <= row < X.shape[0]:
            raise ValueError(f"row={row!r} is no row of X, which has {X.shape[0]} rows.")
        row = int(row) % X.shape[0]
        ((_, terms),) = iter_terms(model, X[row : row + 1])
        names = column_names(encoder, model)
        pair_names = [f"{names[i]} x {names[j]}" for i, j in zip(terms.first, terms.second)]
        return cls(
            [*names[terms.column].tolist(), *pair_names],
            np.concatenate([terms.linear, terms.contribution])[:, output],
            float(terms.bias[output]),
            label=_prediction_label(model, output),
        ).plot(ax, n_terms=n_terms)

    def plot(self, ax=None, *, n_terms=12):
        """Draw the waterfall.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. If None, a new figure is made.
        n_terms : int, default=12
            Number of terms to draw one by one: those with the largest absolute values.

        Returns
        -------
        display : InteractionDisplay
            The display itself.
        """
        check_count("n_terms", n_terms)
        order = np.argsort(-np.abs(self.values), kind="stable")
        shown, others = order[:n_terms], order[n_terms:]
        names = ["bias", *(self.names[term] for term in shown)]
        steps = [self.bias, *self.values[shown]]
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
