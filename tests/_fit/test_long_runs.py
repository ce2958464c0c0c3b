"""Many fits in one process leak no memory. The long version is in benchmarks/study."""

import gc
import tracemalloc

import numpy as np
import pytest
import torch
from conftest import ESTIMATORS, target_for
from scipy import sparse
from sklearn.base import clone

N_BEFORE, N_CALLS = 5, 10
# The free lists of Python and torch still grow by about 3 kB per call. A leaked array with one
# number per row (of the rows below) would be 24 kB.
MAX_BYTES = 8000 * N_CALLS


@pytest.fixture
def rows(one_hot_data):
    """3,000 rows and their targets."""
    X, y = one_hot_data
    return sparse.vstack([X] * 10, format="csr"), np.tile(y, 10)


def n_tensors():
    """Count the tensors that are alive."""
    gc.collect()
    return sum(issubclass(type(value), torch.Tensor) for value in gc.get_objects())


def left_behind(call):
    """Count the bytes (of Python and NumPy) and tensors that `N_CALLS` calls leave behind."""
    tracemalloc.start()
    try:
        for _ in range(N_BEFORE):  # fill caches of limited size
            call()
        tensors, (traced, _) = n_tensors(), tracemalloc.get_traced_memory()
        for _ in range(N_CALLS):
            call()
        tensors = n_tensors() - tensors
        return tracemalloc.get_traced_memory()[0] - traced, tensors
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fits_and_predictions_leave_nothing(Estimator, rows):
    X, y = rows
    y = target_for(Estimator, y)
    model = Estimator(max_iter=1, dropout=0.2, early_stopping=True, random_state=0)
    n_bytes, tensors = left_behind(lambda: clone(model).fit(X, y).predict(X))
    assert n_bytes < MAX_BYTES
    assert tensors == 0


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_stream_holds_one_record_a_call(Estimator, rows):
    X, y = rows
    y = target_for(Estimator, y)
    first = {"classes": ["high", "low"]} if hasattr(Estimator, "predict_proba") else {}
    model = Estimator(random_state=0, dropout=0.2)
    n_bytes, tensors = left_behind(lambda: model.partial_fit(X, y, **first))
    assert len(model.history_) == N_BEFORE + N_CALLS
    assert n_bytes < MAX_BYTES
    assert tensors == 0
