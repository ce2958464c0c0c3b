"""The encoded rows of contexts and of items apart, if encoded joined rows are sums of them."""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from .._data.checks import without_entries


def encoded_sides(encode: Callable, tables) -> tuple[sparse.csr_array, sparse.csr_array] | None:
    """Encoded rows of the contexts and of the items; None if they cannot be told apart.

    Each context is encoded with the first item, and each item with the first context. A column that
    differs between contexts belongs to these, one that differs between items to those. If one
    differs between both, the encoding mixes them: as a product of two columns does, or a
    normalised row. Then the other contexts are encoded with the other items, each at least once,
    and must be the sums of the two.

    Parameters
    ----------
    encode : callable
        From joined rows to canonical CSR.
    tables : JoinedFrames or JoinedMatrices
    """
    n_contexts, n_items = tables.shape
    of_contexts = encode(tables.rows(np.arange(n_contexts), np.zeros(n_contexts, dtype=int)))
    of_items = encode(tables.rows(np.zeros(n_items, dtype=int), np.arange(n_items)))
    differs = _differs(of_items)
    if (_differs(of_contexts) & differs).any():
        return None
    contexts = without_entries(of_contexts, differs[of_contexts.indices])
    items = without_entries(of_items, ~differs[of_items.indices])
    number = np.arange(max(tables.shape) - 1) if min(tables.shape) > 1 else np.arange(0)
    one, other = (1 + number % max(1, n - 1) for n in tables.shape)
    if len(number) and (encode(tables.rows(one, other)) != contexts[one] + items[other]).nnz:
        return None
    return contexts, items


def _differs(X: sparse.csr_array) -> np.ndarray:
    """Whether the rows of X differ in a column, (n_columns,)."""
    first = X[:1].toarray().ravel()
    n_entries = np.bincount(X.indices, minlength=X.shape[1])
    n_same = np.bincount(X.indices, X.data == first[X.indices], X.shape[1])
    return (n_entries > 0) & (n_same < X.shape[0])
