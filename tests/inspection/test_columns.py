"""Fields and names of encoded columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from sklearn_afm import FieldEncoder, FMRegressor
from sklearn_afm.inspection import _columns, pair_importance
from sklearn_afm.inspection._columns import column_names, find_fields, take_apart


@pytest.fixture
def frame(rng):
    """Two text columns of 3 levels each (one level is rare), and two columns of numbers."""
    return pd.DataFrame(
        {
            "colour": np.array(["red", "green", "blue"])[np.arange(60) % 3],
            "shape": np.where(np.arange(60) == 4, "star", np.where(np.arange(60) % 2, "a", "b")),
            "size": rng.normal(size=60),
            "age": rng.uniform(size=60),
        }
    )


def fields_of(encoder, X):
    """Return the name of the field that "auto" finds for each column."""
    model = make_pipeline(encoder, FMRegressor(max_iter=1)).fit(X, np.arange(60.0))
    found = find_fields(*take_apart(model), "auto")
    assert len(found.of_column) == model[-1].n_features_in_
    return found.names[found.of_column].tolist()


def names_of(encoder, X):
    """Return the name of each encoded column."""
    model = make_pipeline(encoder, FMRegressor(max_iter=1)).fit(X, np.arange(60.0))
    return column_names(*take_apart(model)).tolist()


def bins():
    return KBinsDiscretizer(3, encode="onehot", strategy="uniform")


@pytest.mark.parametrize(
    ("encoder", "columns", "expected"),
    [
        (OneHotEncoder(), ["colour", "shape"], ["colour"] * 3 + ["shape"] * 3),
        (OneHotEncoder(drop="first"), ["colour", "shape"], ["colour"] * 2 + ["shape"] * 2),
        (
            OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist"),
            ["colour", "shape"],
            ["colour"] * 3 + ["shape"] * 3,
        ),
        (OneHotEncoder(max_categories=2), ["colour", "shape"], ["colour"] * 2 + ["shape"] * 2),
        (
            OneHotEncoder(max_categories=2, drop="if_binary"),
            ["colour", "shape"],
            ["colour", "shape"],
        ),
        (make_pipeline(OneHotEncoder(), MaxAbsScaler()), ["colour"], ["colour"] * 3),
        (
            make_pipeline(OneHotEncoder(), VarianceThreshold(0.1)),
            ["colour", "shape"],
            ["colour"] * 3 + ["shape"] * 2,
        ),
        (bins(), ["size", "age"], ["size"] * 3 + ["age"] * 3),
        (StandardScaler(), ["size", "age"], ["size", "age"]),
        (PCA(2), ["size", "age"], ["pca0", "pca1"]),
    ],
)
def test_fields_of_encoders(encoder, columns, expected, frame):
    assert fields_of(encoder, frame[columns]) == expected


def test_infrequent_levels_are_one_column(frame):
    frame = pd.concat([frame, frame.assign(colour="rare"), frame.assign(colour="seldom")])[:60]
    frame.loc[frame.index[:2], "colour"] = ["rare", "seldom"]
    encoder = OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist")
    assert fields_of(encoder, frame[["colour", "shape"]]) == ["colour"] * 4 + ["shape"] * 3


@pytest.mark.parametrize("verbose", [True, False])
def test_column_transformer_of_pipelines_by_name(verbose, frame):
    text = make_column_selector(dtype_exclude="number")
    encoder = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("text", make_pipeline(SimpleImputer(strategy="constant"), OneHotEncoder()), text),
            ("bins", bins(), slice("size", "size")),
            ("gone", "drop", ["age"]),
        ],
        verbose_feature_names_out=verbose,
    )
    expected = ["age"] + ["colour"] * 3 + ["shape"] * 3 + ["size"] * 3
    assert fields_of(encoder, frame) == expected


def test_column_transformer_by_position(frame):
    encoder = make_column_transformer(
        (OneHotEncoder(), [1]), (bins(), slice(2, 3)), (StandardScaler(), 3 * [False] + [True]),
        remainder=OneHotEncoder(),
    )  # fmt: skip
    expected = ["x1"] * 3 + ["x2"] * 3 + ["x3"] + ["x0"] * 3
    assert fields_of(encoder, frame.to_numpy()) == expected
    encoder = make_column_transformer((OneHotEncoder(), [0, 1]), remainder="passthrough")
    expected = ["colour"] * 3 + ["shape"] * 3 + ["size", "age"]
    assert fields_of(encoder, frame) == expected


def test_names_of_a_pandas_output(frame):
    encoder = OneHotEncoder(sparse_output=False).set_output(transform="pandas")
    model = make_pipeline(encoder, FMRegressor(max_iter=1)).fit(frame[["shape"]], np.arange(60.0))
    assert column_names(*take_apart(model)).tolist() == ["shape = a", "shape = b", "shape = star"]


@pytest.fixture
def model(rng):
    X = rng.normal(size=(20, 4))
    return FMRegressor(max_iter=1).fit(X, X[:, 0]), X


@pytest.mark.parametrize(
    ("fields", "names", "of_column"),
    [
        ("auto", ["x0", "x1", "x2", "x3"], [0, 1, 2, 3]),
        (None, ["x0", "x1", "x2", "x3"], [0, 1, 2, 3]),
        (["u", "i", "i", "u"], ["u", "i"], [0, 1, 1, 0]),
        (np.array([5, 5, 7, 7]), ["5", "7"], [0, 0, 1, 1]),
        ([slice(0, 1), slice(1, None)], ["field 0", "field 1"], [0, 1, 1, 1]),
        ([[0, 2], np.array([3, 1])], ["field 0", "field 1"], [0, 1, 0, 1]),
        ({"u": slice(0, 3), "i": [3]}, ["u", "i"], [0, 0, 0, 1]),
    ],
)
def test_fields_as_given(fields, names, of_column, model):
    found = find_fields(None, model[0], fields)
    assert found.names.tolist() == names
    assert found.of_column.tolist() == of_column


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("automatic", "fields='automatic' must be \"auto\", None"),
        (["u", "i"], "fields has 2 names, but the model has 4 columns"),
        ([], "fields has 0 names"),
        ({"u": slice(0, 3)}, "1 columns belong to no field; the first is column 3"),
        ({"u": slice(0, 3), "i": [2, 3]}, "Field 'i' has columns that also belong to another"),
        ({"u": [0, 9]}, "Field 'u': index 9 .* The model has 4 columns"),
    ],
)
def test_errors_of_fields(fields, message, model):
    with pytest.raises(ValueError, match=message):
        pair_importance(model[0], model[1], fields=fields)


def test_too_many_fields(model, monkeypatch):
    monkeypatch.setattr(_columns, "MAX_FIELDS", 3)
    with pytest.raises(ValueError, match="4 fields, which makes 16 pairs; at most 3"):
        pair_importance(*model)


class Sampler(BaseEstimator):
    """A sampler like imbalanced-learn's: it changes the training rows, and has no `transform`."""

    def fit_resample(self, X, y):
        return X, y

    def fit(self, X, y=None):
        return self


