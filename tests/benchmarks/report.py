"""From raw repeats to docs/benchmarks.md: medians, ratios by round, bounds.

python tests/benchmarks/report.py FILE > docs/benchmarks.md
"""

import argparse
import json
from pathlib import Path
from statistics import median

OURS = "sklearn_afm"
MIB = 2**20

HEAD = """# Speed and memory

AFMRegressor beside four public AFMs on the machines named below each table. Contestants take
turns, A B C D E, A B C D E, ..., each in a process of its own and one at a time; each figure is
the median over the rounds. A ratio is taken within a round, against the peer with the best
median, and stands as median (least to most over the rounds).

    bash tests/benchmarks/make_peers.sh
    python tests/benchmarks/speed.py {tables} \\
        --data-home DIR --json FILE
    python tests/benchmarks/report.py FILE > docs/benchmarks.md

`DIR` holds `frappe/*.npz`: 202,027 training and 57,722 validation rows of ten fields, 5,382
columns. Unless a table says otherwise: t = k, batches of 512 rows, dropout 0.2 on the pooled
vector, Adagrad, float32, squared loss.

- **sklearn_afm**: whole calls of `fit` and `predict` on a CSR matrix, with their checks of the
  input; `warm_start=True, early_stopping=False`, penalties and learning rate at their defaults.
- **DeepCTR-Torch**: `AFM` as shipped, through its `fit` and `predict`.
- **torchfm**: `AttentionalFactorizationMachineModel` in a plain loop over slices of shuffled
  tensors, with log loss, because it ends in a sigmoid; its dropout, which does not know of
  `eval()`, is turned off by hand for predictions.
- **FuxiCTR**: its wheel holds layers, but no AFM; an AFM put together from them, with its own
  `train_step` on slices of tensors instead of its data loader.
- **plain torch**: the model in twenty lines, in the same loop as torchfm.

Peers update whole tables with dense Adagrad; torchfm and plain torch with torch's fused form.
Where a peer predicts in slices of rows, the fastest of 512, 1024, 2048 and 4096 is taken.

What bounds these figures, and what was tried: [limits.md](limits.md).
"""


# Figures


def rate(line, name, reply):
    """Rows a second."""
    return line["n_rows"] / reply["seconds"]


def compare(line, value, more_is_better=True, favour=None):
    """Medians by contestant, the best peer, and how often better ours is, by round."""
    figures = {}
    for name, turns in line["replies"].items():
        if name != "product":
            figures[name] = [value(line, name, reply) for reply in turns]
    medians = {name: median(values) for name, values in figures.items()}
    ours = favour or OURS
    peers = [name for name in figures if not name.startswith(OURS)]
    if not peers or ours not in figures:
        return medians, None, []
    best = (max if more_is_better else min)(peers, key=medians.get)
    pairs = zip(figures[ours], figures[best], strict=True)
    ratios = [a / b if more_is_better else b / a for a, b in pairs]
    return medians, best, ratios


def spread(values, digits=2):
    """Median (least to most)."""
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, median, max))
    return f"{middle} ({low} to {high})"


# Markdown


def table(head, lines):
    """A Markdown table."""
    rule = "|".join("---" for _ in head)
    return "\n".join(["| " + " | ".join(head) + " |", f"|{rule}|", *map(row, lines)])


