"""Names that are private in scikit-learn, or that not all versions of it or of Python have.

This is the only file that imports private names of scikit-learn, or asks for its version. The
private imports do not differ between the versions that are supported (1.6 to 1.9). Each can go if
scikit-learn offers a public name.
"""

import sys

import sklearn
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt, StrOptions
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")

if HAS_CALLBACKS:
    from sklearn.callback import CallbackSupportMixin
else:

    class CallbackSupportMixin:
        """Versions before 1.9 have no callbacks, and so no `set_callbacks`."""


if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_):
        """What editors and type checkers read; it does nothing."""
        return lambda cls: cls


def callbacks_of(estimator) -> list:
    """What `set_callbacks` has set, or a meta-estimator has passed on."""
    return getattr(estimator, "_skl_callbacks", [])


def start_callbacks(estimator, max_subtasks: int):
    """Set the callbacks up, for a fit of up to so many tasks; `fit_context` takes them down."""
    return estimator._init_callback_context(max_subtasks=max_subtasks)


__all__ = [
    "HAS_CALLBACKS",
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "RealNotInt",
    "StrOptions",
    "callbacks_of",
    "check_feature_names_in",
    "check_sample_weight",
    "dataclass_transform",
    "fit_context",
    "safe_indexing",
    "start_callbacks",
]
