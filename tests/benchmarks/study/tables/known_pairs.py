"""Known pairs of user and item: their share, and CatBoost's loss if it may combine columns or not.

These figures are in a paragraph of docs/study.md, "Where it loses, and why".
"""

import frames
import numpy as np
import pandas as pd
from markdown import markdown, number
from models import installed, make_model
from results import say

from .few_rows import test_loss

MAX_COLUMNS = (4, 1)  # largest number of columns that CatBoost combines; 4 is its default


def add_options(parser):
    """Add the options of this table."""
    choices = ["frappe", *frames.MADE]
    parser.add_argument("--data", default="frappe", choices=choices, help="data set")


def quick(folder):
    """Yield the command lines of a smoke run."""
    if installed("CatBoost"):
        yield ["--data", "made_clicks"]
    else:
        say("known_pairs, skipped, not installed: CatBoost")


def measure(options, results):
    """Measure the share of test rows with a known pair, and CatBoost's log loss by its limit.

    A pair is known if a positive training row has it.
    """
    table = frames.load(options.data, options.data_home)
    train, test = table.splits["random"][0]
    pairs = pd.MultiIndex.from_frame(table.X[["user", "item"]])
    positive = table.y == 1
    known = pairs[test].isin(pairs[train[positive[train]]])
    for title, rows in (("positive", positive[test]), ("negative", ~positive[test])):
        results.add({"rows": title, "known": float(np.mean(known[rows]))})
    for limit in MAX_COLUMNS:
        model = make_model("CatBoost", table, {"max_ctr_complexity": limit})
        parts = [part for rows in (train, test) for part in (table.X.iloc[rows], table.y[rows])]
        loss = test_loss(model, *parts)
        results.add({"model": f"CatBoost, `max_ctr_complexity={limit}`", "loss": loss})
        say(f"CatBoost, max_ctr_complexity={limit}: {loss:.4f}")


def report(lines, options):
    """Report shares of known pairs, and losses."""
    shares = [[line["rows"], f"{100 * line['known']:.0f}%"] for line in lines if "known" in line]
    losses = [[line["model"], number(line["loss"])] for line in lines if "model" in line]
    return "\n".join(
        [markdown(["test rows", "with a known pair"], shares), markdown(["", "log loss"], losses)]
    )
