"""skl2onnx converts the estimators."""

import numpy as np
import pytest
from exported import make_uneven
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRanker, FMRegressor
from sklearn_afm.baselines import FwFMRegressor
from sklearn_afm.export import register_converters

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")

OPSETS = {"": 18, "ai.onnx.ml": 3}
SHORT = {"embedding_dim": 3, "max_iter": 2, "l2_embedding": 0.1, "random_state": 0}


@pytest.fixture(autouse=True)
def _registered():
    register_converters()


def run(model, inputs, **options):
    made = skl2onnx.to_onnx(
        model, next(iter(inputs.values()))[:1], target_opset=OPSETS, options=options or None
    )
    session = onnxruntime.InferenceSession(made.SerializeToString())
    names = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs.values())))


def dense_rows(n_rows=80):
    """Rows of few entries and of none, and a column far from 0."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 7)) * (rng.random((n_rows, 7)) < 0.6)
    X[:3] = 0
    X[:, 6] = 50 + rng.normal(size=n_rows)
    return X, X[:, 0] * X[:, 1] + X[:, 2] + X[:, 6]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("Estimator", [AFMRegressor, FMRegressor, FwFMRegressor])
def test_regressors(Estimator, precision):
    X, y = dense_rows()
    model = Estimator(precision=precision, **SHORT).fit(X, y)
    make_uneven(model)
    dtype = np.dtype(precision)
    (found,) = run(model, {"X": X.astype(dtype)})
    tolerance = 1e-5 if precision == "float32" else 1e-9
    expected = model.predict(X.astype(dtype))
    np.testing.assert_allclose(found[:, 0], expected, rtol=tolerance, atol=tolerance * 10)


def test_several_targets_and_rankers():
    X, y = dense_rows()
    model = FMRegressor(**SHORT).fit(X, np.stack([y, -y], 1))
    (found,) = run(model, {"X": X.astype(np.float32)})
    np.testing.assert_allclose(found, model.predict(X.astype(np.float32)), rtol=1e-5, atol=1e-4)
    ranker = FMRanker(**SHORT).fit(X, np.digitize(y, [49, 51]), group=np.arange(80) // 8)
    (found,) = run(ranker, {"X": X.astype(np.float32)})
    np.testing.assert_allclose(found[:, 0], ranker.predict(X.astype(np.float32)), atol=1e-4)


@pytest.mark.parametrize("Estimator", [AFMClassifier, FMClassifier])
@pytest.mark.parametrize("labels", [[0, 1], ["a", "b", "c"]])
def test_classifiers_behind_an_encoder(Estimator, labels):
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, (200, 3))
    X = levels.astype(str).astype(object)
    y = np.array(labels)[levels.prod(axis=1) % len(labels)]
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(encoder, Estimator(**SHORT)).fit(X, y)
    make_uneven(model[-1])
    rows = X[:40].copy()
    rows[:10, 0] = "new"
    rows[5:15, 1:] = "newer"
    label, probabilities = run(model, {"X": rows}, zipmap=False)
    expected = model.predict_proba(rows)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(label, model.predict(rows))


def test_raw_scores():
    X, y = dense_rows()
    X = X.astype(np.float32)
    model = FMClassifier(**SHORT).fit(X, y > 50)
    options = {id(model): {"zipmap": False, "raw_scores": True}}
    made = skl2onnx.to_onnx(model, X[:1], target_opset=OPSETS, options=options)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    found = session.run(None, {"X": X})[1]
    expected = model.decision_function(X)
    np.testing.assert_allclose(found, np.stack([-expected, expected], 1), atol=1e-4)
