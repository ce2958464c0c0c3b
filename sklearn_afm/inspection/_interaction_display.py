"""Draw one prediction as a waterfall of its terms."""

import numpy as np
from sklearn.base import is_classifier

from ._columns import column_names, encoded_rows, take_apart
from ._plotting import (
    LONGEST_PAIR,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    axes_for,
    label_bars,
    pair_label,
    shortened,
    width_of_bars,
)
from ._results import (
    check_count,
    check_output,
    probabilities,
    target_of,
    unit_of,
)
from ._terms import iter_terms

_SUBTOTAL = "#BBBBBB"


class InteractionDisplay:
    """Waterfall of one row's prediction: the sum of bias, linear part and interactions.

    Each bar starts at the sum of the terms above it. A grey bar below the terms of a part is their
    sub-total. The last bar ends at the prediction.

    Parameters
    ----------
    names : list of str or (str, str)
        Names of the terms: a name for a term of the linear part, two for a pair.
    values : ndarray of shape (n_terms,)
        What each term adds to the prediction.
    bias : float
        Bias, the first term of the sum.
    unseen : float, default=0.0
        What the mean over the levels of a field adds, if the row has an unseen level in it.
    label : str, default="prediction"
        What is predicted.
    probability : float, default=None
        Of a classifier: the probability that belongs to the prediction, which is in log odds or a
        logit. It is written beside it.

    Attributes
    ----------
    bars_ : matplotlib BarContainer
        The bars: the bias; of each part, the terms drawn one by one, one bar for all others, and
        the sub-total.
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> from sklearn_afm.datasets import load_flights
    >>> from sklearn_afm.inspection import InteractionDisplay
    >>> X, y = load_flights(return_X_y=True, as_frame=True)
    >>> model = make_field_pipeline(AFMClassifier(random_state=0))
    >>> model = model.fit(X[:4000], y[:4000])
    >>> display = InteractionDisplay.from_estimator(model, X[4000:8000], row=1)
    >>> display.names[:3]
    ['carrier = US', 'origin = LGA', 'dest = DCA']
    >>> plt.show()
    """

    def __init__(self, names, values, bias, *, unseen=0.0, label="prediction", probability=None):
        self.names = names
        self.values = values
        self.bias = bias
        self.unseen = unseen
        self.label = label
        self.probability = probability

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
            Number of terms to draw one by one: those with the largest absolute values. The others
            of a part are one bar.
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
        n_rows = X.shape[0]
        is_number = isinstance(row, (int, np.integer)) and not isinstance(row, bool)
        if not is_number or not -n_rows <= row < n_rows:
            raise ValueError(f"row={row!r} is no row of X, which has {n_rows} rows.")
        row = int(row) % n_rows
        ((_, terms),) = iter_terms(model, X[row : row + 1])
        names = column_names(encoder, model)
        pairs = zip(names[terms.first].tolist(), names[terms.second].tolist())
        probability = probabilities(model, terms.raw_scores())
        return cls(
            [*names[terms.column].tolist(), *pairs],
            np.concatenate([terms.linear, terms.contribution])[:, output],
            float(terms.bias[output]),
            unseen=float(np.broadcast_to(terms.unseen, (1, len(terms.bias)))[0, output]),
            label=_prediction_label(model, output),
            probability=None if probability is None else float(probability[0, output]),
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
        names, steps, is_total = self._steps(n_terms)
        total = self.bias + self.values.sum() + self.unseen
        ends = np.cumsum(np.where(is_total, 0.0, steps))
        starts = ends - steps  # a sub-total ends where its part does
        height = float(np.clip(1.4 + 0.28 * len(steps), 2.8, 11))
        size = (width_of_bars(names, margin=0.8), height)  # numbers are beside the bars, too
        self.ax_ = ax = axes_for(ax, type(self).__name__, size)
        self.figure_ = ax.figure
        colors = [NEGATIVE if step < 0 else POSITIVE for step in steps]
        colors = [_SUBTOTAL if grey else color for grey, color in zip(is_total, colors)]
        colors[0] = NEUTRAL
        self.bars_ = ax.barh(np.arange(len(steps)), steps, left=starts, color=colors)
        for position, end in enumerate(ends[:-1]):
            ax.plot([end, end], [position - 0.4, position + 1.4], color=NEUTRAL, linewidth=0.6)
        ax.axvline(total, color="black", linewidth=1, linestyle=":")
        label_bars(ax, names, longest=LONGEST_PAIR)
        for position, name in zip(ax.get_yticks(), ax.get_yticklabels()):
            name.set_fontweight("bold" if is_total[position] else "normal")
            ax.text(  # beside the axes, where nothing is in its way
                1.01,
                position,
                _number(steps[position]),
                transform=ax.get_yaxis_transform(),
                verticalalignment="center",
                fontsize=name.get_fontsize(),
                fontweight=name.get_fontweight(),
            )
        low, high = min(0.0, *ends), max(0.0, *ends)
        room = 0.04 * (high - low or 1.0)
        ax.set_xlim(low - room, high + room)
        self._write(ax, total)
        return self

    def _steps(self, n_terms) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Names and sizes of the bars, and which of them are sub-totals."""
        order = np.argsort(-np.abs(self.values), kind="stable")
        shown, others = order[:n_terms], order[n_terms:]
        names, steps, is_total = ["bias"], [self.bias], [False]
        is_pair = np.array([not isinstance(name, str) for name in self.names], dtype=bool)
        for part, plural, belongs in (
            ("linear part", "linear terms", ~is_pair),
            ("interactions", "interactions", is_pair),
        ):
            if not belongs.any():
                continue
            chosen, rest = shown[belongs[shown]], others[belongs[others]]
            names += [_short(self.names[term]) for term in chosen]
            steps += self.values[chosen].tolist()
            if len(rest):
                names.append(f"{len(rest)} smaller {plural}")
                steps.append(self.values[rest].sum())
            is_total += [False] * (len(names) - len(is_total))
            names.append(part)
            steps.append(self.values[belongs].sum())
            is_total.append(True)
        if self.unseen:
            names.append("mean over unseen levels")
            steps.append(self.unseen)
            is_total.append(False)
        return names, np.array(steps), np.array(is_total)

    def _write(self, ax, total):
        """The prediction, in a line, and what the colours are."""
        from matplotlib.patches import Patch

        line = f"{self.label}: {total:.4g}"
        if self.probability is not None:
            line += f", probability: {self.probability:.3g}"
        ax.set_xlabel(line)
        signs = {"raises": POSITIVE, "lowers": NEGATIVE, "sub-total": _SUBTOTAL}
        ax.legend(
            handles=[Patch(color=color, label=label) for label, color in signs.items()],
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=3,
            frameon=False,
            fontsize="small",
        )


def _number(step: float) -> str:
    return f"{step:+,.0f}" if abs(step) >= 1000 else f"{step:+.3g}"


def _short(name) -> str:
    return shortened(name, 40) if isinstance(name, str) else pair_label(*name, LONGEST_PAIR)


def _prediction_label(model, output):
    if is_classifier(model):
        return unit_of(model, output)
    target = target_of(model, output)
    if model._loss.log_link:
        return f"log of the prediction of {target}" if target else "log of the prediction"
    return f"prediction of {target}" if target else "prediction"
