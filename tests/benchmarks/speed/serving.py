"""Answer requests in a contestant's process. Each request and reply is a line of JSON.

The contestant is timed by the clock of its own process, and its memory is measured. `worker.py` is
the end that asks.
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
    # Libraries print to standard output, even when imported. Here it is for replies only.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    contestant = make_contestant()
    actions = Actions(contestant)
    for line in sys.stdin:
        request = json.loads(line)
        action = request.pop("action")
        owner = actions if hasattr(actions, action) else contestant  # only it answers this
        try:
            answer = {"reply": getattr(owner, action)(**request)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
        print(json.dumps(answer), file=replies, flush=True)


class Actions:
    """The requests that every contestant answers.

    A contestant has:

    - `packages`: names of packages, to report their versions.
    - `take(train, test)`: keeps the rows.
    - `build(k, **options)`: makes an untrained model with t = k.
    - `train(epochs)`: trains on all rows. It may return figures of its own.
    - `predict(slice_rows)`: returns predictions of the test rows. If `slices` is true, it works in
      slices of `slice_rows` rows.
    - `one_row()`: returns a function that predicts the first test row.
    """

    def __init__(self, contestant):
        self.contestant = contestant
        self.slice_rows = None
        self.y_test = None

    def versions(self):
        """Return the versions of the contestant's packages."""
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
        """Train on all rows. Return the seconds of the whole call."""
        started = time.perf_counter()
        figures = self.contestant.train(epochs)
        return {"seconds": time.perf_counter() - started} | (figures or {})

    def predict(self):
        """Predict all test rows. Return the seconds of the whole call, and the RMSE.

        The RMSE is that of predictions clipped to [-1, 1]. If the contestant works in slices, the
        first call finds the fastest length of slices.
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
        """Return the median seconds of a prediction of one row."""
        predict = self.contestant.one_row()
        seconds = []
        for _ in range(calls):
            started = time.perf_counter()
            predict()
            seconds.append(time.perf_counter() - started)
        return {"seconds": float(np.median(seconds))}

    def memory(self, work, k, **options):
        """Measure the peak memory, in bytes, of building a model and training or predicting.

        `growth` is the peak without the imported libraries and the rows.
        """
        _use_torch_once()
        before = _reset_peak()
        self.contestant.build(k, **options)
        started = time.perf_counter()
        if work == "train":
            self.contestant.train(1)
        else:
            self.contestant.predict(min(PREDICTION_SLICES))  # needs the least memory
        seconds = time.perf_counter() - started
        peak = _status("VmHWM")
        return {"growth": peak - before, "peak": peak, "seconds": seconds}

    def profile(self):
        """Count calls and seconds of one pass, inside torch's own functions and outside of them."""
        plain = self.train()
        log = cProfile.Profile()
        log.runcall(self.contestant.train, 1)
        figures = {"torch_calls": 0, "torch_seconds": 0.0, "other_calls": 0, "other_seconds": 0.0}
        for (file, _, name), (_, calls, seconds, *_) in pstats.Stats(log).stats.items():
            # A compiled function has no file. `apply` belongs to torch.autograd.Function.
            compiled = file == "~" and ("torch" in name or name == "<built-in method apply>")
            kind = "torch" if compiled else "other"
            figures[f"{kind}_calls"] += calls
            figures[f"{kind}_seconds"] += seconds
        return plain | figures

    def matrix_product(self, n_rows, k, calls=10):
        """Measure the best GFLOP/s of (n_rows, k) times (k, k) in float32."""
        left, right = torch.rand(n_rows, k), torch.rand(k, k)
        out = torch.empty(n_rows, k)
        best = np.inf
        for _ in range(calls):
            started = time.perf_counter()
            torch.mm(left, right, out=out)
            best = min(best, time.perf_counter() - started)
        return {"gflops": 2 * n_rows * k * k / best / 1e9}


def _use_torch_once():
    """Make torch load what it loads at first use. This memory is not the contestant's."""
    layer = torch.nn.Linear(64, 64)
    layer(torch.rand(4096, 64)).square().sum().backward()


def _reset_peak() -> int:
    """Reset the peak to the memory that is in use now. Return that memory."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # freed memory must not count
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _status("VmRSS")


def _status(name) -> int:
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) * 1024
