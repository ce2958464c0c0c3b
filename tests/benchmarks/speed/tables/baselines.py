"""Training of the other models, beside the public implementations of each."""

from arena import OURS, QUICK_ROWS, entry
from figures import MIB, compared, count, rate
from rows import HIDDEN_LAYER_SIZES

from .memory import in_fresh_processes

# The public implementations of each model, among the installed packages.
PEERS_OF = {
    "FM": ("torchfm",),
    "FFM": ("torchfm",),
    "NFM": ("torchfm", "DeepCTR-Torch"),
    "Wide&Deep": ("torchfm", "DeepCTR-Torch"),
    "DeepFM": ("torchfm", "DeepCTR-Torch"),
}
TEXT = """## Other models

`sklearn_afm.baselines` and FMRegressor beside the same models of torchfm and DeepCTR-Torch, k = 64.
Hidden layers: one of 64 units in NFM; 256, 128 and 64 units in Wide&Deep and DeepFM. With
`l2_linear=0.5`, no fit begins with a linear part. First training rows per second; then the peak
memory in MiB of a model and an epoch of 20,000 rows, without the imported libraries and the rows,
in fresh processes.
"""


def measure(arena):
    """Yield the lines of the table."""
    k = arena.pick(64, 8)
    for model in arena.pick(list(PEERS_OF), ["DeepFM"]):
        built = {name: {"model": model} for name in PEERS_OF[model] if name in arena.peers}
        built[OURS] = {"model": model, "l2_linear": 0.5, "l2_embedding": 1.0} | _layers(model)
        n_rows = arena.pick(20_000 if model == "FFM" else 60_000, QUICK_ROWS)
        with arena.contest(built, k, arena.frappe("train", n_rows)) as contest:
            replies = contest.rounds("train", arena.repeats)
        yield entry(model, replies, contest.failures, n_rows=n_rows, measures="speed")
        memory_rows = arena.frappe("train", 20_000)
        line = in_fresh_processes(arena, list(built), model, "train", k, memory_rows, built=built)
        yield line | {"measures": "memory"}


def report(lines):
    """Make Markdown of the lines."""

    def growth(line, name, reply):
        return reply["growth"] / MIB

    speed = [line for line in lines if line["measures"] == "speed"]
    memory = [line for line in lines if line["measures"] == "memory"]
    return "\n\n".join(
        [
            compared(speed, rate, count),
            compared(memory, growth, "{:.1f}".format, more_is_better=False),
        ]
    )


def _layers(model):
    sizes = HIDDEN_LAYER_SIZES.get(model)
    return {} if sizes is None else {"hidden_layer_sizes": sizes}
