"""FieldEncoder: levels, numbers, dates, lists; names; stored encoders."""

import pickle
from itertools import pairwise

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mixed import frame
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import estimator_html_repr

from sklearn_afm import FieldEncoder
from sklearn_afm._fields.numbers import edges_of


def entries_per_field(encoder, X):
    """Number of entries of each row in each field."""
    dense = X.toarray() != 0
    return np.stack([dense[:, f.start : f.stop].sum(axis=1) for f in encoder.fields_], axis=1)


def test_categories_are_those_of_one_hot_encoder():
    X = frame()[["colour", "garden"]].fillna({"colour": "none"}).astype(str)
    encoder = FieldEncoder().fit(X)
    reference = OneHotEncoder().fit(X)
    found = pd.DataFrame(encoder.transform(X).toarray(), columns=encoder.get_feature_names_out())
    for name, levels in zip(X.columns, reference.categories_):
        for level in levels:
            expected = (X[name] == level).to_numpy(float)
            np.testing.assert_array_equal(found[f"{name} = {level}"], expected)
    assert found.shape[1] == sum(map(len, reference.categories_))


def test_levels_are_ordered_by_frequency():
    X = pd.DataFrame({"a": [*"zzzyyxww", None]})
    names = FieldEncoder().fit(X).get_feature_names_out().tolist()
    assert names == ["a = z", "a = y", "a = w", "a = x", "a missing"]


def test_each_row_has_one_entry_in_each_field_but_lists():
    X = frame()
    encoder = FieldEncoder().fit(X)
    rows = encoder.transform(X)
    assert rows.format == "csr"
    assert rows.has_canonical_format
    assert rows.dtype == np.float32
    assert (rows.data == 1).all()
    counts = entries_per_field(encoder, rows)
    kinds = np.array([field.kind for field in encoder.fields_])
    assert (counts[:, kinds != "list"] == 1).all()
    np.testing.assert_array_equal(counts[:, kinds == "list"][:, 0], X["tags"].map(len))
    names = [field.name for field in encoder.fields_]
    assert names == [
        "colour", "price", "rooms", "sold month", "sold weekday", "sold hour", "sold day", "garden",
        "tags",
    ]  # fmt: skip
    assert [f.start for f in encoder.fields_[1:]] == [f.stop for f in encoder.fields_[:-1]]
    assert encoder.fields_[-1].stop == rows.shape[1] == len(encoder.get_feature_names_out())


def test_unknown_levels_are_left_out_or_rare():
    train = pd.DataFrame({"a": ["x"] * 5 + ["y", "z"], "b": [1.0] * 7})
    new = pd.DataFrame({"a": ["x", "z", "never", None], "b": [1.0] * 4})
    encoder = FieldEncoder(min_frequency=2).fit(train)
    names = encoder.get_feature_names_out().tolist()
    assert names == ["a = x", "a rare", "b = 1"]
    expected = [[1, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1]]
    np.testing.assert_array_equal(encoder.transform(new).toarray(), expected)
    encoder = FieldEncoder(min_frequency=2, handle_unknown="rare").fit(train)
    expected[2] = [0, 1, 1]  # a missing value is no unknown level
    np.testing.assert_array_equal(encoder.transform(new).toarray(), expected)


def test_few_distinct_numbers_have_a_level_each_and_others_the_nearest():
    train = pd.DataFrame({"a": [1.0, 2.0, 4.0] * 3})
    encoder = FieldEncoder().fit(train)
    assert encoder.get_feature_names_out().tolist() == ["a = 1", "a = 2", "a = 4"]
    new = pd.DataFrame({"a": [-9.0, 1.4, 2.9, 3.1, 99.0]})
    assert encoder.transform(new).indices.tolist() == [0, 0, 1, 2, 2]


def test_edges_lie_at_quantiles_of_rows_and_of_distinct_values():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(10_000) < 0.92, 0.0, rng.normal(size=10_000))
    edges = edges_of(values, 64)
    # Quantiles of the rows alone would all be 0 but a few.
    assert 30 <= len(edges) <= 63
    assert (np.diff(edges) > 0).all()
    uniform = rng.random(10_000)
    np.testing.assert_allclose(
        np.quantile(uniform, edges_of(uniform, 64)), edges_of(uniform, 64), atol=0.02
    )


