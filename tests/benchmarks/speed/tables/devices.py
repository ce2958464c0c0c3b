"""A CUDA device against a CPU."""

from itertools import product
from statistics import median

from arena import OURS, entry
from figures import count, table

MODELS = ("AFM", "FM")
DIMS, BATCH_SIZES = (16, 64, 256), (512, 4096, 65_536)
QUICK_DIMS, QUICK_BATCH_SIZES = (16,), (512,)
CPU, CUDA = f"{OURS}, CPU", f"{OURS}, CUDA"
# The linear part is fitted in NumPy, wherever the rest is. So it is left out here.
BY_GRADIENT = {"l2_linear": 0.5, "l2_embedding": 10.0, "crosses": None}
EPOCH, PREDICT = "seconds per epoch", "rows per second in predict"
TEXT = """## CUDA

AFM (k = t) and FM on all training rows of Frappe, without a linear part of its own:
`l2_linear=0.5, l2_embedding=10, crosses=None`.
"""


def measure(arena):
    """Yield the lines of the table: epochs by batch size, then predictions."""
    train_rows = arena.frappe("train")
    threads = {f"{CPU}, {_threads(n)}": n for n in (arena.threads, 1)}
    ways = {name: {"device": "cpu", "threads": n} for name, n in threads.items()}
    with arena.contest(ways | {CUDA: {}}, 16, train_rows, train_rows) as contest:
        device = contest.ask(CUDA, "cuda_device")
        if device is not None:
            ways = {CUDA: {"device": "cuda"}, **ways}
        # A device starts and loads its kernels, which is not counted.
        for name, way in ways.items():
            contest.ask(name, "build", k=16, **BY_GRADIENT | way)
            contest.ask(name, "train")
        facts = {"device": device, "n_rows": contest.ask(CUDA, "n_rows")}
        dims, batch_sizes = arena.pick((DIMS, BATCH_SIZES), (QUICK_DIMS, QUICK_BATCH_SIZES))
        for model, k in product(MODELS, dims):
            for batch_size in batch_sizes:
                options = {"model": model, "batch_size": batch_size} | BY_GRADIENT
                for name, way in ways.items():
                    contest.ask(name, "build", k=k, **options | way)
                replies = _in_turns(contest, ways, "train", arena.repeats)
                case = f"{model}, k = {k}, batches of {count(batch_size)}"
                yield entry(case, replies, {}, what=EPOCH, **facts)
            replies = _in_turns(contest, ways, "predict", arena.repeats)
            yield entry(f"{model}, k = {k}", replies, {}, what=PREDICT, **facts)


def _in_turns(contest, names, action, repeats):
    """Return the seconds of an epoch or of a prediction, by name and round."""
    replies = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            reply = contest.ask(name, action)
            replies[name].append({"seconds": reply.get("epoch_seconds", reply["seconds"])})
    return replies


def _threads(number):
    return "1 thread" if number == 1 else f"{number} threads"


def report(lines):
    """Make Markdown of the lines."""
    device = lines[0]["device"]
    parts = [f"CUDA device: {device}." if device else "There was no CUDA device."]
    for what in (EPOCH, PREDICT):
        chosen = [line for line in lines if line["what"] == what]
        names = list(dict.fromkeys(name for line in chosen for name in line["replies"]))
        body = [[line["case"], *(_shown(line, name) for name in names)] for line in chosen]
        parts.append(table([what, *(name.removeprefix(f"{OURS}, ") for name in names)], body))
    return "\n\n".join(parts)


def _shown(line, name):
    if name not in line["replies"]:
        return ""
    seconds = median(turn["seconds"] for turn in line["replies"][name])
    return f"{seconds:.2f}" if line["what"] == EPOCH else count(line["n_rows"] / seconds)
