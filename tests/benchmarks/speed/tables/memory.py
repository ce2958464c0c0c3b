"""Peak memory of an epoch and of a prediction, in fresh processes."""

import tempfile
from pathlib import Path

from arena import OURS, entry
from figures import MIB, compared
from worker import WorkerError

from .predict import TEST_ROWS

TEXT = """## Memory

Peak memory in MiB, without the imported libraries and the rows, in fresh processes. "train" builds
a model and trains it for an epoch of 20,000 rows. "predict" predicts 28,860 rows (peers: in slices
of 512).
"""


def measure(arena):
    """Yield the lines of the table."""
    train_rows = arena.frappe("train", 20_000)
    test_rows = arena.frappe("validation", TEST_ROWS)
    k = arena.pick(256, 32)
    for work in ("train", "predict"):
        yield in_fresh_processes(
            arena, arena.everybody, f"k = t = {k}, {work}", work, k, train_rows, test_rows
        )


def in_fresh_processes(arena, names, case, work, k, train_rows, test_rows=None, built=None):
    """Measure the memory of `work` in processes that have done nothing before.

    `built` has further options of `build` by name.
    """
    replies, failures = {name: [] for name in names}, {}
    with tempfile.TemporaryDirectory() as folder:
        fitted = str(Path(folder) / "fitted.joblib")
        for turn in range(arena.pick(min(arena.repeats, 3), 1)):  # because memory hardly varies
            for name in names:
                if name in failures:
                    continue
                saved = {"fitted": fitted} if name == OURS and work == "predict" else {}
                options = (built or {}).get(name, {}) | saved
                if saved and turn == 0:
                    save_fitted(arena, k, train_rows, fitted)
                try:
                    with arena.fresh_worker(name) as worker:
                        arena.versions[name] = worker.ask("versions")
                        test = test_rows if work == "predict" else None
                        worker.ask("load", train=train_rows, test=test)
                        replies[name].append(worker.ask("memory", work=work, k=k, **options))
                except WorkerError as error:
                    if arena.quick or name == OURS:
                        raise
                    failures[name] = str(error)
    done = {name: turns for name, turns in replies.items() if name not in failures}
    return entry(case, done, failures)


def save_fitted(arena, k, train_rows, path):
    """Train our estimator in another process, and save it to a file."""
    with arena.worker(OURS) as worker:
        worker.ask("load", train=train_rows)
        worker.ask("build", k=k)
        worker.ask("train")
        worker.ask("save", path=path)


def report(lines):
    """Make Markdown of the lines."""

    def growth(line, name, reply):
        return reply["growth"] / MIB

    return compared(lines, growth, "{:.1f}".format, more_is_better=False)
