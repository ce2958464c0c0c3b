"""Validation RMSE after a few epochs."""

from arena import OURS, entry
from figures import contestants, table

SIZES = ((256, 1), (64, 3), (16, 3))  # k = t, epochs
QUICK_SIZES = ((16, 1),)
TEXT = """## What is learnt

Validation RMSE after a few epochs over all training rows, with predictions clipped to [-1, 1], and
the training time in seconds. One run. All contestants use Adagrad at a rate of 0.05 and no
penalties, except "defaults":
`AFMRegressor(embedding_dim=k, attention_dim=k, max_iter=epochs, early_stopping=False)`.
"""


def measure(arena):
    """Yield the lines of the table."""
    models = {
        OURS: {"learning_rate": 0.05, "l2_embedding": 0, "l2_linear": 0, "l2_attention": 0},
        f"{OURS}, defaults": {"dropout": 0.0, "batch_size": "auto"},
        **{name: {} for name in arena.peers},
    }
    for k, epochs in arena.pick(SIZES, QUICK_SIZES):
        yield learnt(arena, models, k, epochs, f"k = t = {k}, epochs: {epochs}")


def learnt(arena, models, k, epochs, case):
    """Train each contestant on the whole training part, and measure its validation RMSE."""
    train_rows, test_rows = arena.frappe("train"), arena.frappe("validation")
    with arena.contest(models, k, train_rows, test_rows) as contest:
        replies = {}
        for name in models:
            trained = contest.ask(name, "train", epochs=epochs)
            predicted = contest.ask(name, "predict")
            if name not in contest.failures:
                replies[name] = [trained | {"rmse": predicted["rmse"]}]
    return entry(case, replies, contest.failures, epochs=epochs)


def report(lines):
    """Make Markdown of the lines."""
    return rmse_table(lines)


def rmse_table(lines):
    """Make a table of RMSE and seconds by case."""

    def cell(line, name):
        if name not in line["replies"]:
            return ""
        (reply,) = line["replies"][name]
        return f"{reply['rmse']:.4f} ({reply['seconds']:.1f} s)"

    names = contestants(lines[0])
    body = [[line["case"], *(cell(line, name) for name in names)] for line in lines]
    return table(["", *names], body)
