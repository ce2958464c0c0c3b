"""A Dask cluster of two worker processes, and rows on it."""

from contextlib import contextmanager
from itertools import pairwise
from uuid import uuid4

import dask.array
import numpy as np
from distributed import Client, LocalCluster
from scipy import sparse

from sklearn_afm.datasets import make_interactions

# A worker has fewer rows than a batch.
SETTINGS = {
    "random_state": 0, "embedding_dim": 4, "max_iter": 4, "batch_size": 512, "l2_linear": 0.5,
    "early_stopping": False, "precision": "float64",
}  # fmt: skip
# The same steps in one process, whose batches hold the rows of both workers.
OF_ONE_PROCESS = SETTINGS | {"batch_size": 1024}


@contextmanager
def cluster_of_two(processes=True):
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(processes=processes, **options) as cluster, Client(cluster) as client:
        yield client


def make_rows(n_rows=600):
    data = make_interactions(n_samples=n_rows, n_fields=4, n_pairs=2, random_state=0)
    weight = np.random.default_rng(0).uniform(0.5, 2, n_rows)
    return sparse.csr_array(data.data), data.target, weight


def on_cluster(client, array, sizes):
    """A Dask array whose blocks have these numbers of rows, and lie on the workers in turn."""
    ends = np.cumsum([0, *sizes])
    assert ends[-1] == array.shape[0]
    workers = sorted(client.nthreads())
    key, places = f"rows-{uuid4().hex}", [0] * (array.ndim - 1)
    blocks = {
        (key, i, *places): client.scatter(
            array[start:stop], workers=[workers[i % len(workers)]], hash=False
        )
        for i, (start, stop) in enumerate(pairwise(ends))
    }
    chunks = (tuple(sizes), *((n,) for n in array.shape[1:]))
    return dask.array.Array(blocks, key, chunks, meta=array[:0])
