"""From trained parameters to fitted attributes."""

import copy
import functools

import numpy as np
from torch import Tensor

from .._attributes import set_attributes, set_unseen
from .._core.tensors import copy_of, host_arrays
from .._data.unseen import learn_unseen_levels
from .._raw_scores import scores_of_levels
from .linear import set_linear_part
from .setup import Setup


def set_results(setup: Setup, estimator, parameters: dict[str, Tensor]) -> None:
    """Set the fitted attributes that prediction needs; they apply to X and y as given."""
    arrays = host_arrays(parameters)
    if setup.linear is not None:
        arrays["bias"] = arrays["bias"] + setup.linear.bias
        arrays["linear_weights"] = setup.linear.weights
    if setup.embedding_shift is not None:
        arrays["embeddings"] = arrays["embeddings"] + setup.embedding_shift
    scaling = setup.prepared.units.scaling
    dtype = setup.array_dtype
    with np.errstate(over="ignore", invalid="ignore"):
        arrays = scaling.fold_in(arrays, setup.model.parameters)
        arrays = {name: value.astype(dtype, copy=False) for name, value in arrays.items()}
    infinite = [name for name, value in arrays.items() if not np.isfinite(value).all()]
    if infinite:
        raise ValueError(
            f"Fitted parameters are too large for {np.dtype(dtype)} or NaN: {', '.join(infinite)} "
            f"({setup.sizes(setup.prepared.X.data)}). Lower learning_rate, bring y and the columns "
            'of X to sizes near 1, or set precision="float64".'
        )
    estimator.median_pairs_ = setup.median_pairs
    estimator.column_mean_ = scaling.column_mean
    set_attributes(estimator, arrays, setup.several_outputs)
    set_linear_part(setup, estimator)


def set_unseen_levels(setup: Setup, estimator) -> None:
    """Set what predicts rows of unseen levels."""
    rows, label = setup.prepared.rows, setup.fields.label
    score = functools.partial(scores_of_levels, estimator)
    set_unseen(estimator, learn_unseen_levels(rows.X, rows.weight, label, score))


def fitted_attributes(setup: Setup, parameters: dict[str, Tensor]) -> dict:
    """All attributes that predictions by these parameters need."""
    fitted = copy.copy(setup.estimator)
    set_results(setup, fitted, copy_of(parameters))
    set_unseen_levels(setup, fitted)
    return {name: vars(fitted)[name] for name in fitted._learnt()}
