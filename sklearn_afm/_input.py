"""What comes in: rows as canonical CSR, weights, precision and device."""

import math
import os

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data

from ._compat import check_sample_weight
from ._scaling import centered
from ._sparse import check_structure

_ACCEPTED = {"accept_sparse": ("csr", "csc", "coo"), "dtype": [np.float64, np.float32]}


def check_rows(estimator, X) -> sparse.csr_array:
    """Validate the X of a fitted estimator; centred canonical CSR of known entries.

    X stays as it is.
    """
    rows = centered(canonical_csr(_validate(estimator, X, reset=False)), estimator.column_mean_)
    return known_entries(rows, estimator.embeddings_, np.atleast_2d(estimator.linear_weights_).T)


def check_rows_and_target(estimator, X, y, *, reset, y_numeric):
    """Validate X and y; X as canonical CSR."""
    check_dense_target(y)
    X, y = _validate(estimator, X, y, reset=reset, multi_output=True, y_numeric=y_numeric)
    return canonical_csr(X), y


def check_dense_target(y) -> None:
    """Refuse a sparse y, as scikit-learn does."""
    if sparse.issparse(y):
        raise TypeError(
            "Sparse data was passed for y, but dense data is required. "
            "Use '.toarray()' to convert to a dense numpy array."
        )


def _validate(estimator, X, *y, **options):
    """scikit-learn's checks, and what they let through or let crash."""
    if sparse.issparse(X):
        X = check_structure(X)
    for name, array in zip("Xy", (X, *y)):
        if np.ma.is_masked(array):
            raise ValueError(
                f"{name} has masked entries, whose values would be taken as they are. Fill them "
                f"({name}.filled(0), sklearn.impute.SimpleImputer) or drop their rows."
            )
    try:
        # What is too large for float64 becomes infinite, and that is refused.
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(estimator, X, *y, **_ACCEPTED, **options)
    except OverflowError as error:
        raise ValueError(f"X or y has a number that float64 cannot hold ({error}).") from error


def canonical_csr(X) -> sparse.csr_array:
    """CSR with sorted columns, no duplicates and no stored zeros; shares what it can with X."""
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


def known_entries(X: sparse.csr_array, embeddings, linear_weights) -> sparse.csr_array:
    """X without entries in columns whose parameters are all 0: those that training never saw.

    Left in, they would add nothing to a prediction but take attention from the other pairs.
    `embeddings` and `linear_weights` have one row a column.
    """
    if X.nnz < X.shape[1]:
        columns, place = np.unique(X.indices, return_inverse=True)
    else:
        columns, place = slice(None), X.indices
    known = embeddings[columns].any(axis=1) | linear_weights[columns].any(axis=1)
    if known.all():
        return X
    keep = known[place]
    indptr = np.concatenate([[0], np.cumsum(keep)])[X.indptr].astype(X.indptr.dtype)
    return sparse.csr_array((X.data[keep], X.indices[keep], indptr), shape=X.shape)


# Sums and products of weights between these are held by float32 and float64.
SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-30, 1e30


def check_weights(sample_weight, X) -> np.ndarray:
    """Weights (n_rows,) as float64, 1 where there are none."""
    if np.ma.is_masked(sample_weight):
        raise ValueError("sample_weight has masked entries; give those rows a weight of 0.")
    with np.errstate(over="ignore", invalid="ignore"):
        weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return check_weight_range(weight)


def check_weight_range(weight: np.ndarray) -> np.ndarray:
    """The weights: not all 0, none negative or of a size that cannot be calculated with."""
    if not weight.any():
        raise ValueError(
            "All sample weights (times class_weight) are zero: there is nothing to learn from. "
            "Give at least one row a positive weight."
        )
    smallest, largest = weight[weight != 0].min(initial=1), weight.max()
    if not (smallest >= SMALLEST_WEIGHT and largest <= LARGEST_WEIGHT):
        raise ValueError(
            f"Weights of rows (sample_weight times class_weight) must be 0 or within "
            f"{SMALLEST_WEIGHT:g} to {LARGEST_WEIGHT:g}; they go from {smallest:g} to {largest:g}."
        )
    return weight


def check_table_size(n_columns: int, numbers_each: int, dtype: torch.dtype) -> None:
    """Refuse tables that cannot be held: parameters, accumulator, average and attributes.

    And eight numbers a column to count, scale and renumber columns with.
    """
    needed = n_columns * (4 * numbers_each * dtype.itemsize + 8 * 8)
    available = _physical_memory()
    if needed > available:
        raise ValueError(
            f"X has {n_columns} columns. Each needs {numbers_each} numbers, so that a fit would "
            f"take {needed / 2**30:.1f} GiB; this machine has {available / 2**30:.1f} GiB. Drop "
            "columns that are always 0, hash the levels into fewer columns "
            "(sklearn.feature_extraction.FeatureHasher), or lower embedding_dim."
        )


def _physical_memory() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system tells
        return math.inf


def computing_dtype(precision: str, X: sparse.csr_array) -> torch.dtype:
    """float32 where it holds the values of X exactly, as it does one-hot ones; else float64."""
    if precision == "float64":
        return torch.float64
    if precision == "auto" and X.dtype != np.float32:
        with np.errstate(over="ignore"):
            if (X.data.astype(np.float32) != X.data).any():
                return torch.float64
    return torch.float32


def training_device(device: str) -> torch.device:
    """The device that was asked for; an error where this machine does not have it."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        result = torch.device(device)
        torch.empty(0, device=result)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used on this machine ({str(error).splitlines()[0]}). "
            'Use device="auto" or "cpu".'
        ) from error
    return result


def prediction_device(device: str) -> torch.device:
    """The device that was asked for, or the CPU where this machine does not have it."""
    try:
        return training_device(device)
    except ValueError:
        return torch.device("cpu")


class _WritableView:
    """The memory of a read-only array, described as writable."""

    def __init__(self, array):
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
        self._owner = array


def shared_tensor(array: np.ndarray, device: torch.device | str) -> torch.Tensor:
    """A tensor to read from; on the CPU it shares the array's memory.

    torch warns about read-only memory, as of a memory-mapped model; nothing here writes.
    """
    if not array.flags.writeable:
        array = np.asarray(_WritableView(array))
    return torch.from_numpy(array).to(device)
