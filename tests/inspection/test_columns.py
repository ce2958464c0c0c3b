"""Fields and names of encoded columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    OneHotEncoder,
    StandardScaler,
)

from sklearn_afm import FMRegressor
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
        (FunctionTransformer(lambda X: X.to_numpy()), ["size", "age"], ["x0", "x1"]),
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
    assert column_names(*take_apart(model)).tolist() == ["shape_a", "shape_b", "shape_star"]


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


@pytest.mark.parametrize(
    ("function", "names"),
    [(None, ["colour", "shape"]), (same, ["colour", "shape"]), (double, ["x0", "x1"])],
)
def test_a_function_before_the_encoder_keeps_the_fields(function, names, frame):
    columns = frame[["colour", "shape"]]
    encoder = make_pipeline(FunctionTransformer(function), OneHotEncoder())
    assert fields_of(encoder, columns) == [names[0]] * 3 + [names[1]] * 3
    assert names_of(encoder, columns)[0] == f"{names[0]}_blue"


def test_functions_in_parts_of_a_column_transformer(frame):
    words = make_pipeline(FunctionTransformer(same), OneHotEncoder())
    encoder = ColumnTransformer(
        [
            ("words", words, ["colour", "shape"]),
            ("log", FunctionTransformer(np.log1p), ["age"]),
            ("size", StandardScaler(), ["size"]),
        ]
    )
    assert fields_of(encoder, frame) == ["colour"] * 3 + ["shape"] * 3 + ["log_0", "size"]
    names = names_of(encoder, frame)
    assert names[0] == "colour_blue"
    assert names[-2:] == ["log_0", "size"]
