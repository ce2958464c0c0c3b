"""One-hot data: rows as CSR, one slice of columns per field, one name per column."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import Bunch


def slices(sizes) -> dict[str, slice]:
    """Return the columns of each field, from a dict with the number of columns of each field."""
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends)}


def numbered_names(fields) -> np.ndarray:
    """Return names of the columns, with levels numbered from 0 in each field."""
    return np.array(
        [
            f"{name}={level}"
            for name, columns in fields.items()
            for level in range(columns.stop - columns.start)
        ],
        dtype=object,
    )


def ones_at(columns, n_columns) -> sparse.csr_array:
    """Make rows with ones in the given columns, an array (n_rows, entries per row)."""
    n_rows, length = columns.shape
    indptr = np.arange(n_rows + 1, dtype=np.int32) * length
    data = np.ones(columns.size, dtype=np.float32)
    indices = columns.ravel().astype(np.int32)
    return sparse.csr_array((data, indices, indptr), shape=(n_rows, n_columns))


def encode(table) -> tuple[sparse.csr_array, dict[str, slice], np.ndarray]:
    """One-hot encode a dict of columns of levels: return rows, fields and column names.

    The columns of each field are in the sorted order of its levels.
    """
    levels = np.column_stack([np.asarray(column, dtype=object) for column in table.values()])
    encoder = OneHotEncoder(
        dtype=np.float32, feature_name_combiner=lambda name, level: f"{name}={level}"
    )
    data = sparse.csr_array(encoder.fit_transform(levels))
    sizes = {name: len(found) for name, found in zip(table, encoder.categories_)}
    return data, slices(sizes), encoder.get_feature_names_out(list(table))


def bunch(data, target, fields, feature_names, return_X_y=False, **more):
    """Make the return value of a loader."""
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, fields=fields, feature_names=feature_names, **more)
