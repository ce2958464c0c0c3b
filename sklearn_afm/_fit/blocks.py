"""The order of a fit on rows that are read block by block."""

import dataclasses

import numpy as np
import torch
from sklearn.base import is_classifier

from .._core.tensors import shared_tensor
from .._core.training.data import TrainingData
from .._core.training.windows import BlockData
from .._data.prepare import Units
from .._data.rows import Rows
from . import auto
from .checkpoint import Checkpoint, digests, fingerprint
from .counting import Counts, count_classes, count_rows
from .fit import finish, fit_rows, goes_on_from
from .linear import linear_bias, with_crosses, with_linear_part
from .monitor import make_monitor
from .notices import Notices
from .progress import Progress
from .results import set_results
from .setup import Setup, make_setup
from .source import Source
from .start import start_values
from .tasks import FitTasks
from .training import frozen_names, make_reporter, make_trainer, run_stage
from .windows import training_data


@torch.inference_mode(False)
def fit_blocks(
    estimator,
    source: Source,
    window_rows: int,
    check_validation,
    seeds,
    known: Progress | None,
    tasks: FitTasks | None,
) -> Notices:
    """Train for up to `max_iter` epochs over all blocks and set the fitted attributes.

    Rows that are one window are fitted as `fit` does. Else a sample gives the start of the fit: the
    linear part with its strengths, crosses, embeddings. Epochs over all rows go on from it, as
    `partial_fit` does after a fit.

    Parameters
    ----------
    estimator : estimator
        A working copy, whose attributes are set.
    source : Source
    window_rows : int
        Rows that are in memory at once and mixed.
    check_validation : callable or None
        Gives the user's rows for early stopping, by the weights of classes; None: there are none.
    seeds : SeedSequence
    known : Progress or None
        Of the fit that goes on.
    tasks : FitTasks or None
        The tasks that callbacks of scikit-learn are told of.

    Returns
    -------
    notices : list of (str, type)
        What the user has to be warned of.
    """
    if is_classifier(estimator) and estimator.class_weight is not None:
        _weigh_classes(source, known)
    has_validation = check_validation is not None
    counts = count_rows(
        source,
        window_rows,
        _share_set_aside(estimator, has_validation),
        hashes=estimator.checkpoint is not None,
        verbose=estimator.verbose,
    )
    validation = check_validation(source.class_weights) if has_validation else None
    if counts.every is not None:
        rows = source.rows(counts.every)
        return fit_rows(estimator, rows, validation, seeds, known, tasks=tasks)
    checkpoint = None
    if estimator.checkpoint is not None:
        data = {"blocks": counts.digest, "window_rows": str(window_rows)}
        data |= digests(validation, "{}_val")
        checkpoint = Checkpoint(estimator.checkpoint, fingerprint(estimator, data))
        seeds = checkpoint.seeds(seeds)
    sample = source.rows(counts.sample)
    if counts.set_aside is not None:
        validation = source.rows(counts.set_aside)
    elif estimator.validation_fraction is None and validation is None:
        n_rows = counts.columns.n_rows
        if auto.stops_early(estimator.early_stopping, n_rows, False):
            validation = sample
    goes_on = known is not None
    if known is None:
        known = _start(estimator, sample, validation, seeds, counts)
    setup = _setup(estimator, source, sample, seeds, known, counts, window_rows)
    frozen = frozen_names(estimator.freeze, setup.model)
    if hasattr(estimator, "l2_embedding_") and setup.model.n_outputs == 1:
        frozen = frozen | {"projection"}  # the penalties were learnt beside it
    arrays, optimizer = start_values(setup, known, None, None)
    monitor = make_monitor(setup, arrays, validation)
    trainer = make_trainer(setup, setup.model, arrays, frozen, optimizer)
    reporter = make_reporter(setup)
    state, interrupted = run_stage(
        setup,
        trainer,
        monitor,
        reporter,
        checkpoint,
        "blocks",
        start_counts=not goes_on,
        tasks=tasks,
    )
    return finish(setup, state, reporter, checkpoint, frozen, interrupted, goes_on=goes_on)


def _weigh_classes(source: Source, known: Progress | None) -> None:
    """Learn the classes and their weights, in a pass of its own."""
    estimator = source.estimator
    labels, totals = count_classes(source)
    if known is None:
        estimator._outputs = estimator._learn_target(labels, None)
    codes = estimator._encode_target(labels)
    source.class_weights = estimator._class_weights(labels, codes, totals)


def _share_set_aside(estimator, has_validation: bool) -> float | int | None:
    if estimator.early_stopping is False or has_validation:
        return None
    return estimator.validation_fraction


def _start(estimator, sample: Rows, validation: Rows | None, seeds, counts: Counts) -> Progress:
    """Set the fitted attributes to what the epochs start from, as a fit of the sample finds it."""
    setup = make_setup(estimator, sample, seeds, None, stream=False, counts=counts)
    setup = with_linear_part(setup, None, continues=goes_on_from(estimator, None))
    arrays, optimizer = start_values(setup, None, validation, None)
    set_results(setup, estimator, {k: shared_tensor(v, "cpu") for k, v in arrays.items()})
    return Progress(
        **vars(setup.prepared.units),
        optimizer=optimizer,
        order_rng=setup.order_rng,
        mask_state=setup.mask_generator.get_state().numpy(),
        linear_bias=linear_bias(setup),
    )


def _setup(
    estimator, source: Source, sample: Rows, seeds, known: Progress, counts: Counts, window_rows
) -> Setup:
    """What the epochs share: the sample stands for all rows, and the counts for what it lacks."""
    columns, unit = counts.columns, counts.weight_unit
    weight, seen = columns.weight / unit, known.column_weight > 0
    scales = np.where(seen, known.scaling.column_scale, columns.column_scales())
    scaling = dataclasses.replace(known.scaling, column_scale=scales)
    # All columns count as seen, so that the sample does not set their units.
    of_all = dataclasses.replace(known, scaling=scaling, column_weight=np.maximum(weight, seen))
    setup = make_setup(estimator, sample, seeds, of_all, stream=False, counts=counts)
    prepared = dataclasses.replace(
        setup.prepared,
        units=Units(scaling, weight, unit),
        new_columns=np.flatnonzero((weight > 0) & ~seen),
    )
    setup = dataclasses.replace(
        setup,
        prepared=prepared,
        batch_size=auto.batch_size(estimator.batch_size, columns.n_rows),
    )
    setup = with_crosses(setup, estimator)

    def read(number: int) -> TrainingData:
        rows = source.training_rows(number, int(counts.sizes[number]))
        with source.naming(number):
            return training_data(setup, rows)

    data = BlockData(read, counts.sizes, columns.total_weight / unit, weight, window_rows)
    return dataclasses.replace(setup, data=data)
