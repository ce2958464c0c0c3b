"""Rows in the units of the model: columns centred and scaled, targets standardised."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from .._core.ranks import sum_over_ranks
from . import units
from .rows import Rows
from .units import Scaling


@dataclass(frozen=True)
class Units:
    """The units of a fit, and how often each column was seen. A later call can go on from them."""

    scaling: Scaling
    column_weight: np.ndarray  # (n_columns,) summed weight of the rows that held each column
    weight_unit: float = 1.0  # what weights were divided by


@dataclass(frozen=True)
class Prepared:
    """Rows as the model learns them."""

    rows: Rows  # centred, weights in units of rows
    X: object  # canonical CSR in the model's units
    one_hot: bool  # every stored value is 1
    target: np.ndarray  # (n_rows, n_targets) in the model's units
    units: Units
    new_columns: np.ndarray  # columns that no earlier call has seen


def prepare(
    rows: Rows,
    dtype,
    standardises: bool,
    n_outputs: int,
    known: Units | None,
    *,
    column_mean,
    stream,
    scaling: Scaling | None = None,
) -> Prepared:
    """Bring rows into the units of the model.

    Parameters
    ----------
    rows : Rows
    dtype : NumPy dtype
        Type in which the model computes.
    standardises : bool
        Whether targets have a unit.
    n_outputs : int
    known : Units or None
        Units of the fit that goes on. None: the rows set them.
    column_mean : ndarray of shape (n_columns,), "rows" or None
        What is subtracted from each column. "rows": what these rows ask for.
    stream : bool
        Whether the rows are one more batch of a stream. Its calls have one unit of weights, that of
        the first, and columns are counted over all of them.
    scaling : Scaling or None
        Units of a first fit, if these rows are a sample of those that set them.
    """
    if isinstance(column_mean, str):
        column_mean = units.column_means(rows.X, rows.weight)
    weight_unit = known.weight_unit if known is not None and stream else rows.weight_unit()
    rows = rows.prepared(column_mean, weight_unit)
    entry_weight = rows.entry_weight()
    column_weight = np.bincount(rows.X.indices, entry_weight, minlength=rows.X.shape[1])
    column_weight = sum_over_ranks(column_weight)
    scales = units.column_scales(rows.X, entry_weight)
    seen_now = column_weight > 0
    if known is None:
        moments = np.zeros(n_outputs), np.ones(n_outputs)
        if standardises:
            moments = units.target_moments(rows.target, rows.weight)
        scaling = scaling or Scaling(scales, *moments, column_mean)
        new = seen_now
    else:
        seen = known.column_weight > 0
        new = ~seen & seen_now
        scales = np.where(seen, known.scaling.column_scale, scales)
        scaling = dataclasses.replace(known.scaling, column_scale=scales, column_mean=column_mean)
        column_weight = column_weight + known.column_weight if stream else column_weight
    X, one_hot = in_units(rows.X, scaling, dtype)
    return Prepared(
        rows,
        X,
        one_hot,
        targets_in_units(rows.target, scaling, dtype, standardises),
        Units(scaling, column_weight, weight_unit),
        np.flatnonzero(new),
    )


def in_units(X, scaling: Scaling, dtype) -> tuple[object, bool]:
    """A centred X in the units of the model, and whether all its values are 1."""
    one_hot = bool((X.data == 1).all()) and not scaling.scales_columns
    if one_hot:
        return X, True
    # What overflows makes the loss infinite, and that ends the fit.
    with np.errstate(over="ignore"):
        values = scaling.scaled_values(X).astype(dtype)
    return type(X)((values, X.indices, X.indptr), shape=X.shape), False


def targets_in_units(target, scaling: Scaling, dtype, standardises: bool) -> np.ndarray:
    """Targets in the units of the model; labels have none."""
    with np.errstate(over="ignore"):
        if standardises:
            target = (target - scaling.target_mean) / scaling.target_scale
        result = target.astype(dtype)
    if not np.isfinite(result).all():
        raise ValueError(
            f"y lies up to {np.abs(target).max():g} standard deviations from the mean of the "
            f"targets that set its unit: too far for {np.dtype(dtype)}. Scale these targets alike."
        )
    return result
