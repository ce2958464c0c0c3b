"""Epoch after epoch: early stopping, averaging, a history, and the state to go on from."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .. import ranks
from ..batches.allocator import keep_freed_memory
from ..tensors import copy_of
from .average import RunningAverage
from .data import Epoch, EpochData
from .trainer import Trainer

# Looks at the parameters after an epoch: entries for the history, and the validation score.
Monitor = Callable[[dict[str, Tensor]], tuple[dict, float]]


@dataclass
class Schedule:
    """How long a run lasts and which parameters it ends with."""

    max_iter: int
    loss_unit: Tensor  # of each loss term, for the history
    averaging: float = 0.0
    n_iter_no_change: int = 10
    tol: float = 0.0
    start_counts: bool = False  # the start values are kept if no epoch is better
    keep_optimizer: bool = False  # an interrupted run's optimiser must be of an epoch's end too


@dataclass
class RunState:
    """A run at the end of an epoch: what it has come to, and what the next epoch needs.

    While training goes on it changes the tensors of `parameters` and `optimizer`, unless
    they are copies. If an epoch is under way, `parameters`, `optimizer` and the random generators
    are where it is, and the rest is that of the epoch before.
    """

    parameters: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    average: dict[str, Tensor] | None  # None without averaging
    best: dict[str, Tensor] | None  # None without a monitor, or while its scores are NaN
    best_iter: int  # 0 while there is no best, or while it is the start
    best_score: float
    history: list[dict]
    order_rng: Mapping[str, Any]
    mask_generator: Tensor
    epoch: Epoch | None = None  # the one that is under way

    @property
    def result(self) -> dict[str, Tensor]:
        """The parameters that the run would end with."""
        return self.best or self.average or self.parameters


class NoScoreError(ValueError):
    """The monitor's score was NaN in every epoch, so that none is the best."""

    def __init__(self, n_epochs: int):
        super().__init__(f"NaN score in each of {n_epochs} epochs")
        self.n_epochs = n_epochs


class NonFiniteLossError(ValueError):
    """The training loss became infinite or NaN."""

    def __init__(self, epoch: int):
        super().__init__(f"infinite or NaN training loss in epoch {epoch}")
        self.epoch = epoch


def run(
    trainer: Trainer,
    data: EpochData,
    schedule: Schedule,
    *,
    start: RunState | None = None,
    monitor: Monitor | None = None,
    on_step: Callable[[int], None] | None = None,
    on_epoch_begin: Callable[[], None] = lambda: None,
    on_epoch: Callable[[dict, dict[str, Tensor]], bool] = lambda record, parameters: False,
    on_state: Callable[[RunState], None] | None = None,
) -> tuple[RunState, bool]:
    """Train epoch by epoch, from the start or from an earlier run's state.

    `monitor` looks at the parameters after each epoch and returns entries for the history
    and a score (more is better): the run ends when it has not risen by `tol` for
    `n_iter_no_change` epochs, with the parameters of the best. A score of NaN is never the best;
    a run of nothing else raises NoScoreError. `on_epoch` gets each record with the epoch's
    parameters, and may end the run too. `on_state` gets the state that another epoch, or another
    window of rows, follows. Ctrl-C ends the run with the state of the last whole epoch, if there is
    one. What ends one rank's run ends that of all.

    Returns the state, and whether the run was interrupted.
    """
    keep_freed_memory()
    average = RunningAverage(schedule.averaging) if schedule.averaging else None
    state, under_way = start, None
    history: list[dict] = []
    every_row = int(ranks.sum_over_ranks(data.n_rows))
    best, best_iter, best_score = None, 0, -math.inf

    def state_now(
        *, whole: bool, is_last: bool = False, under_way: Epoch | None = None
    ) -> RunState:
        # What an interrupted run would end with must be out of the next epoch's reach.
        copied = whole and not (is_last or average or best)
        optimizer_copied = whole and schedule.keep_optimizer and not is_last
        return RunState(
            copy_of(trainer.parameters) if copied else trainer.parameters,
            copy_of(trainer.optimizer.state) if optimizer_copied else trainer.optimizer.state,
            average.parameters if average else None,
            best,
            best_iter,
            best_score,
            history,
            trainer.order_rng.bit_generator.state,
            trainer.mask_generator.get_state(),
            under_way,
        )

    def on_window(under_way: Epoch) -> None:
        if not all(map(math.isfinite, under_way.loss_sum or ())):
            raise NonFiniteLossError(len(history) + 1)
        if on_state is not None:
            on_state(state_now(whole=False, under_way=under_way))

    try:
        if start is not None:
            trainer.restore(
                start.parameters, start.optimizer, start.order_rng, start.mask_generator
            )
            if average and start.average:
                device = trainer.device
                saved = {name: value.to(device) for name, value in start.average.items()}
                average.restore(saved, len(start.history))
            history, best = start.history, start.best
            best_iter, best_score = start.best_iter, start.best_score
            under_way = start.epoch
            if under_way is not None:
                state = None  # of the epoch before, only the checkpoint has all
                if on_step is not None:
                    on_step(under_way.n_rows)
        elif schedule.start_counts and monitor is not None:
            best, best_score = copy_of(trainer.parameters), monitor(trainer.parameters)[1]
        for epoch in range(len(history) + 1, schedule.max_iter + 1):
            is_last = epoch == schedule.max_iter
            on_epoch_begin()
            started = time.perf_counter()
            n_rows = every_row - (under_way.n_rows if under_way else 0)
            losses = trainer.run_epoch(data, on_step, epoch=under_way, on_window=on_window)
            loss, under_way = float((losses * schedule.loss_unit).mean()), None
            seconds = float(ranks.max_over_ranks(time.perf_counter() - started))
            if not math.isfinite(loss):
                raise NonFiniteLossError(epoch)
            current = average.update(trainer.parameters) if average else trainer.parameters
            record = {"epoch": epoch, "train_loss": loss}
            score = None
            if monitor is not None:
                entries, score = monitor(current)
                record |= entries
            record |= {"seconds": seconds, "rows_per_second": n_rows / seconds}
            history = [*history, record]
            if score is None:
                best_iter = epoch
            elif not math.isnan(score) and (best is None or score > best_score + schedule.tol):
                best = current if average else copy_of(current)
                best_iter, best_score = epoch, score
            state = state_now(whole=True, is_last=is_last)
            if ranks.any_rank(on_epoch(record, current)):
                break
            if score is not None and epoch - best_iter >= schedule.n_iter_no_change:
                break
            if on_state is not None and not is_last:
                on_state(state)
    except KeyboardInterrupt as interrupt:
        ranks.tell(interrupt)
        if state is None:
            raise
        return state, True
    assert state is not None  # max_iter is at least 1
    if monitor is not None and state.best is None:
        raise NoScoreError(len(state.history))
    return state, False