def test_steps_without_a_part_in_prediction_are_skipped(frame):
    model = make_pipeline(OneHotEncoder(), FMRegressor(max_iter=1)).fit(frame, np.arange(60.0))
    encoder, fitted = model.named_steps.values()
    steps = [("encoder", encoder), ("sampler", Sampler()), ("model", fitted)]
    with_sampler, only_sampler = Pipeline(steps), Pipeline(steps[1:])
    expected = pair_importance(model, frame).mean
    np.testing.assert_array_equal(pair_importance(with_sampler, frame).mean, expected)
    found = pair_importance(only_sampler, encoder.transform(frame), fields=None)
    assert found.mean.shape == (fitted.n_features_in_,) * 2


@pytest.mark.parametrize("inside", [False, True], ids=["search of pipelines", "pipeline of search"])
def test_what_a_search_has_found_is_explained(inside, frame):
    y = np.arange(60.0) % 7
    columns = frame[["colour", "shape"]]
    model, grid = FMRegressor(max_iter=1, random_state=0), {"l2_linear": [1, 2]}
    encoder = OneHotEncoder(handle_unknown="ignore")
    if inside:
        search = make_pipeline(encoder, GridSearchCV(model, grid, cv=2)).fit(columns, y)
    else:
        grid = {"fmregressor__" + name: values for name, values in grid.items()}
        search = GridSearchCV(make_pipeline(encoder, model), grid, cv=2).fit(columns, y)
    assert pair_importance(search, columns).fields.tolist() == ["colour", "shape"]
    frozen = FrozenEstimator(search)
    assert pair_importance(frozen, columns).fields.tolist() == ["colour", "shape"]


