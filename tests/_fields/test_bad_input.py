"""Bad input: what FieldEncoder refuses, and how it treats odd columns."""

from datetime import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixed import frame

from sklearn_afm import FieldEncoder


def column(values):
    """A frame of a column of objects."""
    return pd.DataFrame({"a": pd.Series(values, dtype=object)})


def dates(*years):
    """An array of dates."""
    return np.array(years, dtype="datetime64[Y]")[:, None]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (column([1, "x", 2]), ValueError, "'a' mixes numbers and text .*astype"),
        (column([["x"], "x"]), ValueError, "'a' mixes lists and text"),
        (column([True, 2]), ValueError, "'a' mixes bools and numbers"),
        (column([True, "x", None]), ValueError, "'a' mixes bools and text"),
        (column([b"x", "x"]), ValueError, "'a' mixes bytes and text"),
        (column([datetime(2024, 1, 1), "2024"]), ValueError, "'a' mixes dates and text"),
        (column([{"x": 1}]), TypeError, "'a' holds a dict"),
        (column([["x", ["y"]]]), TypeError, "'a' has a list .*'list'"),
        (column([[None, {"x": 1}]]), TypeError, "'a' has a list .*'dict'"),
        (column([1.0, np.inf]), ValueError, "'a' has infinite numbers"),
        (pd.DataFrame({"a": [1.0, -1e200]}), ValueError, r"'a' has .* beyond 1e\+150"),
        (dates("0001", "290000000000"), ValueError, "'x0' has a date in the year 290000000000"),
        (dates("-0001"), ValueError, "'x0' has a date in the year -1"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, r"same name: \['a'\]"),
        (pd.DataFrame({"a": []}), ValueError, "0 sample"),
        (pd.DataFrame(index=range(3)), ValueError, "0 feature"),
        (pd.Series([1, 2]), ValueError, r"1D.*X\.to_frame\(\) if it is a column"),
        (
            pd.Series([1, 2]),
            ValueError,
            r"frame\.iloc\[\[0\]\].* if it is a row",
        ),
        (np.array([1.0, 2.0]), ValueError, "Expected 2D array"),
        (np.ma.array([[1.0]], mask=[[True]]), TypeError, "masked .*filled"),
        (np.zeros(2, dtype=[("a", "i4", (2,))]), ValueError, "'a' has several values in a row"),
        (np.zeros(2, dtype=[("a", [("b", "i4")])]), ValueError, "'a' has several values in a row"),
        (pl.LazyFrame({"a": [1]}), TypeError, r"LazyFrame.*X\.collect\(\)"),
        (np.ones((2, 2), dtype=complex), ValueError, "Complex data not supported"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), ValueError, r"same name: \['1'\]"),
        (pd.DataFrame([[1, 2]], columns=["a", 1]), TypeError, "columns.astype"),
        ({"a": [1]}, TypeError, r"mapping.*pandas\.DataFrame\(X\)"),
        ([{"a": 1}, {"a": 2}], TypeError, r"list of mappings.*pandas\.DataFrame\(X\)"),
    ],
)
def test_bad_frames(X, error, message):
    with pytest.raises(error, match=message):
        FieldEncoder().fit(X)


def test_parameters_that_name_no_column():
    for options in ({"categorical_features": ["nobody"]}, {"delimiters": {"nobody": "|"}}):
        with pytest.raises(ValueError, match=r"\['nobody'\].*'colour'"):
            FieldEncoder(**options).fit(frame())
    with pytest.raises(ValueError, match=r"\[17\]"):
        FieldEncoder(categorical_features=[17]).fit(frame())


def test_parameters_that_name_a_column_of_another_kind():
    for options in (
        {"categorical_features": ["sold"]},
        {"delimiters": {"rooms": "|"}},
        {"delimiters": {"tags": "|"}},
    ):
        with pytest.raises(ValueError, match=r"'(sold|rooms|tags)', which holds (dates|num|lists)"):
            FieldEncoder(**options).fit(frame())
    for delimiter in ("", None, 7):
        with pytest.raises(ValueError, match=f"delimiter of 'colour' must be text.*{delimiter!r}"):
            FieldEncoder(delimiters={"colour": delimiter}).fit(frame())


def test_a_column_that_is_called_as_a_part_of_a_date():
    X = frame()[["sold"]].assign(**{"sold month": "x"})
    with pytest.raises(ValueError, match=r"same name: \['sold month'\]. Rename"):
        FieldEncoder().fit(X)


def test_a_frame_that_is_not_that_of_training():
    X = frame()
    encoder = FieldEncoder().fit(X)
    with pytest.raises(ValueError, match="feature names"):
        encoder.transform(X.rename(columns={"colour": "color"}))
    with pytest.raises(ValueError, match="order"):
        encoder.transform(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="unseen at fit time:\n- more"):
        encoder.transform(X.assign(more=1))
    with pytest.raises(ValueError, match="0 sample"):
        encoder.transform(X[:0])
    with pytest.raises(ValueError, match="features"), pytest.warns(UserWarning, match="names"):
        encoder.transform(X.to_numpy()[:, :3])
    with pytest.raises(ValueError, match="'price' held numbers in fit, and holds categories"):
        encoder.transform(X.assign(price="cheap"))
    with pytest.raises(ValueError, match="'sold' held dates in fit, and holds categories"):
        encoder.transform(X.assign(sold="yesterday"))
    with pytest.raises(ValueError, match="'garden' held bools in fit, and holds categories"):
        encoder.transform(X.assign(garden=X["garden"].astype(str)))
    with pytest.raises(ValueError, match="'garden' held bools in fit, and holds numbers"):
        encoder.transform(X.assign(garden=X["garden"].astype(int)))
    with pytest.raises(ValueError, match="'price' has infinite numbers"):
        encoder.transform(X.assign(price=np.inf))


