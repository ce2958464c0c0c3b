"""The model as in the paper: plain loops over rows and pairs, only with NumPy."""

import numpy as np


def row_pairs(row):
    """List the pairs (i, j), i > j, of non-zero positions of a dense row."""
    (nonzero,) = np.nonzero(row)
    return [(i, j) for i in nonzero for j in nonzero if i > j]


def attention(row, params):
    """Compute the attention of each pair of a row (Eq. 5), as a dict."""
    scores = {}
    for i, j in row_pairs(row):
        interaction = params["embeddings"][i] * params["embeddings"][j] * row[i] * row[j]
        hidden = params["attention_weight"] @ interaction + params["attention_bias"]
        scores[i, j] = params["attention_context"] @ np.maximum(hidden, 0)
    if not scores:
        return {}
    largest = max(scores.values())
    exp = {pair: np.exp(score - largest) for pair, score in scores.items()}
    total = sum(exp.values())
    return {pair: value / total for pair, value in exp.items()}


def pooled(row, params):
    """Compute the weighted sum of the pairs' products, a k-vector.

    The weights are 1 for an FM, and the attention for an AFM. If `median_pairs` is given, the
    attention is multiplied by the row's number of pairs, divided by `median_pairs`.
    """
    total = np.zeros(params["embeddings"].shape[1])
    weights = attention(row, params) if "attention_weight" in params else None
    for i, j in row_pairs(row):
        interaction = params["embeddings"][i] * params["embeddings"][j] * row[i] * row[j]
        total += interaction if weights is None else weights[i, j] * interaction
    if weights is not None and "median_pairs" in params:
        total *= len(row_pairs(row)) / params["median_pairs"]
    return total


def raw_scores(X, params):
    """Compute the raw scores (n_rows, n_outputs) of a dense matrix (Eq. 6; Eq. 3 for an FM)."""
    scores = []
    for row in np.asarray(X, dtype=float):
        linear = sum(row[i] * params["linear_weights"][i] for i in np.flatnonzero(row))
        scores.append(params["bias"] + linear + params["projection"] @ pooled(row, params))
    return np.array(scores)


def row_losses(loss, raw, target):
    """Compute the loss of each row."""
    if loss == "squared error":
        return ((raw - target) ** 2).sum(axis=1)
    if loss == "log loss":
        return np.array([np.log1p(np.exp(r)) - t * r for r, t in zip(raw[:, 0], target[:, 0])])
    return np.array([np.log(np.exp(r).sum()) - r[int(t)] for r, t in zip(raw, target[:, 0])])


def objective(X, target, weight, params, loss, l2_attention=0.0, l2_embedding=0.0, l2_linear=0.0):
    """Compute the function that training minimises."""
    data = weight @ row_losses(loss, raw_scores(X, params), target)
    prior = l2_embedding * (params["embeddings"] ** 2).sum()
    prior += l2_linear * (params["linear_weights"] ** 2).sum()
    result = (data + prior) / weight.sum()
    if "attention_weight" in params:
        result += l2_attention * (params["attention_weight"] ** 2).sum()
    return result


def params_of(estimator):
    """Return fitted attributes by the names in this module, always with an axis for outputs."""
    names = ["bias", "linear_weights", "embeddings", "projection"]
    if hasattr(estimator, "attention_weight_"):
        names += ["attention_weight", "attention_bias", "attention_context", "median_pairs"]
    params = {name: np.asarray(getattr(estimator, f"{name}_"), dtype=float) for name in names}
    if params["bias"].ndim == 0:
        for name in ("bias", "linear_weights", "projection"):
            params[name] = params[name][None]
    params["linear_weights"] = params["linear_weights"].T
    return params