def test_a_search_that_is_not_fitted_is_named(frame):
    with pytest.raises(TypeError, match=r"fitted search.*got GridSearchCV"):
        pair_importance(GridSearchCV(FMRegressor(), {}), frame)


def double(X):
    return np.asarray(X)


def same(X):
    return X


@pytest.mark.parametrize("function", [None, same])
def test_a_function_before_the_encoder_keeps_the_fields(function, frame):
    columns = frame[["colour", "shape"]]
    encoder = make_pipeline(FunctionTransformer(function), OneHotEncoder())
    assert fields_of(encoder, columns) == ["colour"] * 3 + ["shape"] * 3
    assert names_of(encoder, columns)[0] == "colour = blue"


class Nameless(TransformerMixin, BaseEstimator):
    """A transformer as people write them: no names, no number of columns."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return np.asarray(X)


ONE_TO_ONE = 'set feature_names_out="one-to-one"'


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (FunctionTransformer(double), rf"FunctionTransformer \(step .*\) .* {ONE_TO_ONE}"),
        (Nameless(), r"Nameless \(step .*\) gives no names: give its class a method"),
    ],
)
def test_names_that_a_step_loses_are_missed_aloud(step, reason, frame):
    columns = frame[["colour", "shape"]]
    encoder = make_pipeline(step, OneHotEncoder())
    with pytest.warns(UserWarning, match=f"{reason}.*Or set fields.* 6 encoded"):
        assert fields_of(encoder, columns) == ["x0"] * 3 + ["x1"] * 3
    with pytest.warns(UserWarning, match=reason):
        assert names_of(encoder, columns)[0] == "x0 = blue"
    with pytest.warns(UserWarning, match=reason):
        assert fields_of(make_pipeline(StandardScaler(), step), frame[["size", "age"]]) == [
            "x0",
            "x1",
        ]
    mended = make_pipeline(
        FunctionTransformer(double, feature_names_out="one-to-one"), OneHotEncoder()
    )
    assert fields_of(mended, columns) == ["colour"] * 3 + ["shape"] * 3


def test_no_warning_if_fields_are_given(frame):
    columns = frame[["colour", "shape"]]
    encoder = make_pipeline(FunctionTransformer(double), OneHotEncoder())
    model = make_pipeline(encoder, FMRegressor(max_iter=1)).fit(columns, np.arange(60.0))
    found = pair_importance(model, columns, fields=["colour"] * 3 + ["shape"] * 3)
    assert found.fields.tolist() == ["colour", "shape"]


@pytest.mark.parametrize("nested", [False, True])
def test_a_step_without_names_costs_its_own_part_alone(nested, frame):
    words = make_pipeline(FunctionTransformer(same), OneHotEncoder())
    lost = make_pipeline(StandardScaler(), Nameless())
    encoder = ColumnTransformer(
        [
            ("words", words, ["colour", "shape"]),
            (
                "lost",
                ColumnTransformer([("inner", lost, ["size", "age"])]) if nested else lost,
                ["size", "age"],
            ),
            ("size", StandardScaler(), ["size"]),
        ]
    )
    part = "inner" if nested else "lost"
    steps = "lost > inner" if nested else "lost"
    with pytest.warns(
        UserWarning, match=rf"Nameless \(step columntransformer > {steps} > nameless\)"
    ):
        found = fields_of(encoder, frame)
    assert found == ["colour"] * 3 + ["shape"] * 3 + [f"{part}_0", f"{part}_1", "size"]
    with pytest.warns(UserWarning, match="Nameless"):
        names = names_of(encoder, frame)
    assert names[0] == "colour = blue"
    assert names[-3:] == [f"{part}_0", f"{part}_1", "size"]


@pytest.mark.parametrize("step", [FunctionTransformer(np.log1p), Nameless()])
def test_what_one_column_becomes_is_its_field(step, frame):
    """Whatever the step does, its output comes from this column: there is nothing to warn of."""
    encoder = ColumnTransformer(
        [
            ("log", step, ["age"]),
            ("bins", make_pipeline(step, bins()), ["size"]),
            ("powers", PolynomialFeatures(2, include_bias=False), ["age"]),
            ("words", CountVectorizer(), "colour"),
        ]
    )
    frame["size"] = frame["size"].abs()
    assert fields_of(encoder, frame) == ["age"] + ["size"] * 3 + ["age"] * 2 + ["colour"] * 3
    labels = ["age", *(f"size bin {number} of 3" for number in (1, 2, 3)), "age", "age^2"]
    assert names_of(encoder, frame) == [*labels, "colour = blue", "colour = green", "colour = red"]


def test_names_read_as_field_and_level(frame):
    frame = frame.rename(columns={"colour": "paint colour", "size": "carat"})
    encoder = ColumnTransformer(
        [
            ("texts", OneHotEncoder(min_frequency=5), ["paint colour", "shape"]),
            ("numbers", make_pipeline(SimpleImputer(), bins()), ["carat"]),
            ("frame", FieldEncoder(n_bins=4), ["age"]),
            ("scaled", make_pipeline(StandardScaler(), bins()), ["age"]),
        ]
    )
    low, high = [
        f"{edge:.3g}" for edge in np.linspace(frame.carat.min(), frame.carat.max(), 4)[1:3]
    ]
    names = names_of(encoder, frame)
    assert names[:3] == [f"paint colour = {level}" for level in ("blue", "green", "red")]
    assert names[3:6] == [f"shape = {level}" for level in ("a", "b")] + ["shape rare"]
    assert names[6:9] == [f"carat below {low}", f"carat {low} to {high}", f"carat from {high}"]
    assert names[9].startswith("age below ")
    assert names[-4].startswith("age from ")
    # The edges of these bins are in units of the scaler.
    assert names[-3:] == [f"age bin {number} of 3" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["text = a", "text rare", "text missing", "n = 1", "n = 2", "n = 3.5"]),
        ({"n_bins": 2}, ["text = a", "text rare", "text missing", "n below 2", "n from 2"]),
        ({"numbers": "standard"}, ["text = a", "text rare", "text missing", "n"]),
        (
            {"numbers": "linear"},
            ["text = a", "text rare", "text missing", "n near 1", "n near 2", "n near 3.5"],
        ),
    ],
)
def test_labels_of_a_field_encoder(options, expected):
    table = pd.DataFrame({"text": ["a"] * 40 + ["b"] + [None] * 19, "n": [1.0, 2.0, 3.5] * 20})
    assert names_of(FieldEncoder(min_frequency=5, **options), table) == expected


def test_fields_that_two_parts_make_up_are_two(frame):
    parts = [("left", PCA(1), ["size", "age"]), ("right", PCA(1), ["age", "size"])]
    assert fields_of(ColumnTransformer(parts), frame) == ["left pca0", "right pca0"]


def test_a_union_keeps_fields(frame):
    union = FeatureUnion([("levels", OneHotEncoder()), ("same", OneHotEncoder(drop="first"))])
    columns = frame[["colour", "shape"]]
    expected = ["colour"] * 3 + ["shape"] * 3 + ["colour"] * 2 + ["shape"] * 2
    assert fields_of(union, columns) == expected
    union = FeatureUnion([("levels", OneHotEncoder()), ("lost", Nameless())])
    numbers = frame[["size", "age"]].round(1)
    with pytest.warns(UserWarning, match=r"Nameless \(step featureunion > lost\)"):
        fields_of(union, numbers)


def test_names_of_columns_that_look_alike_are_told_apart(frame):
    """One column, encoded twice: fields=None makes a field of each encoded column."""
    parts = [("one", OneHotEncoder(), ["shape"]), ("two", OneHotEncoder(), ["shape"])]
    model = make_pipeline(ColumnTransformer(parts), FMRegressor(max_iter=1))
    model.fit(frame, np.arange(60.0))
    names = find_fields(*take_apart(model), None).names.tolist()
    assert names[0] == "shape = a (0)"
    assert names[3] == "shape = a (3)"
    assert len(set(names)) == 6


def test_selected_levels_keep_their_names(frame):
    """Names that two columns share: "a_b" of "a" is not "b" of "a_"."""
    frame = frame.rename(columns={"colour": "a", "shape": "a_b"})
    frame["a"], frame["a_b"] = (
        np.where(frame["a"] == "red", "b_c", "d"),
        np.where(frame["size"] > 0, "c", "e"),
    )
    encoder = make_pipeline(OneHotEncoder(), VarianceThreshold(0.01))
    assert names_of(encoder, frame[["a", "a_b"]]) == ["a = b_c", "a = d", "a_b = c", "a_b = e"]
