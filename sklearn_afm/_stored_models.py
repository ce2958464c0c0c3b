"""Models that earlier versions have stored: what has changed since."""

import dataclasses

_FORMER_NAMES = {
    "coef_": "linear_weights_",
    "intercept_": "bias_",
    "mean_pairs_": "median_pairs_",
}


def renamed(state: dict) -> dict:
    """The state of a stored model, under the names that its attributes have now."""
    state = {_FORMER_NAMES.get(name, name): value for name, value in state.items()}
    if "embeddings_" not in state:
        return state
    progress = state["_progress"]
    optimizer = {
        name.replace("coef/", "linear_weights/").replace("intercept/", "bias/"): value
        for name, value in (progress.optimizer or {}).items()
    }
    progress = dataclasses.replace(progress, optimizer=optimizer or None)
    return {"column_mean_": None, "median_pairs_": 1.0} | state | {"_progress": progress}
