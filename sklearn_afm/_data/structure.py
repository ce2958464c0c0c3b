"""Check that the arrays of a sparse matrix fit together: compiled code relies on it unchecked."""

import numpy as np


def check_structure(X):
    """Return the matrix. Raise ValueError if its arrays contradict one another.

    CSR, CSC, BSR and COO matrices are checked, and keep their format. Matrices of other formats
    would be converted later in any case: they are converted to CSR here, and this is checked.
    """
    if X.ndim != 2:
        return X  # scikit-learn raises the error later
    if X.format == "coo":
        for name, index, size in (("row", X.row, X.shape[0]), ("column", X.col, X.shape[1])):
            _check_index(X, name, index, 0, size)
            if len(index) != len(X.data):
                _refuse(X, f"it has {len(index)} {name} indices for {len(X.data)} values")
        return X
    if X.format not in ("csr", "csc", "bsr"):
        return check_structure(_converted(X))
    n_axes = 3 if X.format == "bsr" else 1
    if X.data.ndim != n_axes or 0 in X.data.shape[1:]:
        _refuse(X, f"its data have the wrong shape {X.data.shape}")
    block = X.data.shape[1:] or (1, 1)
    n_rows, n_columns = (size // n for size, n in zip(X.shape, block))
    by, (n_lines, size) = "column", (n_rows, n_columns)
    if X.format == "csc":
        by, (n_lines, size) = "row", (n_columns, n_rows)
    indptr = np.asarray(X.indptr)
    if indptr.ndim != 1 or indptr.dtype.kind not in "iu" or len(indptr) != n_lines + 1:
        _refuse(X, f"indptr must hold {n_lines + 1} integers")
    if indptr[0] != 0 or (indptr[1:] < indptr[:-1]).any():
        _refuse(X, "indptr must start at 0 and never decrease")
    n_stored = int(indptr[-1])
    if n_stored > min(len(X.indices), len(X.data)):
        _refuse(
            X,
            f"indptr ends at {n_stored}, but there are {len(X.indices)} indices and "
            f"{len(X.data)} values",
        )
    _check_index(X, by, X.indices[:n_stored], 0, size)
    if n_stored == len(X.indices) == len(X.data):
        return X
    # Values after the last entry are allowed. Cut them off, so that nothing reads them.
    return type(X)((X.data[:n_stored], X.indices[:n_stored], indptr), shape=X.shape)


def _check_index(X, name, index, lowest, end):
    if index.ndim != 1 or index.dtype.kind not in "iu":
        _refuse(X, f"its {name} indices must be one array of integers")
    if len(index) and not (index.min() >= lowest and index.max() < end):
        wrong = index[(index < lowest) | (index >= end)][0]
        _refuse(X, f"{name} index {wrong} is not within {lowest} to {end - 1}")


def _converted(X):
    try:
        if X.format == "dia":
            if X.data.ndim != 2 or X.data.shape[:1] != X.offsets.shape:
                _refuse(X, f"it has {len(X.offsets)} offsets for {len(X.data)} diagonals")
            n_rows, n_columns = X.shape
            _check_index(X, "diagonal", X.offsets, -n_rows, n_columns)
        if X.format == "lil":
            lengths = [len(row) for row in X.rows]
            if len(lengths) != X.shape[0] or lengths != [len(row) for row in X.data]:
                _refuse(X, "its rows and data are not lists of the same lengths, one per row")
        return X.tocsr()
    except (IndexError, OverflowError) as error:
        _refuse(X, str(error))


def _refuse(X, problem):
    raise ValueError(
        f"X is a corrupt sparse matrix of format {X.format} and shape {X.shape}: {problem}. "
        "Its arrays were probably changed after it was made. Make the matrix anew."
    )
