"""docs/benchmarks.md from the measured tables: its head, and a section per table."""

from tables import TABLES

HEAD = """# Speed and memory

AFMRegressor beside four public AFMs on the machines named below each table. Contestants take
turns, A B C D E, A B C D E, ..., each in a process of its own and one at a time; each figure is
the median over the rounds. A ratio is taken within a round, against the peer with the best
median, and stands as median (least to most over the rounds).

    bash tests/benchmarks/speed/make_peers.sh
    python tests/benchmarks/speed/run.py {tables} \\
        --data-home DIR --json FILE
    python tests/benchmarks/speed/run.py --report FILE > docs/benchmarks.md

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


def page(measured):
    """The page's Markdown, of the tables that were measured."""
    names = [name for name in TABLES if name in measured]
    sections = [section(TABLES[name], measured[name]) for name in names]
    return "\n\n".join([HEAD.format(tables=" ".join(names)).rstrip(), *sections])


def section(table, measured):
    """Heading, text, table and circumstances."""
    return "\n\n".join([table.TEXT.strip(), table.report(measured["entries"]), foot(measured)])


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
