"""Levels of encoded columns: their names within the field, their order, and bins."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    OneHotEncoder,
    StandardScaler,
)

from sklearn_afm import FieldEncoder, FMRegressor
from sklearn_afm.inspection import field_effect
from sklearn_afm.inspection._columns import find_fields, find_levels, take_apart
from sklearn_afm.inspection._levels import _merged

DAYS = pd.date_range("2024-01-01", periods=60)


@pytest.fixture
def frame():
    """60 rows: text, whole numbers, numbers with gaps, and dates."""
    rows = np.arange(60)
    return pd.DataFrame(
        {
            "a_b": np.array(["a_b", "x_y", "from z"])[rows % 3],
            "number": rows % 12 + 1,
            "size": np.where(rows % 5 == 0, np.nan, rows / 7),
            "when": DAYS,
            "flag": rows % 2 == 0,
        }
    )


def levels_of(encoder, X, fields="auto"):
    """The levels of each field, as {field: [Level, ...]}."""
    model = make_pipeline(encoder, FMRegressor(max_iter=1)).fit(X, np.arange(len(X)))
    parts = take_apart(model)
    fields = find_fields(*parts, fields)
    found = {}
    for level, field in zip(find_levels(*parts, fields), fields.of_column):
        found.setdefault(str(fields.names[field]), []).append(level)
    return found


def names(levels):
    return [level.name for level in levels]


def bins(n_bins=3):
    return KBinsDiscretizer(n_bins, strategy="uniform")


def test_field_encoder(frame):
    found = levels_of(FieldEncoder(n_bins=8), frame)
    assert names(found["a_b"]) == ["a_b", "x_y", "from z"]
    assert found["a_b"][0].place is None
    assert names(found["size"])[-1] == "missing"
    assert names(found["size"])[0].startswith("below ")
    assert {name.count(" to ") for name in names(found["size"])[1:-2]} == {1}
    # Bins of whole days are named by days, and hold the days that their names say.
    first, second = names(found["when day"])[:2]
    assert first.startswith("below 2024-0")
    assert second.split(" to ")[0] == first.removeprefix("below ")
    assert len(first) == len("below 2024-01-15")
    weekday = sorted(found["when weekday"], key=lambda level: level.place)
    assert names(weekday)[0] == "Monday"
    months = found["when month"]
    assert [(level.name, level.place) for level in months] == [("1", 1.0), ("2", 2.0)]
    assert {(level.name, level.place) for level in found["flag"]} == {("True", 1), ("False", 0)}


@pytest.mark.parametrize("method", ["linear", "standard"])
def test_numbers_of_field_encoder(method, frame):
    (column, *others) = levels_of(FieldEncoder(n_bins=64, numbers=method), frame[["size"]])["size"]
    if method == "linear":
        assert column.name == "near 0.143"
        assert column.ends == (1 / 7, 1 / 7)
    else:
        assert column.unit == pytest.approx((frame["size"].mean(), frame["size"].std(ddof=0)))
    assert others[-1].name == "missing"


@pytest.mark.parametrize("by_name", [True, False])
def test_scikit_learn_s_encoders(by_name, frame):
    encoder = make_column_transformer(
        (OneHotEncoder(), [0, 1]),
        (make_pipeline(SimpleImputer(), bins(), MaxAbsScaler()), [2]),
        (make_pipeline(SimpleImputer(), StandardScaler()), [4]),
    )
    table = frame.astype({"flag": float})
    found = levels_of(encoder, table if by_name else table.to_numpy(dtype=object))
    text, number, size, flag = found.values()
    assert list(found) == (
        ["a_b", "number", "size", "flag"] if by_name else [*map("x{}".format, [0, 1, 2, 4])]
    )
    assert names(text) == ["a_b", "from z", "x_y"]
    assert [level.place for level in number] == list(range(1, 13))
    assert names(size) == ["below 2.9", "2.9 to 5.67", "from 5.67"]
    assert flag[0].unit == (0.5, 0.5)


def test_special_categories_have_no_place(frame):
    table = pd.DataFrame({"n": [1.0] * 20 + [2.0] * 20 + [np.nan] * 17 + [4.0, 5.0, 6.0]})
    encoder = OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist")
    (levels,) = levels_of(encoder, table).values()
    assert [(level.name, level.place) for level in levels] == [
        ("1.0", 1.0), ("2.0", 2.0), ("missing", None), ("rare", None),
    ]  # fmt: skip
    model = make_pipeline(encoder, FMRegressor(max_iter=1)).fit(table, np.arange(60))
    assert field_effect(model, table, "n").levels.tolist() == ["1.0", "2.0", "missing", "rare"]


def test_names_of_columns_are_what_is_left(frame):
    """Fields that the user names, or an encoder without names."""
    encoder = make_column_transformer((OneHotEncoder(), ["a_b"]), (bins(), ["number"]))
    found = levels_of(encoder, frame, {"both": slice(0, 6)})["both"]
    assert names(found)[0] == "a_b = a_b"
    assert all(level.ends is None for level in found)
    silent = FunctionTransformer(lambda X: X[["number"]].to_numpy())
    with pytest.warns(UserWarning, match=r"FunctionTransformer .* gives no names"):
        assert names(levels_of(silent, frame)["x0"]) == ["x0"]


@pytest.mark.parametrize("shape", ["even", "lumpy", "falling"])
def test_merged_bins_have_half_of_their_share_of_rows(shape, rng):
    frequency = {
        "even": np.ones(64),
        "lumpy": rng.choice([1.0, 200.0], size=64, p=[0.8, 0.2]),
        "falling": 0.8 ** np.arange(64),
    }[shape]
    for n_groups in (1, 2, 7, 20):
        group = _merged(frequency, n_groups)
        assert set(np.diff(group)) <= {0, 1}
        rows = np.bincount(group, frequency)
        assert len(rows) <= n_groups
        assert rows.min() >= frequency.sum() / n_groups / 2
        if shape == "even":
            assert len(rows) == n_groups
            assert np.ptp(rows) <= 1
