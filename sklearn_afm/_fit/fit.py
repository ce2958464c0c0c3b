"""The order of a fit on checked rows: units, start values, training, fitted attributes."""

import numpy as np
import torch
from sklearn.base import is_classifier

from .._core import ranks
from .._core.tensors import host_arrays
from .._core.training.run import RunState
from .._data.catalogue import Catalogue
from .._data.rows import Rows, evenly_spaced
from .._data.split import (
    is_splitter,
    last_split,
    refuse_splitter,
    validation_lists,
    validation_split,
)
from . import auto
from .checkpoint import Checkpoint, digest, digests, fingerprint
from .linear import linear_bias, with_all_rows, with_crosses, with_linear_part
from .monitor import make_monitor
from .negatives import N_VALIDATION, with_negatives
from .notices import Notices, interrupted_notice, unfinished_notice, vanished_notice
from .progress import Progress
from .reporting import Reporter
from .results import set_results, set_unseen_levels
from .setup import Setup, make_setup
from .start import start_values
from .tasks import FitTasks
from .training import frozen_names, make_reporter, make_trainer, run_pass, run_stage

# Rows of training that a model describes.
_ROWS_DESCRIBED = 500


# In a session under torch.no_grad or torch.inference_mode nothing would be learnt.
@torch.inference_mode(False)
def fit_rows(
    estimator,
    rows: Rows,
    validation: Rows | None,
    seeds,
    known: Progress | None,
    catalogue: Catalogue | None = None,
    tasks: FitTasks | None = None,
) -> Notices:
    """Train for up to `max_iter` epochs and set the fitted attributes.

    Parameters
    ----------
    estimator : estimator
        A working copy, whose attributes are set.
    rows, validation : Rows
        Rows to learn from, and those that the user gave for early stopping.
    seeds : SeedSequence
    known : Progress or None
        Of the fit that goes on.
    catalogue : Catalogue or None
        What negatives are drawn from, if the rows are positives alone.
    tasks : FitTasks or None
        The tasks that callbacks of scikit-learn are told of.

    Returns
    -------
    notices : list of (str, type)
        What the user has to be warned of.
    """
    ranks.refuse_other(**{"use of X_val": validation is not None})
    checkpoint = None
    if estimator.checkpoint is not None:
        data = digests(rows) | digests(validation, "{}_val")
        if catalogue is not None:
            data["items"] = digest(catalogue.keys)
        checkpoint = Checkpoint(estimator.checkpoint, fingerprint(estimator, data))
        seeds = checkpoint.seeds(seeds)
    every = rows
    rows, validation = _split(estimator, rows, validation, seeds, catalogue, checkpoint)
    positives, has_more = rows, rows is not every
    if catalogue is not None:
        rng = np.random.default_rng(seeds.generate_state(2)[1])
        rows = catalogue.lists(positives, estimator.n_negatives, rng)
        if validation is not None:
            validation = catalogue.lists(validation, N_VALIDATION, rng)
    setup = make_setup(estimator, rows, seeds, known, stream=False)
    continues = goes_on_from(estimator, known)
    setup = with_linear_part(setup, every if has_more else None, continues=continues)
    if catalogue is not None:
        setup = with_negatives(setup, positives, catalogue, known)
    frozen = frozen_names(estimator.freeze, setup.model)
    arrays, optimizer = start_values(setup, known, validation, checkpoint)
    monitor = make_monitor(setup, arrays, validation)
    trainer = make_trainer(setup, setup.model, arrays, frozen, optimizer)
    reporter = make_reporter(setup)
    state, interrupted = run_stage(
        setup, trainer, monitor, reporter, checkpoint, "main", tasks=tasks
    )
    if setup.linear is not None and has_more:
        setup = with_all_rows(setup, every, continues=continues)
    goes_on = known is not None
    return finish(setup, state, reporter, checkpoint, frozen, interrupted, goes_on=goes_on)


def finish(
    setup: Setup,
    state: RunState,
    reporter: Reporter,
    checkpoint: Checkpoint | None,
    frozen: frozenset[str],
    interrupted: bool,
    *,
    goes_on: bool,
) -> Notices:
    """Set the fitted attributes and take the checkpoint away."""
    estimator = setup.estimator
    line = _set_fitted(setup, estimator, state, goes_on=goes_on)
    set_unseen_levels(setup, estimator)
    reporter.on_end(line)
    if not estimator.warm_start:
        estimator._progress = estimator._progress.units_alone()
    if checkpoint is not None and not interrupted:
        checkpoint.remove()
    notices = interrupted_notice(estimator, interrupted) + vanished_notice(setup, state, frozen)
    return notices + unfinished_notice(setup, state, interrupted)


