"""Attentional factorization machines as scikit-learn estimators."""

from ._afm import AFMClassifier, AFMRegressor
from ._fm import FMClassifier, FMRegressor

__version__ = "0.1.0.dev0"

__all__ = ["AFMClassifier", "AFMRegressor", "FMClassifier", "FMRegressor"]
