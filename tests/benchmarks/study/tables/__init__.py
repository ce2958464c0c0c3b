"""The tables that are measured here, by name. Each table is one module.

A module's docstring says what it measures. `add_options(parser)` adds the options of the table,
`measure(options, results)` adds results, `report(lines, options)` makes Markdown of them, and
`quick(folder)` yields the command lines of a smoke run.
"""

from importlib import import_module

NAMES = (
    "comparison",
    "bayesian",
    "few_rows",
    "missing_levels",
    "known_pairs",
    "pair_weights",
    "row_scaling",
    "encoding",
    "raw_frames",
    "settings",
    "defaults",
    "explanations",
    "long_runs",
)


def load(names):
    """Import modules. Return them by name."""
    return {name: import_module(f"{__name__}.{name}") for name in names}
