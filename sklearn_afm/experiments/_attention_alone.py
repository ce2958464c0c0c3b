"""The paper's Table 1: what attention adds to a trained FM, over all rows and in three rows."""

from copy import copy

import numpy as np
from sklearn.metrics import root_mean_squared_error

from .._attributes import model_of
from ..inspection import interaction_scores, interaction_table
from ._measures import accuracy

N_ROWS, N_PAIRS = 3, 4


def measure_attention_alone(model, rows) -> dict:
    """Measure RMSE with and without the attention, and list the strongest pairs of three rows."""
    fm = without_attention(model)
    clipped = fm.predict(rows.X_test).clip(-1, 1)
    return accuracy(model, rows) | {
        "rmse_fm": root_mean_squared_error(rows.y_test, clipped),
        "examples": _examples({"FM": fm, "FM+A": model}, rows),
    }


def without_attention(model):
    """Return the FM from which an AFM with frozen other parameters started.

    With a network of 0 all pairs of a row have the same attention.
    """
    fm = copy(model)
    for parameter in model_of(model).parameters:
        if parameter.frozen_as == "attention":
            name = f"{parameter.name}_"
            setattr(fm, name, np.zeros_like(getattr(model, name)))
    return fm


def _examples(models, rows) -> dict:
    """List attention and interaction of the same pairs of fields, in the first rows of target 1."""
    chosen = np.flatnonzero(rows.y_test == 1)[:N_ROWS]
    X = rows.X_test[chosen]
    strongest = interaction_table(models["FM+A"], X, fields=rows.fields, n_pairs=N_PAIRS)
    pairs = strongest.pair_names
    found = [{"target": float(rows.y_test[row])} for row in chosen]
    for name, model in models.items():
        terms = interaction_table(model, X, fields=rows.fields, pairs=pairs)
        sums = interaction_scores(model, X).interaction
        for number, row in enumerate(found):
            row[name] = {
                "attention": terms.attention[number].tolist(),
                "score": strongest.score[number].tolist(),  # does not depend on the attention
                "sum": float(sums[number]),
                "prediction": float(terms.prediction[number]),
            }
    return {"pairs": [" - ".join(pair) for pair in pairs], "rows": found}
