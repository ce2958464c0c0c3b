"""Between fitted attributes and the parameters of the core.

Fitted attributes are plain arrays. Their axis for outputs comes first, and is dropped if the model
has one output. The parameters of the core always have it; those with one row per column have it
last.
"""

import numpy as np

from ._core.models.model import Model
from ._data.fields import numbered
from ._data.unseen import UnseenLevels
from ._linear.crosses import Crosses


def model_of(estimator) -> Model:
    """The model of a fitted estimator. Its sizes are those of the fitted attributes."""
    model = declared_model(estimator)
    names = _names(model)
    fitted = getattr(estimator, "_parameter_names", names)  # earlier versions did not store them
    if names != fitted:
        raise ValueError(
            f"Settings of this {type(estimator).__name__} have changed since it was fitted: it has "
            f"learnt {', '.join(fitted)}, and now asks for {', '.join(names)}. Set them back, or "
            "fit a clone (sklearn.base.clone)."
        )
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
    model = declared_model(estimator, len(arrays["bias"]))
    estimator._parameter_names = _names(model)
    for parameter in model.parameters:
        array = arrays[parameter.name]
        if "output" in parameter.axes:
            array = array if parameter.axes[0] == "output" else np.ascontiguousarray(array.T)
            array = array if several_outputs else array[0]
        setattr(estimator, f"{parameter.name}_", array)


def declared_model(estimator, n_outputs: int | None = None) -> Model:
    """The model that the settings ask for, with the outputs and fields of the fit."""
    n_outputs = np.size(estimator.bias_) if n_outputs is None else n_outputs
    fields = numbered(estimator.fields_) if estimator._uses_fields else None
    return estimator._make_model(n_outputs, estimator.median_pairs_, fields)


def _names(model: Model) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in model.parameters)


def crosses_of(estimator) -> Crosses | None:
    """The crosses of a fitted estimator, which apply to X and y as given; None without."""
    if estimator is None or not len(getattr(estimator, "cross_columns_", ())):
        return None
    return Crosses(estimator.cross_columns_, np.atleast_2d(estimator.cross_weights_).T)


def unseen_of(estimator) -> UnseenLevels | None:
    """What is known of unseen levels; None for a model that was only fitted by streams."""
    if not hasattr(estimator, "unseen_mean_"):
        return None
    shape = (-1, np.size(estimator.bias_))
    mean, variance = (
        np.atleast_2d(values).T.reshape(shape)
        for values in (estimator.unseen_mean_, estimator.unseen_variance_)
    )
    return UnseenLevels(estimator.fields_, estimator.unseen_fields_, mean, variance)


def set_unseen(estimator, unseen: UnseenLevels) -> None:
    """Set the fitted attributes of unseen levels."""
    estimator.unseen_fields_ = unseen.labels
    for name in ("mean", "variance"):
        values = getattr(unseen, name).T
        values = np.ascontiguousarray(values if np.ndim(estimator.bias_) else values[0])
        setattr(estimator, f"unseen_{name}_", values)
