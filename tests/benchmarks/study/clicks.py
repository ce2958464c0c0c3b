"""A generated log of clicks, of any length."""

import numpy as np
from scipy import sparse
from scipy.special import expit

N_FIELDS = 10
ZIPF_EXPONENT = 1.05
HIDDEN_DIM = 4


class Clicks:
    """Generated rows of ten equal fields: ids by Zipf's law, labels by linear and pair effects."""

    def __init__(self, n_columns):
        self.size = n_columns // N_FIELDS
        self.cumulative = np.cumsum(np.arange(1, self.size + 1) ** -ZIPF_EXPONENT)
        rng = np.random.default_rng(0)
        self.effects = rng.normal(0, 0.3, n_columns)
        self.hidden = rng.normal(0, 0.35, (n_columns, HIDDEN_DIM))

    def chunk(self, number, n_rows):
        """Return X and y of the chunk with this number. They are always the same."""
        rng = np.random.default_rng([1, number])
        points = rng.random((n_rows, N_FIELDS)) * self.cumulative[-1]
        ids = np.searchsorted(self.cumulative, points) + self.size * np.arange(N_FIELDS)
        hidden = self.hidden[ids]
        pairs = ((hidden.sum(axis=1) ** 2 - (hidden**2).sum(axis=1)) / 2).sum(axis=1)
        y = rng.random(n_rows) < expit(self.effects[ids].sum(axis=1) + pairs)
        indptr = np.arange(n_rows + 1, dtype=np.int32) * N_FIELDS
        data = np.ones(ids.size, dtype=np.float32)
        shape = (n_rows, len(self.effects))
        X = sparse.csr_array((data, ids.ravel().astype(np.int32), indptr), shape=shape)
        return X, y.astype(np.int64)
