"""Speed of a call of predict."""

import rows
from arena import OURS, entry
from figures import compared, count, rate

SIZES = (256, 64, 16)  # k = t
QUICK_SIZES = (16,)
TEST_ROWS = 28_860  # the size of the AFM paper's test part
TEXT = """## Prediction

Rows per second in a call of `predict`.
"""


def measure(arena):
    """Yield the lines of the table."""
    test_rows = arena.frappe("validation", TEST_ROWS)
    few_rows = arena.frappe("train", 10_000)

    def train_rows(name):
        # Our estimator ignores columns without training rows, so it gets all training rows.
        # The peers' speed does not depend on the training rows.
        return arena.frappe("train") if name == OURS else few_rows

    for k in arena.pick(SIZES, QUICK_SIZES):
        with arena.contest(arena.everybody, k, train_rows, test_rows) as contest:
            for name in arena.everybody:
                contest.ask(name, "train")
            replies = contest.rounds("predict", arena.repeats)
        n_rows = len(rows.make(**test_rows).ids)
        yield entry(f"k = t = {k}", replies, contest.failures, n_rows=n_rows)
        with arena.contest({OURS: {}}, k, train_rows, arena.frappe("train")) as contest:
            contest.ask(OURS, "train")
            replies = contest.rounds("predict", arena.repeats)
        n_rows = len(rows.make(**arena.frappe("train")).ids)
        yield entry(f"k = t = {k}, all training rows", replies, contest.failures, n_rows=n_rows)


def report(lines):
    """Make Markdown of the lines."""
    sizes = "; ".join(f"{line['case']}: {count(line['n_rows'])} rows" for line in lines)
    return "\n\n".join([compared(lines, rate, count), sizes + "."])
