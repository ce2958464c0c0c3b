"""Rows that join a context and an item, from frames or from matrices."""

import numpy as np
from scipy import sparse

# How messages call the two sides.
NAMES = "context", "items"


def joined_tables(estimator, context, items):
    """What makes joined rows of the two tables, after a check that they go together."""
    frames = [_is_frame(table) for table in (context, items)]
    if all(frames):
        return JoinedFrames(context, items, getattr(estimator, "feature_names_in_", None))
    if any(frames):
        raise TypeError(
            f"context is a {type(context).__name__} and items is a {type(items).__name__}. Give "
            "two frames, whose columns are put side by side, or two matrices, which are added."
        )
    return JoinedMatrices(context, items)


def _is_frame(table) -> bool:
    return hasattr(table, "columns")


class JoinedFrames:
    """Frames of pandas or polars side by side, their columns in the order of the fit."""

    def __init__(self, context, items, names):
        if type(context) is not type(items):
            raise TypeError(
                f"context is a {type(context).__module__} frame and items is one of "
                f"{type(items).__module__}. Give two frames of one library."
            )
        columns = [*context.columns, *items.columns]
        both = sorted(set(context.columns) & set(items.columns), key=str)
        if both:
            raise ValueError(
                f"context and items both have the columns {both}. Each column of a row comes from "
                "one of the two: leave it out of the other."
            )
        self._columns = columns if names is None else list(names)
        missing = [name for name in self._columns if name not in set(columns)]
        unknown = [name for name in columns if name not in set(self._columns)]
        if missing or unknown:
            raise ValueError(
                "The columns of context and items together must be those of fit. "
                + (f"They lack {missing}. " if missing else "")
                + (f"They have {unknown} beside them: leave these out." if unknown else "")
            )
        self._frames = context, items
        self.shape = len(context), len(items)

    def rows(self, context: np.ndarray, items: np.ndarray):
        """A frame with a row for each number of a context and number of an item."""
        one, other = (_taken(f, i) for f, i in zip(self._frames, (context, items)))
        joined = one.join(other) if hasattr(one, "iloc") else one.hstack(other)
        return joined[self._columns]


def _taken(frame, numbers: np.ndarray):
    """Rows of a frame by number."""
    if hasattr(frame, "iloc"):
        return frame.iloc[numbers].reset_index(drop=True)
    return frame[numbers]


class JoinedMatrices:
    """Sums of rows of two matrices of one width, of which no column has entries in both."""

    def __init__(self, context, items):
        self._matrices = [_matrix(table, name) for table, name in zip((context, items), NAMES)]
        if any(map(sparse.issparse, self._matrices)):
            self._matrices = [sparse.csr_array(X) for X in self._matrices]
        widths = [X.shape[1] for X in self._matrices]
        if widths[0] != widths[1]:
            raise ValueError(
                f"context has {widths[0]} columns and items has {widths[1]}. Both matrices need "
                "all columns of X in fit; a row is the sum of a row of each."
            )
        used = [np.asarray((X != 0).sum(axis=0)).ravel() > 0 for X in self._matrices]
        both = np.flatnonzero(used[0] & used[1])
        if len(both):
            raise ValueError(
                f"context and items both have entries in {len(both)} columns, first in column "
                f"{both[0]}. Each column of a row comes from one of the two."
            )
        self.shape = tuple(X.shape[0] for X in self._matrices)

    def rows(self, context: np.ndarray, items: np.ndarray) -> np.ndarray | sparse.csr_array:
        """The sum of the two rows for each number of a context and number of an item."""
        first, second = self._matrices
        return first[context] + second[items]


def _matrix(table, name: str) -> np.ndarray | sparse.csr_array:
    if sparse.issparse(table):
        return sparse.csr_array(table)
    array = np.asarray(table)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must be a frame, or a matrix of numbers; it has {array.ndim} dimension(s) and "
            f"the type {array.dtype}. For a Pipeline that encodes columns, give frames."
        )
    return array.astype(np.float64)
