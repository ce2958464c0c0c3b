"""Run contestants in turns, each in its own process: A B C D E, A B C D E, ..."""

import os
import statistics
import subprocess
import sys
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from worker import Worker, WorkerError

HERE = Path(__file__).parent
OURS = "sklearn_afm"
PEERS = {  # the package that each one needs
    "DeepCTR-Torch": "deepctr-torch",
    "torchfm": "torchfm",
    "FuxiCTR": "fuxictr",
    "plain torch": "torch",
}
TIME_LIMIT = 1800  # seconds per request
QUICK_ROWS = 1000  # in a smoke run
PRODUCT_ROWS = 8900  # about as many as a batch of Frappe has distinct pairs


@dataclass
class Arena:
    """Starts contestants, with the sizes and limits of a run. It is a context manager.

    A quick arena is for a smoke run: it has generated rows instead of Frappe and small sizes, and
    any failure is an error. It keeps each process for the next contest, because a process spends
    most of its time on imports.
    """

    data_home: str | None
    peers_python: str
    repeats: int
    threads: int
    quick: bool = False
    peers: tuple = tuple(PEERS)
    versions: dict = field(default_factory=dict)

    def __enter__(self):
        self._kept = {}
        self._stack = ExitStack()
        return self

    def __exit__(self, *error):
        return self._stack.__exit__(*error)

    @property
    def everybody(self):
        """Names of our estimator and of the peers, each with no options."""
        return {name: {} for name in (OURS, *self.peers)}

    def pick(self, full, quick):
        """Return `full`, or in a smoke run `quick`."""
        return quick if self.quick else full

    def frappe(self, part, n_rows=None):
        """Say how a worker makes rows of Frappe. In a smoke run they are generated instead."""
        if self.quick:
            n_rows = min(n_rows or QUICK_ROWS, QUICK_ROWS)
            return {"kind": "zipf", "n_columns": 1000, "n_rows": n_rows}
        return {"kind": "frappe", "data_home": self.data_home, "part": part, "n_rows": n_rows}

    def worker(self, name, taken=()):
        """Return a contestant's process for a contest. A smoke run reuses one that is not taken."""
        if not self.quick:
            return self.fresh_worker(name)
        kept = self._kept.setdefault(OURS if name.startswith(OURS) else name, [])
        free = [worker for worker in kept if worker not in taken]
        if not free:
            free = [self._stack.enter_context(self.fresh_worker(name))]
            kept += free
        return nullcontext(free[0])

    def fresh_worker(self, name) -> Worker:
        """Start a process of a contestant. If `name` begins with "sklearn_afm", it is ours."""
        environment = dict(os.environ)
        environment.pop("OMP_NUM_THREADS", None)  # self.threads is used instead
        if name.startswith(OURS):
            command = [sys.executable, HERE / "ours.py", str(self.threads)]
        else:
            environment.pop("PYTHONPATH", None)  # the peers have their own environment
            command = [self.peers_python, HERE / "peers.py", name, str(self.threads)]
        return Worker(command, environment, TIME_LIMIT)

    @contextmanager
    def contest(self, contestants, k, train, test=None):
        """Yield a contest whose contestants have their rows and an untrained model.

        `contestants` maps names to options of `build`. `train` says how to make the training
        rows. It may also be a function that takes the name and says so.
        """
        with ExitStack() as stack:
            workers = {}
            for name in contestants:
                workers[name] = stack.enter_context(self.worker(name, workers.values()))
            contest = Contest(workers, strict=self.quick)
            for name, options in contestants.items():
                train_rows = train(name) if callable(train) else train
                self.versions[name] = contest.ask(name, "versions")
                contest.ask(name, "load", train=train_rows, test=test)
                contest.ask(name, "build", k=k, **options)
            yield contest


class Contest:
    """Contestants that take turns.

    If `strict`, any failure is an error. Otherwise a peer that fails is left out from then on.
    """

    def __init__(self, workers, strict):
        self.workers = workers
        self.strict = strict
        self.failures = {}

    def ask(self, name, action, **arguments):
        """Return the reply, or None if the peer has failed."""
        if name in self.failures:
            return None
        try:
            return self.workers[name].ask(action, **arguments)
        except WorkerError as error:
            if self.strict or name.startswith(OURS):
                raise
            self.failures[name] = str(error)
            say(f"  {name}: {error}")
            return None

    def rounds(self, action, repeats, product_size=None, **arguments):
        """Return replies by name, one per round. A first round is not counted.

        With `product_size`, each round ends with a measurement of a matrix product's rate.
        """
        replies = {name: [] for name in self.workers}
        if product_size:
            replies["product"] = []
        for counts in [False] + [True] * repeats:
            turn = {name: self.ask(name, action, **arguments) for name in self.workers}
            if product_size:
                size = {"n_rows": PRODUCT_ROWS, "k": product_size}
                turn["product"] = self.ask(OURS, "matrix_product", **size)
            if counts:
                for name, reply in turn.items():
                    replies[name].append(reply)
        return {name: turns for name, turns in replies.items() if name not in self.failures}


def installed_peers(python):
    """Return the peers whose package this Python has. Print which are skipped."""
    find = "import sys, importlib.metadata as m; [m.version(name) for name in sys.argv[1:]]"
    found = []
    for name, package in PEERS.items():
        command = [python, "-c", find, package]
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            found.append(name)
        else:
            say(f"skipped, not installed: {name}")
    return tuple(found)


def say(message):
    """Print a line of progress."""
    print(message, file=sys.stderr, flush=True)


def entry(case, replies, failures, **facts):
    """Make a line of a table. Print its medians as progress."""
    shown = []
    for name, turns in replies.items():
        keys = [key for key in ("seconds", "growth", "peak", "rmse") if key in turns[0]]
        medians = [f"{key} {statistics.median(turn[key] for turn in turns):.4g}" for key in keys]
        if medians:
            shown.append(f"{name}: {', '.join(medians)}")
    say(f"  {case}: " + "; ".join(shown))
    return {"case": case, "replies": replies, "failures": failures} | facts
