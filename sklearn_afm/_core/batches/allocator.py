"""Make the C library keep freed memory: each step needs arrays of the same sizes again."""

from functools import cache

import numpy as np

# glibc does not raise its thresholds to the size of larger blocks (mallopt(3), M_MMAP_THRESHOLD).
_LARGEST_BLOCK = 31 << 20


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep up to twice this block's size, instead of returning it to the system.

    By default, glibc returns large blocks to the system as soon as they are freed. Then each step
    causes page faults for its arrays, which slow down other processes too. Once a block has been
    freed, glibc keeps other blocks up to its size (mallopt(3), "dynamic mmap threshold"). So one
    block is made and freed here. Its memory is never used. Other allocators are not affected.
    """
    np.empty(_LARGEST_BLOCK, dtype=np.uint8)
