"""The models that AFM is compared with, on the same interface."""

from ._deep_cross import DeepCrossClassifier, DeepCrossRegressor
from ._deep_fm import DeepFMClassifier, DeepFMRegressor
from ._ffm import FFMClassifier, FFMRegressor
from ._fwfm import FwFMClassifier, FwFMRegressor
from ._hofm import HOFMClassifier, HOFMRegressor
from ._nfm import NFMClassifier, NFMRegressor
from ._wide_and_deep import WideAndDeepClassifier, WideAndDeepRegressor

__all__ = [
    "DeepCrossClassifier",
    "DeepCrossRegressor",
    "DeepFMClassifier",
    "DeepFMRegressor",
    "FFMClassifier",
    "FFMRegressor",
    "FwFMClassifier",
    "FwFMRegressor",
    "HOFMClassifier",
    "HOFMRegressor",
    "NFMClassifier",
    "NFMRegressor",
    "WideAndDeepClassifier",
    "WideAndDeepRegressor",
]
