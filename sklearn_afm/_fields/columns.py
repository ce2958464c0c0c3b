"""The columns of a frame or array, whatever library it comes from, as NumPy arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

CATEGORY, NUMBER, DATE, LIST = "category", "number", "date", "list"

_LISTS = (list, tuple, np.ndarray, set, frozenset)
_NUMERIC = (int, float, np.number)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    values: Python objects (category), float64 (number), datetime64 (date) or sequences (list).
    What stands at a missing position means nothing.
    """

    name: str
    kind: str
    values: np.ndarray
    missing: np.ndarray  # (n_rows,) of bool

    def __len__(self) -> int:
        return len(self.values)


def columns_of(X) -> list[Column]:
    """The columns of a pandas or polars frame, or of a NumPy array (structured ones too).

    Raises
    ------
    TypeError
        If X is sparse, or no table.
    ValueError
        If X has not two dimensions, or holds complex numbers.
    """
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but a frame or a dense array is required. Give a matrix "
            "that is encoded already to the estimator as it is."
        )
    if isinstance(X, Mapping):
        raise TypeError("FieldEncoder takes a frame, and got a mapping. Make a DataFrame of it.")
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return [_pandas_column(str(name), series) for name, series in X.items()]
    if hasattr(X, "get_columns"):
        return [_polars_column(series) for series in X.get_columns()]
    if hasattr(X, "iloc") or type(X).__name__ == "Series":
        raise ValueError(
            "Expected a frame, got a single column (1D). Give a frame of one column: X.to_frame()."
        )
    array = X if isinstance(X, np.ndarray) else _as_array(X)
    if array.dtype.names:
        return [_array_column(name, array[name]) for name in array.dtype.names]
    if array.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead: {array!r}. Reshape your data by "
            "X.reshape(-1, 1) if it has a single column, or X.reshape(1, -1) if it is a single row."
        )
    return [_array_column(f"x{j}", array[:, j]) for j in range(array.shape[1])]


def _as_array(X) -> np.ndarray:
    """A list of rows, or what NumPy can make an array of."""
    if (
        isinstance(X, Sequence)
        and len(X)
        and isinstance(X[0], Sequence)
        and not isinstance(X[0], str)
    ):
        return np.array(X, dtype=object) if _is_mixed(X) else np.asarray(X)
    return np.asarray(X)


def _is_mixed(rows) -> bool:
    """Whether NumPy would turn the numbers of these rows into text."""
    kinds = {type(value) for row in rows for value in row}
    return len(kinds) > 1 and not kinds <= {int, float, bool}


def _pandas_column(name: str, series) -> Column:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind not in "mM":
        return _array_column(name, series.to_numpy())
    missing = np.asarray(series.isna(), dtype=bool)
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        if getattr(series.dtype, "tz", None) is not None:
            series = series.dt.tz_localize(None)  # the local time is what people act by
        return Column(name, DATE, series.to_numpy(dtype="datetime64[s]"), missing)
    if kind == "m":
        return Column(name, NUMBER, series.dt.total_seconds().to_numpy(float), missing)
    if kind in "iuf" and not hasattr(series, "cat"):
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return Column(name, NUMBER, numbers, missing | np.isnan(numbers))
    objects = series.to_numpy(dtype=object)
    if hasattr(series, "cat"):
        return Column(name, CATEGORY, objects, missing)
    return _object_column(name, objects, missing)


def _polars_column(series) -> Column:
    missing = series.is_null().to_numpy()
    dtype = series.dtype
    if dtype.is_float():
        missing = missing | series.is_nan().fill_null(True).to_numpy()
    if dtype.is_numeric():
        values = (
            np.array(series.to_list(), dtype=np.float64) if missing.any() else series.to_numpy()
        )
        return Column(series.name, NUMBER, values.astype(np.float64), missing)
    if dtype.is_temporal() and str(dtype).startswith("Date"):
        if getattr(dtype, "time_zone", None):
            series = series.dt.replace_time_zone(None)
        return Column(series.name, DATE, series.to_numpy().astype("datetime64[s]"), missing)
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    return _object_column(series.name, values, missing)


def _array_column(name: str, values: np.ndarray) -> Column:
    if values.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: column {name!r} has complex numbers.")
    if values.dtype.kind == "M":
        return Column(name, DATE, values.astype("datetime64[s]"), np.isnat(values))
    if values.dtype.kind in "iuf":
        values = values.astype(np.float64, copy=False)
        return Column(name, NUMBER, values, np.isnan(values))
    if values.dtype.kind == "m":
        return Column(name, NUMBER, values / np.timedelta64(1, "s"), np.isnat(values))
    values = values.astype(object)
    return _object_column(name, values, _missing_objects(values))


def _missing_objects(values: np.ndarray) -> np.ndarray:
    """None, NaN and other values that do not equal themselves."""
    with np.errstate(invalid="ignore"):
        return np.array(
            [value is None or not _equals_itself(value) for value in values], dtype=bool
        )


def _equals_itself(value) -> bool:
    try:
        return bool(value == value)
    except (TypeError, ValueError):  # pandas.NA, arrays
        return not type(value).__name__.startswith("NA")


def _object_column(name: str, values: np.ndarray, missing: np.ndarray) -> Column:
    """A column of Python objects: lists, numbers, or categories."""
    present = values[~missing]
    kinds = set(map(type, present.tolist()))
    lists = {kind for kind in kinds if issubclass(kind, _LISTS)}
    numeric = {kind for kind in kinds if issubclass(kind, _NUMERIC) and kind is not bool}
    if any(issubclass(kind, dict) for kind in kinds):
        raise TypeError(
            f"Column {name!r} holds a dict; a value argument must be a string or a number, a "
            "date, or a list of strings."
        )
    if lists and lists != kinds:
        raise ValueError(
            f"Column {name!r} mixes lists with single values ({_names(kinds)}). Make every "
            "value a list."
        )
    if lists:
        return Column(name, LIST, values, missing)
    if numeric and numeric == kinds:
        numbers = np.full(len(values), np.nan)
        numbers[~missing] = present.astype(np.float64)
        return Column(name, NUMBER, numbers, missing | np.isnan(numbers))
    if numeric and any(issubclass(kind, str) for kind in kinds):
        raise ValueError(
            f"Column {name!r} mixes text and numbers ({_names(kinds)}), so that 1 and '1' would be "
            "different levels. Convert it: frame[column].astype(str), or pandas.to_numeric."
        )
    return Column(name, CATEGORY, values, missing)


def _names(kinds) -> str:
    return ", ".join(sorted(kind.__name__ for kind in kinds))
