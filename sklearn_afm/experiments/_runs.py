"""Runs: fit and measure, once; a folder keeps their results, and goes on with the rest."""

import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import clone

from ._measures import accuracy


@dataclass
class Run:
    """One fit: what tables and pictures call it, the estimator, its rows and measures."""

    label: dict
    estimator: object
    rows: tuple  # name of the rows, and what they depend on
    measure: Callable[[object, object], dict] = accuracy
    resumes: bool = True  # in the middle; not where a scorer remembers its epochs

    @property
    def settings(self) -> dict:
        """All that the result depends on, as JSON has it."""
        parameters = self.estimator.get_params()
        return {
            "estimator": type(self.estimator).__name__,
            "parameters": {name: _plain(value) for name, value in parameters.items()},
            "rows": list(self.rows),
            "measure": self.measure.__name__,
        }

    def file_in(self, folder: Path) -> Path:
        """Where the result is kept: runs of equal settings share it."""
        text = json.dumps(self.settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return folder / f"{self.settings['estimator']}-{digest}.json"


def results_of(runs: list[Run], folder: Path, rows_of: Callable) -> list[dict]:
    """The result of each run, with its label; those that the folder has are not repeated.

    `rows_of` gives the rows of a run's `rows`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [run for run in runs if not run.file_in(folder).exists()]
    print(f"{len(runs)} runs, {len(runs) - len(missing)} of them done", flush=True)
    seconds = {}
    for number, run in enumerate(missing):
        path = run.file_in(folder)
        if path.exists():  # a run of equal settings was done a moment ago
            continue
        name = ", ".join(f"{key} {value}" for key, value in run.label.items())
        title = f"{number + 1}/{len(missing)} {name}"
        result = _perform(run, rows_of(run.rows), path.with_suffix(".npz"), title)
        write(path, json.dumps(result, indent=1))
        seconds.setdefault(_size(run), []).append(result["seconds"])
        left = _time_left(missing[number + 1 :], seconds)
        print(f"{title}: {_shown(result)}; about {left:.1f} min to go", flush=True)
    return [run.label | json.loads(run.file_in(folder).read_text()) for run in runs]


def write(path: Path, text: str) -> None:
    """Write a file of which others see the whole or nothing."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text)
    os.replace(unfinished, path)


def _perform(run, rows, checkpoint, title) -> dict:
    progress = Progress(title, run.estimator.max_iter)
    model = clone(run.estimator).set_params(callbacks=[progress])
    if run.resumes:
        model.set_params(checkpoint=checkpoint)
    started = time.perf_counter()
    with warnings.catch_warnings():
        # A fit that Ctrl-C ends keeps what it has learnt, and warns: that is no result.
        warnings.filterwarnings("error", "Training was interrupted", UserWarning)
        try:
            model.fit(rows.X_train, rows.y_train, X_val=rows.X_val, y_val=rows.y_val)
        except UserWarning as warning:
            raise KeyboardInterrupt from warning
    progress.close()
    # Epochs before a resumption count, as the history has them.
    seconds = max(time.perf_counter() - started, sum(r["seconds"] for r in model.history_))
    return {
        "settings": run.settings,
        "measures": run.measure(model, rows),
        "epochs": model.n_iter_,
        "best_epoch": model.best_iter_,
        "seconds": seconds,
        "history": model.history_,
    }


class Progress:
    """A callback that shows the epoch under way: one line that is written anew."""

    def __init__(self, title: str, max_iter: int):
        self._title = title
        self._max_iter = max_iter

    def __call__(self, record: dict) -> bool:
        if sys.stdout.isatty():
            print(
                f"\r{self._title}: epoch {record['epoch']} of at most {self._max_iter}, "
                f"validation loss {record['validation_loss']:.5f}, "
                f"{record['seconds']:.0f} s an epoch ",
                end="",
                flush=True,
            )
        return False

    def close(self) -> None:
        """Make room for the next line."""
        if sys.stdout.isatty():
            print("\r\033[K", end="")


def _size(run) -> tuple:
    """Runs of about the same length."""
    parameters = run.estimator.get_params()
    return type(run.estimator).__name__, parameters["embedding_dim"], parameters["batch_size"]


def _time_left(runs, seconds) -> float:
    """Minutes that the runs may take, by those of their size, else by all."""
    everything = [s for group in seconds.values() for s in group]
    return sum(np.mean(seconds.get(_size(run), everything)) for run in runs) / 60


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _shown(result) -> str:
    numbers = {k: v for k, v in result["measures"].items() if isinstance(v, float)}
    measures = ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
    epochs = f"epoch {result['best_epoch']} of {result['epochs']}"
    return f"{measures}, {epochs}, {result['seconds']:.0f} s"
