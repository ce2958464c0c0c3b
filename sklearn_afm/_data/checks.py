"""What comes in: X as canonical CSR, and y."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse
from sklearn.utils.validation import validate_data

from .._fields.objects import missing_objects
from .raw import check_kinds, missing_values_message, quoted
from .structure import check_structure
from .units import centered

_ACCEPTED = {"accept_sparse": ("csr", "csc", "coo"), "dtype": [np.float64, np.float32]}


def check_rows(estimator, X, parameters: Iterable[np.ndarray]) -> sparse.csr_array:
    """Validate the X of a fitted estimator; centred canonical CSR of known entries.

    X stays as it is. `parameters` are those of the estimator that have one row per column.
    """
    return known_entries(centered_rows(estimator, X), parameters)


def centered_rows(estimator, X) -> sparse.csr_array:
    """Validate the X of a fitted estimator; centred canonical CSR."""
    X = canonical_csr(_validate(estimator, X, reset=False))
    return centered(X, estimator.column_mean_)


def check_rows_and_target(estimator, X, y, *, reset, y_numeric):
    """Validate X and y; X as canonical CSR."""
    check_dense_target(y)
    _check_no_target_missing(y)
    X, y = _validate(estimator, X, y, reset=reset, multi_output=True, y_numeric=y_numeric)
    return canonical_csr(X), y


def target_names(y) -> tuple[str, ...] | None:
    """What y calls its targets: the columns of a frame, the name of a Series; None of others."""
    names = list(y.columns) if hasattr(y, "columns") else [getattr(y, "name", None)]
    return tuple(names) if all(isinstance(name, str) and name for name in names) else None


def check_dense_target(y) -> None:
    """Refuse a sparse y, as scikit-learn does."""
    if sparse.issparse(y):
        raise TypeError(
            "Sparse data was passed for y, but dense data is required. "
            "Use '.toarray()' to convert to a dense numpy array."
        )


def _check_no_target_missing(y) -> None:
    """Refuse None, NaN and NA among objects, of which scikit-learn does not say where they are."""
    try:
        values = np.asarray(y)
    except ValueError:  # of several lengths, which scikit-learn refuses
        return
    if values.dtype.kind != "O" or not values.ndim:
        return
    values = values.ravel()
    n_missing = np.count_nonzero(missing_objects(values, set(map(type, values.tolist()))))
    if n_missing:
        raise ValueError(
            f"Input y contains NaN: {n_missing} of {len(values)} values "
            f"{'is' if n_missing == 1 else 'are'} missing. Leave out such rows."
        )


def _validate(estimator, X, *y, **options):
    """Check by scikit-learn, and check what it accepts wrongly or crashes on."""
    if sparse.issparse(X):
        X = check_structure(X)
    for name, array in zip("Xy", (X, *y)):
        if np.ma.is_masked(array):
            raise ValueError(
                f"{name} has masked entries{_masked_columns(array)}, whose values would be taken "
                f"as they are. Fill them ({name}.filled(0), sklearn.impute.SimpleImputer) or drop "
                "their rows."
            )
    try:
        check_kinds(estimator, X)
        # A number too large for float64 becomes infinite, and is then refused.
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(estimator, X, *y, **_ACCEPTED, **options)
    except ValueError as error:
        if "X contains NaN" not in str(error):
            raise
        raise ValueError(missing_values_message(estimator, X)) from None
    except OverflowError as error:
        raise ValueError(f"X or y has a number that float64 cannot hold ({error}).") from error


def _masked_columns(array) -> str:
    if array.ndim != 2:
        return ""
    columns = np.ma.getmaskarray(array).any(axis=0).nonzero()[0]
    return f" in {quoted([f'x{column}' for column in columns])}"


def canonical_csr(X) -> sparse.csr_array:
    """CSR with sorted columns, no duplicates, no stored zeros; shares arrays with X if it can."""
    if sparse.issparse(X) and X.format == "csr":
        rows = sparse.csr_array((X.data, X.indices, X.indptr), shape=X.shape)
        owned = False
    else:
        rows = sparse.csr_array(X)
        owned = True
    if not rows.has_canonical_format:
        rows = rows if owned else rows.copy()
        owned = True
        rows.sum_duplicates()
    if owned and sparse.issparse(X) and not np.isfinite(rows.data).all():
        raise ValueError(
            "X has several entries for one row and column, whose sum is infinite or NaN."
        )
    if np.count_nonzero(rows.data) != rows.nnz:
        rows = rows if owned else rows.copy()
        rows.eliminate_zeros()
    return rows


def known_entries(X: sparse.csr_array, parameters: Iterable[np.ndarray]) -> sparse.csr_array:
    """X without entries in columns that training never saw: all their parameters are 0.

    Such entries would add nothing to a prediction, but take attention from the other pairs.
    `parameters` have one row per column.
    """
    if X.nnz < X.shape[1]:
        columns, place = np.unique(X.indices, return_inverse=True)
    else:
        columns, place = slice(None), X.indices
    known = np.any([values[columns].any(axis=1) for values in parameters], axis=0)
    if known.all():
        return X
    return without_entries(X, ~known[place])


def without_entries(X: sparse.csr_array, left_out: np.ndarray) -> sparse.csr_array:
    """X without some of its entries: left_out (nnz,) says which."""
    keep = ~left_out
    indptr = np.concatenate([[0], np.cumsum(keep)])[X.indptr].astype(X.indptr.dtype)
    return sparse.csr_array((X.data[keep], X.indices[keep], indptr), shape=X.shape)
