"""Fitted pipelines whose parameters are all far from trivial, and rows for them."""

import datetime
from functools import cache

import numpy as np
import pandas as pd

from sklearn_afm import (
    AFMClassifier,
    AFMRegressor,
    FMClassifier,
    FMRegressor,
    make_field_pipeline,
)
from sklearn_afm.baselines import FwFMClassifier, FwFMRegressor

GRADES = [1, 2, 3]
FAST = {"embedding_dim": 4, "l2_linear": 1.0, "l2_embedding": 0.1, "max_iter": 1}
FAST |= {"early_stopping": False, "random_state": 0}

# Seen values, and others of the same kind, of each column.
VALUES = {
    "colour": ["red", "blue", "green", "rare", "new", "", "Red", None, np.nan, pd.NA],
    "price": [0.5, 1, 2.25, -3, 1e9, np.float32(0.1), np.int64(2), None, np.nan, float("nan")],
    "rooms": [1, 2, 3, 3.0, np.int64(1), 9, 2.5, -1, None, np.nan],
    "size": [10, 20, 20.0, 15.5, 99, None],
    "garden": [True, False, np.bool_(True), None, np.nan],
    "sold": [
        datetime.datetime(2024, 1, 5, 13, 30),
        datetime.date(2024, 2, 29),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999),
        datetime.datetime(9999, 12, 31, 23),
        datetime.datetime(2024, 1, 5, 23, tzinfo=datetime.timezone(datetime.timedelta(hours=-8))),
        pd.Timestamp("2024-03-01 08:00:00.000000001"),
        np.datetime64("2024-01-10T07"),
        None,
        pd.NaT,
    ],
    "built": [datetime.date(1990, 5, 1), datetime.datetime(1991, 6, 2, 3), None, pd.NaT],
    "tags": [[], ["a"], ["a", "b"], ("b", "b", "c"), {"c", "new"}, ["a", None], ["new"], None],
    "genres": ["x|y", "x", "", "|", " y | new |", "new", None],
    "grade": [*GRADES, 7, None],
    "wait": [
        datetime.timedelta(hours=1),
        pd.Timedelta("2h"),
        np.timedelta64(90, "m"),
        datetime.timedelta(days=-3),
        None,
    ],
    "nothing": [None, "text"],
}
OPTIONS = {"delimiters": {"genres": "|"}, "categorical_features": ["rooms"]}


def training_rows(n_rows=160):
    """Rows of a dict each."""
    rng = np.random.default_rng(0)
    start = datetime.datetime(2024, 1, 1)
    rows = [
        {
            "colour": str(rng.choice(["red", "red", "blue", "green"])),
            "price": float(rng.exponential()),
            "rooms": int(rng.integers(1, 4)),
            "size": int(rng.choice([10, 20, 40])),
            "garden": bool(rng.random() < 0.3),
            "sold": start + datetime.timedelta(hours=int(rng.integers(2000))),
            "built": datetime.date(1990, 1, 1) + datetime.timedelta(int(rng.integers(900))),
            "tags": rng.choice(list("abc"), rng.integers(0, 4), replace=False).tolist(),
            "genres": str(rng.choice(["x|y", "x", "y|z", ""])),
            "grade": int(rng.choice(GRADES)),
            "wait": datetime.timedelta(minutes=int(rng.integers(200))),
            "nothing": None,
        }
        for _ in range(n_rows)
    ]
    rows[0]["colour"] = rows[1]["colour"] = "rare"
    rows[2]["tags"] = rows[3]["tags"] = ["rare"]
    for name in ("colour", "price", "garden", "sold", "tags", "wait"):
        rows[int(rng.integers(4, max(5, n_rows))) % n_rows][name] = None
    return rows


def frame_of(rows):
    """The frame of rows of dicts: objects as they are, and a categorical of integers."""
    columns = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name == "grade":
            levels = sorted({*GRADES, *(value for value in values if value is not None)})
            columns[name] = pd.Categorical(values, categories=levels)
        else:
            column = np.empty(len(values), dtype=object)
            column[:] = values
            columns[name] = pd.Series(column, dtype=object)
    return pd.DataFrame(columns)


