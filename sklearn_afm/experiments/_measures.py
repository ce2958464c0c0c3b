"""Measures of a fitted estimator."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

from .._attributes import model_of


def accuracy(model, rows) -> dict:
    """Measure RMSE (clipped as in the paper) or log loss, AUC, and the number of parameters."""
    if is_classifier(model):
        score = model.predict_proba(rows.X_test)[:, 1]
        loss = {"log_loss": log_loss(rows.y_test, score)}
    else:
        score = model.predict(rows.X_test)
        loss = {"rmse": root_mean_squared_error(rows.y_test, score.clip(-1, 1))}
    return loss | {"auc": roc_auc_score(rows.y_test, score), "parameters": n_parameters(model)}


def n_parameters(model) -> int:
    """Count the numbers that a model has learnt; those of one draw, of a sampler."""
    if hasattr(model, "bias_draws_"):
        of_draw = (model.bias_draws_, model.linear_weights_draws_, model.embeddings_draws_)
        return sum(draws[0].size for draws in of_draw)
    learnt = [p.name for p in model_of(model).parameters if not p.fixed]
    return sum(np.size(getattr(model, f"{name}_")) for name in learnt)
