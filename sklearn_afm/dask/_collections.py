"""Dask collections, a partition at a time."""

from collections.abc import Callable
from uuid import uuid4

import numpy as np
from dask import array, delayed
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph


def is_frame(collection) -> bool:
    """Whether a Dask collection is a DataFrame or a Series."""
    return hasattr(collection, "to_delayed") and hasattr(collection, "divisions")


def refuse_local(**values) -> None:
    """Refuse values that are no Dask collections, by name; None is none."""
    for name, value in values.items():
        is_known = is_frame(value) or isinstance(value, array.Array)
        if value is not None and not is_known:
            raise TypeError(
                f"{name} is a {type(value).__name__}; it must be a Dask array or DataFrame. For "
                "rows in memory use the estimator of the same name without Dask, or make them a "
                "collection, as by dask.array.from_array."
            )


def partitions_of(collection, *, optimize_graph: bool) -> list[Delayed]:
    """The partitions of a Dask array or DataFrame, with all columns each.

    A graph is optimised once, here or when what follows is computed: twice gives other tasks the
    same keys.
    """
    if is_frame(collection):
        return collection.to_delayed(optimize_graph=optimize_graph)
    if collection.ndim > 1 and collection.numblocks[1] > 1:
        collection = collection.rechunk({1: -1})
    return list(collection.to_delayed(optimize_graph=optimize_graph).ravel())


def rows_of_partitions(collection) -> list[float]:
    """The number of rows of each partition; NaN if it is not known yet."""
    if is_frame(collection):
        return [np.nan] * collection.npartitions
    return list(collection.chunks[0])


def map_partitions(function: Callable, fitted, collection, meta) -> array.Array:
    """The lazy array of what ``function(fitted, partition, meta)`` makes of each partition.

    `meta` is an array of no rows, of the kind, the type and the columns that come out.
    """
    fitted = delayed(fitted, pure=False)  # once in the graph, and not hashed
    partitions = partitions_of(collection, optimize_graph=is_frame(collection))
    blocks = [delayed(function, pure=False)(fitted, partition, meta) for partition in partitions]
    return _assembled(blocks, rows_of_partitions(collection), meta)


def _assembled(blocks: list[Delayed], n_rows: list[float], meta) -> array.Array:
    """The array of blocks one below the other, also those without rows."""
    name = f"sklearn_afm-{uuid4().hex}"
    columns = meta.shape[1:]
    places = {(name, i, *[0] * len(columns)): block.key for i, block in enumerate(blocks)}
    graph = HighLevelGraph.from_collections(name, places, dependencies=blocks)
    chunks = (tuple(n_rows), *((n,) for n in columns))
    return array.Array(graph, name, chunks, meta=meta)
