"""Time of a prediction of one row."""

from arena import entry
from figures import compared

TEXT = """## Prediction of one row

Median microseconds per call, k = t = 64. For sklearn_afm this is the whole of `predict` on a CSR
matrix of one row. For peers it is only the forward pass on a tensor.
"""


def measure(arena):
    """Yield the lines of the table."""
    few_rows = arena.frappe("train", 10_000)
    with arena.contest(arena.everybody, 64, few_rows, arena.frappe("validation", 100)) as contest:
        for name in arena.everybody:
            contest.ask(name, "train")
        replies = contest.rounds("one_row", arena.repeats, calls=arena.pick(500, 20))
    yield entry("k = t = 64", replies, contest.failures)


def report(lines):
    """Make Markdown of the lines."""

    def microseconds(line, name, reply):
        return 1e6 * reply["seconds"]

    return compared(lines, microseconds, "{:.0f}".format, more_is_better=False)
