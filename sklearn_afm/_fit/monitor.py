"""The validation loss and the validation score of an epoch's parameters."""

import copy
import inspect

import numpy as np
import torch
from sklearn.metrics import check_scoring

from .._core import ranks
from .._core.models.model import Model
from .._core.models.prediction import predict
from .._core.tensors import copy_of, shared_tensor
from .._core.training.run import Monitor
from .._data.checks import known_entries
from .._data.prepare import in_units, targets_in_units
from .._data.rows import Rows
from .._data.units import centered
from .._data.weights import standard_error
from ..metrics import mean_ndcg
from .linear import offset_of_rows
from .results import set_results
from .setup import Setup


def make_monitor(setup: Setup, arrays: dict[str, np.ndarray], validation: Rows | None):
    """What looks at the parameters after each epoch; None without validation rows."""
    if validation is None:
        return None
    losses = loss_monitor(setup, setup.model, arrays, validation)
    scoring = setup.estimator.scoring
    return losses if scoring in ("loss", "ndcg") else _score_monitor(setup, losses, validation)


def loss_monitor(
    setup: Setup, model: Model, arrays: dict[str, np.ndarray], validation: Rows
) -> Monitor:
    """What computes the validation loss, and NDCG if that is the score.

    `arrays` are the start values, which tell the columns that training sees.
    """
    scaling = setup.prepared.units.scaling
    dtype, standardises = setup.array_dtype, setup.loss.standardises
    X = centered(validation.X, scaling.column_mean)
    offset = offset_of_rows(setup, X)
    X = known_entries(X, [arrays[name] for name in model.per_column])
    X, _ = in_units(X, scaling, dtype)
    target = torch.from_numpy(targets_in_units(validation.target, scaling, dtype, standardises))
    weight = shared_tensor(validation.weight, "cpu")
    unit = torch.from_numpy(setup.loss_unit)
    share = weight / ranks.sum_over_ranks(float(weight.sum()))
    at_start = None
    if setup.linear is not None:
        with np.errstate(over="ignore", invalid="ignore"):  # the loss is checked below
            raw = torch.from_numpy(setup.linear.raw_scores(X))
        at_start = setup.loss.terms(raw, target.double()) * unit

    def monitor(parameters):
        raw = torch.from_numpy(predict(model, parameters, X))
        raw = raw if offset is None else raw + torch.from_numpy(offset).to(raw)
        terms = setup.loss.terms(raw, target).double() * unit
        loss = float(ranks.sum_over_ranks(float((share @ terms).mean())))
        if not np.isfinite(loss):
            raise ValueError(
                f"The validation loss became infinite or NaN ({setup.sizes(X.data)}). "
                "Clip outliers in the validation rows, or lower learning_rate."
            )
        if setup.estimator.scoring == "ndcg":
            score = _mean_score(_ndcg(raw, validation), validation)
            return {"validation_loss": loss, "validation_score": score}, score
        score = -loss
        if at_start is not None:
            # An epoch is better than the start if it is so beyond chance.
            score -= standard_error((terms - at_start).mean(1).numpy(), weight.numpy())
        return {"validation_loss": loss}, score

    return monitor


def _ndcg(raw: torch.Tensor, validation: Rows) -> float:
    """Mean NDCG over lists of rows."""
    number = validation.target[:, -1].cumsum().astype(np.int64) - 1
    return mean_ndcg(validation.target[:, 0], raw[:, 0].double().numpy(), number)


def _score_monitor(setup: Setup, losses: Monitor, validation: Rows) -> Monitor:
    """What computes the validation loss, and has the scorer give the validation score."""
    scorer = check_scoring(setup.estimator, setup.estimator.scoring)
    weighted = not (validation.sample_weight == 1).all() and _takes_weights(scorer)
    options = {"sample_weight": validation.sample_weight} if weighted else {}

    def monitor(parameters):
        entries, _ = losses(parameters)
        scored = copy.copy(setup.estimator)
        # The rows that it is shown have no names.
        vars(scored).pop("feature_names_in_", None)
        set_results(setup, scored, copy_of(parameters))
        score = float(scorer(scored, validation.X, validation.y, **options))
        score = _mean_score(score, validation)
        return entries | {"validation_score": score}, score

    return monitor


def _mean_score(score: float, validation: Rows) -> float:
    """The mean of the ranks' scores by the weight of their rows; a rank may have none (NaN)."""
    if ranks.n_ranks() == 1:
        return score
    weight = 0.0 if np.isnan(score) else validation.sample_weight.sum()
    total, of_all = ranks.sum_over_ranks(np.array([weight * np.nan_to_num(score), weight]))
    return float(total / of_all) if of_all else np.nan


def _takes_weights(scorer) -> bool:
    """Whether a scorer, or the metric behind it, has a parameter sample_weight."""
    try:
        parameters = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
    except (TypeError, ValueError):  # compiled functions need not tell
        return False
    kinds = [parameter.kind for parameter in parameters.values()]
    return "sample_weight" in parameters or inspect.Parameter.VAR_KEYWORD in kinds
