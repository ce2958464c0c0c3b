"""Make Markdown tables."""


def markdown(head, rows, rule=" --- "):
    """Make a table. `rule` is one cell of the line below its head."""
    lines = [_row(head), "|" + "|".join([rule] * len(head)) + "|", *map(_row, rows)]
    return "".join(line + "\n" for line in lines)


def _row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def number(value, bold=False):
    """Format with four decimals. A figure that was not measured is empty."""
    if value is None or value != value:
        return ""
    return f"**{value:.4f}**" if bold else f"{value:.4f}"
