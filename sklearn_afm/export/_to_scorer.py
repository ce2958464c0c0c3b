"""to_scorer: a fitted pipeline as NumPy arrays."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._attributes import crosses_of, model_of, parameters_of, unseen_of
from .._base import BaseFactorizationMachine
from .._fields.encoder import FieldEncoder
from ..scorer import Scorer
from ._fields import described_fields


def to_scorer(pipeline):
    """A fitted pipeline as a small object of NumPy arrays, for services.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted: a :class:`~sklearn_afm.FieldEncoder` and an estimator, as
        :func:`~sklearn_afm.make_field_pipeline` makes them; or a search over such pipelines, of
        which the best is taken. The estimator is an AFM or FM, or an FwFM of
        `sklearn_afm.baselines`, without hidden layers.

    Returns
    -------
    scorer : :class:`~sklearn_afm.scorer.Scorer`
        It takes rows as dicts, and is saved by ``scorer.save(file)``.

    Raises
    ------
    TypeError
        If the pipeline has other steps, or a model that cannot be exported.
    ValueError
        If a column has levels that a file cannot hold, such as intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import FMClassifier, make_field_pipeline
    >>> from sklearn_afm.export import to_scorer
    >>> frame = pd.DataFrame({"colour": ["red", "blue"] * 50})
    >>> model = make_field_pipeline(FMClassifier(random_state=0)).fit(frame, [1, 0] * 50)
    >>> to_scorer(model).predict({"colour": "red"})
    1
    """
    check_is_fitted(pipeline)
    encoder, estimator = encoder_and_estimator(getattr(pipeline, "best_estimator_", pipeline))
    return Scorer(
        described_fields(encoder),
        arrays_of(estimator),
        link=link_of(estimator),
        several=np.ndim(estimator.bias_) > 0,
        classes=classes_of(estimator),
    )


def encoder_and_estimator(pipeline) -> tuple:
    """The two steps of a pipeline that can be exported."""
    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    steps = [step for step in steps if step not in (None, "passthrough")]
    names = [type(step).__name__ for step in steps]
    if len(steps) != 2 or not isinstance(steps[0], FieldEncoder):
        raise TypeError(
            "A pipeline that can be exported has two steps: a FieldEncoder and an estimator, as "
            f"make_field_pipeline makes them. Got {names}."
        )
    if not isinstance(steps[1], BaseFactorizationMachine):
        raise TypeError(f"{names[1]} cannot be exported. AFM, FM and FwFM estimators can.")
    return steps


def arrays_of(estimator) -> dict[str, np.ndarray]:
    """What `Formula` computes with, and what is known of unseen levels.

    Raises
    ------
    TypeError
        If the model is none that can be exported.
    """
    model = model_of(estimator)
    parameters = parameters_of(estimator, model)
    if model.pair_formula is None or model.layers is not None:
        raise TypeError(
            f"{type(estimator).__name__} cannot be exported"
            f"{' with hidden layers' if model.pair_formula is not None else ''}. AFM, FM and FwFM "
            "estimators without hidden layers can."
        )
    known = np.any([parameters[name].any(axis=1) for name in model.per_column], axis=0)
    arrays = {
        "bias": parameters["bias"].astype(np.float64),
        "linear_weights": _padded(parameters["linear_weights"].astype(np.float64)),
        "embeddings": _padded(parameters["embeddings"]),
        "projection": parameters["projection"],
        "known": _padded(known),
        **model.pair_formula(parameters),
    }
    for name in {"field_weights", "field_biases"} & arrays.keys():
        arrays[name] = (arrays[name] + arrays[name].T) / 2  # they count as symmetric
        arrays["field_number"] = _padded(np.asarray(model.fields, dtype=np.int64))
    arrays |= _crosses(estimator, len(known)) | _unseen(estimator)
    if estimator.column_mean_ is not None:
        centred = np.flatnonzero(estimator.column_mean_)
        arrays["centred_columns"] = centred
        arrays["centred_means"] = estimator.column_mean_[centred]
    return arrays


def _padded(array: np.ndarray) -> np.ndarray:
    """The array and a row of zeros, for the column that stands for padding."""
    return np.concatenate([array, np.zeros((1, *array.shape[1:]), array.dtype)])


def _crosses(estimator, n_columns: int) -> dict[str, np.ndarray]:
    crosses = crosses_of(estimator)
    if crosses is None:
        return {}
    first, second = crosses.columns.T.astype(np.int64)
    width = n_columns + 1
    key = np.concatenate([first * width + second, second * width + first])
    order = np.argsort(key)
    weights = np.concatenate([crosses.weights, crosses.weights])
    return {"cross_key": key[order], "cross_weights": weights[order]}


def _unseen(estimator) -> dict[str, np.ndarray]:
    unseen = unseen_of(estimator)
    if unseen is None:
        return {}
    needed = np.flatnonzero(~np.isnan(unseen.mean[:, 0]))
    if not len(needed):
        return {}
    number = np.full(len(unseen.labels), len(needed))
    number[needed] = np.arange(len(needed))
    of_column = number[np.searchsorted(unseen.labels, unseen.label)]
    return {
        "unseen_number": np.append(of_column, len(needed)),
        "unseen_mean": unseen.mean[needed],
        "unseen_variance": unseen.variance[needed],
    }


def classes_of(estimator) -> np.ndarray | None:
    """The labels, as arrays of text or numbers; None without.

    Raises
    ------
    ValueError
        If they are neither.
    """
    classes = getattr(estimator, "classes_", None)
    if classes is None or classes.dtype.kind in "biufUS":
        return classes
    if all(isinstance(label, str) for label in classes):
        return classes.astype(str)
    raise ValueError(
        f"Classes must be text or numbers to be exported, and are {classes[:5].tolist()}."
    )


def link_of(estimator) -> str:
    """What stands between raw scores and predictions: "identity", "log", "logit" or "softmax"."""
    if hasattr(estimator, "classes_"):
        return "logit" if len(estimator.classes_) == 2 else "softmax"
    return "log" if estimator._loss.log_link else "identity"
