"""Recognise that memory ran out, and compute the same rows again in smaller groups."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from .batches import Batch, Batcher

# Messages of torch's allocators. Their errors are plain RuntimeErrors.
Result = TypeVar("Result")
_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether the error means that an allocation failed, on the host or on a device."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _MESSAGES)


@contextmanager
def torch_memory_errors() -> Iterator[None]:
    """Turn the errors that torch raises if memory runs out into MemoryErrors, as in NumPy."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise MemoryError(
            f"Not enough memory ({str(error).splitlines()[0]}). Lower embedding_dim, "
            "attention_dim or batch_size, hash the levels into fewer columns, or free memory."
        ) from error


def in_groups_that_fit(
    batcher: Batcher,
    rows: tuple,
    work: Callable[[Batch], Result],
    before_retry: Callable[[], None],
) -> Result:
    """Return work(batch of the rows). If memory runs out, retry with groups of half the size.

    `before_retry` must undo everything that a failed `work` has changed. The batcher keeps the
    smaller size. Raises MemoryError if memory runs out even with one row per group.
    """
    while True:
        batch = batcher.batch(*rows)
        try:
            return work(batch)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if not batcher.halve_groups(batch):
                raise MemoryError(_message(batcher, batch)) from error
        # Not in the except block: there, the error still holds the memory of the failed attempt.
        before_retry()


def _message(batcher: Batcher, batch: Batch) -> str:
    width = int(batch.row_lengths.max(initial=0))
    size = 8 * batcher.row_cost(width) / 2**20
    return (
        f"Not enough memory, even for one row at a time: the longest of {len(batch.row_lengths)} "
        f"rows has {width} non-zeros and needs about {size:.1f} MiB, in addition to the parameters "
        f"of {len(batch.columns)} columns. Lower embedding_dim, attention_dim or batch_size, use "
        "rows with fewer non-zeros, or free memory."
    )