def row(cells):
    """A line of a Markdown table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def compared(lines, value, show, more_is_better=True):
    """A table of all contestants by case, with the ratio to the best peer."""
    names = list(dict.fromkeys(name for line in lines for name in contestants(line)))
    body, failures = [], []
    for line in lines:
        medians, best, ratios = compare(line, value, more_is_better)
        cells = [show(medians[name]) if name in medians else "" for name in names]
        body.append([line["case"], *cells, f"{spread(ratios)}, {best}" if ratios else ""])
        failures += [f"{line['case']}, {name}: {why}." for name, why in line["failures"].items()]
    text = table(["", *names, "times as good as the best peer"], body)
    return "\n\n".join([text, *failures])


def contestants(line):
    """All names of an entry, those that failed too."""
    return [name for name in [*line["replies"], *line["failures"]] if name != "product"]


def count(number):
    """With separators."""
    return f"{number:,.0f}"


# Each table


def train(lines):
    """## Training

    Rows a second of a pass of training.
    """
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
                f"{flop_per_row * 512 / 1e9:.2f}",
                f"{median(product['gflops'] for product in products):.0f}",
                spread([100 * share for share in shares], 0),
            ]
        )
    head = [
        "",
        "rows of a pass",
        "rows a second of the epoch alone",
        "distinct pairs a row",
        "GFLOP a batch",
        "GFLOP/s of sgemm",
        "% of the bound",
    ]
    text = (
        "The bound: the three matrix products of the attention network over the distinct pairs of "
        "a batch, at the rate of a product of that size in the same round."
    )
    return "\n\n".join([compared(lines, rate, count), text, table(head, bounds)])


def bfloat16(lines):
    """## bfloat16

    Rows a second of a pass of training with the attention network's products in bfloat16, and
    the validation RMSE, predictions clipped to [-1, 1].
    """
    speed, learnt = lines
    name = f"{OURS}, bfloat16"
    half, single = ([rate(speed, n, reply) for reply in speed["replies"][n]] for n in (name, OURS))
    gain = spread([a / b for a, b in zip(half, single, strict=True)])
    _, best, ratios = compare(speed, rate, favour=name)
    against = f", {spread(ratios)} times that of {best}" if ratios else ""
    text = f"bfloat16 has {gain} times the speed of float32{against}."
    return "\n\n".join([compared([speed], rate, count), text, rmse_table([learnt])])


def quality(lines):
    """## What is learnt

    Validation RMSE after a few epochs over all training rows, predictions clipped to [-1, 1],
    and the seconds that it took. Adagrad at rate 0.05 and no penalties, but for "defaults":
    `AFMRegressor(embedding_dim=k, attention_dim=k, max_iter=epochs, early_stopping=False)`.
    One run.
    """
    return rmse_table(lines)


def rmse_table(lines):
    """RMSE and seconds by case."""

    def cell(line, name):
        if name not in line["replies"]:
            return ""
        (reply,) = line["replies"][name]
        return f"{reply['rmse']:.4f} ({reply['seconds']:.1f} s)"

    names = contestants(lines[0])
    body = [[line["case"], *(cell(line, name) for name in names)] for line in lines]
    return table(["", *names], body)


def columns(lines):
    """## Columns

    Milliseconds a training step of 512 made rows of ten fields, whose ids follow Zipf's law with
    exponent 1.05, k = 64; for sklearn_afm the epoch's own time, as `history_` has it.
    """

    def step(line, name, reply):
        return 1e3 * reply.get("epoch_seconds", reply["seconds"]) / line["steps"][name]

    fits = [
        f"{line['case']}: a call of `fit` takes "
        f"{median(r['seconds'] - r['epoch_seconds'] for r in line['replies'][OURS]):.2f} s "
        "beside its epoch."
        for line in lines
    ]
    return "\n\n".join([compared(lines, step, "{:.2f}".format, more_is_better=False), *fits])


def predict(lines):
    """## Prediction

    Rows a second of a call of predict.
    """
    sizes = "; ".join(f"{line['case']}: {count(line['n_rows'])} rows" for line in lines)
    return "\n\n".join([compared(lines, rate, count), sizes + "."])


def one_row(lines):
    """## Prediction of one row

    Median microseconds of a call, k = t = 64: for sklearn_afm all of `predict` on a CSR matrix
    of one row, for peers the forward pass alone on a tensor.
    """

    def microseconds(line, name, reply):
        return 1e6 * reply["seconds"]

    return compared(lines, microseconds, "{:.0f}".format, more_is_better=False)


def memory(lines):
    """## Memory

    MiB of peak memory on top of imported libraries and rows, in fresh processes: of building a
    model and training it for an epoch of 20,000 rows, or of predicting 28,860 rows (peers:
    in slices of 512).
    """

    def growth(line, name, reply):
        return reply["growth"] / MIB

    return compared(lines, growth, "{:.1f}".format, more_is_better=False)


def long_rows(lines):
    """## Long rows

    2,000 rows of 500 non-zeros among 20,000 columns, k = t = 32, in fresh processes: an epoch,
    and a prediction. One float32 array of shape (512 rows, 124,750 pairs, 32) has 7.6 GiB.
    """
    body = []
    for line in lines:
        replies = line["replies"][OURS]
        figures = [median(reply[key] for reply in replies) for key in ("peak", "growth", "seconds")]
        peak, growth, seconds = figures
        body.append([line["case"], f"{peak / MIB:.0f}", f"{growth / MIB:.0f}", f"{seconds:.1f}"])
    return table(["", "MiB at the peak", "of these not libraries and rows", "seconds"], body)


def grid_search(lines):
    """## Grid search

    Seconds of `GridSearchCV` over four candidates in two folds of 20,000 rows of Frappe, k = 64,
    with one process of all or one thread, or with two processes of one thread each.
    """
    replies = lines[0]["replies"]
    seconds = {way: [reply["seconds"] for reply in turns] for way, turns in replies.items()}
    two = seconds["n_jobs=2"]
    body = []
    for way, values in seconds.items():
        ratios = [value / other for value, other in zip(values, two, strict=True)]
        body.append([way, spread(values, 1), spread(ratios)])
    return table(["", "seconds", "divided by those of n_jobs=2"], body)


def steps(lines):
    """## A training step outside of torch

    Frappe, k = t = 16, batches of 512 rows: calls and microseconds a batch, as cProfile counts
    them in whole calls of `fit`. "In torch" are the compiled functions that Python calls; all
    else is Python and NumPy.
    """
    line = lines[0]
    body = []
    for name, turns in line["replies"].items():
        per_step = {key: median(t[key] for t in turns) / line["steps"] for key in turns[0]}
        body.append(
            [
                name,
                f"{1e6 * per_step['seconds']:.0f}",
                f"{per_step['torch_calls']:.0f}",
                f"{1e6 * per_step['torch_seconds']:.0f}",
                f"{per_step['other_calls']:.0f}",
                f"{1e6 * per_step['other_seconds']:.0f}",
            ]
        )
    head = ["", "µs, unwatched", "calls of torch", "µs in torch", "other calls", "µs outside"]
    return table(head, body)


def attention_free(lines):
    """## FM and the length of rows

    Microseconds a non-zero, k = 64, 20,000 columns. The FM's pair sum is O(m k) for a row of m
    non-zeros: its figure does not grow with m. The AFM's work a non-zero grows as the pairs do.
    """

    def microseconds(line, name):
        entries = line["n_rows"] * line["length"]
        seconds = [reply.get("epoch_seconds", reply["seconds"]) for reply in line["replies"][name]]
        return spread([1e6 * value / entries for value in seconds])

    names = contestants(lines[0])
    body = [[line["case"], *(microseconds(line, name) for name in names)] for line in lines]
    return table(["", *names], body)


TABLES = (
    train,
    bfloat16,
    quality,
    columns,
    predict,
    one_row,
    memory,
    long_rows,
    grid_search,
    steps,
    attention_free,
)


def foot(measured):
    """When, where and with what a table was measured."""
    machine = measured["machine"]
    native = ", ".join(machine["native_bfloat16"]) or "none"
    packages = {}
    for versions in measured["versions"].values():
        packages |= versions or {}
    listed = ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))
    return (
        f"{measured['date']}; {machine['cpu']}, {machine['cores']} cores, native bfloat16: "
        f"{native}; {measured['threads']} threads, {measured['repeats']} rounds"
        f"{', a trial on few rows' if measured['quick'] else ''}; Python {machine['python']}, "
        f"{listed}."
    )


def section(build, measured):
    """Heading, text, table and circumstances."""
    text = "\n".join(line.strip() for line in build.__doc__.strip().splitlines())
    return "\n\n".join([text, build(measured["entries"]), foot(measured)])


def main():
    """Print the document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("json", type=Path, help="file that speed.py wrote")
    measured = json.loads(parser.parse_args().json.read_text())
    builders = [build for build in TABLES if build.__name__ in measured]
    names = " ".join(build.__name__ for build in builders)
    sections = [section(build, measured[build.__name__]) for build in builders]
    print("\n\n".join([HEAD.format(tables=names).rstrip(), *sections]))


if __name__ == "__main__":
    main()
