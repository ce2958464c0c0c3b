"""Scores of rows: w_0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j."""

import numpy as np
from scipy import sparse


def scores(
    X: sparse.csr_array, bias: float, linear: np.ndarray, embeddings: np.ndarray
) -> np.ndarray:
    """Scores (n_rows,), with linear (n_columns,) and embeddings (n_columns, k)."""
    embeddings = embeddings.astype(np.float64, copy=False)
    # Half of (sum squared - sum of squares): linear in the entries. Overflow is the caller's.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = sparse.csr_array((X.data**2, X.indices, X.indptr), shape=X.shape)
        own = squares @ np.einsum("ik,ik->i", embeddings, embeddings)
        return bias + X @ linear + (((X @ embeddings) ** 2).sum(axis=1) - own) / 2
