"""Make docs/benchmarks.md of the measured tables: its head, and one section per table."""

from tables import TABLES

HEAD = """# Speed and memory

This page compares AFMRegressor with four public AFMs, and other models with two packages that have
them. The line below each table names the machine. The contestants take turns (A B C D E, A B C D E,
...), one at a time, each in its own process. Each figure is the median over the rounds. A ratio is
computed within a round, against the peer with the best median. It is given as median (minimum to
maximum over the rounds).

    bash tests/benchmarks/speed/make_peers.sh
    python tests/benchmarks/speed/run.py {tables} \\
        --data-home DIR --json FILE
    python tests/benchmarks/speed/run.py --report FILE > docs/benchmarks.md

`DIR` holds `frappe/*.npz`: 202,027 training and 57,722 validation rows of ten fields, 5,382
columns. k is `embedding_dim` and t is `attention_dim`. Unless a table says otherwise, t = k,
batches have 512 rows, dropout on the pooled vector is 0.2, the optimiser is Adagrad, and the
computation is in float32 with squared loss.

- **sklearn_afm**: whole calls of `fit` and `predict` on a CSR matrix, including the checks of the
  input; `warm_start=True, early_stopping=False`; default penalties and learning rate.
- **DeepCTR-Torch**: `AFM` as shipped, through its `fit` and `predict`.
- **torchfm**: `AttentionalFactorizationMachineModel` in a plain loop over slices of shuffled
  tensors. It uses log loss, because it ends in a sigmoid. Its dropout ignores `eval()`, so it is
  turned off by hand for predictions.
- **FuxiCTR**: its wheel has layers, but no AFM. Here an AFM is built from these layers. It uses its
  own `train_step`, on slices of tensors instead of its data loader.
- **plain torch**: the model in twenty lines, in the same loop as torchfm.

Peers update all parameters with dense Adagrad; torchfm and plain torch use torch's fused form. If a
peer predicts in slices of rows, the fastest of 512, 1024, 2048 and 4096 rows per slice is used.

[limits.md](limits.md) says what limits these figures, and what was tried.
"""


def page(measured):
    """Make the page's Markdown from the tables that were measured."""
    names = [name for name in TABLES if name in measured]
    sections = [section(TABLES[name], measured[name]) for name in names]
    return "\n\n".join([HEAD.format(tables=" ".join(names)).rstrip(), *sections])


def section(table, measured):
    """Make the section of a table: heading, text, table and foot."""
    return "\n\n".join([table.TEXT.strip(), table.report(measured["entries"]), foot(measured)])


def foot(measured):
    """Say when, where and with which versions a table was measured."""
    machine = measured["machine"]
    native = ", ".join(machine["native_bfloat16"]) or "none"
    packages = {}
    for versions in measured["versions"].values():
        packages |= versions or {}
    listed = ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))
    return (
        f"{measured['date']}; {machine['cpu']}, {machine['cores']} cores, native bfloat16: "
        f"{native}; {_counted(measured['threads'], 'thread')}, "
        f"{_counted(measured['repeats'], 'round')}"
        f"{', a trial on few rows' if measured['quick'] else ''}; Python {machine['python']}, "
        f"{listed}."
    )


def _counted(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
