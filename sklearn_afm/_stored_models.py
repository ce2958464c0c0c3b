"""Models that earlier versions have stored: what has changed since."""

import dataclasses

import numpy as np

_FORMER_NAMES = {
    "coef_": "linear_weights_",
    "intercept_": "bias_",
    "mean_pairs_": "median_pairs_",
    "weight_averaging": "averaging_decay",
    "attention_rate": "attention_lr_multiplier",
}


def renamed(state: dict) -> dict:
    """The state of a stored model, under the names that its attributes have now."""
    state = {_FORMER_NAMES.get(name, name): value for name, value in state.items()}
    if "_progress" not in state:  # unfitted, or a copy in the middle of a fit
        return state
    progress = state["_progress"]
    optimizer = {
        name.replace("coef/", "linear_weights/").replace("intercept/", "bias/"): value
        for name, value in (progress.optimizer or {}).items()
    }
    progress = dataclasses.replace(progress, optimizer=optimizer or None)
    n_outputs = np.shape(state["bias_"])
    crosses = {
        "cross_columns_": np.empty((0, 2), dtype=np.int64),
        "cross_weights_": np.empty((*n_outputs, 0)),
    }
    unknown = {"column_mean_": None, "median_pairs_": 1.0, "_target_names": None}
    return unknown | crosses | state | {"_progress": progress}
