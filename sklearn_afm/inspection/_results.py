"""Shapes of results: outputs, tables as pandas frames."""

import numpy as np


def has_output_axis(model) -> bool:
    """Whether predictions, and so the terms, have an axis for outputs."""
    return np.ndim(model.bias_) > 0


def output_names(model) -> np.ndarray:
    """Classes or target numbers, one an output; (n_outputs,)."""
    n_outputs = np.size(model.bias_)
    if has_output_axis(model) and hasattr(model, "classes_"):
        return model.classes_
    return np.arange(n_outputs)


def as_predicted(model, values):
    """(n, n_outputs) as predictions have it: without the axis where there is one output."""
    return values if has_output_axis(model) else values[..., 0]


def check_output(model, output, needed_for=None) -> int | None:
    """Position of the output that is meant; None for all of several.

    `needed_for` names what cannot be had for several outputs at once.
    """
    n_outputs = np.size(model.bias_)
    if output is None:
        if n_outputs == 1:
            return 0
        if needed_for is None:
            return None
        raise ValueError(
            f"{needed_for} is of one output, and the model has {n_outputs} "
            f"({output_names(model).tolist()[:10]}): give output=0 to {n_outputs - 1}."
        )
    if not isinstance(output, (int, np.integer)) or not 0 <= output < n_outputs:
        raise ValueError(f"output={output!r} must be None or an int from 0 to {n_outputs - 1}.")
    return int(output)


def check_choice(name: str, value, choices) -> None:
    """Raise if the value of a parameter is none of its choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r} must be one of {list(choices)}.")


def check_count(name: str, value) -> None:
    """Raise if a parameter is no positive int."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r} must be an int of at least 1.")


def to_frame(columns: dict):
    """A pandas DataFrame of these columns."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "to_frame() needs pandas: pip install pandas. The result's arrays need nothing."
        ) from error
    return pd.DataFrame(columns)


def per_output(name: str, values, names) -> dict:
    """Columns of a frame: one of this name, or one an output, "name output"."""
    if values.ndim == 1:
        return {name: values}
    return {f"{name} {output}": values[:, number] for number, output in enumerate(names)}
