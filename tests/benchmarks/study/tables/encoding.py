"""A frame to one-hot rows: FieldEncoder beside OneHotEncoder and KBinsDiscretizer.

It is a table of docs/guide/frames.md.
"""

import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from markdown import markdown
from results import say
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from sklearn_afm import FieldEncoder

HERE = Path(__file__).parents[1]
LEVELS = (100_000, 100_000, 1000, 500, 100, 50, 20, 10, 5, 2)
N_NUMBERS = 10
CALLS = 100  # of transform with one row


def add_options(parser):
    """Options of this table."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)


def quick(folder):
    """Command lines of a smoke run."""
    yield ["--rows", "2000", "--rounds", "1"]


def made_frame(n_rows):
    """Ten columns of categories, two of them with many rare levels, and ten of numbers."""
    rng = np.random.default_rng(0)
    frame = {}
    for number, size in enumerate(LEVELS):
        names = np.array([f"level {level}" for level in range(size)], dtype=object)
        if size > 10_000:
            frame[f"category {number}"] = names[np.minimum(rng.zipf(1.2, n_rows), size) - 1]
        else:
            frame[f"category {number}"] = names[rng.integers(0, size, n_rows)]
    for number in range(N_NUMBERS):
        values = rng.normal(size=n_rows)
        frame[f"number {number}"] = values if number % 2 else np.round(np.exp(values), 1)
    return pd.DataFrame(frame)


def encoder(name):
    """A new encoder."""
    if name == "FieldEncoder":
        return FieldEncoder()
    bins = KBinsDiscretizer(
        64, encode="onehot", quantile_method="averaged_inverted_cdf", subsample=None
    )
    one_hot = OneHotEncoder(handle_unknown="ignore", dtype=np.float32)
    columns = [f"category {number}" for number in range(len(LEVELS))]
    return make_column_transformer((one_hot, columns), (bins, slice(len(LEVELS), None)))


def timed(name, n_rows):
    """Seconds, and MiB at the peak beside the frame, in this process."""
    warnings.simplefilter("ignore")
    frame, model = made_frame(n_rows), encoder(name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    model.fit(frame)
    fitted = time.perf_counter()
    model.transform(frame)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row, calls = frame[:1], []
    for _ in range(CALLS):
        call = time.perf_counter()
        model.transform(row)
        calls.append(time.perf_counter() - call)
    return {
        "fit": fitted - started,
        "transform": ended - fitted,
        "memory": (peak - before) / 1024,
        "one row": 1000 * float(np.median(calls)),
    }


def measure(options, results):
    """Both in turns, each in a process of its own."""
    for number in range(options.rounds):
        for name in ("FieldEncoder", "OneHotEncoder and KBinsDiscretizer"):
            command = [sys.executable, "-m", "tables.encoding", name, str(options.rows)]
            reply = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
            line = {"encoder": name, "round": number, "rows": options.rows}
            results.add(line | json.loads(reply.stdout))
            say(f"{name}, round {number + 1}: {reply.stdout.strip()}")


def report(lines, options):
    """A row per encoder: medians over the rounds."""
    rows = []
    for name in dict.fromkeys(line["encoder"] for line in lines):
        own = [line for line in lines if line["encoder"] == name]
        figures = {
            key: np.median([line[key] for line in own])
            for key in ("fit", "transform", "memory", "one row")
        }
        rows.append(
            [
                name,
                f"{figures['fit']:.1f}",
                f"{figures['transform']:.1f}",
                f"{figures['memory']:.0f}",
                f"{figures['one row']:.1f}",
            ]
        )
    heads = ["encoder", "fit, s", "transform, s", "peak beside the frame, MiB", "one row, ms"]
    return markdown(heads, rows)


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], int(sys.argv[2]))))
