"""Search the parameters of one model on one data set, fit it, predict and measure the loss."""

import time
import warnings

import numpy as np
from models import make_model, search_space
from scipy.special import expit, logit
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import ParameterSampler, train_test_split


def search(table, model_name, train, trials):
    """Return the best of the defaults and random draws, by loss on a fifth of the training rows."""
    stratify = table.y[train] if table.task == "classification" else None
    inner, held_out = train_test_split(train, test_size=0.2, random_state=0, stratify=stratify)
    space = search_space(model_name, table.task)
    tried = []
    for parameters in [{}, *ParameterSampler(space, trials - 1, random_state=0)]:
        parameters = {key: plain(value) for key, value in parameters.items()}
        model, seconds = fit(table, model_name, parameters, inner)
        loss = measure_loss(table, held_out, predict(model, table, held_out))["loss"]
        tried.append({"parameters": parameters, "loss": loss, "seconds": seconds})
    best = min(tried, key=lambda trial: trial["loss"])
    return {"parameters": best["parameters"], "trials": tried}


def plain(value):
    """Return a parameter as a Python value, for JSON."""
    return value.item() if isinstance(value, np.generic) else value


def fit(table, model_name, parameters, rows):
    """Fit a model. Return it and its CPU seconds, including the encoding."""
    model = make_model(model_name, table, parameters)
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about convergence, and levels without a training row
        model.fit(table.X.iloc[rows], table.y[rows])
    return model, time.process_time() - started


def predict(model, table, rows):
    """Return predicted values, or probabilities of the second class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if table.task == "regression":
            return model.predict(table.X.iloc[rows])
        return model.predict_proba(table.X.iloc[rows])[:, 1]


def blend(table, predictions):
    """Return the mean of predictions. In classification, average their logits."""
    if table.task == "regression":
        return np.mean(predictions, axis=0)
    smallest = np.finfo(float).eps
    return expit(np.mean([logit(np.clip(p, smallest, 1 - smallest)) for p in predictions], axis=0))


def measure_loss(table, rows, prediction):
    """Return the RMSE, or log loss and AUC."""
    y = table.y[rows]
    if table.task == "regression":
        return {"loss": root_mean_squared_error(y, prediction)}
    return {"loss": log_loss(y, prediction), "auc": roc_auc_score(y, prediction)}
