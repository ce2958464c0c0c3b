"""Between fitted attributes and the parameters of the core.

Fitted attributes are plain arrays. Their axis for outputs comes first, and is dropped if the model
has one output. The parameters of the core always have it; those with one row per column have it
last.
"""

import numpy as np

from ._core.models.model import Model
from ._linear.crosses import Crosses


def model_of(estimator) -> Model:
    """The model of a fitted estimator. Its sizes are those of the fitted attributes."""
    model = estimator._make_model(np.size(estimator.bias_), estimator.median_pairs_)
    for parameter in model.parameters:
        sizes = [axis for axis in parameter.axes if axis not in ("column", "output")]
        shape = getattr(estimator, f"{parameter.name}_").shape
        for axis, size in zip(sizes, shape[len(shape) - len(sizes) :]):
            setattr(model, axis, size)
    return model


def parameters_of(estimator, model: Model | None = None) -> dict[str, np.ndarray]:
    """The fitted attributes under the core's names and shapes."""
    one_output = np.ndim(estimator.bias_) == 0
    arrays = {}
    for parameter in (model or model_of(estimator)).parameters:
        array = getattr(estimator, f"{parameter.name}_")
        if "output" in parameter.axes:
            array = np.asarray(array)[None] if one_output else array
            array = array if parameter.axes[0] == "output" else array.T
        arrays[parameter.name] = array
    return arrays


def set_attributes(estimator, arrays: dict[str, np.ndarray], several_outputs: bool) -> None:
    """Set the fitted attributes from arrays of the core's names and shapes."""
    model = estimator._make_model(len(arrays["bias"]), estimator.median_pairs_)
    for parameter in model.parameters:
        array = arrays[parameter.name]
        if "output" in parameter.axes:
            array = array if parameter.axes[0] == "output" else np.ascontiguousarray(array.T)
            array = array if several_outputs else array[0]
        setattr(estimator, f"{parameter.name}_", array)


def crosses_of(estimator) -> Crosses | None:
    """The crosses of a fitted estimator, which apply to X and y as given; None without."""
    if estimator is None or not len(getattr(estimator, "cross_columns_", ())):
        return None
    return Crosses(estimator.cross_columns_, np.atleast_2d(estimator.cross_weights_).T)
