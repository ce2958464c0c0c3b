"""What comes in: rows as canonical CSR, weights, precision and device."""

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data

from ._compat import check_sample_weight

_ACCEPTED = {"accept_sparse": ("csr", "csc", "coo"), "dtype": [np.float64, np.float32]}


def check_rows(estimator, X) -> sparse.csr_array:
    """Validate the X of a fitted estimator; canonical CSR, X itself stays as it is."""
    return canonical_csr(validate_data(estimator, X, reset=False, **_ACCEPTED))


def check_rows_and_target(estimator, X, y, *, reset, y_numeric):
    """Validate X and y; X as canonical CSR."""
    X, y = validate_data(
        estimator, X, y, reset=reset, multi_output=True, y_numeric=y_numeric, **_ACCEPTED
    )
    return canonical_csr(X), y


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
    if np.count_nonzero(rows.data) != rows.nnz:
        rows = rows if owned else rows.copy()
        rows.eliminate_zeros()
    return rows


def check_weights(sample_weight, X) -> np.ndarray:
    """Weights (n_rows,) as float64, 1 where there are none; at least one is positive."""
    weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weight.any():
        raise ValueError(
            "All sample weights are zero: there is nothing to learn from. "
            "Give at least one row a positive sample_weight."
        )
    return weight


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


def shared_tensor(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """A tensor to read from; on the CPU it shares the array's memory.

    torch warns about read-only memory, as of a memory-mapped model; nothing here writes.
    """
    if not array.flags.writeable:
        array = np.asarray(_WritableView(array))
    return torch.from_numpy(array).to(device)
