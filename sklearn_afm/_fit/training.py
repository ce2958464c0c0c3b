"""One stage of a fit: a trainer for a model, and its run with callbacks and checkpoints."""

import functools

import numpy as np
import torch
from torch import Tensor

from .._core import ranks
from .._core.models.model import Model
from .._core.tensors import shared_tensor, to_tensors
from .._core.training.optimizers import OPTIMIZERS
from .._core.training.run import (
    Monitor,
    NonFiniteLossError,
    NoScoreError,
    RunState,
    Schedule,
    run,
)
from .._core.training.trainer import Trainer
from . import auto
from .checkpoint import Checkpoint
from .linear import starts_from_factors
from .reporting import Reporter
from .results import fitted_attributes
from .setup import Setup
from .tasks import FitTasks


def make_trainer(
    setup: Setup,
    model: Model,
    arrays: dict[str, np.ndarray],
    frozen: frozenset[str],
    optimizer_state: dict[str, np.ndarray] | None,
) -> Trainer:
    """A trainer that starts from these values. On the CPU it changes the arrays in place."""
    estimator, prepared = setup.estimator, setup.prepared
    parameters = to_tensors(arrays, setup.dtype, setup.device)
    if setup.linear is not None:  # it has them
        frozen = frozen | {"linear_weights"}
    if starts_from_factors(setup) and model.n_outputs == 1:
        # A larger p would outdo the penalties of embeddings, which were learnt beside p = 1.
        frozen = frozen | {"projection"}
    if setup.loss.compares_rows:  # a bias would follow rounding errors
        frozen = frozen | {"bias"}
    trained = {name: value for name, value in parameters.items() if name not in frozen}
    rates = auto.rates(
        estimator, model, setup.learning_rate, prepared.X, prepared.units.column_weight
    )
    rates = {name: _as_rate(rates[name], value) for name, value in trained.items()}
    n_rows = setup.batch_size * ranks.n_ranks()
    optimizer = OPTIMIZERS[estimator.optimizer](trained, rates, n_rows)
    for name, value in optimizer.state.items():
        saved = (optimizer_state or {}).get(name)
        if saved is not None and saved.shape == tuple(value.shape):
            value.copy_(shared_tensor(saved, "cpu"))
    return Trainer(
        model=model,
        loss=setup.loss,
        parameters=parameters,
        trained=list(trained),
        optimizer=optimizer,
        batch_size=setup.batch_size,
        penalties=_penalties(setup, model),
        order_rng=setup.order_rng,
        mask_generator=setup.mask_generator,
    )


def _penalties(setup: Setup, model: Model) -> dict[str, float | Tensor]:
    """Strength of each parameter's penalty; each embedding has its own if the fit has learnt it."""
    strengths: dict = auto.penalties(setup.estimator, model, setup.prepared.rows.median_length())
    if setup.linear is None:
        strengths |= _learnt_before(setup, model)
    if starts_from_factors(setup):
        factors = setup.linear.factors
        strength = np.where(factors.active[:, None], factors.penalty, strengths["embeddings"])
        strengths["embeddings"] = torch.from_numpy(strength.T.copy()).to(setup.device, setup.dtype)
    return strengths


def _learnt_before(setup: Setup, model: Model) -> dict[str, Tensor]:
    """Strengths by column that the last fit has learnt, for what goes on from it."""
    result = {}
    for parameter in model.parameters:
        learnt = getattr(setup.estimator, f"{parameter.strength}_", None)
        if learnt is not None and getattr(setup.estimator, parameter.strength) == "auto":
            strength = torch.from_numpy(learnt[:, None])
            result[parameter.name] = strength.to(setup.device, setup.dtype)
    return result


def frozen_names(freeze, model: Model) -> frozenset[str]:
    """Names of the parameters that training leaves as they start."""
    named = set(freeze)
    unknown = named - set(model.parts)
    if unknown:
        raise ValueError(
            f"freeze names parts that do not exist: {sorted(unknown)}; "
            f"it takes any of {model.parts}."
        )
    return frozenset(p.name for p in model.parameters if p.fixed or p.frozen_as in named)


