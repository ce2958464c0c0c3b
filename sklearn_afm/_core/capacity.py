"""Whether the parameters of a fit can be held in the memory of this machine."""

import math
import os

import torch


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
