"""Time of a training step by the number of columns."""

from statistics import median

from arena import OURS, entry
from figures import compared
from rows import BATCH_SIZE

SIZES = ((20_000, 200, 40), (200_000, 200, 20), (2_000_000, 200, 5))  # columns, our steps, theirs
QUICK_SIZES = ((2000, 2, 1),)
TEXT = """## Columns

Milliseconds per training step on 512 generated rows of ten fields, k = 64. The ids follow Zipf's
law with exponent 1.05. For sklearn_afm the figure is the epoch's time in `history_`.
"""


def measure(arena):
    """Yield the lines of the table."""
    for n_columns, our_steps, peer_steps in arena.pick(SIZES, QUICK_SIZES):
        steps = {OURS: our_steps} | dict.fromkeys(arena.peers, peer_steps)

        def zipf_rows(name, n_columns=n_columns, steps=steps):
            n_rows = steps[name] * BATCH_SIZE
            return {"kind": "zipf", "n_columns": n_columns, "n_rows": n_rows}

        with arena.contest(arena.everybody, 64, zipf_rows) as contest:
            replies = contest.rounds("train", arena.repeats)
        yield entry(f"{n_columns:,} columns", replies, contest.failures, steps=steps)


def report(lines):
    """Make Markdown of the lines."""

    def step(line, name, reply):
        return 1e3 * reply.get("epoch_seconds", reply["seconds"]) / line["steps"][name]

    fits = [
        f"{line['case']}: a call of `fit` takes "
        f"{median(r['seconds'] - r['epoch_seconds'] for r in line['replies'][OURS]):.2f} s "
        "in addition to its epoch."
        for line in lines
    ]
    return "\n\n".join([compared(lines, step, "{:.2f}".format, more_is_better=False), *fits])
