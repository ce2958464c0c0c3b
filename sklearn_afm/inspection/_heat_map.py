"""Heat maps that displays share: fields by fields, or rows by pairs of fields."""

import numpy as np

from ._plotting import EMPTY, axes_for, diverging_colors, label_width, settle


def heat_map(
    ax, title: str, values, row_names, column_names, limit: float, label: str, log: bool = False
):
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
    beside, below = 1.4 + label_width(row_names), 0.8 + label_width(column_names)
    size = (
        beside + float(np.clip(0.28 * len(column_names), max(4, 1.2 * beside), 10)),
        below + float(np.clip((0.28 if square else 0.1) * len(row_names), 4, 10)),
    )
    ax = axes_for(ax, title, size)
    from matplotlib.colors import LogNorm, Normalize

    image = ax.imshow(
        np.ma.masked_invalid(values),
        cmap=diverging_colors(),
        norm=LogNorm(1 / limit, limit, clip=True) if log else Normalize(-limit, limit),
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_facecolor(EMPTY)
    if not square:
        ax.set_ylabel("row")
    bar = ax.figure.colorbar(image, ax=ax, label=label, pad=0.02)
    bar.outline.set_visible(False)
    if not log and not (values < 0).any():
        bar.ax.set_ylim(0, limit)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    settle(ax, y=row_names, x=column_names)
    return image, bar
