"""A CUDA device against a CPU, and several fits that share either."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from statistics import median

from arena import OURS, entry
from figures import count, table

MODELS = {"AFM": {}, "FM": {"attention": False}}
DIMS, BATCH_SIZES = (16, 64, 256), (512, 4096, 65_536)
QUICK_DIMS, QUICK_BATCH_SIZES = (16,), (512,)
FITS, SHARED_DIMS = 8, (64, 256)
QUICK_FITS, QUICK_SHARED_DIMS = 2, (16,)
CPU, CUDA = f"{OURS}, CPU", f"{OURS}, CUDA"
# The linear part is fitted in NumPy, wherever the rest is. So it is left out here.
BY_GRADIENT = {"l2_linear": 0.5, "l2_embedding": 10.0, "crosses": None}
TEXT = """## CUDA

AFM (k = t) and FM on all training rows of Frappe, with `l2_linear=0.5, l2_embedding=10,
crosses=None`: seconds per epoch, and rows per second in a call of `predict`.
"""


def measure(arena):
    """Yield the lines of the table: one fit at a time, then several at once."""
    train_rows = arena.frappe("train")
    threads = {f"{CPU}, {_threads(n)}": n for n in (arena.threads, 1)}
    ways = {name: {"device": "cpu", "threads": n} for name, n in threads.items()}
    with arena.contest(ways | {CUDA: {}}, 16, train_rows, train_rows) as contest:
        device = contest.ask(CUDA, "cuda_device")
        if device is not None:
            ways = {CUDA: {"device": "cuda"}, **ways}
        for (
            name,
            way,
        ) in ways.items():  # a device starts and loads its kernels, which is not counted
            contest.ask(name, "build", k=16, **BY_GRADIENT | way)
            contest.ask(name, "train")
        n_rows = contest.ask(CUDA, "n_rows")
        sizes = arena.pick((DIMS, BATCH_SIZES), (QUICK_DIMS, QUICK_BATCH_SIZES))
        for model, k, batch_size in product(MODELS, *sizes):
            options = MODELS[model] | BY_GRADIENT | {"batch_size": batch_size}
            replies = {name: [] for name in ways}
            for name, way in ways.items():
                contest.ask(name, "build", k=k, **options | way)
            for _ in range(arena.repeats):
                for name in ways:
                    replies[name].append(_epoch_and_prediction(contest, name))
            case = f"{model}, k = {k}, batches of {count(batch_size)}"
            yield entry(case, replies, {}, device=device, n_rows=n_rows)
    yield from _measure_several(arena, train_rows, device)


def _epoch_and_prediction(contest, name):
    epoch = contest.ask(name, "train")["epoch_seconds"]
    return {"seconds": epoch, "predict_seconds": contest.ask(name, "predict")["seconds"]}


def _measure_several(arena, train_rows, device):
    """Yield lines of several processes that fit an AFM at once, each with one thread."""
    names = [f"{OURS}, fit {number}" for number in range(arena.pick(FITS, QUICK_FITS))]
    with (
        arena.contest({name: {"threads": 1} for name in names}, 16, train_rows) as contest,
        ThreadPoolExecutor(len(names)) as pool,
    ):

        def each(action, **arguments):
            asked = [pool.submit(contest.ask, name, action, **arguments) for name in names]
            return [one.result() for one in asked]

        for where in ["cpu"] if device is None else ["cuda", "cpu"]:
            each("build", k=16, device=where, **BY_GRADIENT)
            each("train")
            for k in arena.pick(SHARED_DIMS, QUICK_SHARED_DIMS):
                each("build", k=k, device=where, **BY_GRADIENT)
                replies = {name: [] for name in names}
                for _ in range(arena.repeats):
                    for name, reply in zip(names, each("train"), strict=True):
                        replies[name].append({"seconds": reply["epoch_seconds"]})
                case = f"k = {k}, {where.upper()}"
                yield entry(case, replies, {}, device=device, fits=len(names))


def _threads(number):
    return "1 thread" if number == 1 else f"{number} threads"


def report(lines):
    """Make Markdown of the lines."""
    device = lines[0]["device"]
    alone = [line for line in lines if "fits" not in line]
    several = [line for line in lines if "fits" in line]
    names = list(alone[0]["replies"])
    shown = [name.removeprefix(f"{OURS}, ") for name in names]
    body = []
    for line in alone:
        epochs = [_median(line["replies"][name], "seconds") for name in names]
        seconds = [_median(line["replies"][name], "predict_seconds") for name in names]
        predicted = [count(line["n_rows"] / second) for second in seconds]
        body.append([line["case"], *(f"{epoch:.2f}" for epoch in epochs), *predicted])
    head = ["", *(f"{name}, s" for name in shown), *(f"predict, {name}" for name in shown)]
    fits = several[0]["fits"]
    text = (
        f"{fits} processes at once, each with one thread and an AFM of its own, in batches of 512: "
        "seconds per epoch of each, and epochs per minute of all."
    )
    together = []
    for line in several:
        epochs = [_median(turns, "seconds") for turns in line["replies"].values()]
        together.append(
            [line["case"], f"{median(epochs):.2f}", count(60 * sum(1 / e for e in epochs))]
        )
    second = table(["", "seconds per epoch", "epochs per minute"], together)
    where = f"CUDA device: {device}." if device else "There was no CUDA device."
    return "\n\n".join([where, table(head, body), text, second])


def _median(turns, key):
    return median(turn[key] for turn in turns)
