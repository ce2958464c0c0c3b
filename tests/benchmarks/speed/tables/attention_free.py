"""FM and AFM by the length of rows."""

from arena import OURS, entry
from figures import contestants, spread, table

SIZES = ((10, 16_384), (40, 4096), (160, 1024))  # entries per row, rows
QUICK_SIZES = ((10, 512), (20, 256))
TEXT = """## FM and the length of rows

Microseconds per entry, k = 64, 20,000 columns. The FM's pair sum is O(m k) for a row of m entries,
so its time per entry does not grow with m. The AFM's time per entry grows with m, because a row has
m (m - 1) / 2 pairs.
"""


def measure(arena):
    """Yield the lines of the table."""
    models = {f"{OURS}, FM": {"model": "FM"}, f"{OURS}, AFM": {}}
    for length, n_rows in arena.pick(SIZES, QUICK_SIZES):
        made = {"kind": "uniform", "n_columns": 20_000, "n_rows": n_rows, "length": length}
        with arena.contest(models, 64, made, made) as contest:
            for action in ("train", "predict"):
                replies = contest.rounds(action, arena.repeats)
                facts = {"n_rows": n_rows, "length": length, "action": action}
                yield entry(f"{length} entries, {action}", replies, contest.failures, **facts)


def report(lines):
    """Make Markdown of the lines."""

    def microseconds(line, name):
        entries = line["n_rows"] * line["length"]
        seconds = [reply.get("epoch_seconds", reply["seconds"]) for reply in line["replies"][name]]
        return spread([1e6 * value / entries for value in seconds])

    names = contestants(lines[0])
    body = [[line["case"], *(microseconds(line, name) for name in names)] for line in lines]
    return table(["", *names], body)
