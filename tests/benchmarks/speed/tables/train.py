"""Speed of training."""

from statistics import median

import rows
from arena import OURS, entry
from figures import compared, count, rate, spread, table
from rows import BATCH_SIZE

SIZES = ((256, 12_000), (64, 60_000), (16, 200_000))  # k = t, rows
QUICK_SIZES = ((16, 1000),)
TEXT = """## Training

Training rows per second.
"""


def measure(arena):
    """Yield the lines of the table."""
    for k, n_rows in arena.pick(SIZES, QUICK_SIZES):
        train_rows = arena.frappe("train", n_rows)
        with arena.contest(arena.everybody, k, train_rows) as contest:
            replies = contest.rounds("train", arena.repeats, product_size=k)
        yield entry(f"k = t = {k}", replies, contest.failures, **_pair_facts(train_rows, k))


def _pair_facts(train_rows, k):
    made = rows.make(**train_rows)
    distinct = rows.distinct_pairs_per_row(made, BATCH_SIZE)
    return {"k": k, "n_rows": len(made.ids), "distinct_pairs_per_row": distinct}


def report(lines):
    """Make Markdown of the lines."""
    bounds = []
    for line in lines:
        ours, products = line["replies"][OURS], line["replies"]["product"]
        flop_per_row = line["distinct_pairs_per_row"] * line["k"] ** 2 * 2 * 3
        shares = [
            rate(line, OURS, reply) * flop_per_row / (product["gflops"] * 1e9)
            for reply, product in zip(ours, products, strict=True)
        ]
        epochs = [line["n_rows"] / reply["epoch_seconds"] for reply in ours]
        bounds.append(
            [
                line["case"],
                count(line["n_rows"]),
                count(median(epochs)),
                f"{line['distinct_pairs_per_row']:.1f}",
                f"{flop_per_row * BATCH_SIZE / 1e9:.2f}",
                f"{median(product['gflops'] for product in products):.0f}",
                spread([100 * share for share in shares], 0),
            ]
        )
    head = [
        "",
        "rows of a pass",
        "rows per second, epoch only",
        "distinct pairs per row",
        "GFLOP per batch",
        "GFLOP/s of sgemm",
        "% of the bound",
    ]
    text = (
        "The bound is the time of the attention network's three matrix products over the distinct "
        "pairs of a batch. It is computed from the rate of a product of that size in the same "
        "round."
    )
    return "\n\n".join([compared(lines, rate, count), text, table(head, bounds)])
