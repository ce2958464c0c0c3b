"""Out of memory: recognised, and the same rows once more in smaller groups."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from .batches import Batch, Batcher

# What the allocators of torch say in a plain RuntimeError.
_MESSAGES = ("can't allocate memory", "not enough memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on the host or on a device."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _MESSAGES)


@contextmanager
def torch_memory_errors() -> Iterator[None]:
    """What torch raises where memory runs out becomes a MemoryError, as NumPy's is."""
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
    work: Callable[[Batch], object],
    before_retry: Callable[[], None],
):
    """work(batch of the rows); where memory runs out, again in groups of half the size.

    `work` must leave nothing behind that `before_retry` does not undo. The batcher keeps
    the smaller bound. MemoryError where one row a group is still too much.
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
        # Out of the except block, where the error still held what the attempt had allocated.
        before_retry()


def _message(batcher, batch) -> str:
    width = int(batch.row_lengths.max(initial=0))
    size = 8 * batcher.row_cost(width) / 2**20
    return (
        f"Not enough memory, even for one row at a time: the longest of {len(batch.row_lengths)} "
        f"rows has {width} non-zeros and needs about {size:.1f} MiB, beside the parameters of "
        f"{len(batch.columns)} columns. Lower embedding_dim, attention_dim or batch_size, use "
        "rows with fewer non-zeros, or free memory."
    )
