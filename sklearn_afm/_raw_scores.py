"""Raw scores of a fitted estimator."""

import numpy as np

from ._attributes import crosses_of, model_of, parameters_of, unseen_of
from ._core.batches.memory import torch_memory_errors
from ._core.devices import prediction_device
from ._core.models.prediction import predict
from ._core.tensors import shared_tensor
from ._data.checks import known_entries


def raw_scores(estimator, X) -> np.ndarray:
    """Raw scores (n_rows, n_outputs) of centred canonical rows, in the unit of the target."""
    model = model_of(estimator)
    arrays = parameters_of(estimator, model)
    X = known_entries(X, [arrays[name] for name in model.per_column])
    raw = _formula(estimator, model, arrays, X)
    unseen = unseen_of(estimator)
    if unseen is not None:
        raw = unseen.averaged(raw, X, estimator._loss)
    finite = np.isfinite(raw).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"The prediction is infinite or NaN for {np.count_nonzero(~finite)} of {len(raw)} "
            f"rows, first for row {finite.argmin()}. The largest |x| is "
            f"{np.abs(X.data).max(initial=0):g}: clip or scale X as it was for training."
        )
    return raw


def scores_of_levels(estimator, X) -> np.ndarray:
    """The same by the formula of the model alone, for rows without unseen levels."""
    model = model_of(estimator)
    return _formula(estimator, model, parameters_of(estimator, model), X)


def _formula(estimator, model, arrays, X) -> np.ndarray:
    device = prediction_device(estimator.device)
    with torch_memory_errors():
        tensors = {name: shared_tensor(array, device) for name, array in arrays.items()}
        raw = predict(model, tensors, X).astype(np.float64, copy=False)
        crosses = crosses_of(estimator)
        return raw if crosses is None else raw + crosses.scores(X)
