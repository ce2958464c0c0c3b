"""Several fits that share a CUDA device, or the cores of a CPU."""

from concurrent.futures import ThreadPoolExecutor
from statistics import median

from arena import OURS, entry
from figures import count, table

from .devices import BY_GRADIENT

N_FITS, DIMS = 8, (64, 256)
QUICK_N_FITS, QUICK_DIMS = 2, (16,)
TEXT = """## Several fits at once

Processes of one thread, each with an AFM of its own (k = t) on all training rows of Frappe, in
batches of 512, without a linear part of its own: the seconds per epoch of one, and the epochs per
minute of all.
"""


def measure(arena):
    """Yield the lines of the table."""
    names = [f"{OURS}, fit {number}" for number in range(arena.pick(N_FITS, QUICK_N_FITS))]
    start = {name: {"threads": 1, "device": "cpu"} for name in names}
    with (
        arena.contest(start, 16, arena.frappe("train")) as contest,
        ThreadPoolExecutor(len(names)) as pool,
    ):

        def each(action, **arguments):
            asked = [pool.submit(contest.ask, name, action, **arguments) for name in names]
            return [one.result() for one in asked]

        device = contest.ask(names[0], "cuda_device")
        for where in ["cpu"] if device is None else ["cuda", "cpu"]:
            each("build", k=16, device=where, **BY_GRADIENT)
            each("train")  # is not counted
            for k in arena.pick(DIMS, QUICK_DIMS):
                each("build", k=k, device=where, **BY_GRADIENT)
                replies = {name: [] for name in names}
                for _ in range(arena.repeats):
                    for name, reply in zip(names, each("train"), strict=True):
                        replies[name].append({"seconds": reply["epoch_seconds"]})
                shown = device if where == "cuda" else "CPU"
                yield entry(f"k = {k}, {len(names)} fits on {shown}", replies, {})


def report(lines):
    """Make Markdown of the lines."""
    body = []
    for line in lines:
        epochs = [median(turn["seconds"] for turn in turns) for turns in line["replies"].values()]
        per_minute = 60 * sum(1 / epoch for epoch in epochs)
        body.append([line["case"], f"{median(epochs):.2f}", count(per_minute)])
    return table(["", "seconds per epoch", "epochs per minute"], body)
