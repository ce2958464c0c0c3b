"""Shared by the displays: import of matplotlib on demand, colours, and readable labels."""

import numpy as np

# From the palette of Okabe and Ito: people with any colour vision can tell these colours apart.
POSITIVE, NEGATIVE, NEUTRAL = "#0072B2", "#D55E00", "#666666"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
AXIS_LABELS = {
    "attention": "mean attention",
    "contribution": "mean contribution",
    "abs_contribution": "mean |contribution|",
}
_POINTS_PER_INCH = 72


def axes_for(ax, title: str, size: tuple[float, float]):
    """Return the given axes, or those of a new figure. Raise ImportError without matplotlib."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{title} needs matplotlib: pip install matplotlib, or sklearn_afm[plot]."
        ) from error
    if ax is None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def label_axis(ax, axis: str, names, smallest: float = 4) -> None:
    """Name the positions 0, 1, ... along an axis. Leave names out if they would touch."""
    box = ax.get_window_extent()
    length = box.height if axis == "y" else box.width
    # Font size in points that fills 80% of the room per name.
    space = 0.8 * length / ax.figure.dpi * _POINTS_PER_INCH / max(1, len(names))
    step = max(1, int(np.ceil(smallest / space)))
    set_ticks, rotation = (ax.set_yticks, 0) if axis == "y" else (ax.set_xticks, 90)
    size = min(10.0, space * step)
    set_ticks(np.arange(0, len(names), step), names[::step], rotation=rotation, fontsize=size)


def label_bars(ax, names) -> None:
    """Name horizontal bars, with the first bar on top."""
    label_axis(ax, "y", names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", linewidth=0.4, alpha=0.6)
    ax.set_axisbelow(True)
    ax.locator_params(axis="x", nbins=5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
