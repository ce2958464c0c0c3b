"""Rows that are made while training goes on, as the trainer wants them."""

import torch

from .._core.training.data import TrainingData
from .._data.prepare import in_units, targets_in_units
from .._data.rows import Rows
from .linear import offset_of_rows
from .setup import Setup


def training_data(setup: Setup, rows: Rows) -> TrainingData:
    """Rows of the user as the trainer wants them, in the units that the setup has."""
    units, dtype = setup.prepared.units, setup.array_dtype
    rows = rows.prepared(units.scaling.column_mean, units.weight_unit)
    X, one_hot = in_units(rows.X, units.scaling, dtype)
    offset = offset_of_rows(setup, rows.X)
    target = targets_in_units(rows.target, units.scaling, dtype, setup.loss.standardises)
    return TrainingData(
        X.astype(dtype, copy=False),
        one_hot,
        torch.from_numpy(target).to(setup.device),
        None if (rows.weight == 1).all() else rows.weight,
        units.column_weight,
        None if offset is None else torch.from_numpy(offset).to(setup.device, setup.dtype),
    )
