"""Shared by the functions: check parameters, and shape results by output or as data frames."""

import numpy as np


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
    if output is None:
        return "logits" if hasattr(model, "classes_") else "units of the targets"
    if not hasattr(model, "classes_"):
        return f"unit of target {output}" if has_output_axis(model) else "unit of the target"
    if has_output_axis(model):
        return f"logit of {model.classes_[output]}"
    return f"log odds of {model.classes_[1]}"


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
