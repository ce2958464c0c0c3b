"""The speed tables: who does what, on which rows, in which order.

A table is a generator of entries: a case, the raw replies of each contestant by round, and
what failed. Ratios are for report.py to take.
"""

import os
import statistics
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import rows
from worker import Worker, WorkerError

HERE = Path(__file__).parent
OURS = "sklearn_afm"
PEERS = ("DeepCTR-Torch", "torchfm", "FuxiCTR", "plain torch")
EVERYBODY = {name: {} for name in (OURS, *PEERS)}
BATCH_SIZE = 512
TEST_ROWS = 28_860  # those of the AFM paper's test part
TIME_LIMIT = 1800  # seconds of one request
PRODUCT_ROWS = 8900  # distinct pairs of a batch of Frappe, in round numbers


@dataclass
class Arena:
    """Where contestants run, and how long."""

    data_home: str
    peers_python: str
    repeats: int
    threads: int
    quick: bool
    versions: dict = field(default_factory=dict)

    def pick(self, full, quick):
        """A size, smaller for a trial."""
        return quick if self.quick else full

    def frappe(self, part, n_rows=None):
        """How a worker makes rows of Frappe; 2,000 at most in a trial."""
        n_rows = min(n_rows or 2000, 2000) if self.quick else n_rows
        return {"kind": "frappe", "data_home": self.data_home, "part": part, "n_rows": n_rows}

    def worker(self, name) -> Worker:
        """A fresh process of a contestant, whose name begins with the library's."""
        environment = dict(os.environ)
        environment.pop("OMP_NUM_THREADS", None)  # `threads` says how many
        if name.startswith(OURS):
            command = [sys.executable, HERE / "ours.py", str(self.threads)]
        else:
            environment.pop("PYTHONPATH", None)  # theirs is an environment of its own
            command = [self.peers_python, HERE / "peers.py", name, str(self.threads)]
        return Worker(command, environment, TIME_LIMIT)

    @contextmanager
    def contest(self, contestants, k, train, test=None):
        """Loaded contestants with untrained models.

        `contestants` maps names to options of `build`; `train` is how to make the training
        rows, or a function of the name for that.
        """
        with ExitStack() as stack:
            workers = {name: stack.enter_context(self.worker(name)) for name in contestants}
            contest = Contest(workers)
            for name, options in contestants.items():
                train_rows = train(name) if callable(train) else train
                self.versions[name] = contest.ask(name, "versions")
                contest.ask(name, "load", train=train_rows, test=test)
                contest.ask(name, "build", k=k, **options)
            yield contest


