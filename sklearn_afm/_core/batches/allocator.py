"""The C library's allocator: keep what was freed, as every step asks for the same again."""

from functools import cache

import numpy as np

# glibc gives no larger block's size to its thresholds (mallopt(3), M_MMAP_THRESHOLD).
_LARGEST_BLOCK = 31 << 20


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep up to twice this block's size instead of giving it back.

    glibc returns larger blocks to the system as soon as they are freed, and every step then
    takes page faults for its arrays, which hinder other processes too. It stops to do so
    after a block of that size was freed once (mallopt(3), "dynamic mmap threshold"); the
    block is never touched. Other allocators do not mind.
    """
    np.empty(_LARGEST_BLOCK, dtype=np.uint8)
