"""Estimators on Dask collections: each worker trains on the partitions that it holds."""

try:
    import dask.array  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError(
        "sklearn_afm.dask needs dask and distributed: pip install sklearn_afm[dask]."
    ) from error

from ._encoder import DaskFieldEncoder
from ._estimators import (
    DaskAFMClassifier,
    DaskAFMRegressor,
    DaskFMClassifier,
    DaskFMRegressor,
)

__all__ = [
    "DaskAFMClassifier",
    "DaskAFMRegressor",
    "DaskFMClassifier",
    "DaskFMRegressor",
    "DaskFieldEncoder",
]