def _split(
    estimator,
    rows: Rows,
    validation: Rows | None,
    seeds,
    catalogue: Catalogue | None,
    checkpoint: Checkpoint | None,
) -> tuple[Rows, Rows | None]:
    """Rows to learn from, and rows for early stopping (None without)."""
    fraction = estimator.validation_fraction
    n_rows = int(ranks.sum_over_ranks(len(rows.y)))
    given = validation is not None or is_splitter(fraction)
    if not auto.stops_early(estimator.early_stopping, n_rows, given):
        return rows, None
    if validation is not None:
        return rows, validation
    if fraction is None:
        return rows, rows
    seed = int(seeds.generate_state(1)[0])
    if is_splitter(fraction):
        if estimator._loss.compares_rows:
            refuse_splitter(fraction, "a ranker sets groups of its own aside")
        if ranks.n_ranks() > 1:
            refuse_splitter(fraction, "each rank would split the rows of groups that others have")
        parts = last_split(rows, fraction, by_class=is_classifier(estimator), seed=seed)
        if checkpoint is not None:
            checkpoint.check_split(*parts)
    elif estimator._loss.compares_rows:
        first = rows.target[:, -1] if catalogue is None else np.ones(n_rows)
        parts = validation_lists(first, fraction, seed=seed)
    else:
        parts = validation_split(
            rows.X, rows.target, fraction, by_class=is_classifier(estimator), seed=seed
        )
    train, aside = (rows.part(part) for part in parts)
    return train, aside


@torch.inference_mode(False)
def pass_rows(estimator, rows: Rows, seeds, known: Progress | None) -> Notices:
    """Train for one pass over the rows and set the fitted attributes.

    Returns what the user has to be warned of.
    """
    setup = make_setup(estimator, rows, seeds, known, stream=True)
    setup = with_crosses(setup, goes_on_from(estimator, known))
    frozen = frozen_names(estimator.freeze, setup.model)
    arrays, optimizer = start_values(setup, known, None, None)
    trainer = make_trainer(setup, setup.model, arrays, frozen, optimizer)
    state, interrupted = run_pass(setup, trainer, make_reporter(setup))
    _set_fitted(setup, estimator, state, goes_on=known is not None)
    return interrupted_notice(estimator, interrupted)


def goes_on_from(estimator, known: Progress | None):
    """The fitted estimator whose parameters a fit starts from, or None."""
    if known is not None:
        return estimator
    init = getattr(estimator, "init", None)
    return None if isinstance(init, str) else init


def _set_fitted(setup: Setup, estimator, state: RunState, *, goes_on: bool) -> str:
    """Set all fitted attributes. Returns the line that `verbose` shows of them."""
    set_results(setup, estimator, state.result)
    # What follows is what rank 0 has: the estimators of all ranks are to be the same.
    prepared = setup.prepared
    chosen = evenly_spaced(prepared.X.shape[0], _ROWS_DESCRIBED)
    X, one_hot = prepared.X[chosen], prepared.one_hot
    described, line = ranks.of_first(setup.model.describe(state.result, X, one_hot))
    for name, value in described.items():
        setattr(estimator, f"{name}_", value)
    n_before = getattr(estimator, "n_iter_", 0) if goes_on else 0
    for record in state.history:
        record["epoch"] += n_before
    estimator.history_ = (estimator.history_ if goes_on else []) + state.history
    estimator.n_iter_ = n_before + len(state.history)
    estimator.best_iter_ = n_before + _best_iter(state)
    order_rng, mask_state = setup.order_rng, state.mask_generator.numpy()
    order_rng.bit_generator.state = state.order_rng
    order_rng, mask_state = ranks.of_first((order_rng, mask_state))
    estimator._progress = Progress(
        **vars(setup.prepared.units),
        optimizer=host_arrays(state.optimizer),
        order_rng=order_rng,
        mask_state=mask_state,
        linear_bias=linear_bias(setup),
    )
    return line


def _best_iter(state: RunState) -> int:
    """The epoch whose parameters are kept: the last without a score, 0 for the start values."""
    return len(state.history) if state.best is None and not state.best_iter else state.best_iter
