"""Long runs in one process: memory over many fits, a long stream, and many rows.

    python tests/benchmarks/long_runs.py fits [--n-fits 600]
    python tests/benchmarks/long_runs.py stream [--n-rows 10000000] [--state FILE]
    python tests/benchmarks/long_runs.py rows [--n-rows 1000000]

Each prints its progress on stderr and its figures as JSON on stdout. With `--state`, a stream
that was broken off goes on from its last stored chunk. Memory is the resident set, in MiB; times
are CPU seconds of the process, whatever else the machine does.
"""

import argparse
import gc
import json
import os
import resource
import sys
import time

import joblib
import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import log_loss

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

MIB = 2**20
N_FIELDS = 10
ZIPF_EXPONENT = 1.05
HIDDEN_DIM = 4
CHUNKS_PER_STATE = 20


class Clicks:
    """Made rows of ten equal fields, ids by Zipf's law, labels by linear and pair effects."""

    def __init__(self, n_columns):
        self.size = n_columns // N_FIELDS
        self.cumulative = np.cumsum(np.arange(1, self.size + 1) ** -ZIPF_EXPONENT)
        rng = np.random.default_rng(0)
        self.effects = rng.normal(0, 0.3, n_columns)
        self.hidden = rng.normal(0, 0.35, (n_columns, HIDDEN_DIM))

    def chunk(self, number, n_rows):
        """Chunk of this number, the same whenever it is asked for: X and y."""
        rng = np.random.default_rng([1, number])
        points = rng.random((n_rows, N_FIELDS)) * self.cumulative[-1]
        ids = np.searchsorted(self.cumulative, points) + self.size * np.arange(N_FIELDS)
        hidden = self.hidden[ids]
        pairs = ((hidden.sum(axis=1) ** 2 - (hidden**2).sum(axis=1)) / 2).sum(axis=1)
        y = rng.random(n_rows) < expit(self.effects[ids].sum(axis=1) + pairs)
        indptr = np.arange(n_rows + 1, dtype=np.int32) * N_FIELDS
        data = np.ones(ids.size, dtype=np.float32)
        shape = (n_rows, len(self.effects))
        X = sparse.csr_array((data, ids.ravel().astype(np.int32), indptr), shape=shape)
        return X, y.astype(np.int64)


def resident():
    """Resident memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def peak():
    """Largest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def progress(line):
    """A line of progress, with the time."""
    print(time.strftime("%H:%M:%S"), line, file=sys.stderr, flush=True)


def fits(n_fits):
    """Many small fits and predictions, of the four estimators in turn."""
    X, y = Clicks(2000).chunk(0, 2000)
    series = []
    for number in range(n_fits):
        Estimator = (AFMRegressor, AFMClassifier, FMRegressor, FMClassifier)[number % 4]
        Estimator(max_iter=3, random_state=number).fit(X, y).predict(X)
        gc.collect()
        series.append(round(resident(), 2))
        if (number + 1) % 20 == 0:
            progress(f"{number + 1} fits, {series[-1]:.1f} MiB")
    half = np.array(series[n_fits // 2 :])
    slope = np.polyfit(np.arange(len(half)), half, 1)[0]
    return {
        "n_fits": n_fits,
        "resident_every_10": series[::10],
        "growth_of_second_half": round(float(half[-1] - half[0]), 2),
        "spread_of_second_half": round(float(half.max() - half.min()), 2),
        "trend_per_100_fits": round(float(100 * slope), 3),
    }


def stream(n_rows, n_columns, chunk_rows, state):
    """partial_fit chunk by chunk; every chunk is predicted before it is learnt from."""
    clicks = Clicks(n_columns)
    X_test, y_test = clicks.chunk(10**9, chunk_rows)
    figures = {
        "n_columns": n_columns, "chunk_rows": chunk_rows, "resident_at_start": resident(),
        "chunks": 0, "fit_cpu_seconds": 0.0, "seen_before": [], "validation": [], "peak": 0.0,
    }  # fmt: skip
    model = AFMClassifier(random_state=0)
    if state and os.path.exists(state):
        model, figures = joblib.load(state)
        progress(f"goes on after chunk {figures['chunks']}")
    n_chunks = n_rows // chunk_rows
    while figures["chunks"] < n_chunks:
        number = figures["chunks"]
        X, y = clicks.chunk(number, chunk_rows)
        if number:
            figures["seen_before"].append(log_loss(y, model.predict_proba(X)))
        started = time.process_time()
        model.partial_fit(X, y, classes=[0, 1])
        figures["fit_cpu_seconds"] += time.process_time() - started
        figures["chunks"] += 1
        figures["peak"] = max(figures["peak"], peak())
        if figures["chunks"] % CHUNKS_PER_STATE == 0 or figures["chunks"] == n_chunks:
            loss = log_loss(y_test, model.predict_proba(X_test))
            figures["validation"].append([figures["chunks"] * chunk_rows, loss, resident()])
            rate = figures["chunks"] * chunk_rows / figures["fit_cpu_seconds"]
            progress(
                f"{figures['chunks']}/{n_chunks} chunks, test log loss {loss:.4f}, "
                f"{resident():.0f} MiB, {rate:,.0f} rows per CPU second in partial_fit"
            )
            if state:
                joblib.dump((model, figures), state)
    seen_before = figures.pop("seen_before")
    figures["log_loss_before_learning"] = [
        float(np.mean(part)) for part in np.array_split(seen_before, 5) if len(part)
    ]
    share = y_test.mean()
    figures["log_loss_of_the_share"] = float(log_loss(y_test, np.full(len(y_test), share)))
    figures["rows_per_cpu_second"] = figures["chunks"] * chunk_rows / figures["fit_cpu_seconds"]
    return figures


def rows(n_rows, n_columns, max_iter):
    """One fit of many rows, with early stopping's validation part."""
    X, y = Clicks(n_columns).chunk(0, n_rows)
    before = resident()
    model = AFMClassifier(max_iter=max_iter, random_state=0, callbacks=[_report])
    started = time.process_time()
    model.fit(X, y)
    seconds = time.process_time() - started
    return {
        "n_rows": n_rows,
        "n_columns": n_columns,
        "input": (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes + y.nbytes) / MIB,
        "resident_before": before,
        "peak": peak(),
        "fit_cpu_seconds": seconds,
        "rows_per_cpu_second": n_rows * model.n_iter_ / seconds,
        "validation_loss": [r["validation_loss"] for r in model.history_],
    }


def _report(record):
    progress(f"epoch {record['epoch']}, loss {record['validation_loss']:.4f}, {peak():.0f} MiB")


def main():
    """Run the part that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    part = parts.add_parser("fits", help=fits.__doc__)
    part.add_argument("--n-fits", type=int, default=600)
    part = parts.add_parser("stream", help=stream.__doc__)
    part.add_argument("--n-rows", type=int, default=10_000_000)
    part.add_argument("--n-columns", type=int, default=200_000)
    part.add_argument("--chunk-rows", type=int, default=50_000)
    part.add_argument("--state", help="file to go on from, rewritten every 20 chunks")
    part = parts.add_parser("rows", help=rows.__doc__)
    part.add_argument("--n-rows", type=int, default=1_000_000)
    part.add_argument("--n-columns", type=int, default=200_000)
    part.add_argument("--max-iter", type=int, default=3)
    arguments = vars(parser.parse_args())
    run = {"fits": fits, "stream": stream, "rows": rows}[arguments.pop("part")]
    print(json.dumps(run(**arguments), indent=1))


if __name__ == "__main__":
    main()
