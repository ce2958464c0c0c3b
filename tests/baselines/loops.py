"""What the models' tests share: fields of the columns, and layers in plain loops."""

import numpy as np
from modelling import N_COLUMNS

# Columns of one field stand together in some fields, and apart in others; one has a column.
FIELDS = np.array([0, 0, 1, 1, 2, 0, 3, 3, 2])
N_FIELDS = 4
ACTIVATIONS = {
    "identity": lambda v: v,
    "logistic": lambda v: 1 / (1 + np.exp(-v)),
    "relu": lambda v: np.maximum(v, 0),
    "tanh": np.tanh,
}

assert len(FIELDS) == N_COLUMNS


def linear_part(row, params):
    """w0 + sum_i w_i x_i of a dense row: (n_outputs,)."""
    return params["bias"] + sum(row[i] * params["linear_weights"][i] for i in np.flatnonzero(row))


def hidden(values, params, n_layers, activation="relu"):
    """What the hidden layers make of a vector."""
    for number in range(1, n_layers + 1):
        weights, bias = params[f"layer_{number}_weights"], params[f"layer_{number}_bias"]
        values = ACTIVATIONS[activation](weights @ values + bias)
    return values


def stacked(row, embeddings):
    """The sums of v_i x_i of each field, side by side."""
    result = np.zeros((N_FIELDS, embeddings.shape[1]))
    for i in np.flatnonzero(row):
        result[FIELDS[i]] += embeddings[i] * row[i]
    return result.ravel()
