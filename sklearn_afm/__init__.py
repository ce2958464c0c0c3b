"""Attentional factorization machines as scikit-learn estimators."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors read
    from ._afm import AFMClassifier, AFMRegressor
    from ._bayesian_fm import BayesianFMClassifier, BayesianFMRegressor
    from ._fields.encoder import FieldEncoder
    from ._fields.pipeline import make_field_pipeline
    from ._fm import FMClassifier, FMRegressor
    from ._ranking import AFMRanker, FMRanker

__version__ = "0.1.0.dev0"

# A name is imported when it is first asked for: sklearn_afm.scorer needs no torch.
_NAMES = {
    "_afm": ("AFMClassifier", "AFMRegressor"),
    "_bayesian_fm": ("BayesianFMClassifier", "BayesianFMRegressor"),
    "_fields.encoder": ("FieldEncoder",),
    "_fields.pipeline": ("make_field_pipeline",),
    "_fm": ("FMClassifier", "FMRegressor"),
    "_ranking": ("AFMRanker", "FMRanker"),
}
_FILES = {name: file for file, names in _NAMES.items() for name in names}
_MODULES = ("exceptions", "metrics")

__all__ = sorted(_FILES)


def __getattr__(name: str):
    if name in _FILES:
        value = getattr(import_module(f".{_FILES[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
