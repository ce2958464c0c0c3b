"""What `verbose` shows: a line per epoch, or a progress bar."""

import multiprocessing
import sys


class Reporter:
    """Prints the progress of a fit.

    Parameters
    ----------
    verbose : int
        0: nothing. 1: one line per epoch. 2: a progress bar within each epoch too, if tqdm is
        installed.
    n_rows : int
        Rows of an epoch.
    max_iter : int
        Epochs at most.
    title : str
        What is trained: it stands above the lines.

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

    def __init__(self, verbose: int, n_rows: int, max_iter: int, title: str):
        self._verbose = verbose
        self._title = title
        process = multiprocessing.current_process()
        is_main = multiprocessing.parent_process() is None
        self._prefix = "" if is_main else f"[{process.name}] "
        self._n_rows = n_rows
        self._max_iter = max_iter
        self._printed_header = False
        self._bar = None
        self._tqdm = _import_tqdm() if verbose >= 2 else None

    def on_step(self, n_rows: int) -> None:
        """Count rows of the current epoch."""
        if self._tqdm is None:
            return
        if self._bar is None:
            self._bar = self._tqdm(total=self._n_rows, unit=" rows", leave=False, unit_scale=True)
        self._bar.update(n_rows)

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
        """Remove the progress bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _import_tqdm():
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
