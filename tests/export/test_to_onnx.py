"""ONNX models predict what their pipelines predict."""

import functools
import sys

import numpy as np
import pandas as pd
import pytest
from exported import CASES, DTYPES, ROWS, fitted, frame_of, training_rows
from hypothesis import given, settings
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import AFMClassifier, FMClassifier, FMRegressor, make_field_pipeline
from sklearn_afm.baselines import NFMRegressor
from sklearn_afm.export import onnx_inputs, to_onnx

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def session_of(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


@functools.cache
def exported(name):
    """A fitted pipeline and a session of its ONNX model."""
    pipeline = fitted(name)
    model = to_onnx(pipeline)
    onnx.checker.check_model(model, full_check=True)
    return pipeline, session_of(model)


def check_equal(pipeline, session, rows):
    """Both predict the same."""
    found = session.run(None, onnx_inputs(pipeline, rows))
    frame = frame_of(rows)
    tolerance = 1e-9 if found[-1].dtype == np.float64 else 1e-5
    if hasattr(pipeline, "predict_proba"):
        expected = pipeline.predict_proba(frame)
        certain = np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1) > 1e-4
        np.testing.assert_array_equal(found[0][certain], pipeline.predict(frame)[certain])
    else:
        expected = pipeline.predict(frame).reshape(len(rows), -1)
    np.testing.assert_allclose(found[-1], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_training_rows(name):
    check_equal(*exported(name), training_rows(200, len(name), CASES[name][2]))


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
@pytest.mark.parametrize("name", CASES)
def test_any_rows(name, rows):
    check_equal(*exported(name), rows)


def test_one_row_is_a_dict():
    pipeline, session = exported("AFM")
    (row,) = training_rows(1, 5, 0)
    found = session.run(["probabilities"], onnx_inputs(pipeline, row))[0]
    np.testing.assert_allclose(found, pipeline.predict_proba(frame_of([row])), atol=1e-6)


def test_no_rows():
    pipeline, session = exported("FM")
    inputs = onnx_inputs(pipeline, training_rows(1, 5, 0))
    empty = {name: array[:0] for name, array in inputs.items()}
    assert session.run(["probabilities"], empty)[0].shape == (0, 2)


def test_inputs_refuse_what_the_pipeline_refuses():
    pipeline, _ = exported("AFM")
    (row,) = training_rows(1, 5, 0)
    for name, value in [("size", "big"), ("colour", 3), ("when", 5.0), ("tags", 7), ("flag", 1)]:
        with pytest.raises(TypeError, match=f"'{name}' held .* in training"):
            onnx_inputs(pipeline, row | {name: value})
        wrong = pd.DataFrame({other: [row[other]] for other in DTYPES} | {name: [value]})
        with pytest.raises(ValueError, match=f"Column '{name}' held"):
            pipeline.predict(wrong)
    with pytest.raises(ValueError, match="'size' is inf"):
        onnx_inputs(pipeline, row | {"size": np.inf})


def test_many_levels_are_a_table_and_no_dense_rows():
    n_levels = 20_000
    frame = pd.DataFrame({"user": np.arange(n_levels).astype(str), "item": ["a", "b"] * 10_000})
    y = np.arange(n_levels) % 3 == 0
    model = FMClassifier(random_state=0, max_iter=1, l2_embedding=1.0, l2_linear=1.0, crosses=None)
    pipeline = make_field_pipeline(model).fit(frame, y)
    made = to_onnx(pipeline)
    tables = 4 * n_levels * (16 + 1)
    assert made.ByteSize() < 1.6 * tables + 10_000
    rows = frame[:50].to_dict("records")
    found = session_of(made).run(["probabilities"], onnx_inputs(pipeline, rows))[0]
    np.testing.assert_allclose(found, pipeline.predict_proba(frame[:50]), atol=1e-6)


def test_a_search_is_exported_by_its_best_pipeline():
    rows = training_rows(60, 3, 0)
    frame, y = frame_of(rows)[["colour", "size"]], [row["flag"] for row in rows]
    pipeline = make_field_pipeline(AFMClassifier(random_state=0, max_iter=2))
    search = GridSearchCV(pipeline, {"afmclassifier__dropout": [0, 0.5]}, cv=2).fit(frame, y)
    records = frame[:5].to_dict("records")
    found = session_of(to_onnx(search)).run(["probabilities"], onnx_inputs(search, records))[0]
    np.testing.assert_allclose(found, search.predict_proba(frame[:5]), atol=1e-6)


def test_what_cannot_be_exported_is_refused():
    frame, y = pd.DataFrame({"colour": ["red", "blue"] * 10}), np.arange(20.0)
    pipeline = make_pipeline(OneHotEncoder(), FMRegressor(max_iter=1)).fit(frame, y)
    with pytest.raises(TypeError, match="two steps: a FieldEncoder and an estimator"):
        to_onnx(pipeline)
    for model in (NFMRegressor(max_iter=1), AFMClassifier(max_iter=1, hidden_layer_sizes=(3,))):
        pipeline = make_field_pipeline(model).fit(frame, y > 9)
        with pytest.raises(TypeError, match=f"{type(model).__name__} cannot be exported"):
            to_onnx(pipeline)
    mixed = pd.DataFrame({"colour": pd.Categorical(["red", 3] * 10)})
    pipeline = make_field_pipeline(FMRegressor(max_iter=1)).fit(mixed, y)
    with pytest.raises(ValueError, match="'colour' has levels that are text and others"):
        to_onnx(pipeline)


def test_onnx_is_imported_by_those_who_export():
    assert "onnx" in sys.modules
    for module in ("_to_onnx", "_graph", "_graph_fields", "_graph_formula", "_skl2onnx"):
        assert not hasattr(sys.modules[f"sklearn_afm.export.{module}"], "onnx")
