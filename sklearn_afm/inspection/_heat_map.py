"""Heat maps that displays share: fields by fields, or rows by pairs of fields."""

import numpy as np

from ._plotting import axes_for, label_axis
from ._results import shortened

EMPTY = "#CCCCCC"  # cells without a value
_LETTER = 0.075  # inches


def heat_map(ax, title: str, values, row_names, column_names, limit: float, label: str, log=False):
    """Draw values (n_rows, n_columns), with a colour bar. NaN is grey.

    Parameters
    ----------
    ax : Axes or None
        None makes a figure.
    title : str
        Name of the display, for errors.
    values, row_names, column_names
        What to draw, and names of its rows and columns.
    limit : float
        Colours reach from -limit to limit, with 0 in white.
    label : str
        What the colours are.
    log : bool
        Colours reach from 1 / limit to limit, with 1 in white.

    Returns
    -------
    image, colorbar
        Of matplotlib.
    """
    square = list(row_names) == list(column_names)
    row_names, column_names = (
        [shortened(name) for name in names] for names in (row_names, column_names)
    )
    size = [
        beside + _LETTER * max(map(len, names)) + float(np.clip(inches * number, 4, 10))
        for names, number, inches, beside in (
            (row_names, len(column_names), 0.28, 1.4),  # the colour bar
            (column_names, len(row_names), 0.28 if square else 0.1, 0.8),  # the title
        )
    ]
    ax = axes_for(ax, title, size)
    from matplotlib.colors import LogNorm, Normalize

    norm = LogNorm(1 / limit, limit, clip=True) if log else Normalize(-limit, limit)
    image = ax.imshow(
        np.ma.masked_invalid(values),
        cmap="RdBu",
        norm=norm,
        aspect="equal" if square else "auto",
        interpolation="nearest",
    )
    ax.set_facecolor(EMPTY)
    label_axis(ax, "x", column_names)
    label_axis(ax, "y", row_names, smallest=4 if square else 8)
    if not square:
        ax.set_ylabel("row")
    bar = ax.figure.colorbar(image, ax=ax, label=label, shrink=0.8)
    if not log and not (values < 0).any():
        bar.ax.set_ylim(0, limit)
    return image, bar
