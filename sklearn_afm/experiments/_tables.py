"""Results as Markdown tables."""

import numpy as np

NAMES = {"rmse": "RMSE", "auc": "AUC", "log_loss": "log loss"}


def markdown(header: list[str], lines: list[list]) -> str:
    """Make a Markdown table."""
    rows = [header, ["---"] * len(header), *lines]
    return "".join("| " + " | ".join(map(str, row)) + " |\n" for row in rows)


def by(results, *names: str) -> dict:
    """Group results by entries of their labels, in the order of first appearance."""
    groups = {}
    for result in results:
        key = tuple(result.get(name) for name in names)
        groups.setdefault(key[0] if len(names) == 1 else key, []).append(result)
    return groups


def mean(results, measure: str) -> float:
    """Return the mean of a measure over runs."""
    return float(np.mean([result["measures"][measure] for result in results]))


def mean_and_deviation(results, measure: str) -> str:
    """Format the mean over runs and, if there are several, the standard deviation."""
    values = [result["measures"][measure] for result in results if measure in result["measures"]]
    if not values:
        return ""
    deviation = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{deviation}"


def effort(results) -> list[str]:
    """Format best epoch, number of epochs, and minutes, as means over runs."""
    best, epochs, seconds = (
        np.mean([result[name] for result in results])
        for name in ("best_epoch", "epochs", "seconds")
    )
    return [f"{best:.0f} of {epochs:.0f}", f"{seconds / 60:.1f}"]
