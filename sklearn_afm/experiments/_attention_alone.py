"""The paper's Table 1: what attention adds to the FM below it, over all rows and in three."""

from copy import copy

import numpy as np
from sklearn.metrics import root_mean_squared_error

from ..inspection import interaction_scores
from ._measures import accuracy

N_ROWS, N_PAIRS = 3, 4


def measure_attention_alone(model, rows) -> dict:
    """RMSE with the attention and without it, and the strongest pairs of three rows."""
    fm = without_attention(model)
    clipped = fm.predict(rows.X_test).clip(-1, 1)
    return accuracy(model, rows) | {
        "rmse_fm": root_mean_squared_error(rows.y_test, clipped),
        "examples": _examples({"FM": fm, "FM+A": model}, rows),
    }


def without_attention(model):
    """The FM below an AFM whose other parameters were frozen: h = 0 weighs all pairs alike."""
    fm = copy(model)
    fm.attention_context_ = np.zeros_like(model.attention_context_)
    return fm


def _examples(models, rows) -> dict:
    """Attention and interaction of the same pairs of fields in the first rows of target 1."""
    chosen = np.flatnonzero(rows.y_test == 1)[:N_ROWS]
    X = rows.X_test[chosen]
    scores = {name: interaction_scores(model, X) for name, model in models.items()}
    pairs = _strongest(scores["FM+A"], rows.fields)
    found = []
    for number, row in enumerate(chosen):
        of_models = {}
        for name, model in models.items():
            terms = _terms(scores[name], number, rows.fields)
            of_models[name] = {
                "attention": [terms[pair][0] for pair in pairs],
                "score": [terms[pair][1] for pair in pairs],
                "sum": float(scores[name].interaction[number]),
                "prediction": float(model.predict(X[[number]])[0]),
            }
        found.append(of_models | {"target": float(rows.y_test[row])})
    return {"pairs": [" - ".join(pair) for pair in pairs], "rows": found}


def _strongest(scores, fields) -> list[tuple[str, str]]:
    """The pairs of fields with the largest contributions, of either sign."""
    sizes = {}
    for first, second, value in zip(scores.first, scores.second, scores.contribution):
        pair = _fields_of(first, second, fields)
        sizes[pair] = sizes.get(pair, 0) + abs(value)
    return sorted(sizes, key=sizes.get, reverse=True)[:N_PAIRS]


def _terms(scores, row, fields) -> dict:
    """Attention and interaction of each pair of fields of a row."""
    return {
        _fields_of(scores.first[i], scores.second[i], fields): (
            float(scores.attention[i]),
            float(scores.score[i]),
        )
        for i in np.flatnonzero(scores.row == row)
    }


def _fields_of(first, second, fields) -> tuple[str, str]:
    names = [
        next(name for name, columns in fields.items() if columns.start <= column < columns.stop)
        for column in sorted((first, second))
    ]
    return names[0], names[1]
