"""Between fitted attributes (plain arrays, an axis for outputs only where there are several)
and the core's parameters (tensors, always with that axis)."""

import dataclasses

import numpy as np

from ._core.parameters import ATTENTION
from ._input import shared_tensor

_FORMER_NAMES = {
    "coef_": "linear_weights_",
    "intercept_": "bias_",
    "mean_pairs_": "median_pairs_",
}
_WITH_OUTPUT_AXIS = ("bias", "linear_weights", "projection")


def parameters_of(estimator) -> dict[str, np.ndarray]:
    """The fitted attributes under the core's names and shapes."""
    names = ["bias", "linear_weights", "embeddings", "projection"]
    names += [name for name in ATTENTION if hasattr(estimator, f"{name}_")]
    arrays = {name: getattr(estimator, f"{name}_") for name in names}
    if np.ndim(arrays["bias"]) == 0:
        for name in _WITH_OUTPUT_AXIS:
            arrays[name] = np.asarray(arrays[name])[None]
    arrays["linear_weights"] = arrays["linear_weights"].T
    return arrays


def renamed(state: dict) -> dict:
    """The state of a stored model, under the names that its attributes have now."""
    state = {_FORMER_NAMES.get(name, name): value for name, value in state.items()}
    if "embeddings_" not in state:
        return state
    progress = state["_progress"]
    optimizer = {
        name.replace("coef/", "linear_weights/").replace("intercept/", "bias/"): value
        for name, value in (progress.optimizer or {}).items()
    }
    progress = dataclasses.replace(progress, optimizer=optimizer or None)
    return {"column_mean_": None} | state | {"_progress": progress}


def set_attributes(estimator, arrays: dict[str, np.ndarray], several_outputs: bool) -> None:
    """Set the fitted attributes from arrays of the core's names and shapes."""
    for name, value in arrays.items():
        if name == "linear_weights":
            value = np.ascontiguousarray(value.T)
        if name in _WITH_OUTPUT_AXIS and not several_outputs:
            value = value[0]
        setattr(estimator, f"{name}_", value)


def shared_parameters(estimator, device):
    """The fitted attributes as tensors to predict with, without a copy on the CPU."""
    return {name: shared_tensor(array, device) for name, array in parameters_of(estimator).items()}
