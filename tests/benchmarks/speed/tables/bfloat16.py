"""The attention network's matrix products in bfloat16: speed of training, and RMSE."""

import rows
from arena import OURS, entry
from figures import compare, compared, count, rate, spread

from .quality import learnt, rmse_table

TEXT = """## bfloat16

Training rows per second with the attention network's matrix products in bfloat16, and the
validation RMSE of predictions clipped to [-1, 1].
"""


def measure(arena):
    """Yield the lines of the table."""
    k, epochs = arena.pick((256, 10), (16, 1))
    both = {f"{OURS}, bfloat16": {"precision": "bfloat16"}, OURS: {}}
    train_rows = arena.frappe("train", 12_000)
    with arena.contest(both | arena.everybody, k, train_rows) as contest:
        replies = contest.rounds("train", arena.repeats)
    n_rows = len(rows.make(**train_rows).ids)
    yield entry(f"k = t = {k}, speed", replies, contest.failures, n_rows=n_rows)
    yield learnt(arena, both, k, epochs, f"k = t = {k}, {epochs} epochs")


def report(lines):
    """Make Markdown of the lines."""
    speed, errors = lines
    name = f"{OURS}, bfloat16"
    half, single = ([rate(speed, n, reply) for reply in speed["replies"][n]] for n in (name, OURS))
    gain = spread([a / b for a, b in zip(half, single, strict=True)])
    _, best, ratios = compare(speed, rate, favour=name)
    against = f", and {spread(ratios)} times the speed of {best}" if ratios else ""
    text = f"bfloat16 has {gain} times the speed of float32{against}."
    return "\n\n".join([compared([speed], rate, count), text, rmse_table([errors])])
