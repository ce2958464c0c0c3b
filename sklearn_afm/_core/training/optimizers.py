"""Optimisers that can update only those columns of X that are in a batch.

Embeddings and linear weights are *per-column parameters*: row i belongs to column i of X. Each
parameter has a learning rate. A per-column parameter can have one for each row, (n_rows, 1).
Adagrad and Adam keep state tensors of the parameter's shape. `update` changes the parameter and
its state in place. `rows` are the rows of a per-column parameter to update; None means the whole
parameter.
"""

import math
from typing import Protocol

import torch
from torch import Tensor


class Optimizer(Protocol):
    """What the trainer asks of an optimiser."""

    state: dict[str, Tensor]

    def begin_step(self) -> None:
        """Count the step."""

    def update(self, name: str, value: Tensor, gradient: Tensor, rows: Tensor | None) -> None:
        """Take one step on a parameter, or on some rows of it."""


class Adagrad:
    """Adagrad (Duchi et al., JMLR 2011).

    Rows of a parameter without a gradient do not change. So updating only the batch's rows gives
    the same result as the dense update.
    """

    eps = 1e-10

    def __init__(
        self, parameters: dict[str, Tensor], rates: dict[str, float | Tensor], batch_size: int
    ):
        self.rates = rates
        # The square of half of one observation's share of a mean gradient. If it started at 0, the
        # first step of a coordinate would be a whole learning rate, however rare its level is.
        start = (0.5 / batch_size) ** 2
        self.state = {
            f"{name}/square_sum": torch.full_like(value, start)
            for name, value in parameters.items()
        }

    def begin_step(self) -> None:
        """Count the step (Adagrad has nothing to count)."""

    def update(self, name: str, value: Tensor, gradient: Tensor, rows: Tensor | None) -> None:
        """Take one step on a parameter, or on some rows of it."""
        square_sum = self.state[f"{name}/square_sum"]
        if rows is None:
            square_sum.addcmul_(gradient, gradient)
            rate = float(self.rates[name])
            value.addcdiv_(gradient, square_sum.sqrt().add_(self.eps), value=-rate)
            return
        sums = square_sum.index_select(0, rows).addcmul_(gradient, gradient)
        square_sum.index_copy_(0, rows, sums)
        step = gradient.div(sums.sqrt_().add_(self.eps))
        _move(value, rows, step, self.rates[name])


class Adam:
    """Adam (Kingma and Ba, ICLR 2015), *lazy* for per-column parameters.

    The moments of a column change only if the batch has this column. The bias correction counts
    all steps. The dense Adam is different: it also moves the columns that the batch does not have.
    """

    eps = 1e-8
    betas = (0.9, 0.999)

    def __init__(
        self, parameters: dict[str, Tensor], rates: dict[str, float | Tensor], batch_size: int
    ):
        self.rates = rates
        self.state = {"step": torch.zeros((), dtype=torch.int64, device="cpu")}
        for name, value in parameters.items():
            self.state[f"{name}/mean"] = torch.zeros_like(value)
            self.state[f"{name}/square_mean"] = torch.zeros_like(value)

    def begin_step(self) -> None:
        """Count the step, for the bias correction."""
        self.state["step"] += 1

    def update(self, name: str, value: Tensor, gradient: Tensor, rows: Tensor | None) -> None:
        """Take one step on a parameter, or on some rows of it."""
        mean, square_mean = self.state[f"{name}/mean"], self.state[f"{name}/square_mean"]
        new_mean = mean if rows is None else mean.index_select(0, rows)
        new_square = square_mean if rows is None else square_mean.index_select(0, rows)
        new_mean.lerp_(gradient, 1 - self.betas[0])
        new_square.lerp_(gradient * gradient, 1 - self.betas[1])
        step = int(self.state["step"])
        correction = math.sqrt(1 - self.betas[1] ** step)
        rate = self.rates[name] * (correction / (1 - self.betas[0] ** step))
        change = new_mean / new_square.sqrt().add_(self.eps * correction)
        if rows is None:
            value.add_(change, alpha=-float(rate))
            return
        mean.index_copy_(0, rows, new_mean)
        square_mean.index_copy_(0, rows, new_square)
        _move(value, rows, change, rate)


class SGD:
    """Plain stochastic gradient descent."""

    def __init__(
        self, parameters: dict[str, Tensor], rates: dict[str, float | Tensor], batch_size: int
    ):
        self.rates = rates
        self.state: dict[str, Tensor] = {}

    def begin_step(self) -> None:
        """Count the step (SGD has nothing to count)."""

    def update(self, name: str, value: Tensor, gradient: Tensor, rows: Tensor | None) -> None:
        """Take one step on a parameter, or on some rows of it."""
        if rows is None:
            value.add_(gradient, alpha=-float(self.rates[name]))
        else:
            _move(value, rows, gradient, self.rates[name])


def _move(value: Tensor, rows: Tensor, step: Tensor, rate: float | Tensor) -> None:
    """Take a step on some rows of a per-column parameter, each with its learning rate."""
    if isinstance(rate, Tensor):
        step, rate = step * rate.index_select(0, rows), 1.0
    value.index_add_(0, rows, step, alpha=-rate)


OPTIMIZERS = {"adagrad": Adagrad, "adam": Adam, "sgd": SGD}
