"""Training: run -> epoch -> step, with early stopping, averaging and a history."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from .allocator import keep_freed_memory
from .batches import Batch, Batcher, entries, iter_row_blocks
from .losses import LOSSES
from .memory import in_groups_that_fit
from .model import (
    TABLES,
    FactorizationModel,
    column_gradient,
    column_tables,
    feature_table,
    rows_of,
)
from .parameters import RunningAverage, copy_of

# Numbers of one group of rows in training.
MAX_TRAINING_COST = 1 << 24


@dataclass
class TrainingData:
    """Rows to learn from, as the trainer wants them."""

    X: object  # canonical CSR, values in the computing dtype
    one_hot: bool  # every stored value is 1
    target: Tensor  # (n_rows, n_terms): targets, 0 and 1, or class numbers
    weight: np.ndarray | None  # (n_rows,), positive; None: all 1
    column_weight: np.ndarray  # (n_columns,) summed weight of the rows that hold a column


@dataclass
class Penalties:
    """Strengths of the objective's penalties (docs/model.md, "Objective")."""

    attention: float = 0.0
    embeddings: float = 0.0
    linear_weights: float = 0.0


@dataclass
class Trainer:
    """Fits the parameters of a model in place.

    `parameters` and the optimiser's state hold everything that training changes.
    """

    model: FactorizationModel
    loss: str
    parameters: dict[str, Tensor]
    optimizer: object
    batch_size: int
    penalties: Penalties
    frozen: frozenset[str]
    order_rng: np.random.Generator
    mask_generator: torch.Generator
    _batcher: Batcher = field(init=False)
    _trained: list[str] = field(init=False)

    def __post_init__(self):
        self._trained = [name for name in self.parameters if name not in self.frozen]
        n_columns = len(self.parameters["linear_weights"])
        self._batcher = Batcher(n_columns, self.model.pooling.row_cost, MAX_TRAINING_COST)

    def restore(self, state: "RunState") -> None:
        """Go back to the end of an epoch."""
        for own, saved in (
            (self.parameters, state.parameters),
            (self.optimizer.state, state.optimizer),
        ):
            for name, value in own.items():
                value.copy_(saved[name])
        self.order_rng.bit_generator.state = state.order_rng
        self.mask_generator.set_state(state.mask_generator)

    def run_epoch(self, data: TrainingData, on_step: Callable[[int], None] | None = None) -> Tensor:
        """One pass over the rows in random order; returns the mean of each loss term."""
        n_rows = data.X.shape[0]
        total_weight = n_rows if data.weight is None else float(data.weight.sum())
        loss_sum = torch.zeros(data.target.shape[1], dtype=torch.float64, device=data.target.device)
        order = self.order_rng.permutation(n_rows)
        for rows, indptr, block in iter_row_blocks(data.X, order, self.batch_size):
            loss_sum += self._step(data, (indptr, *entries(indptr, block, data.one_hot)), rows)
            if on_step is not None:
                on_step(len(rows))
        return loss_sum.cpu() / total_weight

    def _step(self, data: TrainingData, csr: tuple, rows: np.ndarray) -> Tensor:
        masks = self.mask_generator.get_state()
        # Until the update, nothing but the generator has changed: a step can be tried again.
        batch, gradients, loss_sum = in_groups_that_fit(
            self._batcher,
            csr,
            lambda batch: (batch, *self._gradients(data, batch, rows)),
            lambda: self.mask_generator.set_state(masks),
        )
        self._update(gradients, batch)
        return loss_sum

    def _gradients(self, data: TrainingData, batch: Batch, rows: np.ndarray):
        """Gradients of the objective, and the weighted loss sum."""
        target = data.target.index_select(0, torch.from_numpy(rows).to(data.target.device))
        weight = None if data.weight is None else data.weight[rows]
        batch_weight = len(rows) if weight is None else weight.sum()
        tables = column_tables(self.parameters, batch)
        loss_sum, gradients = self._loss_and_gradients(batch, tables, target, weight, batch_weight)
        self._add_penalties(gradients, batch, tables, data.column_weight, weight, batch_weight)
        return gradients, loss_sum

    def _loss_and_gradients(self, batch, tables, target, weight, batch_weight):
        """Weighted loss sum, and the gradients of its mean; tables by the batch's columns.

        The one place where gradients of several processes would be summed.
        """
        features = {name: feature_table(table, batch) for name, table in tables.items()}
        local = self.parameters | features
        leaves = {name: local[name].detach().requires_grad_() for name in self._trained}
        local |= leaves
        row_weight = None if weight is None else torch.from_numpy(weight).to(target)
        loss_sum = 0.0
        for group in batch.groups:
            part = rows_of(group, target.device)
            raw = self.model.training_scores(local, group, self.mask_generator)
            loss = LOSSES[self.loss](raw, target[part])
            loss = (loss if weight is None else loss * row_weight[part, None]).sum(0)
            if loss.requires_grad:  # not if what is trained has no part in these rows
                (loss.sum() / batch_weight).backward()
            loss_sum = loss_sum + loss.detach()
        # What has no part in these rows has no gradient of the loss, but penalties all the same.
        gradients = {
            name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            for name, leaf in leaves.items()
        }
        for name in TABLES:
            if name in gradients:
                gradients[name] = column_gradient(gradients[name], batch)
        return loss_sum, gradients

    def _add_penalties(self, gradients, batch, tables, column_weight, weight, batch_weight):
        if "attention_weight" in gradients and self.penalties.attention:
            gradients["attention_weight"].add_(
                self.parameters["attention_weight"], alpha=2 * self.penalties.attention
            )
        strengths = {
            "embeddings": self.penalties.embeddings,
            "linear_weights": self.penalties.linear_weights,
        }
        strengths = {name: s for name, s in strengths.items() if s and name in gradients}
        if not strengths:
            return
        # Each occurrence carries s_n / c_i of its column's penalty: over an epoch, all of it.
        entry_weight = None if weight is None else np.repeat(weight, batch.row_lengths)
        share = np.bincount(batch.entry_columns, entry_weight, minlength=len(batch.columns))
        share = torch.from_numpy(share / (column_weight[batch.columns] * batch_weight))
        share = share.to(tables["linear_weights"])[:, None]
        for name, strength in strengths.items():
            gradients[name].addcmul_(tables[name], share, value=2 * strength)

    def _update(self, gradients, batch):
        columns = torch.from_numpy(batch.columns).to(self.parameters["linear_weights"].device)
        self.optimizer.begin_step()
        for name, gradient in gradients.items():
            rows = columns if name in TABLES else None
            self.optimizer.update(name, self.parameters[name], gradient, rows)


