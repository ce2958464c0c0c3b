"""Rows of 500 entries: peak memory and time, in fresh processes."""

from statistics import median

from arena import OURS
from figures import MIB, table

from .memory import in_fresh_processes

SIZES = (2000, 500)  # rows, entries per row
QUICK_SIZES = (20, 50)
TEXT = """## Long rows

An epoch and a prediction with 2,000 rows of 500 entries in 20,000 columns, k = t = 32, in fresh
processes. For comparison: one float32 array of shape (512 rows, 124,750 pairs, 32) has 7.6 GiB.
"""


def measure(arena):
    """Yield the lines of the table."""
    n_rows, length = arena.pick(SIZES, QUICK_SIZES)
    long = {"kind": "uniform", "n_columns": 20_000, "n_rows": n_rows, "length": length}
    for work in ("train", "predict"):
        yield in_fresh_processes(arena, [OURS], f"k = t = 32, {work}", work, 32, long, long)


def report(lines):
    """Make Markdown of the lines."""
    body = []
    for line in lines:
        replies = line["replies"][OURS]
        figures = [median(reply[key] for reply in replies) for key in ("peak", "growth", "seconds")]
        peak, growth, seconds = figures
        body.append([line["case"], f"{peak / MIB:.0f}", f"{growth / MIB:.0f}", f"{seconds:.1f}"])
    return table(["", "peak, MiB", "peak without libraries and rows, MiB", "seconds"], body)
