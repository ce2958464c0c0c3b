"""Scores of rows by NumPy alone, for services: neither torch nor scikit-learn is imported."""

from ._load import load_scorer
from ._scorer import Scorer

__all__ = ["Scorer", "load_scorer"]
