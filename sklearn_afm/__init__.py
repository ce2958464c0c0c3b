"""Attentional factorization machines as scikit-learn estimators."""

from ._afm import AFMClassifier, AFMRegressor
from ._fm import FMClassifier, FMRegressor

__version__ = "0.1.0.dev0"

# Each class that is imported above.
__all__ = sorted(name for name, value in vars().items() if isinstance(value, type))