@settings(max_examples=100, deadline=None)
@example([0.0, 5e-324], 2, "bins")
@example([1.0, 1.0 + 1e-9], 2, "bins")
@given(
    st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=200),
    st.integers(2, 70),
    st.sampled_from(["bins", "linear"]),
)
def test_numbers_of_any_distribution(values, n_bins, method):
    X = np.array(values)[:, None]
    encoder = FieldEncoder(n_bins=n_bins, numbers=method).fit(X)
    rows = encoder.transform(X)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)
    assert rows.shape[1] <= n_bins + (method == "linear") + 1
    names = encoder.get_feature_names_out()
    assert len(set(names)) == len(names) == rows.shape[1]
    order = np.argsort(values, kind="stable")
    first = rows[order].toarray().argmax(axis=1)
    assert (np.diff(first) >= -1).all()
    # Every column has a row.
    if method == "bins":
        assert (rows.sum(axis=0) > 0).all()


def test_names_of_bins_tell_them_apart():
    days = pd.date_range("2024-01-01", periods=200, freq="h")
    X = pd.DataFrame({"n": 1_700_000_000 + np.arange(200), "t": days})
    n, t = FieldEncoder(n_bins=4).fit(X)._encoders[0::4]
    assert n.names() == ["n below 1700000100", "n from 1700000100"]
    assert t.names() == ["t day below 2024-01-05", "t day from 2024-01-05"]
    names = FieldEncoder(n_bins=40).fit(X[["t"]])._encoders[-1].names()
    assert names[0] == "t day below 2024-01-01 09:57"  # several edges on a day


def test_edges_between_whole_days_are_midnights():
    days = pd.date_range("2024-01-01", periods=99)
    encoder = FieldEncoder(n_bins=5).fit(pd.DataFrame({"t": days}))
    start, stop = encoder.fields_[-1][1:3]
    names = encoder.get_feature_names_out()[start:stop].tolist()
    columns = encoder.transform(pd.DataFrame({"t": days}))[:, start:stop].toarray().argmax(1)
    firsts = [str(days[np.flatnonzero(columns == place)[0]].date()) for place in range(len(names))]
    assert names[0] == f"t day below {firsts[1]}"
    assert names[1:-1] == [f"t day {low} to {high}" for low, high in pairwise(firsts[1:])]
    assert names[-1] == f"t day from {firsts[-1]}"


def test_linear_numbers_are_recovered_exactly():
    X = frame()[["price"]].dropna()
    encoder = FieldEncoder(numbers="linear", n_bins=8).fit(X)
    rows = encoder.transform(X)
    assert rows.dtype == np.float64
    assert (np.diff(rows.indptr) <= 2).all()
    found = encoder.inverse_transform(rows)[:, 0].astype(float)
    np.testing.assert_allclose(found, X["price"])


def test_standardised_numbers():
    X = frame()[["price", "rooms"]]
    encoder = FieldEncoder(numbers="standard").fit(X)
    rows = encoder.transform(X).toarray()
    assert encoder.get_feature_names_out().tolist() == ["price", "price missing", "rooms"]
    present = X["price"].notna()
    expected = (X["price"] - X["price"].mean()) / X["price"].std(ddof=0)
    np.testing.assert_allclose(rows[present, 0], expected[present])
    np.testing.assert_array_equal(rows[:, 1], ~present)
    found = encoder.inverse_transform(encoder.transform(X))
    np.testing.assert_allclose(found[:, 1].astype(float), X["rooms"])


def test_dates():
    X = pd.DataFrame({"when": pd.to_datetime(["2024-02-29 13:30", "1969-12-31 00:00", None])})
    encoder = FieldEncoder().fit(X)
    dense = encoder.transform(X).toarray() == 1
    names = encoder.get_feature_names_out()
    assert names[dense[0]].tolist()[:3] == [
        "when month = 2",
        "when weekday = Thursday",
        "when hour = 13",
    ]
    assert names[dense[1]].tolist()[:3] == [
        "when month = 12",
        "when weekday = Wednesday",
        "when hour = 0",
    ]
    assert all(name.endswith("missing") for name in names[dense[2]])
    found = encoder.inverse_transform(encoder.transform(X))[:, 0]
    assert found.tolist() == [pd.Timestamp("2024-02-29 13:30"), pd.Timestamp("1969-12-31"), None]
    days = FieldEncoder().fit(X.map(lambda t: t.normalize() if t is not pd.NaT else t))
    assert [field.name for field in days.fields_] == ["when month", "when weekday", "when day"]


