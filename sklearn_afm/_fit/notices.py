"""What a user is warned of after a fit."""

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from .._core.models.pooled import EMBEDDING_STD
from .._core.training.run import RunState
from .._data.codes import columns_of_codes
from .._data.raw import quoted
from ..exceptions import CategoryCodesWarning, VanishedInteractionsWarning
from . import auto
from .setup import Setup

Notices = list[tuple[str, type[Warning]]]

# Fall of the loss that counts, as a share of the loss of predicting a constant.
_FALLS = 0.005


def codes_notice(estimator, X) -> Notices:
    """Tell which columns look like codes of categories, if all of X does."""
    codes = columns_of_codes(X)
    if not len(codes):
        return []
    known = getattr(estimator, "feature_names_in_", None)
    names = [f"x{column}" if known is None else known[column] for column in codes]
    name = type(estimator).__name__
    message = (
        f"Columns {quoted(names)} of X look like codes of categories, and {name} multiplies them "
        "as numbers: code 4 counts twice as much as code 2. Give each level a column of its own: "
        f"sklearn_afm.make_field_pipeline({name}(), categorical_features=[...]), or "
        "OneHotEncoder. If they are numbers, ignore CategoryCodesWarning of sklearn_afm.exceptions."
    )
    return [(message, CategoryCodesWarning)]


def interrupted_notice(estimator, interrupted: bool) -> Notices:
    """Tell after how many epochs Ctrl-C came."""
    if not interrupted:
        return []
    message = (
        f"Training was interrupted after {estimator.n_iter_} epochs. The estimator keeps what it "
        "has learnt so far."
    )
    return [(message, UserWarning)]


def unfinished_notice(setup: Setup, state: RunState, interrupted: bool) -> Notices:
    """Tell if `max_iter` ended training while the loss was falling.

    It was if the last `n_iter_no_change` epochs lowered it by more than 0.5% of a constant's loss,
    and no epoch has been without a better score since the best. A fit with `warm_start` goes on
    when it is called again.
    """
    estimator, history = setup.estimator, state.history
    if interrupted or estimator.warm_start or len(history) < max(2, estimator.max_iter):
        return []
    if state.best_iter < len(history):  # early stopping has begun to wait
        return []
    watched = "validation_loss" if "validation_loss" in history[-1] else "train_loss"
    last = [record[watched] for record in history[-1 - estimator.n_iter_no_change :]]
    if last[0] - min(last) <= _FALLS * _loss_of_constant(setup):
        return []
    loss = watched.replace("train_", "training_").replace("_", " ")
    message = (
        f"max_iter={estimator.max_iter} ended training before the {loss} was level: it fell from "
        f"{last[0]:.4g} to {min(last):.4g} from epoch {len(history) - len(last) + 1} on. Raise "
        f"max_iter{'' if watched == 'validation_loss' else ', or set early_stopping=True'}."
    )
    return [(message, ConvergenceWarning)]


def _loss_of_constant(setup: Setup) -> float:
    """The training loss of the best constant, in the unit of the history."""
    loss, weight = setup.loss, setup.prepared.rows.weight
    target = setup.prepared.target.astype(np.float64)
    raw = np.tile(loss.start_bias(target, weight), (len(target), 1))
    terms = loss.terms(torch.from_numpy(raw), torch.from_numpy(target)).numpy() * setup.loss_unit
    return abs(np.average(terms.mean(1), weights=weight))


def vanished_notice(setup: Setup, state: RunState, frozen: frozenset[str]) -> Notices:
    """Tell if the prior has left no interaction."""
    pairwise = [p for p in setup.model.parameters if p.pairwise]
    has_pairs = bool((np.diff(setup.prepared.X.indptr) > 1).any())
    # What is learnt on held-out rows needs no advice.
    crossed = _has_learnt(setup, "l2_linear") and setup.estimator.crosses is not None
    if crossed or _has_learnt(setup, "l2_embedding"):
        return []
    if not pairwise or not has_pairs or frozen & {p.name for p in pairwise}:
        return []
    values = [max(map(abs, state.result[p.name].aminmax())) for p in pairwise]
    if max(values) >= EMBEDDING_STD / 10:
        return []
    name = pairwise[0].strength
    strength = auto.strength(setup.estimator, setup.model, name)
    message = (
        f"All embeddings have vanished: with {name}={strength:g} and "
        f"{setup.n_rows} rows no interaction is left, and the model is linear. If "
        f"you expect interactions, lower {name} (say to {strength / 10:g}) and compare on rows "
        "that were held out."
    )
    return [(message, VanishedInteractionsWarning)]


def _has_learnt(setup: Setup, name: str) -> bool:
    """Whether the fit has learnt a strength, of all rows or of a sample."""
    return getattr(setup.estimator, name) == "auto" and hasattr(setup.estimator, f"{name}_")