def scrambled(estimator, seed=0):
    """Draw all parameters anew, so that attention, crosses and pairs of fields all count."""
    rng = np.random.default_rng(seed)
    known = estimator.embeddings_.any(axis=1)
    n_columns = len(known)

    def drawn(shape, scale=1.0):
        return (scale * rng.normal(size=shape)).astype(estimator.embeddings_.dtype)

    estimator.embeddings_ = drawn(estimator.embeddings_.shape, 0.7) * known[:, None]
    for name in ("attention_weight_", "attention_bias_", "attention_context_", "field_biases_"):
        if hasattr(estimator, name):
            setattr(estimator, name, drawn(getattr(estimator, name).shape))
    if hasattr(estimator, "field_weights_"):
        estimator.field_weights_ = 1 + drawn(estimator.field_weights_.shape, 0.5)
    pairs = np.stack(np.triu_indices(n_columns, 1), axis=1)
    chosen = np.sort(rng.choice(len(pairs), len(pairs) // 4, replace=False))
    estimator.cross_columns_ = pairs[chosen].astype(np.int64)
    estimator.cross_weights_ = 0.1 * rng.normal(size=(*np.shape(estimator.bias_), len(chosen)))
    return estimator


def _targets(n_rows):
    rng = np.random.default_rng(1)
    y = rng.normal(size=n_rows)
    return {
        "number": y,
        "count": np.exp(y / 2).round(),
        "several": np.column_stack([y, -y, y**2]),
        "binary": np.where(y > 0, "yes", "no"),
        "classes": np.digitize(y, [-0.5, 0.5]) * 7,
    }


# Estimator, its target and parameters, and those of the encoder.
RARE = {"min_frequency": 3, "handle_unknown": "rare"}
MODELS = {
    "AFM": (AFMRegressor, "number", {}, {"n_bins": 5}),
    "AFM of counts": (AFMRegressor, "count", {"loss": "poisson"}, {"numbers": "linear"}),
    "AFM of several targets": (AFMRegressor, "several", {}, {"numbers": "standard"} | RARE),
    "AFM of two classes": (AFMClassifier, "binary", {"row_scaling": None}, RARE),
    "AFM of three classes": (AFMClassifier, "classes", {}, {"shared_weight": True}),
    "field-aware AFM": (AFMClassifier, "binary", {"field_aware": True}, {"numbers": "linear"}),
    "field-aware AFM of several targets": (AFMRegressor, "several", {"field_aware": True}, {}),
    "AFM in float64": (AFMRegressor, "number", {"precision": "float64"}, {"numbers": "standard"}),
    "FM": (FMRegressor, "number", {}, {"numbers": "standard", "shared_weight": True}),
    "FM of three classes": (FMClassifier, "classes", {"precision": "float64"}, {"n_bins": 3}),
    "FwFM": (FwFMRegressor, "number", {"precision": "float64"}, {"numbers": "linear"} | RARE),
    "FwFM of two classes": (FwFMClassifier, "binary", {}, {"n_bins": 5}),
}


@cache
def fitted(name):
    """A fitted pipeline of MODELS."""
    Estimator, target, options, of_encoder = MODELS[name]
    rows = training_rows()
    model = make_field_pipeline(Estimator(**FAST, **options), **OPTIONS, **of_encoder)
    model.fit(frame_of(rows), _targets(len(rows))[target])
    scrambled(model[-1])
    return model


def tolerance(name):
    """Relative to the scale of predictions."""
    return 1e-9 if MODELS[name][2].get("precision") == "float64" else 1e-5


def method_of(model):
    """What gives numbers."""
    return "predict_proba" if hasattr(model, "predict_proba") else "predict"


def assert_same_scores(model, scorer, rows, tolerance):
    """Check that a scorer predicts what the pipeline does."""
    frame = frame_of(rows)
    expected = getattr(model, method_of(model))(frame)
    actual = getattr(scorer, method_of(model))(rows)
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance * max(1.0, np.abs(expected).max())
    if hasattr(model, "classes_"):
        np.testing.assert_array_equal(scorer.predict(rows), model.predict(frame))
