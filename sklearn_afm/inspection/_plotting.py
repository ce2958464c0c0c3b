"""What the displays share: matplotlib, on demand; colours; labels that stay readable."""

import numpy as np

# Of Okabe and Ito's palette, which is told apart with any colour vision.
POSITIVE, NEGATIVE, NEUTRAL = "#0072B2", "#D55E00", "#666666"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_POINTS_PER_INCH = 72


def axes_for(ax, title: str, size: tuple[float, float]):
    """The given axes, or those of a new figure; ImportError without matplotlib."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{title} needs matplotlib: pip install matplotlib, or sklearn_afm[plot]."
        ) from error
    if ax is None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def label_size(ax, n_labels: int, axis: str) -> float:
    """Font size at which so many labels along an axis do not touch, at most 10."""
    box = ax.get_window_extent()
    length = box.height if axis == "y" else box.width
    points = length / ax.figure.dpi * _POINTS_PER_INCH
    return float(np.clip(0.8 * points / max(1, n_labels), 4, 10))


def label_bars(ax, names) -> None:
    """Name horizontal bars, the first on top."""
    ax.set_yticks(np.arange(len(names)), names, fontsize=label_size(ax, len(names), "y"))
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", linewidth=0.4, alpha=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
