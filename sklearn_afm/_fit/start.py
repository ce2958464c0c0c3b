"""Start values of a fit: fresh ones, those of a fitted FM, or those of the last fit."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._attributes import parameters_of
from .._core.models.model import Model
from .._core.models.pooled import EMBEDDING_STD
from .._core.tensors import host_arrays
from .._data.rows import Rows
from .checkpoint import Checkpoint
from .linear import starts_from_factors
from .monitor import loss_monitor
from .progress import Progress
from .setup import Setup
from .training import frozen_names, make_reporter, make_trainer, run_stage

Arrays = dict[str, np.ndarray]


def start_values(
    setup: Setup, known: Progress | None, validation: Rows | None, checkpoint: Checkpoint | None
) -> tuple[Arrays, Arrays | None]:
    """Start values in the model's units, and the state of the optimiser if there is one.

    The arrays are not shared with anything: training may change them.
    """
    estimator, model = setup.estimator, setup.model
    scaling = setup.prepared.units.scaling
    init, optimizer = getattr(estimator, "init", None), None
    if known is not None:
        arrays = scaling.take_out(parameters_of(estimator), model.parameters)
        arrays = _beside_linear_part(setup, arrays, known)
        optimizer = known.optimizer
    elif model.fm is None:
        if init is not None:
            raise ValueError(
                f"init={init!r}, but {type(estimator).__name__} does not start from an FM if it "
                "has hidden layers. Set init=None, or hidden_layer_sizes=()."
            )
        arrays = _fresh(setup, model, {p.name for p in model.parameters})
    else:
        names = {p.name for p in model.fm.parameters}
        arrays = _fresh(setup, model, names)
        if isinstance(init, str):
            if checkpoint is None or checkpoint.stage != "main":
                pretrained, optimizer = _pretrained(setup, validation, checkpoint)
                arrays |= pretrained
        elif init is not None:
            of_fm = _of_fitted_fm(setup, names)
            arrays |= _beside_linear_part(setup, of_fm, init._progress)
            optimizer = init._progress.optimizer
        arrays |= _fresh(setup, model, {p.name for p in model.parameters} - names)
    dtype = setup.array_dtype
    arrays = {name: np.array(value, dtype=dtype) for name, value in arrays.items()}
    _start_new_columns(setup, model, arrays)
    return arrays, optimizer


def _fresh(setup: Setup, model: Model, names: set[str]) -> Arrays:
    """Start values of some parameters; those with one row per column are still 0."""
    rows, dtype = setup.prepared.rows, setup.array_dtype
    arrays = {}
    for parameter in model.parameters:
        if parameter.name not in names:
            continue
        shape = model.shape(parameter, rows.X.shape[1])
        if parameter.name == "bias" and setup.linear is not None:
            array = np.zeros(shape)
        elif parameter.name == "bias":
            array = setup.loss.start_bias(setup.prepared.target, rows.weight)
        elif parameter.per_column:
            array = np.zeros(shape, dtype=dtype)
        else:
            array = parameter.start(shape, setup.start_rng, dtype)
        arrays[parameter.name] = array
    if starts_from_factors(setup):
        arrays |= _from_factors(setup, model, arrays)
    return arrays


def _from_factors(setup: Setup, model: Model, arrays: Arrays) -> Arrays:
    """Embeddings of the linear part, as the model takes them from an FM.

    With several outputs, the signs of p were random. So factors that have ended start anew, as they
    do if the model has another use for them: a gradient does not bring them back from 0.
    """
    factors, embeddings = setup.linear.factors, setup.linear.factors.mean.T.copy()
    if setup.model.n_outputs > 1 or setup.model.renews_factors:
        seen, ended = factors.variance.any(axis=0), ~factors.active
        shape = seen.sum(), ended.sum()
        embeddings[np.ix_(seen, ended)] = setup.start_rng.normal(0.0, EMBEDDING_STD, shape)
    of_fm = {"embeddings": embeddings, "projection": factors.projection}
    of_fm = model.start_from_fm(of_fm, 1.0)
    return {name: value for name, value in of_fm.items() if name in arrays}


def _beside_linear_part(setup: Setup, arrays: Arrays, fitted: Progress) -> Arrays:
    """Fitted parameters, less what the linear part of that fit had of them."""
    if setup.linear is None:
        return arrays
    of_linear_part = arrays["bias"]
    if fitted.linear_bias is not None:
        of_linear_part = fitted.linear_bias / setup.prepared.units.scaling.target_scale
    return arrays | {
        "bias": arrays["bias"] - of_linear_part,
        "linear_weights": np.zeros_like(arrays["linear_weights"]),
    }


def _start_new_columns(setup: Setup, model: Model, arrays: Arrays) -> None:
    """Start the rows of columns that no earlier call has seen, unless they have started."""
    of_factors = {"embeddings"} if starts_from_factors(setup) else set()
    for parameter in model.parameters:
        if parameter.per_column and parameter.name not in of_factors:
            array, new = arrays[parameter.name], setup.prepared.new_columns
            new = new[~array[new].any(axis=1)]
            shape = (len(new), *array.shape[1:])
            array[new] = parameter.start(shape, setup.start_rng, setup.array_dtype)


def _pretrained(
    setup: Setup, validation: Rows | None, checkpoint: Checkpoint | None
) -> tuple[Arrays, Arrays]:
    """Parameters and optimiser of the FM of the same size, fitted on the same rows."""
    fm = setup.model.fm
    arrays = _fresh(setup, fm, {p.name for p in fm.parameters})
    _start_new_columns(setup, fm, arrays)
    # `freeze` is about the AFM's training. The FM learns all but its p = 1.
    frozen = frozen_names((), fm)
    monitor = None
    if validation is not None:
        monitor = loss_monitor(setup, fm, arrays, validation)
    trainer = make_trainer(setup, fm, arrays, frozen, None)
    reporter = make_reporter(setup, "FM of the same size")
    state, interrupted = run_stage(setup, trainer, monitor, reporter, checkpoint, "FM")
    if interrupted:  # there is no AFM yet
        raise KeyboardInterrupt
    arrays = setup.model.start_from_fm(host_arrays(state.result), 1.0)
    return arrays, host_arrays(state.optimizer)


def _of_fitted_fm(setup: Setup, names: set[str]) -> Arrays:
    """The parameters of the fitted FM estimator `init`, in the model's units."""
    fm, scaling = setup.estimator.init, setup.prepared.units.scaling
    _check_fm(setup)
    arrays = parameters_of(fm)
    arrays = {name: arrays[name] for name in names}
    parameters = [p for p in setup.model.parameters if p.name in names]
    target_unit = np.exp(np.log(scaling.target_scale).mean())
    return setup.model.start_from_fm(scaling.take_out(arrays, parameters), target_unit)


