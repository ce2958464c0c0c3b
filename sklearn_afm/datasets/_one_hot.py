"""One-hot tables: rows as CSR, a slice of columns a field, a name a column."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import Bunch


def slices(sizes) -> dict[str, slice]:
    """Columns of each field, from a dict of their numbers of columns."""
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends)}


def numbered_names(fields) -> np.ndarray:
    """Names of columns whose levels are numbers from 0."""
    return np.array(
        [
            f"{name}={level}"
            for name, columns in fields.items()
            for level in range(columns.stop - columns.start)
        ],
        dtype=object,
    )


def ones_at(columns, n_columns) -> sparse.csr_array:
    """Rows with ones at the given columns, (n_rows, entries of each row)."""
    n_rows, length = columns.shape
    indptr = np.arange(n_rows + 1, dtype=np.int32) * length
    data = np.ones(columns.size, dtype=np.float32)
    indices = columns.ravel().astype(np.int32)
    return sparse.csr_array((data, indices, indptr), shape=(n_rows, n_columns))


def encode(table) -> tuple[sparse.csr_array, dict[str, slice], np.ndarray]:
    """Rows, fields and column names of a dict of columns of levels, levels in sorted order."""
    levels = np.column_stack([np.asarray(column, dtype=object) for column in table.values()])
    encoder = OneHotEncoder(
        dtype=np.float32, feature_name_combiner=lambda name, level: f"{name}={level}"
    )
    data = sparse.csr_array(encoder.fit_transform(levels))
    sizes = {name: len(found) for name, found in zip(table, encoder.categories_)}
    return data, slices(sizes), encoder.get_feature_names_out(list(table))


def bunch(data, target, fields, feature_names, return_X_y=False, **more):
    """What a loader returns."""
    if return_X_y:
        return data, target
    return Bunch(data=data, target=target, fields=fields, feature_names=feature_names, **more)
