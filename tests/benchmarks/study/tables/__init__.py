"""The tables that are measured here, by name: one module for each.

A module's docstring says what it measures. `add_options(parser)` adds the options of its own,
`measure(options, results)` adds results, `report(lines, options)` gives their Markdown, and
`quick(folder)` yields the command lines of a smoke run.
"""

from importlib import import_module

NAMES = (
    "comparison",
    "few_rows",
    "missing_levels",
    "known_pairs",
    "row_scaling",
    "defaults",
    "explanations",
    "long_runs",
)


def load(names):
    """Modules by name."""
    return {name: import_module(f"{__name__}.{name}") for name in names}