def make_reporter(setup: Setup, title: str | None = None) -> Reporter:
    """What prints the progress of a stage: of the estimator, which a search has many of."""
    estimator = setup.estimator
    title = title or (" ".join(repr(estimator).split()) if estimator.verbose else "")
    verbose = 0 if ranks.rank() else estimator.verbose  # one rank speaks for all
    return Reporter(verbose, setup.data.n_rows, estimator.max_iter, title)


def run_stage(
    setup: Setup,
    trainer: Trainer,
    monitor: Monitor | None,
    reporter: Reporter,
    checkpoint: Checkpoint | None,
    stage: str,
    *,
    start_counts: bool = False,
    tasks: FitTasks | None = None,
) -> tuple[RunState, bool]:
    """Train for up to `max_iter` epochs, or on from the checkpoint of this stage.

    If no epoch is better, the start values are kept, if `start_counts` or there is a linear part.

    Returns the state at the end, and whether Ctrl-C interrupted it.
    """
    estimator = setup.estimator
    schedule = Schedule(
        estimator.max_iter,
        torch.from_numpy(setup.loss_unit),
        estimator.averaging_decay,
        estimator.n_iter_no_change,
        estimator.tol,
        start_counts=start_counts or setup.linear is not None,
        keep_optimizer=estimator.warm_start,
    )
    start = on_state = None
    if checkpoint is not None:
        start = checkpoint.take_state(stage)
        on_state = functools.partial(checkpoint.save, stage)
    options: dict = {"start": start, "on_state": on_state}
    if tasks is not None:
        options["on_epoch_begin"] = tasks.begin_epoch
    return _run(setup, trainer, schedule, reporter, monitor, tasks, **options)


def run_pass(setup: Setup, trainer: Trainer, reporter: Reporter) -> tuple[RunState, bool]:
    """Train for one pass over the rows, without averaging."""
    schedule = Schedule(
        1, torch.from_numpy(setup.loss_unit), keep_optimizer=setup.estimator.warm_start
    )
    return _run(setup, trainer, schedule, reporter, None, None)


def _run(
    setup: Setup, trainer, schedule, reporter, monitor, tasks: FitTasks | None, **options
) -> tuple[RunState, bool]:
    callbacks = setup.estimator.callbacks or ()

    def on_epoch(record, parameters):
        reporter.on_epoch(record)
        # All are called, whatever the first ones answer. A callback ends training by True alone,
        # not by another value that it happens to return, such as the length of a line.
        answers = [callback(record) for callback in callbacks]
        if tasks is not None:
            answers.append(tasks.end_epoch(lambda: fitted_attributes(setup, parameters)))
        return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)

    try:
        return run(
            trainer,
            setup.data,
            schedule,
            monitor=monitor,
            on_step=reporter.on_step,
            on_epoch=on_epoch,
            **options,
        )
    except NonFiniteLossError as error:
        raise ValueError(
            f"The training loss became infinite or NaN in epoch {error.epoch} "
            f"({setup.sizes(setup.prepared.X.data)}). Lower learning_rate, clip outliers "
            "in X, or raise l2_embedding and l2_linear."
        ) from error
    except NoScoreError as error:
        raise ValueError(
            f"The validation score was NaN in each of {error.n_epochs} epochs, so that no epoch is "
            f"the best: scoring={setup.estimator.scoring!r} has no value on the validation rows. "
            "An example is the area under the ROC curve if all rows are of one class. Give X_val "
            "and y_val, a larger validation_fraction, or another scoring."
        ) from error
    finally:
        reporter.close()


def _as_rate(value: float | np.ndarray, like: Tensor) -> float | Tensor:
    """A rate as the optimiser takes it."""
    return value if isinstance(value, float) else like.new_tensor(value)
