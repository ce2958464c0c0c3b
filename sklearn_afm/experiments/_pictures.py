"""Pictures of the experiments."""

import numpy as np

from ..inspection._plotting import NEUTRAL, SERIES
from ._tables import NAMES, by, mean


def sweep(results, ax, varied: str, title: str) -> None:
    """Draw the RMSE over the values of the varied parameter, one line per model."""
    values = sorted({result[varied] for result in results if varied in result})
    for number, (model, group) in enumerate(by(results, "model").items()):
        color = SERIES[number]
        if varied not in group[0]:  # a model that has no such parameter
            ax.axhline(mean(group, "rmse"), color=color, linestyle="--", label=model)
            continue
        means = {value: mean(part, "rmse") for value, part in by(group, varied).items()}
        positions = [values.index(value) for value in means]
        ax.plot(positions, list(means.values()), "o-", color=color, markersize=4, label=model)
    ax.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    ax.set_xlabel(title)
    ax.set_ylabel(NAMES["rmse"])
    ax.grid(linewidth=0.4, alpha=0.6)
    ax.legend()


def dots(results, ax, measure: str) -> None:
    """Draw a measure of each run, one row of dots per model."""
    groups = by(results, "model")
    for number, group in enumerate(groups.values()):
        values = [result["measures"][measure] for result in group]
        color = SERIES[number % len(SERIES)]
        ax.plot(values, np.full(len(values), number), "o", color=color, alpha=0.7)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set_xlabel(NAMES[measure])
    ax.locator_params(axis="x", nbins=5)
    ax.grid(linewidth=0.4, alpha=0.6)


def bars(values: dict[str, list[float]], names: list[str], ax, title: str) -> None:
    """Draw horizontal bars of several series, grouped by name."""
    height = 0.8 / len(values)
    for number, (series, lengths) in enumerate(values.items()):
        positions = np.arange(len(names)) + (number + 0.5) * height - 0.4
        ax.barh(positions, lengths, height, color=SERIES[number], label=series)
    ax.axvline(0, color=NEUTRAL, linewidth=0.6)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(title)
    ax.legend()


def curves(series: dict[str, list[float]], ax, title: str) -> None:
    """Draw lines over epochs."""
    for number, (name, values) in enumerate(series.items()):
        ax.plot(range(1, len(values) + 1), values, color=SERIES[number], label=name)
    ax.set_xlabel("epoch")
    ax.set_ylabel(title)
    ax.grid(linewidth=0.4, alpha=0.6)
    ax.legend()
