"""Explain a fitted model: which interactions matter, and by how much."""

from ._attention_display import AttentionDisplay
from ._field_importance import field_importance
from ._history_display import HistoryDisplay
from ._importance import pair_importance
from ._interaction_display import InteractionDisplay
from ._pair_importance_display import PairImportanceDisplay
from ._permutation import permutation_pair_importance
from ._scores import interaction_scores
from ._table import interaction_table

__all__ = [
    "AttentionDisplay",
    "HistoryDisplay",
    "InteractionDisplay",
    "PairImportanceDisplay",
    "field_importance",
    "interaction_scores",
    "interaction_table",
    "pair_importance",
    "permutation_pair_importance",
]
