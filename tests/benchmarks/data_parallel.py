"""Rows per second of data-parallel fits: several ranks of one thread each against one.

    OMP_NUM_THREADS=1 python tests/benchmarks/data_parallel.py [--ranks 2] [--rows 65536] ...

Each rank has rows of its own, and takes `--batch` of them in a step. The rows per second are those
of all ranks together, in the fastest epoch but the first. Each number of ranks is run several times
in turn. The bytes are those that a rank hands over to gloo in an epoch, by steps.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parents[1]))

from ranks import on_ranks

import sklearn_afm


class Fit:
    """A fit on rows of one-hot fields whose levels are as unequal as words are."""

    def __init__(self, options):
        self.options = options

    def __call__(self, rank, n_ranks):
        o, rng = self.options, np.random.default_rng(rank)
        n_levels = o.columns // o.fields
        levels = np.minimum(n_levels ** rng.random((o.rows, o.fields)), n_levels - 1).astype(int)
        columns = levels + n_levels * np.arange(o.fields)
        rows = (
            np.ones(columns.size, np.float32),
            columns.ravel(),
            np.arange(o.rows + 1) * o.fields,
        )
        X = sparse.csr_array(rows, (o.rows, n_levels * o.fields))
        sent = []
        if n_ranks > 1:
            for place, name in ((1, "all_gather"), (0, "all_reduce")):
                setattr(torch.distributed, name, counted(name, place, sent))
        model = self.model()
        model.fit(X, rng.normal(size=o.rows))
        n_steps = -(-o.rows // o.batch)
        fastest = max(record["rows_per_second"] for record in model.history_[1:])
        return fastest, sum(sent) / (o.epochs * n_steps)

    def model(self):
        o = self.options
        sizes = {"embedding_dim": o.k} | ({"attention_dim": o.k} if o.model[0] == "A" else {})
        return getattr(sklearn_afm, o.model)(
            **sizes,
            l2_linear=0.5,
            l2_embedding=10.0,
            batch_size=o.batch,
            max_iter=o.epochs,
            early_stopping=False,
            averaging_decay=0.0,
            device="cpu",
            random_state=0,
        )


def counted(name, place, sent):
    """A collective that notes how many bytes it is given."""
    collective = getattr(torch.distributed, name)

    def count(*arguments):
        sent.append(arguments[place].nbytes)
        return collective(*arguments)

    return count


def main():
    """Print a line for each run, and the ratio of the best."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="AFMRegressor")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1 << 16, help="of each rank")
    parser.add_argument("--batch", type=int, default=4096, help="rows of each rank in a step")
    parser.add_argument("--fields", type=int, default=10)
    parser.add_argument("--columns", type=int, default=100_000)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    best = {}
    print(f"{'ranks':>5} {'rows/s':>10} {'MB a step, each rank':>21}")
    for _ in range(options.repeats):
        for n_ranks in (1, options.ranks):
            (speed, sent), *_ = (results[0] for results in on_ranks(n_ranks, Fit(options)))
            best[n_ranks] = max(best.get(n_ranks, 0), speed)
            print(f"{n_ranks:>5} {speed:>10,.0f} {sent / 1e6:>21.2f}", flush=True)
    print(f"{options.ranks} ranks / 1 rank: {best[options.ranks] / best[1]:.2f}")


if __name__ == "__main__":
    main()
