"""From raw scores to predictions, and the mean prediction over levels that a row lacks."""

import numpy as np


def averaged(link: str, raw: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Raw scores whose predictions are the mean of those of raw scores with this variance."""
    if link == "identity":
        return raw
    if link == "log":
        return raw + variance / 2
    # D. MacKay, "The evidence framework applied to classification networks", 1992.
    if link == "softmax":
        n_classes = raw.shape[1]
        variance = 2 * n_classes / (n_classes - 1) * variance.mean(axis=1, keepdims=True)
    return raw / np.sqrt(1 + np.pi / 8 * variance)


def predictions(link: str, raw: np.ndarray) -> np.ndarray:
    """Predictions of raw scores (n_rows, n_outputs); of "logit", of both classes."""
    if link == "identity":
        return raw
    if link == "log":
        with np.errstate(over="ignore"):
            return np.exp(raw)
    if link == "logit":
        raw = np.hstack([-raw / 2, raw / 2])
    odds = np.exp(raw - raw.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
