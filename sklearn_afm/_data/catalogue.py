"""Items that positive rows are of, and lists of a positive and drawn negatives."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .._negatives import UnseenLevels, number_contexts
from .checks import canonical_csr, without_entries
from .rows import Rows


@dataclass(frozen=True)
class Catalogue:
    """The items, and which of them each context has."""

    columns: np.ndarray  # those that describe an item
    items: sparse.csr_array  # (n_items, n_columns) rows with these columns alone
    keys: np.ndarray  # (n_items,) ascending: equal items have equal keys
    unseen: UnseenLevels

    def lists(self, rows: Rows, n_negatives: int, rng: np.random.Generator) -> Rows:
        """A list for each positive row: the row, and copies with items that its context lacks.

        The last column of the rows' target is the number of their context. That of the result is 1
        in the first row of each list, as a loss that compares rows has it.
        """
        n_rows, length = len(rows.y), 1 + n_negatives
        of_items = _of_columns(rows.X, self.columns)
        own = np.searchsorted(self.keys, _keys(of_items))
        context = np.repeat(rows.target[:, -1].astype(np.int64), n_negatives)
        drawn = self.unseen.draw(context, rng.integers).reshape(n_rows, n_negatives)
        item = np.column_stack([own, drawn]).ravel()
        rows = rows.part(np.repeat(np.arange(n_rows), length))
        is_first = np.arange(len(item)) % length == 0
        others = _of_columns(rows.X, self.columns, invert=True)
        return replace(
            rows,
            X=canonical_csr(sparse.csr_array(others + self.items[item])),
            target=np.column_stack([is_first, np.ones(len(item)), is_first]).astype(np.float64),
        )

    @property
    def item_columns(self) -> np.ndarray:
        """Columns that some item has."""
        return np.unique(self.items.indices)


def make_catalogue(columns, items, popular: bool, rows: Rows, others: Rows | None):
    """The catalogue, and the rows with the numbers of their contexts.

    Parameters
    ----------
    columns : slice or array-like of int
    items : {array-like, sparse matrix} of shape (n_items, n_item_columns) or None
        None: the distinct items of the rows.
    popular : bool
        Whether items are drawn in proportion to 1 + the number of their rows.
    rows, others : Rows
        Positive rows to learn from, and those for early stopping. If the last column of their
        target is -1, their columns outside `columns` are their context.
    """
    X = rows.X if others is None else sparse.vstack([rows.X, others.X], format="csr")
    X = sparse.csr_array(X)
    columns = _checked_columns(columns, X.shape[1])
    context = np.concatenate([part.target[:, -1] for part in (rows, others) if part is not None])
    if (context < 0).all():
        context = number_contexts(_of_columns(X, columns, invert=True))
    context = np.unique(context, return_inverse=True)[1]
    keys_of_rows = _keys(_of_columns(X, columns))
    if items is None:
        keys, first = np.unique(keys_of_rows, return_index=True)
        every = _of_columns(X[first], columns)
    else:
        every = _checked_items(items, columns, X)
        keys, first = np.unique(_keys(every), return_index=True)
        every = every[first]
    level = np.minimum(np.searchsorted(keys, keys_of_rows), len(keys) - 1)
    unknown = keys[level] != keys_of_rows
    if unknown.any():
        row = np.flatnonzero(unknown)[0]
        name = f"Row {row} of X" if row < len(rows.y) else f"Row {row - len(rows.y)} of X_val"
        raise ValueError(
            f"{name} has an item that is not among the {len(keys)} items. Give all in items."
        )
    mass = np.ones(len(keys), dtype=np.int64)
    if popular:
        mass += np.bincount(level, minlength=len(keys))
    unseen = UnseenLevels(context, level, mass)
    full = unseen.mass_left[context] == 0
    if full.any():
        raise ValueError(
            f"No negative can be drawn for row {np.flatnonzero(full)[0]}: its context has all "
            f"{len(keys)} items. Give more items, or leave such rows out."
        )
    n_rows = len(rows.y)
    catalogue = Catalogue(columns, every, keys, unseen)
    rows = _in_contexts(rows, context[:n_rows])
    return catalogue, rows, None if others is None else _in_contexts(others, context[n_rows:])


def _in_contexts(rows: Rows, context: np.ndarray) -> Rows:
    return replace(rows, target=np.column_stack([rows.target[:, :-1], context]))


def _of_columns(X, columns: np.ndarray, *, invert: bool = False):
    """X with the entries in these columns alone, or without them; of the same shape."""
    inside = np.zeros(X.shape[1], dtype=bool)
    inside[columns] = True
    return without_entries(X, inside[X.indices] if invert else ~inside[X.indices])


def _keys(X) -> np.ndarray:
    """A number for each row: equal rows have equal ones, others differ but 1 time in 10^15."""
    return X.astype(np.float64) @ np.random.default_rng(0).standard_normal(X.shape[1])


def _checked_columns(columns, n_columns: int) -> np.ndarray:
    try:
        columns = np.arange(n_columns)[columns if isinstance(columns, slice) else np.array(columns)]
    except IndexError as error:
        raise ValueError(f"item_columns: {error}. X has {n_columns} columns.") from error
    if not 0 < len(columns) == len(np.unique(columns)):
        raise ValueError("item_columns must name at least one column, and each once.")
    return columns


def _checked_items(items, columns: np.ndarray, X):
    """The items as rows of all columns."""
    items = check_array(items, accept_sparse="csr", dtype=X.dtype, input_name="items")
    if items.shape[1] != len(columns):
        raise ValueError(
            f"items has {items.shape[1]} columns; item_columns are {len(columns)}. Give a row for "
            "each item, with the item columns alone."
        )
    items = canonical_csr(items)
    shape = items.shape[0], X.shape[1]
    return canonical_csr(
        sparse.csr_array((items.data, columns[items.indices], items.indptr), shape)
    )
