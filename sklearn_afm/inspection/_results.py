"""Shared by the functions: check parameters, and shape, print and convert results."""

from html import escape

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import Bunch

from ._plotting import shortened

# Lines of a result that a notebook or a console shows.
SHOWN_LINES = 10
# Letters of a name in a line of text.
NAME_LENGTH = 60
# Columns of names, which begin at the left. Numbers end at the right.
_NAMES = ("pair", "field", "level", "first", "second")


class Result(Bunch):
    """A bunch that shows its first lines, aligned, and in a notebook as a table."""

    def _shown(self, n_lines: int) -> tuple[str, dict]:
        """A title, and columns of at most `n_lines` texts or numbers by their names."""
        raise NotImplementedError

    def __repr__(self):
        title, columns = self._shown(SHOWN_LINES)
        return f"{title}\n{aligned(_cells(columns), [name in _NAMES for name in columns])}"

    def _repr_html_(self):
        title, columns = self._shown(SHOWN_LINES)
        sides = ["left" if name in _NAMES else "right" for name in columns]
        heads, *rows = _cells(columns)
        lines = [
            "".join(
                f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
                for cell, side in zip(row, sides)
            )
            for tag, row in (("th", heads), *(("td", row) for row in rows))
        ]
        body = "".join(f"<tr>{line}</tr>" for line in lines[1:])
        return (
            f"<table><caption>{escape(title)}</caption><thead><tr>{lines[0]}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def beyond(n_lines: int, n_all: int) -> str:
    """What a title adds if not all lines are shown."""
    return f"; the first {n_lines}, all in to_frame()" if n_all > n_lines else ""


def aligned(rows: list[list[str]], left: list[bool]) -> str:
    """Rows of cells as text, in columns: names from the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(row, widths, left)
        ).rstrip()
        for row in rows
    )


def _cells(columns: dict) -> list[list[str]]:
    """The names of the columns, and their rows as text."""
    texts = [[shortened(name, NAME_LENGTH), *_texts(values)] for name, values in columns.items()]
    return [list(row) for row in zip(*texts)]


def _texts(values) -> list[str]:
    """Names cut to a length; numbers with as many decimals as the largest needs for 4 digits."""
    values = np.asarray(values)
    if values.dtype.kind != "f":
        return [shortened(value, NAME_LENGTH) for value in values]
    largest = np.nanmax(np.abs(values), initial=0)
    decimals = int(np.clip(3 - np.floor(np.log10(largest)), 0, 12)) if 0 < largest < np.inf else 3
    return [f"{value:.{decimals}f}" for value in values]


def probabilities(model, raw) -> np.ndarray | None:
    """Probability that belongs to each raw score (n_rows, n_outputs); None of a regressor.

    The only output of a classifier of two classes has the probability of the second class.
    """
    if not is_classifier(model):
        return None
    found = model._loss.predictions(raw)
    return found if raw.shape[1] > 1 else found[:, 1:]


def has_output_axis(model) -> bool:
    """Tell whether predictions, and so their terms, have an axis for outputs."""
    return np.ndim(model.bias_) > 0


def output_names(model) -> np.ndarray:
    """Return the class or target number of each output, as an array (n_outputs,)."""
    n_outputs = np.size(model.bias_)
    if has_output_axis(model) and hasattr(model, "classes_"):
        return model.classes_
    return np.arange(n_outputs)


def unit_of(model, output: int | None) -> str:
    """Return the unit of an output's raw scores, in words; None stands for the mean of several."""
    log_link = model._loss.log_link
    if output is None and log_link:
        return "logs of y"
    if output is None:
        return "logits" if hasattr(model, "classes_") else "units of y"
    if not hasattr(model, "classes_"):
        return f"{'log' if log_link else 'unit'} of {target_of(model, output) or 'y'}"
    return f"{'logit' if has_output_axis(model) else 'log odds'} of {target_of(model, output)}"


def target_of(model, output: int) -> str:
    """Name what an output predicts; "" of the only target of a regressor, if y had no name."""
    names = model._target_names
    if hasattr(model, "classes_"):
        label = model.classes_[output if has_output_axis(model) else 1]
        return f"{names[0]} = {label}" if names else str(label)
    if names:
        return names[output]
    return f"y[:, {output}]" if has_output_axis(model) else ""


def as_predicted(model, values):
    """Give values (n, n_outputs) the shape of predictions: (n,) if these have no output axis."""
    return values if has_output_axis(model) else values[..., 0]


def check_output(model, output, needed_for=None) -> int | None:
    """Return the position of the chosen output, or None for all of several outputs.

    If `needed_for` is given, one output must be chosen: it names what needs this.
    """
    n_outputs = np.size(model.bias_)
    if output is None:
        if n_outputs == 1:
            return 0
        if needed_for is None:
            return None
        raise ValueError(
            f"{needed_for} needs one output, but the model has {n_outputs} "
            f"({output_names(model).tolist()[:10]}). Set output to an int from 0 to "
            f"{n_outputs - 1}."
        )
    if not isinstance(output, (int, np.integer)) or not 0 <= output < n_outputs:
        raise ValueError(f"output={output!r} must be None or an int from 0 to {n_outputs - 1}.")
    return int(output)


def check_choice(name: str, value, choices) -> None:
    """Raise ValueError if a parameter's value is not one of its choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r} must be one of {list(choices)}.")


def check_count(name: str, value) -> None:
    """Raise ValueError if a parameter is not a positive int."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r} must be an int of at least 1.")


def to_frame(columns: dict):
    """Make a pandas DataFrame of these columns. Raise ImportError without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_frame() needs pandas: pip install pandas. Without it, use the result's arrays."
        ) from error
    return pd.DataFrame(columns)


def per_output(name: str, values, names) -> dict:
    """Return the columns of a data frame: `name`, or, with an output axis, "name output" each."""
    if values.ndim == 1:
        return {name: values}
    return {f"{name} {output}": values[:, number] for number, output in enumerate(names)}
