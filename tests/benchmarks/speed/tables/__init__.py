"""The tables of docs/benchmarks.md, in their order. Each table is one module.

A module's docstring says what it measures. `TEXT` is the section's heading and text.
`measure(arena)` yields the lines of the table: a case, the raw replies of each contestant by round,
and what failed. `report(lines)` makes Markdown of them.
"""

from . import (
    attention_free,
    baselines,
    bfloat16,
    columns,
    devices,
    grid_search,
    long_rows,
    memory,
    one_row,
    predict,
    quality,
    shared_device,
    steps,
    train,
)

_IN_ORDER = (
    train,
    bfloat16,
    quality,
    columns,
    predict,
    one_row,
    memory,
    long_rows,
    grid_search,
    steps,
    attention_free,
    baselines,
    devices,
    shared_device,
)
TABLES = {table.__name__.rpartition(".")[2]: table for table in _IN_ORDER}
