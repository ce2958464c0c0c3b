"""A table that is sharded by column over ranks, beside one that each rank holds: a simulation.

    OMP_NUM_THREADS=1 python tests/benchmarks/sharded.py [--ranks 2] [--columns 10000000] ...

Embeddings and linear weights of column c lie on rank c modulo the number of ranks, with their
optimiser's sums. A step fetches the rows of its batch's columns from their ranks, and sends their
gradients there. It is the trainer of the package, except for these two places. The same steps are
taken with whole tables, and the parameters are compared. Bytes are those that a rank receives from
others in a step, counted, and by the formulas of docs/guide/billions.md.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from torch import distributed

sys.path.insert(0, str(Path(__file__).parents[1]))

from ranks import on_ranks

from sklearn_afm._afm import AFM
from sklearn_afm._core import ranks
from sklearn_afm._core.losses.squared_error import SquaredError
from sklearn_afm._core.training.data import TrainingData
from sklearn_afm._core.training.gradients import mean_over_ranks
from sklearn_afm._core.training.optimizers import Adagrad
from sklearn_afm._core.training.trainer import Trainer

K = 16
ID_BYTES = 8


class Exchange:
    """Rows that each rank sends to each other rank; counts the bytes that come from others."""

    def __init__(self):
        self.received = 0

    def __call__(self, rows, sizes):
        """The rows that come, and how many from each rank. `rows` are those for rank 0, 1, ..."""
        sizes = torch.tensor(sizes)
        coming = torch.empty_like(sizes)
        distributed.all_to_all_single(coming, sizes)
        result = rows.new_empty(int(coming.sum()), rows.shape[1])
        distributed.all_to_all_single(result, rows, coming.tolist(), sizes.tolist())
        self.received += result[0:1].nbytes * int(coming.sum() - coming[distributed.get_rank()])
        return result, coming.tolist()


class Fetched:
    """The rows of a table that belong to a batch's columns, in place of the table."""

    def __init__(self, n_columns, rows):
        self.n_columns, self.rows, self.device = n_columns, rows, rows.device

    def __len__(self):
        return self.n_columns

    def index_select(self, dimension, columns):
        """The rows; `columns` are those that were fetched."""
        return self.rows


class ShardedTrainer(Trainer):
    """The trainer, with per-column parameters on the ranks that own the columns."""

    def shard(self, exchange):
        """Keep the rows of this rank's columns alone."""
        self.exchange = exchange
        self.n_columns = len(self.parameters["linear_weights"])
        own = slice(ranks.rank(), None, ranks.n_ranks())
        self.names = sorted(self.model.per_column)
        self.shards = {name: self.parameters.pop(name)[own].clone() for name in self.names}
        self.widths = [self.shards[name].shape[1] for name in self.names]
        for name in self.names:
            key = f"{name}/square_sum"
            self.optimizer.state[key] = self.optimizer.state[key][own].clone()

    def _gradients(self, data, batch, rows):
        owner = torch.from_numpy(batch.columns) % ranks.n_ranks()
        self.order = owner.argsort(stable=True)
        self.sizes = owner.bincount(minlength=ranks.n_ranks()).tolist()
        asked = torch.from_numpy(batch.columns)[self.order, None]
        wanted, self.n_wanted = self.exchange(asked, self.sizes)
        self.places = wanted[:, 0] // ranks.n_ranks()
        answer = torch.cat([self.shards[name][self.places] for name in self.names], 1)
        fetched, _ = self.exchange(answer, self.n_wanted)
        table = torch.empty_like(fetched)
        table[self.order] = fetched
        for name, part in zip(self.names, table.split(self.widths, 1)):
            self.parameters[name] = Fetched(self.n_columns, part.contiguous())
        return super()._gradients(data, batch, rows)

    def _step_of_others(self):
        return False  # all ranks have as many steps

    def _update_all_ranks(self, gradients, columns, total):
        whole = {name: value for name, value in gradients.items() if name not in self.names}
        numbered = self._batcher.number_columns
        mean, _ = mean_over_ranks(whole, columns, total, frozenset(), numbered)
        weights = ranks.gather_numbers("shard", total)[:, 0]
        sent = torch.cat([gradients[name] for name in self.names], 1)[self.order]
        came, _ = self.exchange(sent, self.sizes)
        rows, number = self.places.unique(return_inverse=True)
        sums = came.new_zeros(len(rows), came.shape[1])
        shares = (weights / weights.sum()).tolist()
        parts = zip(came.split(self.n_wanted), number.split(self.n_wanted), shares)
        for part, place, share in parts:
            sums.index_add_(0, place, part, alpha=share)
        self._update(mean, columns)
        for name, gradient in zip(self.names, sums.split(self.widths, 1)):
            self.optimizer.update(name, self.shards[name], gradient.contiguous(), rows)
        return True


