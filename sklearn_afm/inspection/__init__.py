"""Explain a fitted model: which interactions matter, and by how much."""

from ._attention_display import AttentionDisplay
from ._effects import field_effect, pair_effect
from ._field_effect_display import FieldEffectDisplay
from ._field_importance import field_importance
from ._history_display import HistoryDisplay
from ._importance import pair_importance
from ._interaction_display import InteractionDisplay
from ._pair_effect_display import PairEffectDisplay
from ._pair_importance_display import PairImportanceDisplay
from ._permutation import permutation_pair_importance
from ._scores import interaction_scores
from ._table import interaction_table

__all__ = [
    "AttentionDisplay",
    "FieldEffectDisplay",
    "HistoryDisplay",
    "InteractionDisplay",
    "PairEffectDisplay",
    "PairImportanceDisplay",
    "field_effect",
    "field_importance",
    "interaction_scores",
    "interaction_table",
    "pair_effect",
    "pair_importance",
    "permutation_pair_importance",
]
