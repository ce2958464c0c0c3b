"""A contestant's own end of its process: it answers requests, each a line of JSON.

It times what the contestant does, by the clock of its own process, and measures its memory.
`worker.py` is the end that asks.
"""

import cProfile
import ctypes
import gc
import json
import os
import pstats
import sys
import time
import traceback
from importlib.metadata import version

import numpy as np
import rows as row_makers
import torch

PREDICTION_SLICES = (512, 1024, 2048, 4096)


def serve(make_contestant, threads: int) -> None:
    """Answer requests until there are no more."""
    # Libraries print to the standard output too, even when imported; it is kept for replies.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    contestant = make_contestant()
    actions = Actions(contestant)
    for line in sys.stdin:
        request = json.loads(line)
        action = request.pop("action")
        owner = actions if hasattr(actions, action) else contestant  # what only it can do
        try:
            answer = {"reply": getattr(owner, action)(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        print(json.dumps(answer), file=replies, flush=True)


class Actions:
    """What a contestant can be asked to do.

    A contestant has `packages` (names, for their versions), `take(train, test)` for the rows,
    `build(k, **options)` for an untrained model with t = k, `train(epochs)` over all rows, which
    may return figures of its own, `predict(slice_rows)` for scores of the test rows (a length
    of slices if `slices` says that it works in slices) and `one_row()` for a function that
    predicts the first test row.
    """

    def __init__(self, contestant):
        self.contestant = contestant
        self.slice_rows = None
        self.y_test = None

    def versions(self):
        """Versions of the contestant's packages."""
        return {name: version(name) for name in self.contestant.packages}

    def load(self, train, test=None):
        """Make the rows, in the form that the contestant wants."""
        test_rows = row_makers.make(**test) if test else None
        self.contestant.take(row_makers.make(**train), test_rows)
        self.y_test = test_rows.y if test else None
        return {}

    def build(self, k, **options):
        """Make an untrained model."""
        self.contestant.build(k, **options)
        self.slice_rows = None
        return {}

    def train(self, epochs=1):
        """Train over all rows: seconds of the whole call."""
        started = time.perf_counter()
        figures = self.contestant.train(epochs)
        return {"seconds": time.perf_counter() - started} | (figures or {})

    def predict(self):
        """Predict all test rows: seconds of the whole call; RMSE within [-1, 1].

        A contestant that works in slices takes the length that was fastest at the first call.
        """
        if self.contestant.slices and self.slice_rows is None:
            self.slice_rows = min(PREDICTION_SLICES, key=lambda n: self._timed_prediction(n)[0])
        seconds, scores = self._timed_prediction(self.slice_rows)
        error = np.clip(scores, -1, 1) - self.y_test
        rmse = float(np.sqrt(np.mean(error**2)))
        return {"seconds": seconds, "rmse": rmse, "slice_rows": self.slice_rows}

    def _timed_prediction(self, slice_rows):
        started = time.perf_counter()
        scores = self.contestant.predict(slice_rows)
        return time.perf_counter() - started, scores

    def one_row(self, calls):
        """Median seconds of a prediction of one row."""
        predict = self.contestant.one_row()
        seconds = []
        for _ in range(calls):
            started = time.perf_counter()
            predict()
            seconds.append(time.perf_counter() - started)
        return {"seconds": float(np.median(seconds))}

    def memory(self, work, k, **options):
        """Peak memory, in bytes, of building a model and training it or predicting with it.

        `growth` is what comes on top of the imported libraries and the rows.
        """
        _use_torch_once()
        before = _reset_peak()
        self.contestant.build(k, **options)
        started = time.perf_counter()
        if work == "train":
            self.contestant.train(1)
        else:
            self.contestant.predict(min(PREDICTION_SLICES))  # the leanest
        seconds = time.perf_counter() - started
        peak = _status("VmHWM")
        return {"growth": peak - before, "peak": peak, "seconds": seconds}

    def profile(self):
        """Calls and seconds of one pass, inside torch's own functions and outside of them."""
        plain = self.train()
        log = cProfile.Profile()
        log.runcall(self.contestant.train, 1)
        figures = {"torch_calls": 0, "torch_seconds": 0.0, "other_calls": 0, "other_seconds": 0.0}
        for (file, _, name), (_, calls, seconds, *_) in pstats.Stats(log).stats.items():
            # A compiled function has no file; `apply` is that of torch.autograd.Function.
            compiled = file == "~" and ("torch" in name or name == "<built-in method apply>")
            kind = "torch" if compiled else "other"
            figures[f"{kind}_calls"] += calls
            figures[f"{kind}_seconds"] += seconds
        return plain | figures

    def matrix_product(self, n_rows, k, calls=10):
        """Best GFLOP/s of (n_rows, k) times (k, k) in float32."""
        left, right = torch.rand(n_rows, k), torch.rand(k, k)
        out = torch.empty(n_rows, k)
        best = np.inf
        for _ in range(calls):
            started = time.perf_counter()
            torch.mm(left, right, out=out)
            best = min(best, time.perf_counter() - started)
        return {"gflops": 2 * n_rows * k * k / best / 1e9}


def _use_torch_once():
    """Load what torch loads at first use, which is no contestant's memory."""
    layer = torch.nn.Linear(64, 64)
    layer(torch.rand(4096, 64)).square().sum().backward()


def _reset_peak() -> int:
    """Start the peak anew from the memory in use now, and return that."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # memory that is free already is nobody's either
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _status("VmRSS")


def _status(name) -> int:
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) * 1024