def test_a_column_without_a_value():
    X = frame()
    for name in X.columns:
        empty = pd.Series([None] * len(X), dtype=object)
        rows = FieldEncoder().fit(X).transform(X.assign(**{name: empty}))
        assert rows.shape[0] == len(X)
    all_missing = pd.DataFrame({"a": [None, None], "b": [np.nan, np.nan], "c": [1, 2]})
    encoder = FieldEncoder().fit(all_missing)
    names = encoder.get_feature_names_out().tolist()
    assert names == ["a missing", "b missing", "c = 1", "c = 2"]
    for method in ("linear", "standard"):
        assert FieldEncoder(numbers=method).fit_transform(all_missing).shape[0] == 2


@pytest.mark.parametrize("numbers", ["bins", "linear", "standard"])
def test_a_constant_column_and_one_row(numbers):
    X = pd.DataFrame({"a": [3.0, 3.0], "b": ["x", "x"]})
    encoder = FieldEncoder(numbers=numbers).fit(X)
    assert np.isfinite(encoder.transform(X).toarray()).all()
    assert encoder.transform(X[:1]).shape == (1, 2)
    assert FieldEncoder(numbers=numbers).fit_transform(X[:1]).shape == (1, 2)


def test_a_column_without_a_value_in_training_has_no_kind():
    train = pd.DataFrame(
        {"a": [None, None], "b": [np.nan, np.nan], "c": pd.to_datetime([None] * 2)}
    )
    encoder = FieldEncoder().fit(train)
    assert encoder.get_feature_names_out().tolist() == ["a missing", "b missing", "c missing"]
    new = pd.DataFrame({"a": [1.5, None], "b": ["x", None], "c": [["y"], None]})
    assert encoder.transform(new).toarray().tolist() == [[0, 0, 0], [1, 1, 1]]


def test_names_that_are_no_text():
    X = pd.DataFrame([[1, 3], [2, 4]], columns=[10, 20])
    encoder = FieldEncoder().fit(X)
    assert encoder.get_feature_names_out().tolist()[0] == "10 = 1"
    np.testing.assert_array_equal(
        encoder.transform(X).toarray(), encoder.transform(X.to_numpy()).toarray()
    )
    records = X.rename(columns=str).to_records(index=False)
    for other in (X[[20, 10]], records[["20", "10"]]):
        with pytest.raises(ValueError, match=r"columns \['20', '10'\], and had \['10', '20'\]"):
            encoder.transform(other)


def test_a_million_levels():
    n = 1_000_000
    X = pd.DataFrame({"a": pd.Series(np.arange(n)[::-1].astype(str), dtype=object)})
    encoder = FieldEncoder().fit(X)
    rows = encoder.transform(X)
    np.testing.assert_array_equal(rows.indices, np.arange(n))
    assert rows.shape == (n, n)


def test_integers_and_floats_of_one_value_are_one_level():
    train = pd.DataFrame({"a": [1, 2, 3]})
    new = pd.DataFrame({"a": [1.0, 2.0, np.nan]})
    encoder = FieldEncoder(categorical_features=["a"]).fit(train)
    assert encoder.transform(new).toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_large_integers_stay_apart():
    large = [2**53, 2**53 + 1, 2**63 - 1]
    for X in (
        pd.DataFrame({"a": large}),
        pd.DataFrame({"a": pd.array([*large, None], dtype="Int64")}),
        pl.DataFrame({"a": [*large, None]}),
        np.array(large)[:, None],
    ):
        encoder = FieldEncoder(categorical_features=[0]).fit(X)
        names = [name.rpartition(" = ")[2] for name in encoder.get_feature_names_out()[:3]]
        assert names == [str(value) for value in large]
        assert (encoder.transform(X).sum(axis=1) == 1).all()


def test_missing_entries_of_a_list_count_for_nothing():
    X = column([["x", None], [np.nan, "y", pd.NA], [None], None])
    encoder = FieldEncoder().fit(X)
    assert encoder.get_feature_names_out().tolist() == ["a = x", "a = y", "a missing"]
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert encoder.transform(X).toarray().tolist() == expected


def test_two_bins_of_many_numbers():
    for n_bins in (2, 3):
        encoder = FieldEncoder(n_bins=n_bins).fit(pd.DataFrame({"a": [0.0] * 90 + [1.0, 2, 3, 4]}))
        assert encoder.get_feature_names_out().tolist() == ["a below 2", "a from 2"]


@pytest.mark.parametrize(
    "text", ["2024-01-31", "31.1.2024", "1/31/2024", "2024/1/31 10:00", "2024-01-31T10"]
)
def test_text_that_looks_like_dates_is_warned_of(text):
    X = pd.DataFrame({"a": ["x", "y"], "when": [None, text]})
    with pytest.warns(UserWarning, match=r"Columns \['when'\] hold text that looks like dates"):
        FieldEncoder().fit(X)


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-31", "never"],
        ["2024-01-31-7"],
        ["2024-01"],
        ["1.10.24"],
        ["555-1234-5678"],
        [None],
    ],
)
def test_other_text_gives_no_warning(texts):
    FieldEncoder().fit(column(texts))


def test_dates_that_are_to_be_levels_give_no_warning():
    X = column(["2024-01-31", "2024-02-01"])
    FieldEncoder(categorical_features=["a"]).fit(X)
    FieldEncoder(delimiters={"a": "|"}).fit(X)
    FieldEncoder().fit(X.apply(pd.to_datetime))
