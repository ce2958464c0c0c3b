"""Calls and time of a training step outside of torch."""

from statistics import median

import rows
from arena import OURS, entry
from figures import table
from rows import BATCH_SIZE

TEXT = """## A training step outside of torch

Frappe, k = t = 16, batches of 512 rows: calls and microseconds per batch. cProfile counts them in
whole calls of `fit`. "In torch" are the compiled torch functions that Python calls. Everything else
is Python and NumPy.
"""


def measure(arena):
    """Yield the lines of the table."""
    contestants = {OURS: {}, "plain torch": {}}
    train_rows = arena.frappe("train", 50_000)
    with arena.contest(contestants, 16, train_rows) as contest:
        replies = contest.rounds("profile", arena.repeats)
    n_steps = -(-len(rows.make(**train_rows).ids) // BATCH_SIZE)
    yield entry("k = t = 16", replies, contest.failures, steps=n_steps)


def report(lines):
    """Make Markdown of the lines."""
    line = lines[0]
    body = []
    for name, turns in line["replies"].items():
        per_step = {key: median(t[key] for t in turns) / line["steps"] for key in turns[0]}
        body.append(
            [
                name,
                f"{1e6 * per_step['seconds']:.0f}",
                f"{per_step['torch_calls']:.0f}",
                f"{1e6 * per_step['torch_seconds']:.0f}",
                f"{per_step['other_calls']:.0f}",
                f"{1e6 * per_step['other_seconds']:.0f}",
            ]
        )
    head = ["", "µs, without the profiler", "calls of torch", "µs in torch", "other calls"]
    return table([*head, "µs outside"], body)
