"""Names that are private in scikit-learn, or that not all supported versions of Python have.

This is the only file that imports private names of scikit-learn. None of them differs between the
versions that are supported (1.6 to 1.9). Each can go if scikit-learn offers a public name.
"""

import sys

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, RealNotInt, StrOptions
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_):
        """What editors and type checkers read; it does nothing."""
        return lambda cls: cls


__all__ = [
    "HasMethods",
    "Interval",
    "RealNotInt",
    "StrOptions",
    "check_feature_names_in",
    "check_sample_weight",
    "dataclass_transform",
    "fit_context",
    "safe_indexing",
]
