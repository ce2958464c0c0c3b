"""What a user is warned of after a fit."""

import numpy as np

from .._core.models.pooled import EMBEDDING_STD
from .._core.training.run import RunState
from ..exceptions import VanishedInteractionsWarning
from . import auto
from .linear import starts_from_factors
from .setup import Setup

Notices = list[tuple[str, type[Warning]]]


def interrupted_notice(estimator, interrupted: bool) -> Notices:
    """Tell after how many epochs Ctrl-C came."""
    if not interrupted:
        return []
    message = (
        f"Training was interrupted after {estimator.n_iter_} epochs. The estimator keeps what it "
        "has learnt so far."
    )
    return [(message, UserWarning)]


def vanished_notice(setup: Setup, state: RunState, frozen: frozenset[str]) -> Notices:
    """Tell if the prior has left no interaction."""
    pairwise = [p for p in setup.model.parameters if p.pairwise]
    has_pairs = bool((np.diff(setup.data.X.indptr) > 1).any())
    # What is learnt on held-out rows needs no advice.
    crossed = setup.linear is not None and setup.estimator.crosses is not None
    if crossed or starts_from_factors(setup):
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
