"""Top-k items for many contexts: CPU seconds, wall seconds and peak memory of recommend.

    python tests/benchmarks/recommendation.py
    python tests/benchmarks/recommendation.py --models AFM --contexts 4000

A row is a user (with age, job, hour and day) and an item (with kind and decade). Each model is
fitted for one epoch on rows of all levels; how well it fits does not matter here. A process of its
own measures each. `--naive` predicts the joined rows of the first contexts instead, a context at
a time, and says what all of them would take.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from scipy import sparse

from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm.baselines import DeepFMRegressor, FwFMRegressor
from sklearn_afm.recommendation import recommend

MODELS = {
    "FM": (FMRegressor, {}),
    "AFM": (AFMRegressor, {}),
    "AFM, field-aware": (AFMRegressor, {"field_aware": True}),
    "FwFM": (FwFMRegressor, {}),
    "DeepFM": (DeepFMRegressor, {}),
}
CONTEXT_LEVELS, ITEM_LEVELS = (10, 20, 24, 7), (20, 10)
NAIVE_CONTEXTS = 20


def one_hot(numbers, offsets, n_columns):
    """CSR with a 1 in column `numbers + offsets` of each row."""
    indptr = np.arange(len(numbers) + 1) * numbers.shape[1]
    columns = (numbers + offsets).ravel()
    return sparse.csr_array((np.ones(columns.size), columns, indptr), (len(numbers), n_columns))


def drawn(n_contexts, n_items):
    """Contexts, items, and training rows that have all levels."""
    rng = np.random.default_rng(0)
    levels = [n_contexts, *CONTEXT_LEVELS, n_items, *ITEM_LEVELS]
    starts = np.cumsum([0, *levels])
    n_own = 1 + len(CONTEXT_LEVELS)

    def side(n, fields):
        own = [rng.integers(0, levels[field], n) for field in fields[1:]]
        return np.stack([np.arange(n), *own], axis=1)

    parts = [side(n_contexts, range(n_own)), side(n_items, range(n_own, len(levels)))]
    offsets = starts[:n_own], starts[n_own:-1]
    context, items = (one_hot(p, o, starts[-1]) for p, o in zip(parts, offsets))
    number = np.arange(max(n_contexts, n_items))
    X = sparse.csr_array(context[number % n_contexts] + items[number % n_items])
    return context, items, X, rng.normal(size=X.shape[0])


def peak():
    """Peak memory of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name, n_contexts, n_items, k, embedding_dim, naive):
    """Fit a model, and time its recommendations."""
    context, items, X, y = drawn(n_contexts, n_items)
    Estimator, options = MODELS[name]
    model = Estimator(
        embedding_dim=embedding_dim,
        l2_linear=1.0,
        l2_embedding=1.0,
        early_stopping=False,
        max_iter=1,
        random_state=0,
        **options,
    ).fit(X, y)
    before, wall, cpu = peak(), time.perf_counter(), time.process_time()
    if naive:
        for row in range(NAIVE_CONTEXTS):
            joined = sparse.csr_array(context[np.full(n_items, row)] + items)
            np.argsort(-model.predict(joined), kind="stable")[:k]
        times = n_contexts / NAIVE_CONTEXTS
    else:
        recommend(model, context, items, k=k)
        times = 1.0
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall * times, "cpu": cpu * times, "before": before, "peak": peak()}


def main():
    """Measure each model in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=["FM", "AFM"], choices=MODELS)
    parser.add_argument("--contexts", type=int, default=1000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--embedding-dim", type=int, default=64)
    parser.add_argument("--naive", action="store_true", help="the same by predict, estimated")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    shape = options.contexts, options.items
    if options.one:
        sizes = *shape, options.k, options.embedding_dim
        print(json.dumps(measure(options.one, *sizes, options.naive)))
        return
    print("| model | CPU s | wall s | MiB before | MiB at the peak |\n|---|---|---|---|---|")
    for name in options.models:
        command = [sys.executable, "-W", "ignore", __file__, *sys.argv[1:], "--one", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {name} | {found['cpu']:.2f} | {found['wall']:.2f} | {found['before']:.0f} | "
            f"{found['peak']:.0f} |"
        )


if __name__ == "__main__":
    main()
