"""The columns of a frame or array, whatever library it comes from, as NumPy arrays."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from .columns import BOOL, CATEGORY, NUMBER, Column, date_column
from .objects import object_column


def columns_of(X) -> list[Column]:
    """The columns of a pandas or polars frame, or of a NumPy array (structured ones too).

    Raises
    ------
    TypeError
        If X is sparse, or no table.
    ValueError
        If X has not two dimensions, or holds complex numbers.
    """
    if isinstance(X, np.ma.MaskedArray):
        raise TypeError(
            "FieldEncoder takes no masked array. Give X.astype(float).filled(numpy.nan)."
        )
    for method in ("collect", "compute", "to_pylist"):
        if hasattr(type(X), method):  # X itself may have a column of that name
            make = "to_pandas" if method == "to_pylist" else method
            raise TypeError(f"FieldEncoder takes no {type(X).__name__}. Give X.{make}().")
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but a frame or a dense array is required. Give a matrix "
            "that is encoded already to the estimator as it is."
        )
    if isinstance(X, Mapping):
        raise TypeError(
            "FieldEncoder takes a frame, and got a mapping. Make one: pandas.DataFrame(X) of "
            "columns, pandas.DataFrame([X]) of a single row."
        )
    if isinstance(X, Sequence) and len(X) and isinstance(X[0], Mapping):
        raise TypeError(
            "FieldEncoder takes a frame, and got a list of mappings. Make one: pandas.DataFrame(X)."
        )
    if hasattr(X, "iloc") and hasattr(X, "columns"):
        return [_pandas_column(str(name), series) for name, series in X.items()]
    if hasattr(X, "get_columns"):
        return [_polars_column(series) for series in X.get_columns()]
    if hasattr(X, "iloc") or type(X).__name__ == "Series":
        raise ValueError(
            "Expected a frame, got a Series (1D). Give a frame: X.to_frame() if it is a column, "
            "frame.iloc[[0]] instead of frame.iloc[0] if it is a row."
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
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return _array_column(name, series.to_numpy())
    missing = np.asarray(series.array.isna(), dtype=bool)
    if hasattr(series, "cat"):
        levels = np.append(series.cat.categories.to_numpy(dtype=object), None)
        return Column(name, CATEGORY, levels[series.cat.codes.to_numpy()], missing)
    kind = getattr(dtype, "kind", "O")
    if type(dtype).__name__ == "PeriodDtype":
        return date_column(name, series.dt.start_time.to_numpy(), missing)
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if kind == "M" and (arrow is None or hasattr(arrow, "tz")):  # arrow's days become objects below
        if series.dt.tz is not None:
            if arrow is not None:  # pandas 2 takes UTC for the local time of arrow's timestamps
                series = series.astype(f"datetime64[s, {series.dt.tz}]")
            series = series.dt.tz_localize(None)  # the local time is what people act by
        return date_column(name, series.to_numpy(dtype="datetime64[s]"), missing)
    if kind == "m":
        return Column(name, NUMBER, series.dt.total_seconds().to_numpy(float), missing)
    if kind in "iu":
        return Column(name, NUMBER, series.to_numpy(dtype=kind + "8", na_value=0), missing)
    if kind == "f":
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return Column(name, NUMBER, numbers, missing | np.isnan(numbers))
    return object_column(name, series.to_numpy(dtype=object), missing)


def _polars_column(series) -> Column:
    name, dtype = series.name, series.dtype
    missing = series.is_null().to_numpy()
    if dtype.is_float():
        missing = missing | series.is_nan().fill_null(True).to_numpy()
    if dtype.is_numeric():
        if dtype.is_integer() and str(dtype) not in ("Int128", "UInt128"):
            return Column(name, NUMBER, series.fill_null(0).to_numpy(), missing)
        values = series.to_list() if missing.any() else series.to_numpy()
        return Column(name, NUMBER, np.asarray(values, dtype=np.float64), missing)
    if dtype.is_temporal() and str(dtype).startswith("Date"):
        if getattr(dtype, "time_zone", None):
            series = series.dt.replace_time_zone(None)
        return date_column(name, series.to_numpy(), missing)
    values = np.empty(len(series), dtype=object)
    values[:] = series.to_list()
    return object_column(name, values, missing)


def _array_column(name: str, values: np.ndarray) -> Column:
    kind = values.dtype.kind
    if values.ndim > 1 or kind == "V":
        raise ValueError(
            f"Column {name!r} has several values in a row (dtype {values.dtype}). Make a column of "
            "each."
        )
    if kind == "c":
        raise ValueError(f"Complex data not supported: column {name!r} has complex numbers.")
    if kind == "M":
        return date_column(name, values, np.isnat(values))
    if kind == "m":
        return Column(name, NUMBER, values / np.timedelta64(1, "s"), np.isnat(values))
    if kind == "f":
        values = values.astype(np.float64, copy=False)
        return Column(name, NUMBER, values, np.isnan(values))
    if kind in "iu":
        return Column(name, NUMBER, values, np.zeros(len(values), dtype=bool))
    if kind == "b":
        return Column(name, BOOL, values.astype(object), np.zeros(len(values), dtype=bool))
    return object_column(name, values.astype(object))
