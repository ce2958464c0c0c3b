"""A grid search of eight fits: one after another, or two at a time."""

from arena import OURS, entry
from figures import spread, table

TEXT = """## Grid search

Seconds of `GridSearchCV` over four candidates in two folds of 20,000 Frappe rows, k = 64. It runs
in one process with all threads, in one process with one thread, or in two processes with one thread
each.
"""


def measure(arena):
    """Yield the lines of the table."""
    ways = {
        f"n_jobs=1, threads={arena.threads}": {"n_jobs": 1, "threads": arena.threads},
        "n_jobs=1, threads=1": {"n_jobs": 1, "threads": 1},
        "n_jobs=2": {"n_jobs": 2, "threads": 1},
    }
    replies = {way: [] for way in ways}
    with arena.contest({OURS: {}}, 64, arena.frappe("train", 40_000)) as contest:
        for _ in range(arena.pick(min(arena.repeats, 3), 1)):
            for way, arguments in ways.items():
                reply = contest.ask(OURS, "grid_search", epochs=arena.pick(25, 1), **arguments)
                replies[way].append(reply)
    yield entry("k = t = 64", replies, {})


def report(lines):
    """Make Markdown of the lines."""
    replies = lines[0]["replies"]
    seconds = {way: [reply["seconds"] for reply in turns] for way, turns in replies.items()}
    two = seconds["n_jobs=2"]
    body = []
    for way, values in seconds.items():
        ratios = [value / other for value, other in zip(values, two, strict=True)]
        body.append([way, spread(values, 1), spread(ratios)])
    return table(["", "seconds", "divided by the seconds of n_jobs=2"], body)
