"""Losses of raw scores: one term a row, or one a row and target."""

import torch
from torch import Tensor
from torch.nn import functional as F


def squared_loss(raw: Tensor, target: Tensor) -> Tensor:
    """Squared error of each target; raw, target and result (n_rows, n_outputs)."""
    return (raw - target).square()


def log_loss(raw: Tensor, target: Tensor) -> Tensor:
    """Binary log loss of logits (n_rows, 1); target (n_rows, 1) in {0, 1}."""
    return F.softplus(raw) - target * raw


def multinomial_log_loss(raw: Tensor, target: Tensor) -> Tensor:
    """Multinomial log loss of logits (n_rows, n_classes); target (n_rows, 1) class
    numbers."""
    return F.cross_entropy(raw, target.squeeze(1).to(torch.int64), reduction="none")[:, None]


LOSSES = {"squared": squared_loss, "log": log_loss, "multinomial": multinomial_log_loss}
