"""What `verbose` shows: a line per epoch, how far a long epoch is, or a progress bar."""

import multiprocessing
import sys
import time

# Between two lines inside an epoch.
SECONDS = 30.0


class Reporter:
    """Prints the progress of a fit.

    Parameters
    ----------
    verbose : int
        0: nothing. 1: one line per epoch, and every half minute how far an epoch is. 2: a progress
        bar instead of the latter, if tqdm is installed.
    n_rows : int
        Rows of an epoch.
    max_iter : int
        Epochs at most.
    title : str
        What is trained: it stands above the lines.
    unit : str
        What is counted.

    Lines of another process than the main one, as in a search with `n_jobs`, start with its name:
    they stand among those of others.
    """

    _HEADERS = {
        "train_loss": "train loss",
        "validation_loss": "valid. loss",
        "validation_score": "valid. score",
        "rows_per_second": "rows/s",
        "seconds": "seconds",
    }

    def __init__(self, verbose: int, n_rows: int, max_iter: int, title: str, unit: str = "rows"):
        self._verbose = verbose
        self._title = title
        process = multiprocessing.current_process()
        is_main = multiprocessing.parent_process() is None
        self._prefix = "" if is_main else f"[{process.name}] "
        self._n_rows = n_rows
        self._max_iter = max_iter
        self._unit = unit
        self._n_done, self._started = 0, None
        self._printed_header = False
        self._bar = None
        self._tqdm = _import_tqdm() if verbose >= 2 else None

    def on_step(self, n_rows: int) -> None:
        """Count rows of the current epoch."""
        if self._tqdm is None:
            if self._verbose:
                self._say_how_far(n_rows)
            return
        if self._bar is None:
            unit = f" {self._unit}"
            self._bar = self._tqdm(total=self._n_rows, unit=unit, leave=False, unit_scale=True)
        self._bar.update(n_rows)

    def _say_how_far(self, n_rows: int) -> None:
        now = time.monotonic()
        self._n_done += n_rows
        if self._started is None:
            self._started = self._told = now
            self._n_before = self._n_done
            return
        if now < self._told + SECONDS:
            return
        self._told = now
        seconds = (now - self._started) / max(1, self._n_done - self._n_before)
        left = (self._n_rows - self._n_done) * seconds
        self._print(f"{self._n_done:,} of {self._n_rows:,} {self._unit}, {left / 60:,.1f} min left")

    def on_epoch(self, record: dict) -> None:
        """Print an epoch's line."""
        self.close()
        if not self._verbose:
            return
        names = [name for name in self._HEADERS if name in record]
        if not self._printed_header:
            self._print(f"{self._title}, {self._n_rows:,} rows")
            self._print(f"{'epoch':>9}", *(f"{self._HEADERS[name]:>12}" for name in names))
            self._printed_header = True
        values = (
            f"{record[name]:>12,.0f}" if name == "rows_per_second" else f"{record[name]:>12.5g}"
            for name in names
        )
        width = len(str(self._max_iter))
        epoch = f"{record['epoch']:>{width}}/{self._max_iter}"
        self._print(f"{epoch:>9}", *values)

    def on_end(self, line: str) -> None:
        """Print what the model tells of itself."""
        if self._verbose and line:
            self._print(line)

    def _print(self, *parts: str) -> None:
        print(self._prefix + " ".join(parts))
        sys.stdout.flush()

    def close(self) -> None:
        """Remove the progress bar, and count from 0."""
        self._n_done, self._started = 0, None
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _import_tqdm():
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
