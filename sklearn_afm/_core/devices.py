"""Where and in which type a fit computes, and whether its parameters fit into memory."""

import math
import os

import numpy as np
import torch


def computing_dtype(precision: str, values: np.ndarray) -> torch.dtype:
    """float32 if it holds the values of X exactly, as it does 0 and 1; else float64."""
    if precision == "float64":
        return torch.float64
    if precision == "auto" and values.dtype != np.float32:
        with np.errstate(over="ignore"):
            if (values.astype(np.float32) != values).any():
                return torch.float64
    return torch.float32


def training_device(device: str) -> torch.device:
    """The device that was asked for; ValueError if this machine does not have it."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        result = torch.device(device)
        torch.empty(0, device=result)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used on this machine ({str(error).splitlines()[0]}). "
            'Use device="auto" or "cpu".'
        ) from error
    return result


def prediction_device(device: str) -> torch.device:
    """The device that was asked for, or the CPU if this machine does not have it."""
    try:
        return training_device(device)
    except ValueError:
        return torch.device("cpu")


def check_memory(n_columns: int, floats_per_column: int, dtype: torch.dtype) -> None:
    """Refuse parameters that this machine cannot hold.

    Each float of a column is held four times: as parameter, in the optimiser, in the average and
    as fitted attribute. Eight more numbers per column count, scale and renumber the columns.
    """
    needed = n_columns * (4 * floats_per_column * dtype.itemsize + 8 * 8)
    available = _physical_memory()
    if needed > available:
        raise ValueError(
            f"X has {n_columns} columns. Each needs {floats_per_column} floats, so that a fit "
            f"would take {needed / 2**30:.1f} GiB; this machine has {available / 2**30:.1f} GiB. "
            "Drop columns that are always 0, hash the levels into fewer columns "
            "(sklearn.feature_extraction.FeatureHasher), or lower embedding_dim."
        )


def _physical_memory() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return math.inf
