"""`python -m sklearn_afm.experiments NAME ...`: each writes numbers (JSON), a table, a picture."""

import argparse
import json
from functools import cache
from pathlib import Path

from . import _rows
from ._runs import results_of, write
from ._studies import STUDIES


def main(arguments=None) -> None:
    """Run the named experiments, and write their results."""
    options = _options(arguments)

    @cache
    def rows_of(rows):
        name, *seed = rows
        try:
            if name in ("frappe", "movielens_tags"):
                return getattr(_rows, name)(options.data_home, options.measure_on)
            return _rows.movielens_100k(options.data_home, *seed)
        except OSError as error:
            raise SystemExit(str(error)) from error

    out = Path(options.out)
    for name in options.names:
        study = STUDIES[name]
        dim = options.embedding_dim or study.embedding_dim
        seeds = range(options.seeds or study.n_seeds)
        print(f"{study.title}; embedding_dim {dim}, {len(seeds)} seeds, results in {out}")
        runs = study.runs(dim, seeds)
        results = results_of(runs, out / f"runs-{options.measure_on}", rows_of)
        _report(study, results, out / name)


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_afm.experiments",
        description="Reproduce tables and figures of the AFM paper. Finished runs are kept in the "
        "folder of results. If interrupted, run the same command again to continue.",
    )
    parser.add_argument("names", nargs="+", choices=list(STUDIES), metavar="NAME",
                        help=", ".join(STUDIES))  # fmt: skip
    parser.add_argument("--data-home", help="folder of the data sets; see sklearn_afm.datasets")
    parser.add_argument("--out", default="experiments", help="folder for the results")
    parser.add_argument("--embedding-dim", type=int, help="instead of the experiment's own value")
    parser.add_argument("--seeds", type=int, help="number, instead of the experiment's own")
    parser.add_argument(
        "--measure-on",
        choices=["validation", "test"],
        default="validation",
        help="part to measure on; early stopping always uses the validation part",
    )
    return parser.parse_args(arguments)


def _report(study, results, stem: Path) -> None:
    """Write NAME.json, NAME.md and, with matplotlib, NAME.png."""
    write(stem.with_suffix(".json"), json.dumps(results, indent=1))
    table = study.table(results)
    write(stem.with_suffix(".md"), table)
    print(f"\n{table}")
    try:
        import matplotlib
    except ImportError:
        print(f"No picture: {stem}.png needs matplotlib. Install it, or sklearn_afm[plot].")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    width = 6 if study.n_panels == 1 else 4.6 * study.n_panels
    figure, axes = plt.subplots(
        1, study.n_panels, figsize=(width, 3.8), layout="constrained", squeeze=False
    )
    study.draw(results, list(axes[0]))
    figure.savefig(stem.with_suffix(".png"), dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
