"""Known and new pairs of user and item: what the model learns about both, by epoch."""

import numpy as np
from sklearn.metrics import roc_auc_score


class PredictionKeeper:
    """A scorer that keeps the predictions of each epoch."""

    def __init__(self):
        self.predictions = []

    def __call__(self, model, X_val, y_val) -> float:
        """Return the AUC of the epoch."""
        self.predictions.append(model.predict(X_val))
        return roc_auc_score(y_val, self.predictions[-1])

    def __repr__(self):
        return "PredictionKeeper()"


def measure_new_pairs(model, rows) -> dict:
    """Measure each epoch, over all validation rows and over the rows of each kind.

    A positive row is known if a positive training row has the same user and item. Otherwise it is
    new.
    """
    pairs, learnt = (_pairs_of(X, rows.fields) for X in (rows.X_val, rows.X_train))
    is_known = np.isin(pairs, learnt[rows.y_train == 1])
    positive = rows.y_val == 1
    parts = {
        "known": positive & is_known,
        "new": positive & ~is_known,
        "negative": ~positive,
    }
    return {
        "rows": {name: int(part.sum()) for name, part in parts.items()},
        "by_epoch": [_measures(p, rows.y_val, parts) for p in model.scoring.predictions],
    }


def _measures(predicted, target, parts) -> dict:
    error = (predicted.clip(-1, 1) - target) ** 2
    found = {"rmse": np.sqrt(error.mean()), "auc": roc_auc_score(target, predicted)}
    for name, part in parts.items():
        found[f"rmse {name}"] = np.sqrt(error[part].mean())
    for name in ("known", "new"):
        some = parts[name] | parts["negative"]
        found[f"auc {name}"] = roc_auc_score(target[some], predicted[some])
    return {name: float(value) for name, value in found.items()}


def _pairs_of(X, fields) -> np.ndarray:
    """Encode user and item of each row as one number."""
    user, item = (X[:, fields[name]].indices.astype(np.int64) for name in ("user", "item"))
    return user * X.shape[1] + item
