"""Training on positives alone: negatives are drawn anew in each epoch."""

import dataclasses

import numpy as np

from .._core.training.windows import DrawnData
from .._data.catalogue import Catalogue
from .._data.rows import Rows
from .progress import Progress
from .setup import Setup
from .windows import training_data

# Negatives of each positive row for early stopping.
N_VALIDATION = 100


def with_negatives(
    setup: Setup, positives: Rows, catalogue: Catalogue, known: Progress | None
) -> Setup:
    """The setup of epochs that draw. Its rows so far are the lists of one draw."""
    prepared, n_negatives = setup.prepared, setup.estimator.n_negatives
    # An item that this draw lacks comes in others.
    columns, weight = catalogue.item_columns, prepared.units.column_weight.copy()
    weight[columns] = np.maximum(weight[columns], 1)
    seen = np.zeros(len(weight), dtype=bool) if known is None else known.column_weight > 0
    prepared = dataclasses.replace(
        prepared,
        units=dataclasses.replace(prepared.units, column_weight=weight),
        new_columns=np.flatnonzero((weight > 0) & ~seen),
    )
    setup = dataclasses.replace(setup, prepared=prepared)

    def draw(seed: int):
        rng = np.random.default_rng(seed)
        return training_data(setup, catalogue.lists(positives, n_negatives, rng))

    total = float(prepared.rows.weight.sum())
    data = DrawnData(draw, len(prepared.rows.y), total, weight)
    return dataclasses.replace(setup, data=data)
