"""Rows for the speed tables. Each has one id per field, or a given number of entries."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

# First column of each of Frappe's fields, and the number of columns. Frappe is read here and not by
# sklearn_afm.datasets, because the peers' environment has no sklearn_afm.
FRAPPE_STARTS = (0, 957, 5039, 5046, 5053, 5055, 5058, 5060, 5069, 5149, 5382)
N_FIELDS = 10
BATCH_SIZE = 512  # for every contestant
HIDDEN_LAYER_SIZES = {"NFM": (64,), "Wide&Deep": (256, 128, 64), "DeepFM": (256, 128, 64)}
ZIPF_EXPONENT = 1.05


@dataclass
class Rows:
    """Columns of each row (n_rows, row length), targets 1 or -1, and first column of each field."""

    ids: np.ndarray
    y: np.ndarray
    starts: tuple

    @property
    def local_ids(self) -> np.ndarray:
        """Ids that start at 0 in each field."""
        return self.ids - np.array(self.starts[:-1])

    @property
    def field_sizes(self) -> list[int]:
        """Number of ids of each field."""
        return [int(size) for size in np.diff(self.starts)]

    @property
    def X(self) -> sparse.csr_array:
        """The one-hot matrix."""
        n_rows, length = self.ids.shape
        indptr = np.arange(n_rows + 1, dtype=np.int32) * length
        data = np.ones(self.ids.size, dtype=np.float32)
        shape = (n_rows, self.starts[-1])
        return sparse.csr_array((data, self.ids.ravel().astype(np.int32), indptr), shape=shape)


def make(kind, **arguments) -> Rows:
    """Make rows of the kind that a contest asks for."""
    return {"frappe": frappe, "zipf": zipf, "uniform": uniform}[kind](**arguments)


def frappe(data_home, part, n_rows=None) -> Rows:
    """Return the first rows of a part of Frappe. Both parts are in random order."""
    with np.load(Path(data_home) / "frappe" / f"{part}.npz") as file:
        ids, y = file["indices"][:n_rows], file["target"][:n_rows]
    return Rows(ids.astype(np.int64), y.astype(np.float32), FRAPPE_STARTS)


def zipf(n_columns, n_rows) -> Rows:
    """Generate rows of ten fields of equal size. The ids follow Zipf's law."""
    rng = np.random.default_rng(0)
    size = n_columns // N_FIELDS
    cumulative = np.cumsum(np.arange(1, size + 1) ** -ZIPF_EXPONENT)
    ids = np.empty((n_rows, N_FIELDS), dtype=np.int64)
    for field in range(N_FIELDS):
        rank = np.searchsorted(cumulative, rng.random(n_rows) * cumulative[-1])
        ids[:, field] = field * size + rng.permutation(size)[rank]
    return Rows(ids, _signs(n_rows, rng), tuple(range(0, n_columns + 1, size)))


def uniform(n_columns, n_rows, length) -> Rows:
    """Generate rows of `length` entries in random columns, without fields."""
    rng = np.random.default_rng(0)
    ids = [np.sort(rng.choice(n_columns, length, replace=False)) for _ in range(n_rows)]
    return Rows(np.array(ids), _signs(n_rows, rng), (0, n_columns))


def _signs(n_rows, rng):
    return rng.choice([-1.0, 1.0], n_rows).astype(np.float32)


def distinct_pairs_per_row(rows: Rows, batch_size: int) -> float:
    """Count the distinct pairs of ids in each shuffled batch. Return them per row."""
    i, j = np.triu_indices(rows.ids.shape[1], 1)
    ids = rows.ids[np.random.default_rng(0).permutation(len(rows.ids))]
    n_distinct = 0
    for start in range(0, len(ids), batch_size):
        batch = ids[start : start + batch_size]
        n_distinct += len(np.unique(batch[:, i] * rows.starts[-1] + batch[:, j]))
    return n_distinct / len(ids)
