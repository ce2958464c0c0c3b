"""A scorer predicts what its pipeline predicts, and refuses what it refuses."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scored import (
    FAST,
    MODELS,
    VALUES,
    assert_same_scores,
    fitted,
    frame_of,
    method_of,
    scrambled,
    tolerance,
    training_rows,
)

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor, make_field_pipeline
from sklearn_afm._fields.columns import LARGEST
from sklearn_afm.export import to_scorer

NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.integers(-(10**6), 10**6))
DATES = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))
DRAWN = {
    "colour": st.text(max_size=3),
    "price": NUMBERS,
    "size": NUMBERS,
    "sold": DATES,
    "built": DATES,
    "tags": st.lists(st.sampled_from("abcde"), max_size=12),
    "genres": st.text("xyz| ", max_size=8),
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            name: st.one_of(st.sampled_from(range(len(values))).map(values.__getitem__), more)
            for name, values in VALUES.items()
            for more in [DRAWN.get(name, st.just(values[0]))]
        }
    ),
    min_size=1,
    max_size=5,
).map(lambda rows: [{name: row[name] for name in VALUES} for row in rows])  # in the order of fit


# Shrinking takes minutes, and a row is short enough to be read.
QUICK = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


@pytest.fixture(scope="module", params=MODELS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def scorer(name):
    return to_scorer(fitted(name))


@settings(QUICK, max_examples=15)
@given(rows=ROWS)
def test_drawn_rows(name, scorer, rows):
    assert_same_scores(fitted(name), scorer, rows, tolerance(name))


def test_training_rows_in_one_call_and_one_by_one(name, scorer):
    rows = training_rows()
    assert_same_scores(fitted(name), scorer, rows, tolerance(name))
    method = getattr(scorer, method_of(fitted(name)))
    expected = method(rows[:20])
    for row, value in zip(rows, expected):
        of_one = method(row)
        assert np.shape(of_one) == value.shape
        np.testing.assert_allclose(of_one, value, rtol=tolerance(name), atol=tolerance(name))


def test_the_models_of_this_test_are_not_trivial():
    """Attention is uneven, and each part of the model counts."""
    rows = training_rows()
    for name in MODELS:
        model = fitted(name)
        assert len(model[-1].cross_columns_) > 100
        arrays = to_scorer(model)._formula.arrays
        before = getattr(model, method_of(model))(frame_of(rows))
        for part in ("embeddings", "linear_weights", "cross_weights", "network_context"):
            if part in arrays:
                without = to_scorer(model)
                without._formula.arrays[part][...] = 0
                assert np.abs(getattr(without, method_of(model))(rows) - before).max() > 1e-3, part


# Kinds of values, right and wrong

WRONG = [
    "text",
    "3",
    3,
    2.5,
    True,
    np.bool_(False),
    Decimal("0.5"),
    Decimal("3"),
    datetime.date(2024, 1, 1),
    pd.Timestamp("2024-01-01"),
    np.datetime64("2024-01-01"),
    np.datetime64("12024-01-01"),
    datetime.timedelta(hours=1),
    pd.Timedelta("1h"),
    np.timedelta64(1, "h"),
    ["a"],
    ("a", 3),
    {"a"},
    np.array(["a"]),
    np.array([]),
    [["a"]],
    [{"a": 1}],
    [("a", [])],
    {"a": 1},
    float("inf"),
    -np.inf,
    1e200,
    10**400,
    None,
    np.nan,
    pd.NA,
    pd.NaT,
    Decimal("NaN"),
    np.datetime64("NaT"),
]
REFUSED = "refused"


def outcome(predict, rows, *errors):
    """Predictions, or that they are refused."""
    try:
        return predict(rows)
    except (TypeError, ValueError, *errors):
        return REFUSED


# A categorical takes any value as a level, and so does a column that was empty in training.
@pytest.mark.parametrize("column", [name for name in VALUES if name not in ("grade", "nothing")])
@pytest.mark.parametrize("name", ["AFM", "FwFM"])
def test_both_refuse_the_same_values(name, column):
    model = fitted(name)
    scorer = to_scorer(model)
    refused = 0
    for value in WRONG:
        if column == "rooms" and type(value) is int and value > LARGEST:
            continue  # a level that training has not seen; NumPy cannot make a column of it
        row = training_rows()[9] | {column: value}
        expected = outcome(model.predict, frame_of([row]), OverflowError)  # of 10**400
        actual = outcome(scorer.predict, [row])
        if expected is REFUSED or actual is REFUSED:
            assert (actual is REFUSED) == (expected is REFUSED), (value, expected, actual)
            refused += 1
        else:
            np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5, err_msg=repr(value))
    assert refused >= 10


def test_categories_of_decimals_and_durations():
    hour = datetime.timedelta(hours=1)
    frame = pd.DataFrame({"share": [0.1, 0.5] * 20, "wait": [hour, hour, 2 * hour, 3 * hour] * 10})
    model = make_field_pipeline(FMRegressor(**FAST), categorical_features=["share", "wait"])
    model.fit(frame, np.arange(40.0))
    scrambled(model[-1])
    for share, wait in ((Decimal("0.1"), 2 * hour), (0.5, np.timedelta64(180, "m"))):
        row = {"share": share, "wait": wait}
        actual = to_scorer(model).predict([row])
        np.testing.assert_allclose(actual, model.predict(pd.DataFrame([row])), rtol=1e-5)
        assert abs(actual - to_scorer(model).predict([row | {"share": 0.7}])) > 1e-3
        assert abs(actual - to_scorer(model).predict([row | {"wait": 9 * hour}])) > 1e-3


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"colour": "red"}, r"Row 0 lacks the values \['size'\]"),
        ({"colour": "red", "size": 1, 3: 4}, r"has \[3\] besides"),
        ({"colour": 1, "size": 1}, r"'colour' held text in training, and is 1 \(int\)"),
        ({"colour": "red", "size": "1"}, r"'size' held numbers in training, and is '1' \(str\)"),
        ({"colour": "red", "size": np.inf}, r"'size' is inf"),
        ({"colour": "red", "size": 10**400}, r"'size' is 10000"),
        ("red", "rows must be a dict"),
        ([["red", 1]], "Row 0 must be a dict, and is a list"),
        (iter([]), "rows must be a dict"),
    ],
)
def test_sentences(row, sentence):
    frame = pd.DataFrame({"colour": ["red", "blue"] * 20, "size": [1, 2, 2, 3] * 10})
    scorer = to_scorer(make_field_pipeline(FMRegressor(**FAST)).fit(frame, [1.0, 2.0] * 20))
    with pytest.raises((TypeError, ValueError), match=sentence):
        scorer.predict(row)


def test_an_infinite_prediction_is_refused():
    model = make_field_pipeline(AFMRegressor(loss="poisson", **FAST))
    frame = pd.DataFrame({"colour": ["red", "blue"] * 20})
    model.fit(frame, [1.0, 2.0] * 20)
    model[-1].bias_ = np.float64(800.0)
    scorer = to_scorer(model)
    for predict, rows in ((model.predict, frame), (scorer.predict, [{"colour": "red"}])):
        with pytest.raises(ValueError, match="infinite"):
            predict(rows)
    with pytest.raises(ValueError, match="infinite"):
        scorer.score_items({}, [{"colour": "red"}])


# Rows that are far from those of the tables above


def test_long_ragged_lists():
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in range(200)]
    lists = [rng.choice(words, n, replace=False).tolist() for n in range(150)]
    frame = pd.DataFrame({"words": lists, "kind": rng.choice(["a", "b"], 150)})
    for shared in (False, True):
        estimator = AFMRegressor(precision="float64", **FAST)
        model = make_field_pipeline(estimator, shared_weight=shared)
        model.fit(frame, rng.normal(size=150))
        scrambled(model[-1])
        assert_same_scores(model, to_scorer(model), frame.to_dict("records"), 1e-9)


@pytest.mark.parametrize("Estimator", [AFMRegressor, AFMClassifier, FMRegressor])
def test_rows_without_an_entry(Estimator):
    rng = np.random.default_rng(0)
    n = 80
    frame = pd.DataFrame(
        {
            "colour": rng.choice(["red", "blue"], n),
            "tags": [rng.choice(list("abc"), k, replace=False).tolist() for k in [1, 2] * (n // 2)],
        }
    )
    model = make_field_pipeline(Estimator(**FAST)).fit(frame, np.arange(n) % 3)
    scrambled(model[-1])
    rows = [{"colour": "new", "tags": tags} for tags in ([], ["new"], None)]
    for some in (rows, rows[:1], [*rows, {"colour": "red", "tags": ["a", "b"]}]):
        assert_same_scores(model, to_scorer(model), some, 1e-5)


def test_a_centred_column():
    """A column that is the same in nearly all rows, and not 1."""
    rng = np.random.default_rng(0)
    n = 200
    tags = [["a", str(rng.choice(["b", "c"]))] for _ in range(n)]
    tags[0] = ["a", "b", "c"]
    frame = pd.DataFrame({"tags": tags, "kind": rng.choice(["x", "y"], n)})
    model = make_field_pipeline(AFMRegressor(**FAST), shared_weight=True)
    model.fit(frame, rng.normal(size=n))
    assert model[-1].column_mean_ is not None
    scrambled(model[-1])
    scorer = to_scorer(model)
    more = [{"tags": given, "kind": "x"} for given in ([], ["a"], ["b"], list("abc"), None, ["n"])]
    assert_same_scores(model, scorer, frame.to_dict("records") + more, 1e-5)
    context, items = {"kind": "x"}, [{"tags": row["tags"]} for row in more]
    np.testing.assert_allclose(scorer.score_items(context, items), scorer.predict(more), rtol=1e-5)
    with pytest.raises(ValueError, match="besides"):
        scorer.score_items(context, [more[0]])


def test_crosses_that_a_fit_has_learnt():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(list("abcd"), 1500) for name in "xyz"})
    y = 2.0 * (frame["x"] == frame["y"]) + rng.normal(size=1500) / 10
    model = make_field_pipeline(FMRegressor(max_iter=2, random_state=0)).fit(frame, y)
    assert len(model[-1].cross_columns_)
    assert_same_scores(model, to_scorer(model), frame.to_dict("records"), 1e-5)


# Items

ONE_SCORE = [n for n, (_, target, *_) in MODELS.items() if target not in ("several", "classes")]
CONTEXTS = [
    ("colour", "price", "garden", "sold", "tags"),
    ("tags",),
    ("nothing", "tags", "genres"),
    (),
    tuple(name for name in VALUES if name != "tags"),
]


@pytest.mark.parametrize("name", ONE_SCORE)
@settings(QUICK, max_examples=5)
@given(rows=ROWS, shared=st.sampled_from(CONTEXTS))
def test_items_are_scored_as_joined_rows(name, rows, shared):
    model = fitted(name)
    context = {column: rows[0][column] for column in shared}
    items = [{c: value for c, value in row.items() if c not in shared} for row in rows]
    joined = frame_of([rows[0] | item for item in items])
    expected = getattr(model, "decision_function", model.predict)(joined)
    actual = to_scorer(model).score_items(context, items)
    assert np.abs(actual - expected).max() <= tolerance(name) * max(1.0, np.abs(expected).max())


def test_items_that_make_no_pair():
    frame = pd.DataFrame({"tags": [["a"], ["b"], ["a", "b"]] * 20, "kind": ["x", "y"] * 30})
    model = make_field_pipeline(AFMRegressor(**FAST)).fit(frame, np.arange(60.0))
    scrambled(model[-1])
    scorer = to_scorer(model)
    for context, item in (({"tags": []}, {"kind": "x"}), ({"kind": "x"}, {"tags": []})):
        expected = model.predict(pd.DataFrame([context | item])[["tags", "kind"]])
        np.testing.assert_allclose(scorer.score_items(context, [item]), expected, rtol=1e-5)
    assert scorer.score_items({"kind": "x"}, []).shape == (0,)
    assert scorer.predict([]).shape == (0,)


@pytest.mark.parametrize(
    ("context", "items", "error", "sentence"),
    [
        ("red", [], TypeError, "context must be a dict"),
        ({"color": "red"}, [{"size": 1}], ValueError, r"training had not: \['color'\]"),
        ({"colour": "red"}, [{"size": 1, "colour": "blue"}], ValueError, r"\['colour'\] besides"),
        ({"colour": "red"}, [{}], ValueError, r"lacks the values \['size'\]"),
    ],
)
def test_items_that_are_refused(context, items, error, sentence):
    frame = pd.DataFrame({"colour": ["red", "blue"] * 20, "size": [1, 2, 2, 3] * 10})
    scorer = to_scorer(make_field_pipeline(FMRegressor(**FAST)).fit(frame, [1.0, 2.0] * 20))
    with pytest.raises(error, match=sentence):
        scorer.score_items(context, items)


def test_items_of_several_scores_are_refused():
    with pytest.raises(ValueError, match="several scores a row"):
        to_scorer(fitted("AFM of three classes")).score_items({}, training_rows())


def test_a_regressor_has_no_probabilities():
    with pytest.raises(AttributeError, match="predicts no classes"):
        to_scorer(fitted("AFM")).predict_proba(training_rows())
