"""Between fitted attributes (plain arrays, an axis for outputs only where there are several)
and the core's parameters (tensors, always with that axis)."""

import numpy as np

from ._core.parameters import ATTENTION
from ._input import shared_tensor

_WITH_OUTPUT_AXIS = ("intercept", "coef", "projection")


def parameters_of(estimator) -> dict[str, np.ndarray]:
    """The fitted attributes under the core's names and shapes."""
    names = ["intercept", "coef", "embeddings", "projection"]
    names += [name for name in ATTENTION if hasattr(estimator, f"{name}_")]
    arrays = {name: getattr(estimator, f"{name}_") for name in names}
    if np.ndim(arrays["intercept"]) == 0:
        for name in _WITH_OUTPUT_AXIS:
            arrays[name] = np.asarray(arrays[name])[None]
    arrays["coef"] = arrays["coef"].T
    return arrays


def set_attributes(estimator, arrays: dict[str, np.ndarray], several_outputs: bool) -> None:
    """Set the fitted attributes from arrays of the core's names and shapes."""
    for name, value in arrays.items():
        if name == "coef":
            value = np.ascontiguousarray(value.T)
        if name in _WITH_OUTPUT_AXIS and not several_outputs:
            value = value[0]
        setattr(estimator, f"{name}_", value)


def shared_parameters(estimator, device):
    """The fitted attributes as tensors to predict with, without a copy on the CPU."""
    return {name: shared_tensor(array, device) for name, array in parameters_of(estimator).items()}