def test_time_zones_count_as_local_time():
    local = pd.to_datetime(pd.Series(["2024-07-01 23:00", "2024-07-02 01:00"]))
    zoned = local.dt.tz_localize("Europe/Berlin")
    names = [
        FieldEncoder().fit(pd.DataFrame({"t": column})).get_feature_names_out().tolist()
        for column in (local, zoned)
    ]
    assert names[0] == names[1]


def test_lists_and_delimited_text():
    X = pd.DataFrame({"genre": ["a|b", "b", " c | b |", None, ""]})
    encoder = FieldEncoder(delimiters={"genre": "|"}).fit(X)
    assert encoder.get_feature_names_out().tolist() == [
        "genre = b", "genre = a", "genre = c", "genre missing",
    ]  # fmt: skip
    expected = [[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    np.testing.assert_array_equal(encoder.transform(X).toarray(), expected)
    shared = FieldEncoder(delimiters={"genre": "|"}, shared_weight=True).fit_transform(X)
    np.testing.assert_allclose(np.square(shared.toarray()).sum(axis=1), [1, 1, 1, 1, 0])
    assert encoder.inverse_transform(encoder.transform(X))[:, 0].tolist() == [
        ["b", "a"], ["b"], ["b", "c"], None, [],
    ]  # fmt: skip


def test_numbers_that_are_categories():
    X = pd.DataFrame({"code": [30, 7, 30, 1], "x": [1.0, 2.0, 3.0, 4.0]})
    for named in (["code"], [0], [-2]):
        encoder = FieldEncoder(categorical_features=named).fit(X)
        names = encoder.get_feature_names_out().tolist()
        assert names[:3] == ["code = 30", "code = 7", "code = 1"]
        new = X.assign(code=[8, 30, 7, 1])
        assert encoder.transform(new).toarray()[:, :3].sum(axis=1).tolist() == [0, 1, 1, 1]
    assert FieldEncoder().fit(X).transform(new).toarray()[:, :3].sum(axis=1).tolist() == [1] * 4


@pytest.mark.parametrize("numbers", ["bins", "linear"])
def test_inverse_transform(numbers):
    X = frame().drop(columns=["price"])
    encoder = FieldEncoder(numbers=numbers).fit(X)
    found = encoder.inverse_transform(encoder.transform(X))
    for position, name in enumerate(X.columns):
        for value, original in zip(found[:, position], X[name]):
            if name == "sold":
                if original is not pd.NaT:
                    assert abs(pd.Timestamp(value) - original) < pd.Timedelta(days=30)
            elif name == "tags":
                assert sorted(value) == sorted(original)
            elif original is None or original != original:
                assert value is None
            else:
                assert value == original


def test_storing_cloning_and_reprs(tmp_path):
    X = frame()
    encoder = FieldEncoder(n_bins=5, min_frequency=2).fit(X)
    expected = encoder.transform(X)
    joblib.dump(encoder, tmp_path / "e.joblib")
    skops.io.dump(encoder, tmp_path / "e.skops")
    trusted = skops.io.get_untrusted_types(file=tmp_path / "e.skops")
    assert all(name.startswith("sklearn_afm.") for name in trusted)
    for copy in (
        pickle.loads(pickle.dumps(encoder)),
        joblib.load(tmp_path / "e.joblib"),
        skops.io.load(tmp_path / "e.skops", trusted=trusted),
    ):
        np.testing.assert_array_equal(copy.transform(X).toarray(), expected.toarray())
    assert clone(encoder).get_params() == encoder.get_params()
    assert "FieldEncoder" in estimator_html_repr(encoder)


def test_in_a_column_transformer():
    X = frame()
    both = make_column_transformer(
        (FieldEncoder(), ["colour", "garden"]), (FieldEncoder(), ["rooms"])
    )
    rows = both.fit_transform(X)
    assert rows.shape[1] == len(both.get_feature_names_out())
    assert "fieldencoder-1__colour = red" in both.get_feature_names_out()


def test_pandas_output_is_refused():
    encoder = FieldEncoder().set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"(?i)sparse"):
        encoder.fit_transform(frame())