def _check_fm(setup: Setup) -> None:
    estimator, fm = setup.estimator, setup.estimator.init
    try:
        check_is_fitted(fm, "embeddings_")
    except Exception as error:
        raise ValueError(
            f"init={fm!r} is not a fitted FM estimator. clone, and so a grid search, "
            "leaves an estimator unfitted: wrap it in sklearn.frozen.FrozenEstimator."
        ) from error
    wanted = (setup.prepared.X.shape[1], estimator.embedding_dim)
    if fm.embeddings_.shape != wanted:
        raise ValueError(
            f"init has embeddings of shape {fm.embeddings_.shape}, but this fit needs "
            f"(n_features, embedding_dim) = {wanted}."
        )
    n_outputs = setup.model.n_outputs
    if np.size(fm.bias_) != n_outputs:
        raise ValueError(f"init has {np.size(fm.bias_)} outputs, this fit {n_outputs}.")
    if fm._loss.name != estimator._loss.name:
        raise ValueError(
            f"init was fitted with the {fm._loss.name}, this fit has the {estimator._loss.name}."
        )
    classes = getattr(fm, "classes_", None)
    if not np.array_equal(classes, getattr(estimator, "classes_", None)):
        raise ValueError(
            f"init was fitted with classes {classes}, y has {getattr(estimator, 'classes_', None)}."
        )
