"""Frames and arrays of every kind of column: pandas, arrow, polars, NumPy."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed import frame

from sklearn_afm import FieldEncoder


def test_every_kind_of_frame_gives_the_same_rows():
    base = frame()[["colour", "price", "rooms", "garden"]]
    base["colour"] = base["colour"].astype(object).where(base["colour"].notna(), None)
    expected = FieldEncoder().fit(base).transform(base).toarray()
    names = FieldEncoder().fit(base).get_feature_names_out().tolist()
    nullable = base.convert_dtypes()
    categorical = base.assign(colour=base["colour"].astype("category"))
    polar = pl.DataFrame(
        {
            "colour": base["colour"].tolist(),
            "price": base["price"].tolist(),
            "rooms": base["rooms"].tolist(),
            "garden": base["garden"].tolist(),
        }
    )
    polar_categories = polar.with_columns(pl.col("colour").cast(pl.Categorical))
    records = base.to_records(index=False)
    objects = base.to_numpy(dtype=object)
    for X in (nullable, categorical, polar, polar_categories, records, objects):
        encoder = FieldEncoder().fit(X)
        np.testing.assert_array_equal(encoder.transform(X).toarray(), expected, str(type(X)))
        if X is not objects:
            assert encoder.get_feature_names_out().tolist() == names


def test_polars_dates_and_lists():
    made = frame()
    rows = made[["sold", "tags"]]
    polar = pl.DataFrame(
        {
            "sold": [None if t is pd.NaT else t.to_pydatetime() for t in made["sold"]],
            "tags": made["tags"].tolist(),
        }
    )
    pandas_rows, polar_rows = (FieldEncoder().fit_transform(X) for X in (rows, polar))
    np.testing.assert_array_equal(pandas_rows.toarray(), polar_rows.toarray())


def test_a_list_of_rows():
    X = [["red", 1], ["blue", 2], ["red", 3]]
    assert FieldEncoder().fit(X).get_feature_names_out().tolist() == [
        "x0 = red", "x0 = blue", "x1 = 1", "x1 = 2", "x1 = 3",
    ]  # fmt: skip


# One column, from different libraries. What stands in `levels` are names of the present values.


def named_rows(X):
    """The names of each row's entries, without the name of the column."""
    encoder = FieldEncoder().fit(X)
    names = np.array([name[2:] for name in encoder.get_feature_names_out()])
    rows = encoder.transform(X)
    return [names[part].tolist() for part in np.split(rows.indices, rows.indptr[1:-1])]


WHEN = datetime(2024, 7, 1, 23, 30)
HOUR = ["month = 7", "weekday = Monday", "hour = 23", "day = 2024-07-01"]
DAY = ["month = 7", "weekday = Monday", "day = 2024-07-01"]
NO_HOUR = ["month missing", "weekday missing", "hour missing", "day missing"]
NO_DAY = ["month missing", "weekday missing", "day missing"]
MISSING = ["missing"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], [["= 1"], MISSING, ["= 3"]]),
        ([1.5, None, np.nan], [["= 1.5"], MISSING, MISSING]),
        ([Decimal("1.50"), None, Decimal("NaN")], [["= 1.5"], MISSING, MISSING]),
        (["x", None, np.nan], [["= x"], MISSING, MISSING]),
        (["x", pd.NA, pd.NaT], [["= x"], MISSING, MISSING]),
        ([True, None, False], [["= True"], MISSING, ["= False"]]),
        ([["x", "y"], None, []], [["= x", "= y"], MISSING, []]),
        ([{"y", "x"}, None, ("y",)], [["= y", "= x"], MISSING, ["= y"]]),
        ([{16, 1}], [["= 1", "= 16"]]),
        ([np.array(["x", "y"]), None], [["= x", "= y"], MISSING]),
        ([WHEN, None, pd.NaT], [HOUR, NO_HOUR, NO_HOUR]),
        ([WHEN.replace(tzinfo=timezone(timedelta(hours=3))), None], [HOUR, NO_HOUR]),
        ([pd.Timestamp(WHEN, tz="Asia/Tokyo"), None], [HOUR, NO_HOUR]),
        ([date(2024, 7, 1), None], [DAY, NO_DAY]),
        ([np.datetime64(WHEN), None, np.datetime64("NaT")], [HOUR, NO_HOUR, NO_HOUR]),
        ([timedelta(days=2), None, pd.NaT], [["= 172800"], MISSING, MISSING]),
        ([np.timedelta64(2, "D"), None, np.timedelta64("NaT")], [["= 172800"], MISSING, MISSING]),
        ([time(9, 5), None], [["= 09:05:00"], MISSING]),
    ],
)
def test_columns_of_objects(values, expected):
    objects = np.empty((len(values), 1), dtype=object)
    objects[:, 0] = values
    assert named_rows(pd.DataFrame({"a": pd.Series(objects[:, 0], dtype=object)})) == expected
    names = [[name.removeprefix(" ") for name in row] for row in named_rows(objects)]
    assert names == expected


@pytest.mark.parametrize(
    ("years", "expected"),
    [((1, 9999), ["0001-01-01", "9999-12-31"]), ((1500, 2500), ["1500-01-01", "2500-12-31"])],
)
def test_dates_beyond_nanoseconds(years, expected):
    ends = [datetime(years[0], 1, 1), datetime(years[1], 12, 31)]
    array = np.array(ends, dtype="datetime64[D]")
    for X in (
        pd.DataFrame({"a": pd.Series(ends, dtype=object)}),
        pd.DataFrame({"a": array.astype("datetime64[s]")}),
        pl.DataFrame({"a": ends}),
        array[:, None],
    ):
        encoder = FieldEncoder().fit(X)
        assert [name.split()[-1] for name in encoder.get_feature_names_out()[-2:]] == expected
        found = encoder.inverse_transform(encoder.transform(X))[:, 0]
        assert [value.item() for value in found] == ends