@dataclass
class Schedule:
    """How long a run lasts and which parameters it ends with."""

    max_iter: int
    loss_unit: Tensor  # of each loss term, for the history
    averaging: float = 0.0
    n_iter_no_change: int = 10
    tol: float = 0.0
    keep_optimizer: bool = False  # an interrupted run's optimiser must be of an epoch's end too


@dataclass
class RunState:
    """A run at the end of an epoch: what it has come to, and what the next epoch needs.

    While training goes on it changes the tensors of `parameters` and `optimizer`, unless
    they are copies.
    """

    parameters: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    average: dict[str, Tensor] | None  # None without averaging
    best: dict[str, Tensor] | None  # None without a monitor, or while its scores are NaN
    best_iter: int  # 0 while there is no best
    best_score: float
    history: list[dict]
    order_rng: dict
    mask_generator: Tensor

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
    data: TrainingData,
    schedule: Schedule,
    *,
    start: RunState | None = None,
    monitor: Callable[[dict[str, Tensor]], tuple[dict, float]] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_epoch: Callable[[dict], bool] = lambda record: False,
    on_state: Callable[[RunState], None] | None = None,
) -> tuple[RunState, bool]:
    """Train epoch by epoch, from the start or from an earlier run's state.

    `monitor` looks at the parameters after each epoch and returns entries for the history
    and a score (more is better): the run ends when it has not risen by `tol` for
    `n_iter_no_change` epochs, with the parameters of the best. A score of NaN is never the best;
    a run of nothing else raises NoScoreError. `on_epoch` gets each record
    and may end the run too. `on_state` gets the state that another epoch follows. Ctrl-C
    ends the run with the state of the last whole epoch, if there is one.

    Returns the state, and whether the run was interrupted.
    """
    keep_freed_memory()
    average = RunningAverage(schedule.averaging) if schedule.averaging else None
    state, history = start, []
    best, best_iter, best_score = None, 0, -math.inf
    try:
        if start is not None:
            trainer.restore(start)
            if average:
                device = trainer.parameters["linear_weights"].device
                saved = {name: value.to(device) for name, value in start.average.items()}
                average.restore(saved, len(start.history))
            history, best = start.history, start.best
            best_iter, best_score = start.best_iter, start.best_score
        for epoch in range(len(history) + 1, schedule.max_iter + 1):
            is_last = epoch == schedule.max_iter
            started = time.perf_counter()
            loss = float((trainer.run_epoch(data, on_step) * schedule.loss_unit).mean())
            seconds = time.perf_counter() - started
            if not math.isfinite(loss):
                raise NonFiniteLossError(epoch)
            current = average.update(trainer.parameters) if average else trainer.parameters
            record = {"epoch": epoch, "train_loss": loss}
            score = None
            if monitor is not None:
                entries, score = monitor(current)
                record |= entries
            record |= {"seconds": seconds, "rows_per_second": data.X.shape[0] / seconds}
            history = [*history, record]
            if score is None:
                best_iter = epoch
            elif not math.isnan(score) and (best is None or score > best_score + schedule.tol):
                best = current if average else copy_of(current)
                best_iter, best_score = epoch, score
            # What an interrupted run would end with must be out of the next epoch's reach.
            copied = not (is_last or average or best)
            state = RunState(
                copy_of(trainer.parameters) if copied else trainer.parameters,
                copy_of(trainer.optimizer.state)
                if schedule.keep_optimizer and not is_last
                else trainer.optimizer.state,
                average.parameters if average else None,
                best,
                best_iter,
                best_score,
                history,
                trainer.order_rng.bit_generator.state,
                trainer.mask_generator.get_state(),
            )
            if on_epoch(record):
                break
            if score is not None and epoch - best_iter >= schedule.n_iter_no_change:
                break
            if on_state is not None and not is_last:
                on_state(state)
    except KeyboardInterrupt:
        if state is None:
            raise
        return state, True
    if monitor is not None and state.best is None:
        raise NoScoreError(len(state.history))
    return state, False
