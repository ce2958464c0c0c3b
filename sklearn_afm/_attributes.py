"""Between fitted attributes and the parameters of the core.

Fitted attributes are plain arrays. Their axis for outputs comes first, and is dropped if the model
has one output. The parameters of the core always have it, last where there is one row per column.
"""

import dataclasses

import numpy as np

from ._core.models.model import Model
from ._core.tensors import shared_tensor

_FORMER_NAMES = {
    "coef_": "linear_weights_",
    "intercept_": "bias_",
    "mean_pairs_": "median_pairs_",
}


def model_of(estimator) -> Model:
    """The model of a fitted estimator."""
    return estimator._make_model(np.size(estimator.bias_), estimator.median_pairs_)


def parameters_of(estimator) -> dict[str, np.ndarray]:
    """The fitted attributes under the core's names and shapes."""
    one_output = np.ndim(estimator.bias_) == 0
    arrays = {}
    for parameter in model_of(estimator).parameters:
        array = getattr(estimator, f"{parameter.name}_")
        if "output" in parameter.axes:
            array = np.asarray(array)[None] if one_output else array
            array = np.moveaxis(array, 0, parameter.axes.index("output"))
        arrays[parameter.name] = array
    return arrays


def per_column(estimator) -> list[np.ndarray]:
    """The fitted parameters that have one row per column of X."""
    names = model_of(estimator).per_column
    return [array for name, array in parameters_of(estimator).items() if name in names]


def set_attributes(estimator, arrays: dict[str, np.ndarray], several_outputs: bool) -> None:
    """Set the fitted attributes from arrays of the core's names and shapes."""
    model = estimator._make_model(len(arrays["bias"]), estimator.median_pairs_)
    for parameter in model.parameters:
        array = arrays[parameter.name]
        if "output" in parameter.axes:
            array = np.ascontiguousarray(np.moveaxis(array, parameter.axes.index("output"), 0))
            array = array if several_outputs else array[0]
        setattr(estimator, f"{parameter.name}_", array)


def shared_parameters(estimator, device):
    """The fitted attributes as tensors to predict with, without a copy on the CPU."""
    return {name: shared_tensor(array, device) for name, array in parameters_of(estimator).items()}


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
    return {"column_mean_": None, "median_pairs_": 1.0} | state | {"_progress": progress}
