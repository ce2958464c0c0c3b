"""Raw tables that reach an estimator: which columns it cannot take, and what to do."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse

from .._fields.columns import CATEGORY, DATE, LIST, Column
from .._fields.tables import columns_of

_NUMBERS = "biufc"  # NumPy's kinds
_HELD = {CATEGORY: "categories", DATE: "dates", LIST: "lists"}
# Columns that a message names.
_NAMED = 5


def check_kinds(estimator, X) -> None:
    """Refuse columns that hold no numbers.

    scikit-learn would take text of digits, dates and categories of numbers for numbers.

    Raises
    ------
    ValueError
        If a column holds text, categories, dates or lists, mixes kinds, or is of objects of which
        some are missing.
    """
    if _kinds(X) <= set(_NUMBERS):
        return
    message = _refusal(estimator, columns_of(X))
    if message:
        raise ValueError(message)


def missing_values_message(estimator, X) -> str:
    """What to say of the missing values of X, which has some."""
    if sparse.issparse(X):
        X = sparse.coo_array(X)
        names = [f"x{column}" for column in np.unique(X.col[np.isnan(X.data)])]
        return (
            f"{_columns(names)} of X {_verb(names, 'has', 'have')} missing values (NaN). Fill them "
            "before the rows are encoded (sklearn.impute.SimpleImputer)."
        )
    return _refusal(estimator, columns_of(X if _is_frame(X) else np.asarray(X)))


def quoted(names: list[str]) -> str:
    """Names as a message has them: "'a', 'b' and 3 more"."""
    shown = [repr(name) for name in names[:_NAMED]]
    if len(names) > _NAMED:
        shown.append(f"{len(names) - _NAMED} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _is_frame(X) -> bool:
    return hasattr(X, "get_columns") or (hasattr(X, "iloc") and hasattr(X, "columns"))


def _kinds(X) -> set[str]:
    """NumPy's kinds of the columns; none if X is no table of a kind that is known here."""
    if sparse.issparse(X) or isinstance(X, np.ma.MaskedArray):
        return set()
    if hasattr(X, "get_columns"):
        plain = (dtype.is_numeric() or str(dtype) == "Boolean" for dtype in X.dtypes)
        return {"f" if is_plain else "O" for is_plain in plain}
    if _is_frame(X):
        return {getattr(dtype, "kind", "O") for dtype in X.dtypes}
    if isinstance(X, (list, tuple)):
        try:
            X = np.asarray(X)
        except ValueError:  # rows of several lengths
            return set()
    return {X.dtype.kind} - {"V"} if isinstance(X, np.ndarray) and X.ndim == 2 else set()


def _refusal(estimator, columns: Iterable[Column]) -> str:
    """The message; empty if all columns hold numbers."""
    held: dict[str, list[str]] = {}
    missing = []
    for column in columns:
        if column.missing.any():
            missing.append(column.name)
        if column.kind in _HELD and not column.missing.all():
            held.setdefault(_what(column), []).append(column.name)
    said = [f"{_columns(n)} of X {_verb(n, 'holds', 'hold')} {what}" for what, n in held.items()]
    if missing:
        has = _verb(missing, "has", "have")
        said.append(f"{_columns(missing)} of X {has} missing values (NaN)")
    if not said:
        return ""
    name = type(estimator).__name__
    return (
        f"{'. '.join(said)}. {name} itself takes numbers and one-hot rows only. Use "
        f"sklearn_afm.make_field_pipeline({name}()): it encodes text, numbers, dates and missing "
        "values."
    )


def _what(column: Column) -> str:
    value = column.values[~column.missing][0]
    return "text" if isinstance(value, (str, bytes)) else _HELD[column.kind]


def _columns(names: list[str]) -> str:
    return f"{_verb(names, 'Column', 'Columns')} {quoted(names)}"


def _verb(names: list[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several
