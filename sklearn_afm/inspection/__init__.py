"""Explanations: which interactions matter, and by how much."""

from ._displays import (
    AttentionDisplay,
    HistoryDisplay,
    InteractionDisplay,
    PairImportanceDisplay,
)
from ._importance import pair_importance, permutation_pair_importance
from ._scores import interaction_scores
from ._table import interaction_table

__all__ = [
    "AttentionDisplay",
    "HistoryDisplay",
    "InteractionDisplay",
    "PairImportanceDisplay",
    "interaction_scores",
    "interaction_table",
    "pair_importance",
    "permutation_pair_importance",
]
