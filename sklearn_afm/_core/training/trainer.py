"""One epoch of mini-batches: scores, loss, gradients, penalties, update."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import ranks
from ..batches.batches import Batch, Batcher, RowGroup, entries, iter_row_blocks
from ..batches.columns import by_column, by_feature, rows_of_columns, rows_of_group
from ..batches.memory import in_groups_that_fit
from ..losses.loss import Loss
from ..models.model import Model
from ..tensors import shared_tensor
from .data import Epoch, EpochData, TrainingData
from .gradients import Gradients, mean_over_ranks
from .optimizers import Optimizer

# Floats of one group of rows in training.
MAX_TRAINING_COST = 1 << 24
# Share of the last batch in the running means of a model's statistics.
STATISTICS_RATE = 0.1


@dataclass
class Trainer:
    """Fits the parameters of a model in place.

    `parameters` and the optimiser's state hold everything that training changes.
    """

    model: Model
    loss: Loss
    parameters: dict[str, Tensor]
    trained: list[str]  # names of the parameters that change
    optimizer: Optimizer
    batch_size: int
    # Strength of each parameter's penalty (docs/model.md), or of each of its numbers.
    penalties: dict[str, float | Tensor]
    order_rng: np.random.Generator
    mask_generator: torch.Generator
    _batcher: Batcher = field(init=False)

    def __post_init__(self) -> None:
        n_columns = len(self.parameters["linear_weights"])
        self._batcher = Batcher(n_columns, self.model.training_cost, MAX_TRAINING_COST)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters["bias"].device

    def restore(
        self,
        parameters: dict[str, Tensor],
        optimizer: dict[str, Tensor],
        order_rng: Mapping[str, Any],
        mask_generator: Tensor,
    ) -> None:
        """Go back to the end of an epoch."""
        for own, saved in ((self.parameters, parameters), (self.optimizer.state, optimizer)):
            for name, value in own.items():
                value.copy_(saved[name])
        self.order_rng.bit_generator.state = order_rng
        self.mask_generator.set_state(mask_generator)

    def run_epoch(
        self,
        data: EpochData,
        on_step: Callable[[int], None] | None = None,
        *,
        epoch: Epoch | None = None,
        on_window: Callable[[Epoch], None] | None = None,
    ) -> Tensor:
        """One pass over the rows in random order; returns the mean of each loss term.

        It goes on from where `epoch` is. `on_window` is told how far it is, if more windows follow.
        A rank whose rows come to an end first joins the steps of the others without any.
        """
        loss_sum, epoch = None, epoch or data.begin(self.order_rng)
        for window in data.windows(epoch, self.batch_size):
            if loss_sum is None:
                loss_sum = self._loss_sum(window, epoch)
            order, ends = self._order(window)
            for rows, indptr, block in iter_row_blocks(window.X, order, ends):
                csr = (indptr, *entries(indptr, block, window.one_hot))
                loss_sum = loss_sum + self._step(window, csr, rows)
                if on_step is not None:
                    on_step(len(rows))
            done = epoch.n_rows + window.n_rows
            epoch = replace(epoch, n_rows=done, loss_sum=loss_sum.tolist())
            if on_window is not None and done < data.n_rows:
                on_window(epoch)
        assert loss_sum is not None  # there are rows
        while ranks.n_ranks() > 1 and self._step_of_others():
            pass
        sums = ranks.sum_over_ranks(np.append(loss_sum.cpu().numpy(), data.total_weight()))
        return torch.from_numpy(sums[:-1] / sums[-1])

    def _order(self, window: TrainingData) -> tuple[np.ndarray, np.ndarray]:
        """The rows in random order, and the positions at which batches end."""
        n_rows = window.n_rows
        if not self.loss.compares_rows:
            ends = np.append(np.arange(self.batch_size, n_rows, self.batch_size), n_rows)
            return self.order_rng.permutation(n_rows), ends
        first = np.flatnonzero(window.target[:, -1].cpu().numpy())
        lengths = np.diff(first, append=n_rows)
        lists = self.order_rng.permutation(len(first))
        first, lengths = first[lists], lengths[lists]
        ends = lengths.cumsum()
        order = np.arange(n_rows) + np.repeat(first - (ends - lengths), lengths)
        # A batch takes the lists that begin within its part of the row of rows.
        batch = (ends - lengths) // self.batch_size
        return order, ends[np.append(np.diff(batch) > 0, True)]

    def _loss_sum(self, window: TrainingData, epoch: Epoch) -> Tensor:
        """Sum of each loss term over the rows that the epoch has done."""
        done = epoch.loss_sum or [0.0]
        return torch.tensor(done, dtype=torch.float64, device=window.target.device)

    def _step(self, data: TrainingData, csr: tuple, rows: np.ndarray) -> Tensor:
        masks = self.mask_generator.get_state()
        # Until the update, nothing but the generator has changed: a step can be tried again.
        batch, gradients, loss_sum = in_groups_that_fit(
            self._batcher,
            csr,
            lambda batch: (batch, *self._gradients(data, batch, rows)),
            lambda: _set_state(self.mask_generator, masks),
        )
        total = _total(data, rows)
        self._update_all_ranks(gradients, batch.columns, total)
        return loss_sum

    def _step_of_others(self) -> bool:
        """Join a step of other ranks without rows; False if none of them has any left."""
        gradients = {}
        for name in (*self.trained, *self.model.statistics):
            value = self.parameters[name]
            value = value[:0] if name in self.model.per_column else value
            gradients[name] = torch.zeros_like(value)
        return self._update_all_ranks(gradients, np.empty(0, dtype=np.int64), 0.0)

    def _gradients(
        self, data: TrainingData, batch: Batch, rows: np.ndarray
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Gradients of the objective, and the weighted loss sum."""
        target = data.target.index_select(0, shared_tensor(rows, data.target.device))
        offset = None
        if data.offset is not None:
            offset = data.offset.index_select(0, shared_tensor(rows, data.offset.device))
        weight = None if data.weight is None else data.weight[rows]
        total = _total(data, rows)
        columns = {
            name: rows_of_columns(self.parameters[name], batch) for name in self.model.per_column
        }
        gradients, loss_sum = self._loss_gradients(batch, columns, target, offset, weight, total)
        self._add_ridges(gradients)
        self._add_priors(gradients, batch, columns, data.column_weight, weight, total)
        return gradients, loss_sum

    def _loss_gradients(
        self,
        batch: Batch,
        columns: dict[str, Tensor],
        target: Tensor,
        offset: Tensor | None,
        weight: np.ndarray | None,
        total: float,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Gradients of the mean loss, and the weighted loss sum."""
        local = self.parameters | {name: by_feature(v, batch) for name, v in columns.items()}
        leaves = {name: local[name].detach().requires_grad_() for name in self.trained}
        local |= leaves
        row_weight = None
        if weight is not None:
            row_weight = shared_tensor(weight, target.device).to(target.dtype)
        statistics = self._statistics(local, batch, row_weight)
        of_rows, local = local, local | statistics
        if self.loss.compares_rows and len(batch.groups) > 1:
            loss_sum = self._groups_together(local, batch, target, offset, row_weight, total)
        else:
            loss_sum = self._groups_apart(local, batch, target, offset, row_weight, total)
        self._backward_through(statistics, of_rows, batch, row_weight)
        # What has no part in these rows has no gradient of the loss, but penalties all the same.
        gradients = {
            name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            for name, leaf in leaves.items()
        }
        for name in self.model.per_column & gradients.keys():
            gradients[name] = by_column(gradients[name], batch)
        for name, value in statistics.items():
            gradients[name] = self.parameters[name] - value.detach()
        return gradients, loss_sum

    def _statistics(
        self, local: dict[str, Tensor], batch: Batch, weight: Tensor | None
    ) -> dict[str, Tensor]:
        """The model's statistics of the whole batch, whatever its groups, as leaves of autograd."""
        result: dict[str, Tensor] = {}
        for group in batch.groups if self.model.statistics else ():
            with torch.no_grad():
                for name, part in self._share_of_group(local, batch, group, weight).items():
                    result[name] = result[name] + part if name in result else part
        return {name: value.requires_grad_() for name, value in result.items()}

    def _backward_through(
        self,
        statistics: dict[str, Tensor],
        local: dict[str, Tensor],
        batch: Batch,
        weight: Tensor | None,
    ) -> None:
        """Take the gradients of the statistics back to the leaves that they were computed from."""
        for group in batch.groups if statistics else ():
            for name, part in self._share_of_group(local, batch, group, weight).items():
                gradient = statistics[name].grad
                if gradient is not None:
                    _backward(part, gradient)

    def _share_of_group(
        self, local: dict[str, Tensor], batch: Batch, group: RowGroup, weight: Tensor | None
    ) -> dict[str, Tensor]:
        """What a group adds to the weighted means over the batch's rows."""
        result = {}
        for name, values in self.model.row_statistics(local, group).items():
            if weight is None:
                result[name] = values.sum(0) / len(batch.row_lengths)
            else:
                share = weight[rows_of_group(group, weight.device)] / weight.sum()
                result[name] = torch.tensordot(share, values, 1)
        return result

    def _groups_apart(
        self,
        local: dict[str, Tensor],
        batch: Batch,
        target: Tensor,
        offset: Tensor | None,
        weight: Tensor | None,
        total: float,
    ) -> Tensor:
        """The loss of the batch where no term needs rows of several groups: group by group."""
        loss_sum = target.new_zeros(1)
        for group in batch.groups:
            part = rows_of_group(group, target.device)
            raw = self.model.raw_scores(local, group, self.mask_generator)
            raw = raw if offset is None else raw + offset[part]
            terms = self.loss.terms(raw, target[part])
            loss = (terms if weight is None else terms * weight[part, None]).sum(0)
            _backward(loss.sum() / total)
            loss_sum = loss_sum + loss.detach()
        return loss_sum

    def _groups_together(
        self,
        local: dict[str, Tensor],
        batch: Batch,
        target: Tensor,
        offset: Tensor | None,
        weight: Tensor | None,
        total: float,
    ) -> Tensor:
        """The loss of the batch where the term of a row needs rows of several groups.

        The raw scores of all rows give the loss's gradient by them. Each group is then computed
        again, with the same dropout, so that there is never more than one group's graph.
        """
        raw = target.new_empty(len(target), self.model.n_outputs)
        parts = [rows_of_group(group, target.device) for group in batch.groups]
        masks = self.mask_generator.get_state()
        with torch.no_grad():
            for group, part in zip(batch.groups, parts):
                raw[part] = self.model.raw_scores(local, group, self.mask_generator)
        raw = (raw if offset is None else raw + offset).requires_grad_()
        terms = self.loss.terms(raw, target)
        loss = (terms if weight is None else terms * weight[:, None]).sum(0)
        (d_raw,) = torch.autograd.grad(loss.sum() / total, raw)
        self.mask_generator.set_state(masks)
        for group, part in zip(batch.groups, parts):
            _backward(self.model.raw_scores(local, group, self.mask_generator), d_raw[part])
        return loss.detach()

    def _add_ridges(self, gradients: dict[str, Tensor]) -> None:
        """Add the gradients of the penalties that stand beside the mean loss."""
        for name in gradients.keys() - self.model.per_column:
            strength = self.penalties.get(name)
            if strength:
                gradients[name].add_(self.parameters[name] * strength, alpha=2)

    def _add_priors(
        self,
        gradients: dict[str, Tensor],
        batch: Batch,
        columns: dict[str, Tensor],
        column_weight: np.ndarray,
        weight: np.ndarray | None,
        total: float,
    ) -> None:
        """Add the gradients of the penalties that are in units of observations."""
        names = [
            name
            for name in gradients.keys() & self.model.per_column
            if isinstance(self.penalties.get(name), Tensor) or self.penalties.get(name)
        ]
        if not names:
            return
        # Each entry carries s_n / c_i of its column's penalty: over an epoch, all of it.
        entry_weight = None if weight is None else np.repeat(weight, batch.row_lengths)
        in_batch = np.bincount(batch.entry_columns, entry_weight, minlength=len(batch.columns))
        share = shared_tensor(in_batch / (column_weight[batch.columns] * total), self.device)
        share = share.to(columns[names[0]].dtype)[:, None]
        for name in names:
            strength = self.penalties[name]
            if isinstance(strength, Tensor):
                strength = rows_of_columns(strength, batch)
            gradients[name].addcmul_(strength * columns[name], share, value=2)

    def _update_all_ranks(self, gradients: Gradients, columns: np.ndarray, total: float) -> bool:
        """Take a step down the mean gradients of all ranks; False if none of them has rows.

        `total` is the weight of this rank's rows, and `columns` are those that they touch.
        """
        numbered = self._batcher.number_columns
        mean = mean_over_ranks(gradients, columns, total, self.model.per_column, numbered)
        if mean is not None:
            self._update(*mean)
        return mean is not None

    def _update(self, gradients: Gradients, columns: np.ndarray) -> None:
        rows = shared_tensor(columns, self.device)
        self.optimizer.begin_step()
        for name, gradient in gradients.items():
            if name in self.model.statistics:
                self.parameters[name].sub_(gradient, alpha=STATISTICS_RATE)
                continue
            touched = rows if name in self.model.per_column else None
            self.optimizer.update(name, self.parameters[name], gradient, touched)


def _total(data: TrainingData, rows: np.ndarray) -> float:
    """The weight of some rows."""
    return len(rows) if data.weight is None else data.weight[rows].sum()


def _set_state(generator: torch.Generator, state: Tensor) -> None:
    generator.set_state(state)


def _backward(result: Tensor, gradient: Tensor | None = None) -> None:
    """Take it back to the leaves, unless none of them has a part in it."""
    if result.requires_grad:
        result.backward(gradient)