def test_other_dtypes_of_pandas():
    periods = pd.DataFrame({"a": pd.period_range("2024-07-01", periods=1, freq="D")})
    assert named_rows(periods) == [DAY]
    zoned = pd.DataFrame({"a": pd.Series([pd.Timestamp(WHEN, tz="Asia/Tokyo"), None])})
    assert named_rows(zoned) == [HOUR, NO_HOUR]
    sparse = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 0.0, 1.0])})
    assert named_rows(sparse) == [["= 0"], ["= 0"], ["= 1"]]
    durations = pd.DataFrame({"a": pd.to_timedelta(pd.Series([1, None]), unit="h")})
    assert named_rows(durations) == [["= 3600"], MISSING]
    numbers = pd.DataFrame({"a": pd.Categorical([3, None, 1])})
    assert named_rows(numbers) == [["= 3"], MISSING, ["= 1"]]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, None, 3], "int64", [["= 1"], MISSING, ["= 3"]]),
        ([1.5, None], "float64", [["= 1.5"], MISSING]),
        (["x", None, "y"], "string", [["= x"], MISSING, ["= y"]]),
        (["x", None, "y"], "dictionary", [["= x"], MISSING, ["= y"]]),
        ([True, None, False], "bool_", [["= True"], MISSING, ["= False"]]),
        ([WHEN, None], "timestamp", [HOUR, NO_HOUR]),
        ([WHEN.replace(hour=14, tzinfo=timezone.utc), None], "zoned", [HOUR, NO_HOUR]),
        ([date(2024, 7, 1), None], "date32", [DAY, NO_DAY]),
        ([timedelta(days=2), None], "duration", [["= 172800"], MISSING]),
        ([Decimal("1.50"), None], "decimal", [["= 1.5"], MISSING]),
        ([["x", "y"], None, []], "list", [["= x", "= y"], MISSING, []]),
        ([None, None], "null", [MISSING, MISSING]),
    ],
)
def test_arrow_columns_of_pandas(values, dtype, expected):
    pa = pytest.importorskip("pyarrow")
    types = {
        "dictionary": lambda: pa.dictionary(pa.int32(), pa.string()),
        "timestamp": lambda: pa.timestamp("us"),
        "zoned": lambda: pa.timestamp("ns", tz="Asia/Tokyo"),
        "duration": lambda: pa.duration("s"),
        "decimal": lambda: pa.decimal128(10, 2),
        "list": lambda: pa.list_(pa.string()),
    }
    kind = types.get(dtype) or getattr(pa, dtype)
    column = pd.arrays.ArrowExtensionArray(pa.array(values, type=kind()))
    assert named_rows(pd.DataFrame({"a": column})) == expected


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["x", None, "y"], pl.Enum(["y", "x", "z"]), [["= x"], MISSING, ["= y"]]),
        (["x", None, "y"], pl.Categorical, [["= x"], MISSING, ["= y"]]),
        ([["x", "y"], None, []], pl.List(pl.String), [["= x", "= y"], MISSING, []]),
        ([["x", "y"], None], pl.Array(pl.String, 2), [["= x", "= y"], MISSING]),
        ([True, None], pl.Boolean, [["= True"], MISSING]),
        ([1, None], pl.UInt8, [["= 1"], MISSING]),
        ([1, None], pl.Int128, [["= 1"], MISSING]),
        ([1.5, None, np.nan], pl.Float32, [["= 1.5"], MISSING, MISSING]),
        ([Decimal("1.50"), None], pl.Decimal(10, 2), [["= 1.5"], MISSING]),
        ([WHEN, None], pl.Datetime("ms"), [HOUR, NO_HOUR]),
        ([date(2024, 7, 1), None], pl.Date, [DAY, NO_DAY]),
        ([timedelta(days=2), None], pl.Duration, [["= 172800"], MISSING]),
        ([time(9, 5), None], pl.Time, [["= 09:05:00"], MISSING]),
        ([None, None], pl.Null, [MISSING, MISSING]),
    ],
)
def test_columns_of_polars(values, dtype, expected):
    assert named_rows(pl.DataFrame({"a": pl.Series(values, dtype=dtype)})) == expected


def test_time_zones_of_polars():
    utc = pl.Series([WHEN.replace(hour=14), None]).dt.replace_time_zone("UTC")
    X = pl.DataFrame({"a": utc.dt.convert_time_zone("Asia/Tokyo")})
    assert named_rows(X) == [HOUR, NO_HOUR]


def test_structured_arrays():
    kinds = [("a", "U3"), ("b", "f4"), ("c", "M8[m]"), ("d", "i2"), ("e", "?")]
    X = np.array([("x", 1.5, WHEN, 3, True), ("y", np.nan, "NaT", 4, False)], dtype=kinds)
    encoder = FieldEncoder().fit(X)
    names = [field.name for field in encoder.fields_]
    assert names == ["a", "b", "c month", "c weekday", "c hour", "c day", "d", "e"]
    expected = pd.DataFrame({name: X[name] for name in X.dtype.names})
    np.testing.assert_array_equal(
        encoder.transform(X).toarray(), FieldEncoder().fit_transform(expected).toarray()
    )