class Steps:
    """Epochs on rows of one-hot fields whose levels are as unequal as words are."""

    def __init__(self, options, sharded):
        self.options, self.sharded = options, sharded

    def __call__(self, rank, n_ranks):
        """Seconds and bytes a step, distinct columns, and the parameters of the owned columns."""
        o = self.options
        X = draw(o, np.random.default_rng(rank + 1))
        model = AFM(K, K, n_outputs=1, median_pairs=o.fields * (o.fields - 1) // 2)
        rng = np.random.default_rng(0)
        parameters = {
            p.name: torch.from_numpy(
                p.start(model.shape(p, X.shape[1]), rng, np.float64).astype(o.dtype)
            )
            for p in model.parameters
        }
        trainer = (ShardedTrainer if self.sharded else Trainer)(
            model=model,
            loss=SquaredError(),
            parameters=parameters,
            trained=list(parameters),
            optimizer=Adagrad(parameters, dict.fromkeys(parameters, 0.05), o.batch),
            batch_size=o.batch,
            penalties={},
            order_rng=np.random.default_rng(rank),
            mask_generator=torch.Generator(),
        )
        target = torch.from_numpy(np.random.default_rng(rank).normal(size=(o.rows, 1)))
        data = TrainingData(X, True, target.to(parameters["bias"].dtype), None, np.empty(0))
        received = Received()
        with ranks.together():
            exchange = Exchange()
            if self.sharded:
                trainer.shard(exchange)
            started = time.perf_counter()
            trainer.run_epoch(data)
            seconds = time.perf_counter() - started
        n_steps = o.rows // o.batch
        n_bytes = exchange.received if self.sharded else received.of_columns
        tables = trainer.shards if self.sharded else parameters
        own = slice(None) if self.sharded else slice(rank, None, n_ranks)
        found = {name: tables[name][own][:100_000].numpy() for name in model.per_column}
        return seconds / n_steps, n_bytes / n_steps, distinct(X, o.batch), found


class Received:
    """Counts what all_gather brings from others, without headers."""

    def __init__(self):
        self.of_columns = 0
        gather = distributed.all_gather

        def counted(received, sent, **settings):
            if sent.dtype != torch.uint8:
                self.of_columns += sent.nbytes * (len(received) - 1)
            return gather(received, sent, **settings)

        distributed.all_gather = counted


def draw(options, rng):
    """One-hot rows of ten fields; frequencies of levels are like 1 / rank."""
    n_levels = options.columns // options.fields
    levels = (n_levels ** rng.random((options.rows, options.fields))).astype(np.int64) - 1
    columns = levels + n_levels * np.arange(options.fields)
    indptr = np.arange(options.rows + 1) * options.fields
    ones = np.ones(columns.size, options.dtype)
    return sparse.csr_array((ones, columns.ravel(), indptr), (options.rows, options.columns))


def distinct(X, batch):
    """Distinct columns of a batch, on average."""
    entries = X.indices.reshape(-1, batch, X.nnz // X.shape[0])
    return np.mean([len(np.unique(part)) for part in entries])


def main():
    """Print seconds and bytes of both ways, and the largest difference of their parameters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1 << 16, help="of each rank")
    parser.add_argument("--batch", type=int, default=4096, help="rows of each rank in a step")
    parser.add_argument("--fields", type=int, default=10)
    parser.add_argument("--columns", type=int, default=1_000_000)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    options = parser.parse_args()
    options.rows -= options.rows % options.batch
    number = np.dtype(options.dtype).itemsize * (K + 1)
    others = options.ranks - 1
    print(f"{options.ranks} ranks, {options.columns:,} columns, k = {K}, {options.batch} rows each")
    print(f"{'':10} {'s a step':>9} {'MB received a step':>19} {'by formula':>11}")
    found = {}
    for name, sharded in (("whole", False), ("sharded", True)):
        results = [of_rank[0] for of_rank in on_ranks(options.ranks, Steps(options, sharded))]
        for result in results:
            if isinstance(result, BaseException):
                raise result
        seconds, n_bytes, n_columns, _ = results[0]
        formula = {
            "whole": others * n_columns * (ID_BYTES + number),
            "sharded": others / options.ranks * n_columns * (ID_BYTES + 2 * number),
        }[name]
        print(f"{name:10} {seconds:>9.3f} {n_bytes / 1e6:>19.2f} {formula / 1e6:>11.2f}")
        found[name] = [tables for *_, tables in results]
    differences = [
        np.abs(whole[name] - sharded[name]).max()
        for whole, sharded in zip(found["whole"], found["sharded"])
        for name in whole
    ]
    print(f"distinct columns of a batch: {n_columns:,.0f}")
    print(f"largest difference of the parameters: {max(differences):.1e}")
    if max(differences) > 1e-5:
        sys.exit("The parameters differ by more than rounding.")


if __name__ == "__main__":
    main()
