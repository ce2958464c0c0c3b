"""Start values of a fit: cold ones, and those of a fitted FM."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import _attributes
from ._core.parameters import start_projection


def cold_arrays(estimator, rows, projection_size: float, rng) -> dict[str, np.ndarray]:
    """Start values of what an FM has too, embeddings still 0; in the model's units."""
    n_outputs, _ = estimator._outputs
    n_columns, k = rows.X.shape[1], estimator.embedding_dim
    return {
        "bias": estimator._start_bias(rows.target, rows.weight),
        "linear_weights": np.zeros((n_columns, n_outputs)),
        "embeddings": np.zeros((n_columns, k), dtype=np.float32),
        "projection": start_projection(projection_size, n_outputs, k, rng),
    }


def arrays_of_fm(estimator, fm, scaling, projection_size: float) -> dict[str, np.ndarray]:
    """The parameters of a fitted FM estimator, in the model's units."""
    n_outputs, _ = estimator._outputs
    _check_fm(estimator, fm, n_outputs, len(scaling.column_scale))
    arrays = _attributes.parameters_of(fm)
    arrays = {name: arrays[name] for name in ("bias", "linear_weights", "embeddings", "projection")}
    fixed_projection = estimator._has_fixed_projection(n_outputs)
    arrays = scaling.take_out(arrays, fixed_projection)
    if fixed_projection:
        return arrays
    # An FM with p = 1 carries the target's unit in its embeddings; the AFM in p.
    unit = np.exp(np.log(scaling.target_scale).mean())
    arrays["embeddings"] = arrays["embeddings"] / np.sqrt(unit)
    arrays["projection"] = arrays["projection"] * (unit * projection_size)
    return arrays


def _check_fm(estimator, fm, n_outputs, n_columns):
    try:
        check_is_fitted(fm, "embeddings_")
    except Exception as error:
        raise ValueError(
            f"init={fm!r} is not a fitted FM estimator. clone, and so a grid search, "
            "leaves an estimator unfitted: wrap it in sklearn.frozen.FrozenEstimator."
        ) from error
    wanted = (n_columns, estimator.embedding_dim)
    if fm.embeddings_.shape != wanted:
        raise ValueError(
            f"init has embeddings of shape {fm.embeddings_.shape}, but this fit needs "
            f"(n_features, embedding_dim) = {wanted}."
        )
    if np.size(fm.bias_) != n_outputs:
        raise ValueError(f"init has {np.size(fm.bias_)} outputs, this fit {n_outputs}.")
    classes = getattr(fm, "classes_", None)
    if not np.array_equal(classes, getattr(estimator, "classes_", None)):
        raise ValueError(
            f"init was fitted with classes {classes}, y has {getattr(estimator, 'classes_', None)}."
        )
