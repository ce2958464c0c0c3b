"""Estimators give the same results in parallel threads and processes as alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from clusters import cluster_of_two
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, target_for
from joblib import parallel_config
from scipy import sparse
from sklearn.model_selection import GridSearchCV

from sklearn_afm import AFMClassifier, AFMRegressor

N_THREADS = 8
N_FITS = 3  # at once


@pytest.fixture(params=[1, 2])
def torch_threads(request):
    """Set the number of threads that torch uses within an operation."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def rows():
    """2,000 rows of 6 ids, and a target. Some ids are frequent, most are rare."""
    rng = np.random.default_rng(0)
    ids = np.minimum(rng.zipf(1.4, (2000, 6)), 200) - 1 + 200 * np.arange(6)
    indptr = np.arange(0, ids.size + 1, 6)
    X = sparse.csr_array((np.ones(ids.size), ids.ravel(), indptr), shape=(2000, 1200))
    return X, rng.normal(size=1200)[ids].sum(axis=1)


def in_threads(function, arguments):
    """Return the results of calls in threads that start at the same moment."""
    barrier = threading.Barrier(len(arguments))

    def call(argument):
        barrier.wait(timeout=60)
        return function(argument)

    with ThreadPoolExecutor(len(arguments)) as executor:
        return list(executor.map(call, arguments))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_one_estimator_predicts_in_many_threads(Estimator, torch_threads, rows):
    X, y = rows
    options = {"attention_dim": 32} if Estimator in AFMS else {}
    model = Estimator(embedding_dim=32, max_iter=2, random_state=0, **options)
    model.fit(X, target_for(Estimator, y))
    names = ["predict", "predict_proba"] if Estimator in CLASSIFIERS else ["predict"]
    for name in names:
        expected = getattr(model, name)(X)
        several = in_threads(
            lambda _, name=name: [getattr(model, name)(X) for _ in range(3)], range(N_THREADS)
        )
        for result in (result for results in several for result in results):
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fits_in_parallel_threads_are_those_alone(Estimator, torch_threads, rows):
    X, y = rows
    y = target_for(Estimator, y)

    def fitted(seed):
        options = {"max_iter": 1, "dropout": 0.2, "early_stopping": True, "l2_embedding": 10}
        return Estimator(random_state=seed, **options).fit(X, y).embeddings_

    expected = [fitted(seed) for seed in range(N_FITS)]
    assert not np.array_equal(expected[0], expected[1])
    for alone, parallel in zip(expected, in_threads(fitted, range(N_FITS))):
        np.testing.assert_array_equal(parallel, alone)


def test_streams_in_parallel_threads_are_those_alone(rows):
    X, y = rows

    def streamed(seed):
        model = AFMRegressor(random_state=seed, dropout=0.2)
        for part in np.array_split(np.arange(len(y)), 4):
            model.partial_fit(X[part], y[part])
        return model.embeddings_

    expected = [streamed(seed) for seed in range(N_FITS)]
    for alone, parallel in zip(expected, in_threads(streamed, range(N_FITS))):
        np.testing.assert_array_equal(parallel, alone)


def test_other_numbers_of_threads_differ_by_rounding_only(rows):
    """torch splits a sum among its threads. So the number of threads changes the rounding."""
    X, y = rows
    before = torch.get_num_threads()
    coefs = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        coefs.append(AFMRegressor(max_iter=3, random_state=0).fit(X, y).linear_weights_)
    torch.set_num_threads(before)
    np.testing.assert_allclose(coefs[1], coefs[0], rtol=1e-3, atol=1e-4)


@pytest.fixture
def one_torch_thread():
    """Set one torch thread, as in joblib's workers if there is one worker per core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def search(X, y, n_jobs):
    """Run a small grid search. Return its test scores and the best model's predictions.

    It is on a CPU, since other processes have no conftest.py, which makes CUDA deterministic.
    """
    grid = {"dropout": [0.0, 0.3], "l2_embedding": [1.0, 10.0]}
    model = AFMClassifier(max_iter=3, random_state=0, device="cpu")
    fitted = GridSearchCV(model, grid, cv=2, n_jobs=n_jobs, scoring="neg_log_loss").fit(X, y)
    return fitted.cv_results_["mean_test_score"], fitted.predict_proba(X)


def assert_same_search(actual, expected):
    """Check that scores and predictions are equal, bit for bit."""
    for one, other in zip(actual, expected):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_parallel_grid_search_finds_the_same(backend, one_torch_thread, rows):
    X, y = rows
    y = target_for(AFMClassifier, y)
    with parallel_config(backend, inner_max_num_threads=1 if backend == "loky" else None):
        assert_same_search(search(X, y, 2), search(X, y, 1))


def test_a_grid_search_on_dask_finds_the_same(one_torch_thread, rows):
    X, y = rows
    y = target_for(AFMClassifier, y)
    with cluster_of_two() as client:
        client.run(torch.set_num_threads, 1)
        with parallel_config("dask", scatter=[X, y]):
            assert_same_search(search(X, y, 2), search(X, y, 1))
