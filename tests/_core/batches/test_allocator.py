import platform
import subprocess
import sys

import pytest

# Page faults of arrays that are made and freed, before and after keep_freed_memory.
SCRIPT = """
import resource
import numpy as np
from sklearn_afm._core.batches.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        np.ones(1 << 18)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
keep_freed_memory()
faults()
print(first, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tests glibc's allocator")
def test_freed_memory_is_used_again():
    environment = {"MALLOC_MMAP_THRESHOLD_": "131072"}
    fixed = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, env=environment)
    plain = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True)
    assert int(plain.stdout.split()[1]) < 1000
    # With a fixed threshold, the allocator cannot adapt: the page faults stay.
    assert int(fixed.stdout.split()[1]) > 10_000
