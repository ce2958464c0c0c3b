"""One pass over all blocks: counts, classes, and the rows that stay in memory."""

import hashlib
from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .._data.counts import ColumnCounts, TargetCounts
from .._data.kept import LARGEST_KEY, Block, RowHash, SmallestKeys, joined
from .._data.rows import Rows
from .._data.units import Scaling, centered, column_means, column_scales, scale_of_targets
from . import auto
from .checkpoint import digest
from .reporting import Reporter
from .source import Source

# Rows of the sample, and rows that are set aside for early stopping at most.
MOST_SAMPLED = MOST_SET_ASIDE = 1 << 17


@dataclass
class Counts:
    """What a fit needs to know of all its rows."""

    sizes: np.ndarray  # (n_blocks,) rows to learn from
    columns: ColumnCounts
    targets: TargetCounts
    sample: Block  # rows to learn from, drawn evenly
    set_aside: Block | None  # rows for early stopping
    every: Block | None  # all rows, if they are one window
    digest: str | None  # of all that was read

    @property
    def weight_unit(self) -> float:
        """What weights are divided by: their mean, if it is below 1 (they are then relative)."""
        return min(1.0, self.columns.total_weight / self.columns.n_rows)

    def scaling(self, sample: Rows, column_mean, standardises: bool, n_outputs: int) -> Scaling:
        """The units of all rows; centred columns have the units of the sample.

        `column_mean` is what is subtracted from each column. "rows": what the rows ask for.
        """
        if isinstance(column_mean, str):
            column_mean = column_means(sample.X, sample.weight)
            if column_mean is not None:  # a column that another row has at 0 keeps its zeros
                full = self.columns.n_entries == self.columns.n_rows
                column_mean = np.where(full, column_mean, 0.0)
                column_mean = column_mean if column_mean.any() else None
        scales = self.columns.column_scales()
        if column_mean is not None:
            X = centered(sample.X, column_mean)
            of_sample = column_scales(X, np.repeat(sample.weight, np.diff(X.indptr)))
            scales = np.where(column_mean != 0, of_sample, scales)
        moments = np.zeros(n_outputs), np.ones(n_outputs)
        if standardises:
            mean, std = self.targets.mean, self.targets.std
            moments = mean, scale_of_targets(mean, std)
        return Scaling(scales, *moments, column_mean)


def count_classes(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """The labels of all blocks, and the summed weight of each."""
    found: list = []
    for number in range(len(source)):
        block = source.read(number)
        if block is not None:
            labels, codes = np.unique(_labels(source, number, block), return_inverse=True)
            found.append((labels, np.bincount(codes, block.weight)))
    _check_any(found)
    labels, codes = np.unique(np.concatenate([f[0] for f in found]), return_inverse=True)
    return labels, np.bincount(codes, np.concatenate([f[1] for f in found]))


def count_rows(source: Source, window_rows: int, share, *, hashes: bool, verbose: int) -> Counts:
    """Pass once over all blocks.

    Parameters
    ----------
    source : Source
        It is told which rows are set aside, and its estimator what targets there are.
    window_rows : int
        Up to so many rows, and a single block, are kept.
    share : float, int or None
        Share or number of rows to set aside; None: none.
    hashes : bool
        Whether a digest of all rows is needed.
    verbose : int
        As for the estimator.
    """
    estimator, n_blocks = source.estimator, len(source)
    sizes, every, labels, counted = np.zeros(n_blocks, dtype=np.int64), [], None, None
    state, targets = hashlib.blake2b(digest_size=16), TargetCounts()
    rng = np.random.default_rng(0)  # the sample is the same whatever random_state is
    sample, aside = SmallestKeys(MOST_SAMPLED), _set_aside(share)
    hash_of_rows = columns = None
    reporter = Reporter(verbose, n_blocks, 0, "counting", unit="blocks")

    def count(blocks: list[Block], number: int) -> None:
        for block in blocks:
            columns.add(block.X, block.weight)
            keys = rng.integers(0, LARGEST_KEY, len(block.y), dtype=np.uint64, endpoint=True)
            sample.add(block, keys, number)
            if not is_classifier(estimator):
                targets.add(source.rows(block).target, block.weight)

    try:
        for number in range(n_blocks):
            block = source.read(number)
            reporter.on_step(1)
            if block is None:
                continue
            sizes[number] = len(block.y)
            if columns is None:
                columns = ColumnCounts(block.X.shape[1])
                hash_of_rows = RowHash(block.X.shape[1])
            if is_classifier(estimator):
                found = np.unique(_labels(source, number, block))
                labels = found if labels is None else np.union1d(labels, found)
            else:
                with source.naming(number):
                    counted = _same_outputs(counted, block.y)
                    estimator._encode_target(block.y)
            if hashes:
                X = block.X
                of_block = digest(X.indptr, X.indices, X.data, block.y, block.weight)
                state.update(of_block.encode())
            every = [*every, block] if every is not None else None
            if n_blocks > 1 and sizes.sum() > window_rows:
                every = None
            if aside is None:
                count([block], number)
            else:
                count(aside.add(block, hash_of_rows(block.X), number), number)
    finally:
        reporter.close()
    n_rows = int(sizes.sum())
    _check_any(sizes.nonzero()[0])
    if not hasattr(estimator, "_outputs"):
        of_y = labels if is_classifier(estimator) else counted
        estimator._outputs = estimator._learn_target(of_y, None)
    rows = None
    if aside is not None and not auto.stops_early(estimator.early_stopping, n_rows, False):
        if aside.rows() is not None:
            count([aside.rows()], 0)
        aside = None
    if aside is not None:
        count(aside.close(), 0)
        rows, sizes = aside.rows(), sizes - aside.per_block(n_blocks)
        source.set_aside = hash_of_rows, aside.largest
        if every is None and (rows is None or not sizes.any()):
            raise ValueError(
                f"validation_fraction={share!r} sets {n_rows - sizes.sum()} of {n_rows} rows aside "
                "for early stopping, and equal rows together. Give X_val and y_val, another "
                "validation_fraction, or early_stopping=False."
            )
    sample.close()
    reporter.on_end(f"{n_rows:,} rows of {columns.weight.size:,} columns in {n_blocks:,} blocks")
    return Counts(
        sizes,
        columns,
        targets,
        sample.rows(),
        rows,
        joined(every) if every else None,
        state.hexdigest() if hashes else None,
    )


def _labels(source: Source, number: int, block: Block) -> np.ndarray:
    """The label of each row."""
    with source.naming(number), np.errstate(invalid="ignore"):
        check_classification_targets(block.y)
        return column_or_1d(block.y, warn=True)


def _same_outputs(counted: np.ndarray | None, y: np.ndarray) -> np.ndarray:
    """A row of targets; refused if other blocks have another number of them."""
    if counted is not None and counted.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"y has the shape (n_rows, {', '.join(map(str, y.shape[1:]))}), and in blocks before "
            f"it (n_rows, {', '.join(map(str, counted.shape[1:]))})."
        )
    return y[:1]


def _set_aside(share) -> SmallestKeys | None:
    if share is None:
        return None
    if isinstance(share, int):
        return SmallestKeys(share)
    return SmallestKeys(MOST_SET_ASIDE, int(share * LARGEST_KEY))


def _check_any(found) -> None:
    if not len(found):
        raise ValueError("blocks have no row with a positive weight: nothing to learn from.")
