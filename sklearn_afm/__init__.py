"""Attentional factorization machines as scikit-learn estimators."""

from ._afm import AFMClassifier, AFMRegressor
from ._bayesian_fm import BayesianFMClassifier, BayesianFMRegressor
from ._fields.encoder import FieldEncoder
from ._fields.pipeline import make_field_pipeline
from ._fm import FMClassifier, FMRegressor
from ._ranking import AFMRanker, FMRanker

__version__ = "0.1.0.dev0"

# Each class and function that is imported above.
__all__ = sorted(name for name, value in vars().items() if callable(value) and name[0] != "_")
