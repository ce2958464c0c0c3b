"""Markdown tables."""


def markdown(head, rows, rule=" --- "):
    """A table; `rule` is a cell of the line below its head."""
    lines = [_row(head), "|" + "|".join([rule] * len(head)) + "|", *map(_row, rows)]
    return "".join(line + "\n" for line in lines)


def _row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def number(value, bold=False):
    """Four decimals; nothing for a figure that was not measured."""
    if value is None or value != value:
        return ""
    return f"**{value:.4f}**" if bold else f"{value:.4f}"
