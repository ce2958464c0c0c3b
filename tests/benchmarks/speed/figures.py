"""Make Markdown of raw repeats: medians, ratios within a round, tables of all contestants."""

from statistics import median

from arena import OURS

MIB = 2**20


def rate(line, name, reply):
    """Return the rows per second."""
    return line["n_rows"] / reply["seconds"]


def compare(line, value, more_is_better=True, favour=None):
    """Return medians by contestant, the best peer, and the ratio of ours to it by round.

    A ratio above 1 means that ours is better.
    """
    figures = {}
    for name, turns in line["replies"].items():
        if name != "product":
            figures[name] = [value(line, name, reply) for reply in turns]
    medians = {name: median(values) for name, values in figures.items()}
    ours = favour or OURS
    peers = [name for name in figures if not name.startswith(OURS)]
    if not peers or ours not in figures:
        return medians, None, []
    best = (max if more_is_better else min)(peers, key=medians.get)
    pairs = zip(figures[ours], figures[best], strict=True)
    ratios = [a / b if more_is_better else b / a for a, b in pairs]
    return medians, best, ratios


def spread(values, digits=2):
    """Format as median (minimum to maximum)."""
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, median, max))
    return f"{middle} ({low} to {high})"


def table(head, lines):
    """Make a Markdown table."""
    rule = "|".join("---" for _ in head)
    return "\n".join(["| " + " | ".join(head) + " |", f"|{rule}|", *map(row, lines)])


def row(cells):
    """Make a line of a Markdown table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def compared(lines, value, show, more_is_better=True):
    """Make a table of all contestants by case, with the ratio to the best peer."""
    names = list(dict.fromkeys(name for line in lines for name in contestants(line)))
    body, failures = [], []
    for line in lines:
        medians, best, ratios = compare(line, value, more_is_better)
        cells = [show(medians[name]) if name in medians else "" for name in names]
        body.append([line["case"], *cells, f"{spread(ratios)}, {best}" if ratios else ""])
        failures += [f"{line['case']}, {name}: {why}." for name, why in line["failures"].items()]
    text = table(["", *names, "times as good as the best peer"], body)
    return "\n\n".join([text, *failures])


def contestants(line):
    """Return all contestants of a line, including those that failed."""
    return [name for name in [*line["replies"], *line["failures"]] if name != "product"]


def count(number):
    """Format a number with thousands separators."""
    return f"{number:,.0f}"
