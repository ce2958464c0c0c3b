"""Raw tables given straight to an estimator: the error names the columns and the remedy."""

import numpy as np
import pandas as pd
import pytest
from conftest import ESTIMATORS
from scipy import sparse

from sklearn_afm import (
    AFMClassifier,
    BayesianFMRegressor,
    FMClassifier,
    FMRegressor,
    make_field_pipeline,
)

Y = [0, 1] * 4
TEXT = pd.DataFrame({"carrier": list("abababab"), "origin": ["x", "y"] * 4, "hour": range(8)})
NAMED = "Columns 'carrier' and 'origin' of X hold text"
NUMBERED = "Columns 'x0' and 'x1' of X hold text"
GAPS = pd.DataFrame({"speed": [1.0, np.nan] * 4, "hour": range(8)})
GAP = r"Column 'speed' of X has missing values \(NaN\)"
TABLES = {
    "frame": (TEXT, NAMED),
    "categories of text": (TEXT.astype({"carrier": "category"}), NAMED),
    "pandas strings": (TEXT.astype({"carrier": "string", "origin": "string"}), NAMED),
    "objects": (TEXT.to_numpy(), NUMBERED),
    "array of text": (TEXT[["carrier", "origin"]].to_numpy(str), NUMBERED),
    "bytes": (np.array([[b"a", b"b"]] * 8), NUMBERED),
    "list": ([["red", "round"]] * 8, NUMBERED),
    "text of digits": (np.array([["1", "2"]] * 8), NUMBERED),
    "categories of numbers": (
        pd.DataFrame({"gate": pd.Categorical([3, 4] * 4)}),
        "Column 'gate' of X holds categories",
    ),
    "dates": (
        pd.DataFrame({"day": pd.date_range("2024-01-01", periods=8), "hour": range(8)}),
        "Column 'day' of X holds dates",
    ),
    "lists": (pd.DataFrame({"topics": [["a"], ["b"]] * 4}), "Column 'topics' of X holds lists"),
    "mixed": (pd.DataFrame({"gate": [1, "b"] * 4}), "Column 'gate' mixes numbers and text"),
    "NaN": (GAPS, GAP),
    "NaN, array": (GAPS.to_numpy(), r"Column 'x0' of X has missing values \(NaN\)"),
    "NaN, list": (GAPS.to_numpy().tolist(), r"Column 'x0' of X has missing values \(NaN\)"),
    "None": (GAPS.astype(object).where(GAPS.notna(), None), GAP),
    "pd.NA, Int64": (GAPS.astype({"speed": "Int64"}), GAP),
    "pd.NA, object": (GAPS.astype(object).where(GAPS.notna(), pd.NA), GAP),
    "pd.NA, boolean": (pd.DataFrame({"speed": pd.array([True, None] * 4, "boolean")}), GAP),
    "no value": (
        GAPS.assign(speed=None),
        GAP,
    ),
    "sparse NaN": (
        sparse.csr_array(np.array([[0, np.nan, 1]] * 8)),
        r"Column 'x1' of X has missing values \(NaN\). Fill them",
    ),
    "both": (
        TEXT.assign(speed=GAPS["speed"]),
        rf"{NAMED}. {GAP}. FMClassifier itself",
    ),
    "many": (
        pd.DataFrame({f"c{i}": list("abababab") for i in range(9)}),
        "Columns 'c0', 'c1', 'c2', 'c3', 'c4' and 4 more of X",
    ),
}


def said(error):
    return str(error.value)


@pytest.mark.parametrize("name", TABLES)
def test_fit_names_columns_and_remedy(name):
    X, message = TABLES[name]
    with pytest.raises(ValueError, match=message) as error:
        FMClassifier(max_iter=1).fit(X, Y)
    assert "HistGradientBoosting" not in said(error)
    if name not in ("mixed", "sparse NaN"):
        assert "make_field_pipeline(FMClassifier())" in said(error)


@pytest.mark.parametrize("name", ["frame", "text of digits", "NaN", "pd.NA, object"])
@pytest.mark.parametrize("Estimator", [*ESTIMATORS, BayesianFMRegressor])
def test_each_estimator_names_itself(Estimator, name):
    X, message = TABLES[name]
    with pytest.raises(ValueError, match=message) as error:
        Estimator(max_iter=1).fit(X, Y)
    assert f"make_field_pipeline({Estimator.__name__}())" in said(error)


@pytest.mark.parametrize("name", ["frame", "NaN", "pd.NA, Int64", "dates"])
def test_predict_says_the_same(name):
    X, message = TABLES[name]
    numbers = pd.DataFrame(np.eye(len(X.columns)), columns=X.columns)
    model = FMClassifier(max_iter=1).fit(numbers, np.arange(len(numbers)) % 2)
    with pytest.raises(ValueError, match=message):
        model.predict(X)


@pytest.mark.parametrize("name", ["frame", "None", "dates", "both", "categories of numbers"])
def test_the_remedy_works(name):
    X, _ = TABLES[name]
    model = make_field_pipeline(AFMClassifier(max_iter=1, random_state=0)).fit(X, Y)
    assert len(model.predict(X)) == 8


def test_polars():
    pl = pytest.importorskip("polars")
    text = pl.DataFrame({"carrier": ["a", "b"] * 4, "origin": ["x", "y"] * 4, "hour": range(8)})
    day = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 8), eager=True)
    for frame, message in (
        (text, NAMED),
        (text.with_columns(pl.col("carrier", "origin").cast(pl.Categorical)), NAMED),
        (pl.DataFrame({"day": day}), "Column 'day' of X holds dates"),
        (pl.DataFrame({"speed": [1, None] * 4}), GAP),
    ):
        with pytest.raises(ValueError, match=message):
            FMClassifier(max_iter=1).fit(frame, Y)


NUMBERS = {
    "objects": lambda X: X.astype(object),
    "bools": lambda X: X.astype(bool),
    "nullable": lambda X: pd.DataFrame(X).convert_dtypes(),
    "sparse columns": lambda X: pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(X)),
    "rows": lambda X: X.tolist(),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_any_type_pass(name):
    X = NUMBERS[name](np.tile(np.eye(4), (2, 1)))
    if hasattr(X, "columns"):
        X.columns = list("abcd")
    assert len(FMClassifier(max_iter=1).fit(X, Y).predict(X)) == 8


def test_missing_values_of_y_are_not_said_to_be_of_X():
    with pytest.raises(ValueError, match="Input y contains NaN"):
        FMClassifier().fit(np.eye(4), [0, 1, np.nan, 1])


@pytest.mark.parametrize("value", [None, np.nan, pd.NA])
@pytest.mark.parametrize("known", [["a", "b", "a"], [True, False, True], [1.5, 2.5, 3.5]])
def test_missing_objects_of_y_are_counted(value, known):
    estimator = FMRegressor() if known[0] == 1.5 else FMClassifier()
    for make in (pd.Series, lambda values, dtype: np.array(values, dtype)):
        y = make([*known, value], dtype=object)
        with pytest.raises(ValueError, match="Input y contains NaN: 1 of 4 values is missing"):
            estimator.fit(np.eye(4), y)
