"""Long runs in one process, for docs/reliability.md: many fits, a long stream, many rows.

Memory is the resident set in MiB. Times are CPU seconds of this process; other processes do not
count. With `--state`, an interrupted stream continues from its last stored chunk.
"""

import gc
import os
import resource
import time

import joblib
import numpy as np
from clicks import Clicks
from markdown import markdown
from results import say
from sklearn.metrics import log_loss

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

MIB = 2**20
CHUNKS_PER_STATE = 20


def add_options(parser):
    """Add the options of this table."""
    parser.add_argument("part", nargs="?", choices=list(PARTS), help="the part to run")
    parser.add_argument("--n-fits", type=int, default=600, help="number of fits (part fits)")
    parser.add_argument(
        "--n-rows", type=int, help="rows (part stream: 10,000,000; part rows: 1,000,000)"
    )
    parser.add_argument(
        "--n-columns", type=int, default=200_000, help="columns (parts stream and rows)"
    )
    parser.add_argument(
        "--chunk-rows", type=int, default=50_000, help="rows per chunk (part stream)"
    )
    parser.add_argument(
        "--state", help="file to continue from, written every 20 chunks (part stream)"
    )
    parser.add_argument("--max-iter", type=int, default=3, help="epochs (part rows)")


def quick(folder):
    """Yield the command lines of a smoke run."""
    small = ["--n-rows", "2000", "--n-columns", "1000"]
    yield ["fits", "--n-fits", "8"]
    yield ["stream", *small, "--chunk-rows", "500", "--state", str(folder / "state")]
    yield ["rows", *small]


# Measuring


def measure(options, results):
    """Run the chosen part."""
    if options.part is None:
        raise SystemExit(f"No part is chosen. Choose one of: {', '.join(PARTS)}")
    results.add({"part": options.part} | PARTS[options.part](options))


def fits(n_fits):
    """Run many small fits and predictions, with the four estimators in turn."""
    X, y = Clicks(2000).chunk(0, 2000)
    series = []
    for number in range(n_fits):
        Estimator = (AFMRegressor, AFMClassifier, FMRegressor, FMClassifier)[number % 4]
        Estimator(max_iter=3, random_state=number).fit(X, y).predict(X)
        gc.collect()
        series.append(round(resident(), 2))
        if (number + 1) % 20 == 0:
            timed(f"{number + 1} fits, {series[-1]:.1f} MiB")
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
    """Call partial_fit chunk by chunk. Each chunk is predicted before the model learns from it."""
    clicks = Clicks(n_columns)
    X_test, y_test = clicks.chunk(10**9, chunk_rows)
    figures = {
        "n_columns": n_columns, "chunk_rows": chunk_rows, "resident_at_start": resident(),
        "chunks": 0, "fit_cpu_seconds": 0.0, "seen_before": [], "validation": [], "peak": 0.0,
    }  # fmt: skip
    model = AFMClassifier(random_state=0)
    if state and os.path.exists(state):
        model, figures = joblib.load(state)
        timed(f"continues after chunk {figures['chunks']}")
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
            timed(
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
    """Fit many rows once, with early stopping's validation part."""
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
    timed(f"epoch {record['epoch']}, loss {record['validation_loss']:.4f}, {peak():.0f} MiB")


PARTS = {
    "fits": lambda o: fits(o.n_fits),
    "stream": lambda o: stream(o.n_rows or 10_000_000, o.n_columns, o.chunk_rows, o.state),
    "rows": lambda o: rows(o.n_rows or 1_000_000, o.n_columns, o.max_iter),
}


def resident():
    """Return the resident memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def peak():
    """Return the largest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(message):
    """Print a line of progress with the time."""
    say(f"{time.strftime('%H:%M:%S')} {message}")


# Reporting


def report(lines, options):
    """Report the page's table and the losses of a stream."""
    rows, below = [], []
    for line in lines:
        part = line.get("part") or _part(line)
        rows.append({"fits": row_of_fits, "stream": row_of_stream, "rows": row_of_rows}[part](line))
        if part == "stream":
            below.append(losses_of_stream(line))
    return "\n\n".join([markdown(["run", "resident memory", ""], rows, "---").rstrip(), *below])


def _part(line):
    """Return the part whose results have these keys."""
    keys = {"fits": "n_fits", "stream": "chunks", "rows": "n_rows"}
    return next(part for part, key in keys.items() if key in line)


def row_of_fits(line):
    """Make the row of fits: minimum and maximum of memory, and the trend."""
    series = line["resident_every_10"]
    memory = (
        f"{min(series):.0f} to {max(series):.0f} MiB after every tenth fit, from the first to the "
        f"last; trend of the last {line['n_fits'] // 2}: {line['trend_per_100_fits']:.2f} MiB per "
        "100 fits"
    )
    run = f"{line['n_fits']} fits and predictions of the four estimators, 2,000 rows each"
    return [run, memory, ""]


def row_of_stream(line):
    """Make the row of a stream: memory at the start, on the way and at the end, and the speed."""
    chunks, chunk_rows = line["chunks"], line["chunk_rows"]
    run = (
        f"`partial_fit` of {chunks * chunk_rows:,} rows, 10 fields, {line['n_columns']:,} columns "
        f"by Zipf's law, in {chunks} calls of {chunk_rows:,} rows, AFM with k = t = 16"
    )
    n_rows, _, first = line["validation"][0]
    last = line["validation"][-1][2]
    memory = (
        f"{line['resident_at_start']:.0f} MiB with libraries and generator, {first:.0f} after "
        f"{n_rows:,} rows and {last:.0f} at the end, peak {line['peak']:.0f}"
    )
    return [run, memory, speed(line)]


def row_of_rows(line):
    """Make the row of one fit: memory before it and at the peak, and the speed."""
    epochs = len(line["validation_loss"])
    run = f"`fit` of {line['n_rows']:,} such rows, {epochs} epochs, a tenth for validation"
    memory = (
        f"{line['resident_before']:.0f} MiB with the rows ({line['input']:.0f} MiB of them the "
        f"input), peak {line['peak']:,.0f}"
    )
    return [run, memory, speed(line)]


def speed(line):
    """Format the rows per CPU second, rounded to thousands."""
    return f"{round(line['rows_per_cpu_second'], -3):,.0f} rows per CPU second"


def losses_of_stream(line):
    """Report the log loss on rows never learnt from, and on own rows before learning from them."""
    (n_first, first, _), (n_last, last, _) = line["validation"][0], line["validation"][-1]
    before = ", ".join(f"{loss:.4f}" for loss in line["log_loss_before_learning"])
    return (
        f"Log loss of the stream on {line['chunk_rows']:,} rows that it never learns from: "
        f"{first:.4f} after {n_first:,} rows, {last:.4f} after {n_last:,}; on each fifth of its "
        f"own rows, before it learns from them: {before}; of predicting the share of ones: "
        f"{line['log_loss_of_the_share']:.4f}."
    )