class Contest:
    """Contestants that take turns; a peer that fails is left out from then on."""

    def __init__(self, workers):
        self.workers = workers
        self.failures = {}

    def ask(self, name, action, **arguments):
        """A reply, or None from a peer that has failed."""
        if name in self.failures:
            return None
        try:
            return self.workers[name].ask(action, **arguments)
        except WorkerError as error:
            if name.startswith(OURS):
                raise
            self.failures[name] = str(error)
            say(f"  {name}: {error}")
            return None

    def rounds(self, action, repeats, product_size=None, **arguments):
        """Replies by name, one a round, after a round that does not count.

        With `product_size`, each round ends with the rate of a matrix product.
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


def say(message):
    """A line of progress."""
    print(message, file=sys.stderr, flush=True)


def entry(case, replies, failures, **facts):
    """A line of a table; its medians are shown as progress."""
    shown = []
    for name, turns in replies.items():
        keys = [key for key in ("seconds", "growth", "peak", "rmse") if key in turns[0]]
        medians = [f"{key} {statistics.median(turn[key] for turn in turns):.4g}" for key in keys]
        if medians:
            shown.append(f"{name}: {', '.join(medians)}")
    say(f"  {case}: " + "; ".join(shown))
    return {"case": case, "replies": replies, "failures": failures} | facts


# The tables


def train(arena):
    """A pass of training."""
    for k, n_rows in ((256, 12_000), (64, 60_000), (16, 200_000)):
        train_rows = arena.frappe("train", n_rows)
        with arena.contest(EVERYBODY, k, train_rows) as contest:
            replies = contest.rounds("train", arena.repeats, product_size=k)
        yield entry(f"k = t = {k}", replies, contest.failures, **_pair_facts(train_rows, k))


def _pair_facts(train_rows, k):
    made = rows.make(**train_rows)
    distinct = rows.distinct_pairs_per_row(made, BATCH_SIZE)
    return {"k": k, "n_rows": len(made.ids), "distinct_pairs_per_row": distinct}


def bfloat16(arena):
    """Attention products in bfloat16: a pass of training, and what is learnt."""
    k = 256
    both = {f"{OURS}, bfloat16": {"precision": "bfloat16"}, OURS: {}}
    train_rows = arena.frappe("train", 12_000)
    with arena.contest(both | EVERYBODY, k, train_rows) as contest:
        replies = contest.rounds("train", arena.repeats)
    n_rows = len(rows.make(**train_rows).ids)
    yield entry(f"k = t = {k}, speed", replies, contest.failures, n_rows=n_rows)
    epochs = arena.pick(10, 2)
    yield _learnt(arena, both, k, epochs, f"k = t = {k}, {epochs} epochs")


def quality(arena):
    """Validation RMSE after a few epochs."""
    contestants = {
        OURS: {"learning_rate": 0.05, "l2_embedding": 0, "l2_linear": 0, "l2_attention": 0},
        f"{OURS}, defaults": {"dropout": 0.0, "batch_size": "auto"},
        **{name: {} for name in PEERS},
    }
    for k, epochs in ((256, 1), (64, 3), (16, 3)):
        yield _learnt(arena, contestants, k, epochs, f"k = t = {k}, epochs: {epochs}")


def _learnt(arena, contestants, k, epochs, case):
    """One training over the whole part of each contestant, and its validation RMSE."""
    train_rows, test_rows = arena.frappe("train"), arena.frappe("validation")
    with arena.contest(contestants, k, train_rows, test_rows) as contest:
        replies = {}
        for name in contestants:
            trained = contest.ask(name, "train", epochs=epochs)
            predicted = contest.ask(name, "predict")
            if name not in contest.failures:
                replies[name] = [trained | {"rmse": predicted["rmse"]}]
    return entry(case, replies, contest.failures, epochs=epochs)


def columns(arena):
    """A training step, by columns of the table."""
    k = 64
    for n_columns, peer_steps in ((20_000, 40), (200_000, 20), (2_000_000, 5)):
        steps = {OURS: arena.pick(200, 4)} | dict.fromkeys(PEERS, arena.pick(peer_steps, 2))

        def zipf_rows(name, n_columns=n_columns, steps=steps):
            n_rows = steps[name] * BATCH_SIZE
            return {"kind": "zipf", "n_columns": n_columns, "n_rows": n_rows}

        with arena.contest(EVERYBODY, k, zipf_rows) as contest:
            replies = contest.rounds("train", arena.repeats)
        yield entry(f"{n_columns:,} columns", replies, contest.failures, steps=steps)


def predict(arena):
    """A call of predict."""
    test_rows = arena.frappe("validation", TEST_ROWS)
    few_rows = arena.frappe("train", 10_000)

    def train_rows(name):
        # Ours leaves out columns that it never saw, so it sees all; peers' speed is the same.
        return arena.frappe("train") if name == OURS else few_rows

    for k in (256, 64, 16):
        with arena.contest(EVERYBODY, k, train_rows, test_rows) as contest:
            for name in EVERYBODY:
                contest.ask(name, "train")
            replies = contest.rounds("predict", arena.repeats)
        n_rows = len(rows.make(**test_rows).ids)
        yield entry(f"k = t = {k}", replies, contest.failures, n_rows=n_rows)
        with arena.contest({OURS: {}}, k, train_rows, arena.frappe("train")) as contest:
            contest.ask(OURS, "train")
            replies = contest.rounds("predict", arena.repeats)
        n_rows = len(rows.make(**arena.frappe("train")).ids)
        yield entry(f"k = t = {k}, all training rows", replies, contest.failures, n_rows=n_rows)


def one_row(arena):
    """A prediction of one row."""
    few_rows = arena.frappe("train", 10_000)
    with arena.contest(EVERYBODY, 64, few_rows, arena.frappe("validation", 100)) as contest:
        for name in EVERYBODY:
            contest.ask(name, "train")
        replies = contest.rounds("one_row", arena.repeats, calls=arena.pick(500, 20))
    yield entry("k = t = 64", replies, contest.failures)


def memory(arena):
    """Peak memory of an epoch and of a prediction, each in a fresh process."""
    train_rows = arena.frappe("train", 20_000)
    test_rows = arena.frappe("validation", TEST_ROWS)
    k = arena.pick(256, 32)
    for work in ("train", "predict"):
        yield _fresh(arena, EVERYBODY, f"k = t = {k}, {work}", work, k, train_rows, test_rows)


def long_rows(arena):
    """Rows of 500 non-zeros: peak memory, each in a fresh process."""
    long = {"kind": "uniform", "n_columns": 20_000, "n_rows": arena.pick(2000, 20), "length": 500}
    for work in ("train", "predict"):
        yield _fresh(arena, [OURS], f"k = t = 32, {work}", work, 32, long, long)


def _fresh(arena, names, case, work, k, train_rows, test_rows):
    """Memory of `work` in processes that have done nothing before it."""
    replies, failures = {name: [] for name in names}, {}
    with tempfile.TemporaryDirectory() as folder:
        fitted = str(Path(folder) / "fitted.joblib")
        for turn in range(min(arena.repeats, 3)):  # memory hardly varies
            for name in names:
                if name in failures:
                    continue
                options = {"fitted": fitted} if name == OURS and work == "predict" else {}
                if options and turn == 0:
                    _save_fitted(arena, k, train_rows, fitted)
                try:
                    with arena.worker(name) as worker:
                        arena.versions[name] = worker.ask("versions")
                        test = test_rows if work == "predict" else None
                        worker.ask("load", train=train_rows, test=test)
                        replies[name].append(worker.ask("memory", work=work, k=k, **options))
                except WorkerError as error:
                    if name == OURS:
                        raise
                    failures[name] = str(error)
    done = {name: turns for name, turns in replies.items() if name not in failures}
    return entry(case, done, failures)


def _save_fitted(arena, k, train_rows, path):
    with arena.worker(OURS) as worker:
        worker.ask("load", train=train_rows)
        worker.ask("build", k=k)
        worker.ask("train")
        worker.ask("save", path=path)


def grid_search(arena):
    """A grid search of eight fits, one after another or two at a time."""
    ways = {
        f"n_jobs=1, threads={arena.threads}": {"n_jobs": 1, "threads": arena.threads},
        "n_jobs=1, threads=1": {"n_jobs": 1, "threads": 1},
        "n_jobs=2": {"n_jobs": 2, "threads": 1},
    }
    replies = {way: [] for way in ways}
    with arena.contest({OURS: {}}, 64, arena.frappe("train", 40_000)) as contest:
        for _ in range(min(arena.repeats, 3)):
            for way, arguments in ways.items():
                reply = contest.ask(OURS, "grid_search", epochs=arena.pick(25, 2), **arguments)
                replies[way].append(reply)
    yield entry("k = t = 64", replies, {})


def steps(arena):
    """What a training step does outside of torch."""
    contestants = {OURS: {}, "plain torch": {}}
    train_rows = arena.frappe("train", 50_000)
    with arena.contest(contestants, 16, train_rows) as contest:
        replies = contest.rounds("profile", arena.repeats)
    n_steps = -(-len(rows.make(**train_rows).ids) // BATCH_SIZE)
    yield entry("k = t = 16", replies, contest.failures, steps=n_steps)


def attention_free(arena):
    """FM against AFM, by the length of rows."""
    contestants = {f"{OURS}, FM": {"attention": False}, f"{OURS}, AFM": {}}
    for length, n_rows in ((10, 16_384), (40, 4096), (160, 1024)):
        n_rows = arena.pick(n_rows, n_rows // 16)
        made = {"kind": "uniform", "n_columns": 20_000, "n_rows": n_rows, "length": length}
        with arena.contest(contestants, 64, made, made) as contest:
            for action in ("train", "predict"):
                replies = contest.rounds(action, arena.repeats)
                facts = {"n_rows": n_rows, "length": length, "action": action}
                yield entry(f"{length} non-zeros, {action}", replies, contest.failures, **facts)


TABLES = {
    table.__name__: table
    for table in (
        train,
        bfloat16,
        quality,
        columns,
        predict,
        one_row,
        memory,
        long_rows,
        grid_search,
        steps,
        attention_free,
    )
}
