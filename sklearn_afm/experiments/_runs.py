"""Run fits and measure them. A folder keeps the results, so that no run is done twice."""

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
    """One fit: its label in tables and pictures, the estimator, its rows, and what to measure."""

    label: dict
    estimator: object
    rows: tuple  # name of the data set, and the seed of its split if it has one
    measure: Callable[[object, object], dict] = accuracy
    resumes: bool = True  # from a checkpoint; False if a scorer keeps results of its epochs

    @property
    def settings(self) -> dict:
        """All settings that the result depends on, as JSON values."""
        parameters = self.estimator.get_params()
        return {
            "estimator": type(self.estimator).__name__,
            "parameters": {name: _plain(value) for name, value in parameters.items()},
            "rows": list(self.rows),
            "measure": self.measure.__name__,
        }

    def file_in(self, folder: Path) -> Path:
        """Return the path of the result's file. Runs with equal settings share it."""
        text = json.dumps(self.settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return folder / f"{self.settings['estimator']}-{digest}.json"


def results_of(runs: list[Run], folder: Path, rows_of: Callable) -> list[dict]:
    """Return the result of each run, with its label. Do not repeat runs that the folder has.

    `rows_of` takes the attribute `rows` of a run and returns the `Rows`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [run for run in runs if not run.file_in(folder).exists()]
    print(f"{len(runs)} runs, {len(runs) - len(missing)} of them done", flush=True)
    seconds = {}
    for number, run in enumerate(missing):
        path = run.file_in(folder)
        if path.exists():  # an earlier run of this list has equal settings
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
    """Write a file in one step: other processes see all of it or nothing."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text)
    os.replace(unfinished, path)


def _perform(run, rows, checkpoint, title) -> dict:
    if "callbacks" not in run.estimator.get_params():
        return _sampled(run, rows)
    progress = Progress(title, run.estimator.max_iter)
    model = clone(run.estimator).set_params(callbacks=[progress])
    if run.resumes:
        model.set_params(checkpoint=checkpoint)
    started = time.perf_counter()
    with warnings.catch_warnings():
        # After Ctrl-C, fit returns a half-trained model with a warning. This is not a result.
        warnings.filterwarnings("error", "Training was interrupted", UserWarning)
        try:
            model.fit(rows.X_train, rows.y_train, X_val=rows.X_val, y_val=rows.y_val)
        except UserWarning as warning:
            raise KeyboardInterrupt from warning
    progress.close()
    # After a resumption, the earlier epochs count too: the history has their times.
    seconds = max(time.perf_counter() - started, sum(r["seconds"] for r in model.history_))
    return {
        "settings": run.settings,
        "measures": run.measure(model, rows),
        "epochs": model.n_iter_,
        "best_epoch": model.best_iter_,
        "seconds": seconds,
        "history": model.history_,
    }


def _sampled(run, rows) -> dict:
    """The result of a sampler, which has neither epochs nor early stopping."""
    started = time.perf_counter()
    model = clone(run.estimator).fit(rows.X_train, rows.y_train)
    return {
        "settings": run.settings,
        "measures": run.measure(model, rows),
        "epochs": model.n_iter_,
        "best_epoch": model.n_iter_,
        "seconds": time.perf_counter() - started,
        "history": [],
    }


class Progress:
    """A callback that shows the latest epoch in one line, which each epoch overwrites."""

    def __init__(self, title: str, max_iter: int):
        self._title = title
        self._max_iter = max_iter

    def __call__(self, record: dict) -> bool:
        if sys.stdout.isatty():
            print(
                f"\r{self._title}: epoch {record['epoch']} of at most {self._max_iter}, "
                f"validation loss {record['validation_loss']:.5f}, "
                f"{record['seconds']:.0f} s per epoch ",
                end="",
                flush=True,
            )
        return False

    def close(self) -> None:
        """Clear the line."""
        if sys.stdout.isatty():
            print("\r\033[K", end="")


def _size(run) -> tuple:
    """Return a key that is equal for runs that take about the same time."""
    parameters = run.estimator.get_params()
    return type(run.estimator).__name__, parameters["embedding_dim"], parameters.get("batch_size")


def _time_left(runs, seconds) -> float:
    """Estimate the minutes of these runs, from past runs of the same size, else from all."""
    everything = [s for group in seconds.values() for s in group]
    return sum(np.mean(seconds.get(_size(run), everything)) for run in runs) / 60


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _shown(result) -> str:
    numbers = {k: v for k, v in result["measures"].items() if isinstance(v, float)}
    measures = ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
    epochs = f"epoch {result['best_epoch']} of {result['epochs']}"
    return f"{measures}, {epochs}, {result['seconds']:.0f} s"
