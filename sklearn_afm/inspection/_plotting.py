"""Shared by the displays: import of matplotlib on demand, colours, and readable labels."""

import numpy as np

# From the palette of Okabe and Ito: people with any colour vision can tell these colours apart.
POSITIVE, NEGATIVE, NEUTRAL = "#0072B2", "#D55E00", "#666666"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# From the darkest negative to the darkest positive; 0 is white.
_DIVERGING = ("#7A2E00", NEGATIVE, "#F7C8A4", "#FFFFFF", "#A6D2EC", POSITIVE, "#00365C")
EMPTY = "#DDDDDD"
AXIS_LABELS = {
    "attention": "mean attention",
    "contribution": "mean contribution",
    "abs_contribution": "mean |contribution|",
}
LONGEST = 28  # characters of a label
LONGEST_PAIR = 48  # characters of the label of a pair, beside its bar
_LONGEST_LINE = 50  # characters of the label of an axis
_POINTS_PER_INCH = 72
# Of the default font, in widths of a capital letter.
_CHARACTER_WIDTH = 0.6


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


def diverging_colors():
    """Return the colour map of signed values: the colours of - and +, white at 0."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", _DIVERGING)


# Text


def shortened(text, length: int = LONGEST) -> str:
    """Leave out the middle of a text that is longer than `length`, for an ellipsis.

    The end often tells names apart, as in "date month" and "date weekday". Of "field = level", the
    level keeps two thirds if it needs them.
    """
    text = str(text)
    field, equals, level = text.partition(" = ")
    if len(text) > length and equals:
        room = length - len(equals)
        level = _without_middle(level, max(room - len(field), 2 * room // 3))
        return _without_middle(field, room - len(level)) + equals + level
    return _without_middle(text, length)


def _without_middle(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    tail = (length - 1) * 2 // 5
    head = length - 1 - tail
    return f"{text[:head].rstrip()}\N{HORIZONTAL ELLIPSIS}{text[-tail:].lstrip()}"


def pair_label(first, second, length: int = LONGEST + 3) -> str:
    """Name a pair, as in "a x b". What one name does not need, the other may use."""
    first, second = str(first), str(second)
    half = (length - 3) // 2
    room = max(half, length - 3 - len(second)), max(half, length - 3 - len(first))
    return f"{shortened(first, room[0])} x {shortened(second, room[1])}"


def label_width(names, fontsize: float = 10, longest: int = LONGEST) -> float:
    """Return the width of the longest name, cut as it is on an axis, in inches (about)."""
    length = max((len(shortened(name, longest)) for name in names), default=0)
    return length * _CHARACTER_WIDTH * fontsize / _POINTS_PER_INCH


def width_of_bars(names, margin: float) -> float:
    """Return the width of a figure of bars beside names of pairs, in inches: half is for bars."""
    beside = margin + label_width(names, longest=LONGEST_PAIR)
    return float(beside + max(4.5, 1.1 * beside))


def with_unit(label: str, unit: str | None) -> str:
    """Return the label of an axis with its unit in brackets, if there is one; long ones below."""
    if not unit:
        return label
    unit = f"({shortened(unit, LONGEST + 12)})"
    return f"{label} {unit}" if len(label + unit) < _LONGEST_LINE else f"{label}\n{unit}"


# Axes


def label_axis(ax, axis: str, names, smallest: float = 4, longest: int = LONGEST) -> None:
    """Name the positions 0, 1, ... along an axis. Cut long names; leave out what would touch."""
    box = ax.get_window_extent()
    length = box.height if axis == "y" else box.width
    # Font size in points that fills 80% of the room per name.
    space = 0.8 * length / ax.figure.dpi * _POINTS_PER_INCH / max(1, len(names))
    step = max(1, int(np.ceil(smallest / space)))
    size = min(10.0, space * step)
    names = [shortened(name, longest) for name in names]
    rotation = 0
    if axis == "x" and label_width(names, size, longest) * _POINTS_PER_INCH > space * step:
        rotation = 90
    set_ticks = ax.set_yticks if axis == "y" else ax.set_xticks
    set_ticks(np.arange(0, len(names), step), names[::step], rotation=rotation, fontsize=size)


def settle(ax, *, smallest: float = 7, longest: int = LONGEST, **names) -> None:
    """Name positions along axes, given as x= and y=, for the size that the layout leaves them."""
    for _ in range(2):  # the first labels decide the layout, and the layout the room for labels
        for axis, its_names in names.items():
            label_axis(ax, axis, its_names, smallest, longest)
        ax.figure.draw_without_rendering()


def label_bars(ax, names, longest: int = LONGEST) -> None:
    """Name horizontal bars, with the first bar on top."""
    label_axis(ax, "y", names, longest=longest)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", linewidth=0.4, alpha=0.6)
    ax.set_axisbelow(True)
    ax.locator_params(axis="x", nbins=5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def legend_above(ax, handles, n_columns: int = 2):
    """Draw a legend above the axes, where it hides no data."""
    return ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=n_columns,
        frameon=False,
        fontsize=9,
        borderaxespad=0.2,
    )


def sign_legend(ax, positive: str = "raises it", negative: str = "lowers it"):
    """Say above the axes which colour is which sign."""
    from matplotlib.patches import Patch

    handles = [Patch(color=POSITIVE, label=positive), Patch(color=NEGATIVE, label=negative)]
    return legend_above(ax, handles)
