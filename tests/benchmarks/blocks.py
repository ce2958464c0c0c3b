"""Rows that do not fit into memory: seconds and peak memory of fit_blocks, killed and resumed.

    python tests/benchmarks/blocks.py --rows 10000000 --levels 1000000 build/blocks
    python tests/benchmarks/blocks.py --rows 10000000 --levels 1000000 --kill build/blocks

The rows are drawn block by block and written as files, unless the folder has them. Levels of a
field have frequencies like 1 / rank. `--kill` ends a process in the middle of the epoch, resumes it
in a second, and compares the bits with those of a third that never stopped.
"""

import argparse
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from sklearn_afm import AFMClassifier, FMClassifier
from sklearn_afm._fit import checkpoint
from sklearn_afm.blocks import CSRBlocks, save_csr_block

N_FIELDS, ROWS_PER_BLOCK = 10, 250_000


def draw_block(number, n_rows, n_levels):
    """One-hot rows of ten fields, and labels by linear effects and a product of two fields."""
    rng = np.random.default_rng([7, number])
    per_field = n_levels // N_FIELDS
    ranks = np.floor(per_field ** rng.random((n_rows, N_FIELDS))).astype(np.int64) - 1
    columns = ranks + np.arange(N_FIELDS) * per_field
    # Effects that any block can compute: bits of a hash of the level.
    bits = columns.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    effects = (bits >> np.uint64(40)).astype(np.float64) / 2**23 - 1
    signs = np.where((bits >> np.uint64(17)) & np.uint64(1), 1.0, -1.0)
    logits = effects.sum(axis=1) / 2 + signs[:, 0] * signs[:, 1]
    y = rng.random(n_rows) < 1 / (1 + np.exp(-logits))
    indptr = np.arange(n_rows + 1, dtype=np.int64) * N_FIELDS
    shape = (n_rows, per_field * N_FIELDS)
    ones = np.ones(columns.size, dtype=np.float32)
    return sparse.csr_array((ones, columns.ravel().astype(np.int32), indptr), shape=shape), y


def write(folder, n_rows, n_levels):
    """Write the blocks that the folder lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, n_rows, ROWS_PER_BLOCK)):
        file = folder / f"{number:05}.npz"
        if not file.exists():
            X, y = draw_block(number, min(ROWS_PER_BLOCK, n_rows - start), n_levels)
            save_csr_block(file.with_suffix(".part.npz"), X, y)
            os.replace(file.with_suffix(".part.npz"), file)


class Telling(CSRBlocks):
    """Says how often it was read."""

    n_read = 0

    def __getitem__(self, number):
        self.n_read += 1
        print(f"read {self.n_read}", flush=True)
        return super().__getitem__(number)


def peak_mib():
    """The largest resident size of this process until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def fit(arguments):
    """Fit, and print a line of JSON."""
    checkpoint.SECONDS = arguments.seconds
    blocks = (Telling if arguments.tell else CSRBlocks)(arguments.folder)
    Estimator = {"FM": FMClassifier, "AFM": AFMClassifier}[arguments.model]
    model = Estimator(
        max_iter=arguments.epochs,
        random_state=0,
        verbose=1,
        checkpoint=arguments.checkpoint,
        **({"l2_linear": 0.5, "l2_embedding": 10.0} if arguments.gradient else {}),
    )
    before, started = peak_mib(), time.perf_counter()
    model.fit_blocks(blocks, window_rows=arguments.window)
    digest = hashlib.blake2b(digest_size=8)
    for name in ("bias_", "linear_weights_", "embeddings_"):
        digest.update(np.ascontiguousarray(getattr(model, name)))
    record = model.history_[-1]
    result = {
        "seconds": round(time.perf_counter() - started, 1),
        "peak MiB": round(peak_mib()),
        "MiB before": round(before),
        "rows/s of an epoch": round(record["rows_per_second"]),
        "validation loss": round(record["validation_loss"], 5),
        "digest": digest.hexdigest(),
    }
    print(json.dumps(result), flush=True)
    return result


def kill_and_resume(arguments, n_blocks):
    """Kill a fit in the middle of its first epoch, resume it, and compare with one that ran on."""
    file = arguments.folder / "fit.checkpoint"
    file.unlink(missing_ok=True)
    command = [sys.executable, __file__, *(part for part in sys.argv[1:] if part != "--kill")]
    resumable = [*command, "--checkpoint", str(file)]
    last = n_blocks + int(0.7 * n_blocks)
    n_read = 0
    with subprocess.Popen([*resumable, "--tell"], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            n_read = int(line.split()[1]) if line.startswith("read") else n_read
            if n_read >= last and file.exists():
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.read()
    print(f"killed at block {n_read - n_blocks} of {n_blocks}; it left a file: {file.exists()}")
    outputs = []
    for each in (resumable, command):
        done = subprocess.run(each, stdout=subprocess.PIPE, text=True, check=True)
        outputs.append(json.loads(done.stdout.splitlines()[-1]))
        print(outputs[-1])
    print("the same bits:", outputs[0]["digest"] == outputs[1]["digest"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--levels", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--model", choices=["FM", "AFM"], default="FM")
    parser.add_argument("--window", type=int, default=1_000_000)
    parser.add_argument("--gradient", action="store_true", help="numbers for l2_linear, ...")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="between checkpoints")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--tell", action="store_true", help="print each reading of a block")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.rows, arguments.levels)
    if arguments.kill:
        kill_and_resume(arguments, -(-arguments.rows // ROWS_PER_BLOCK))
    else:
        fit(arguments)


if __name__ == "__main__":
    main()
