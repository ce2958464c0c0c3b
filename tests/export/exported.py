"""Fitted pipelines that are exported, and rows for them."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from sklearn_afm import (
    AFMClassifier,
    AFMRanker,
    AFMRegressor,
    FMClassifier,
    FMRegressor,
    make_field_pipeline,
)
from sklearn_afm.baselines import FwFMClassifier

DTYPES = {
    "colour": object, "size": float, "count": float, "flag": object, "ident": "Int64",
    "half": float, "when": "datetime64[s]", "hour": "datetime64[s]", "tags": object,
    "numbers": object, "words": object,
}  # fmt: skip
START = datetime(1899, 12, 30)
TAGS, WORDS = ["a", "b", "c", ""], ["x", "y|x", "z | x", ""]


def values(seen: bool) -> dict:
    """A strategy for the values of each column: those of training, or others too."""
    more = None if seen else st.none()

    def some(strategy, *others):
        return strategy if more is None else st.one_of(more, strategy, *others)

    tags = TAGS if seen else [*TAGS, "new", "newer"]
    days = st.integers(0, 60_000) if not seen else st.integers(0, 900)
    when = days.map(lambda day: START + timedelta(days=day))
    other_numbers = st.floats(-1e9, 1e9).map(lambda x: round(x, 3))
    return {
        "colour": some(st.sampled_from(["red", "blue", "green", ""]), st.text(max_size=3)),
        "size": some(st.integers(0, 500).map(lambda x: x / 10), other_numbers),
        "count": some(st.integers(0, 6).map(float), other_numbers),
        "flag": some(st.booleans()),
        "ident": some(st.integers(0, 30).map(lambda x: 7 * x), st.integers(-(2**60), 2**60)),
        "half": some(st.integers(0, 4).map(lambda x: x / 2), other_numbers),
        "when": some(when),
        "hour": some(st.tuples(when, st.integers(0, 86_399)).map(with_seconds)),
        "tags": some(st.lists(st.sampled_from(tags), max_size=4)),
        "numbers": some(st.lists(st.integers(0, 3 if seen else 9), max_size=3)),
        "words": some(st.sampled_from(WORDS if seen else [*WORDS, "q|x|w", "|"])),
    }  # fmt: skip


def with_seconds(parts):
    """A date with a time of day."""
    return parts[0] + timedelta(seconds=parts[1])


ROWS = st.lists(st.fixed_dictionaries(values(seen=False)), min_size=1, max_size=6)


def frame_of(rows) -> pd.DataFrame:
    """Rows as a frame whose columns have the types of training."""
    columns = {
        name: pd.Series([row[name] for row in rows], dtype=dtype) for name, dtype in DTYPES.items()
    }
    return pd.DataFrame(columns)


def training_rows(n_rows: int, seed: int, missing: float) -> list[dict]:
    """Rows of training, a share of their values missing."""
    rng = np.random.default_rng(seed)

    def pick(levels):
        return levels[rng.integers(len(levels))]

    rows = []
    for _ in range(n_rows):
        day = START + timedelta(days=int(rng.integers(900)))
        row = {
            "colour": pick(["red", "blue", "green", ""]), "size": int(rng.integers(500)) / 10,
            "count": float(rng.integers(7)), "flag": bool(rng.integers(2)),
            "ident": int(rng.integers(30)) * 7, "half": int(rng.integers(5)) / 2, "when": day,
            "hour": with_seconds((day, int(rng.integers(86_400)))),
            "tags": [pick(TAGS) for _ in range(rng.integers(4))],
            "numbers": rng.integers(0, 4, rng.integers(3)).tolist(), "words": pick(WORDS),
        }  # fmt: skip
        for name in row:
            if rng.random() < missing:
                row[name] = None
        rows.append(row)
    return rows


# Name: estimator, parameters of the encoder, and the share of missing values in training.
CASES = {
    "AFM": (AFMClassifier(embedding_dim=3), {}, 0.1),
    "AFM, linear numbers": (AFMClassifier(embedding_dim=3), {"numbers": "linear"}, 0),
    "AFM, rare levels": (
        AFMRegressor(embedding_dim=3),
        {"numbers": "standard", "min_frequency": 15, "handle_unknown": "rare"},
        0.1,
    ),
    "AFM of three classes": (AFMClassifier(embedding_dim=3), {"shared_weight": True}, 0),
    "field-aware AFM": (AFMClassifier(embedding_dim=3, field_aware=True), {}, 0.1),
    "AFM without row scaling": (AFMRegressor(embedding_dim=3, row_scaling=None), {}, 0),
    "FM": (FMClassifier(embedding_dim=3), {"handle_unknown": "rare"}, 0.1),
    "FM of three classes": (FMClassifier(embedding_dim=3), {}, 0),
    "FM of two targets": (FMRegressor(embedding_dim=3), {"shared_weight": True}, 0.1),
    "FM of counts": (FMRegressor(embedding_dim=3, loss="poisson"), {}, 0),
    "FwFM": (FwFMClassifier(embedding_dim=3), {}, 0.1),
    "AFM in float64": (AFMRegressor(embedding_dim=3, precision="float64"), {}, 0.1),
    "ranker": (AFMRanker(embedding_dim=3), {}, 0),
}


def fitted(name: str):
    """The fitted pipeline of a case. Its embeddings, attention and crosses are not small."""
    estimator, options, missing = CASES[name]
    rows = training_rows(500, len(name), missing)
    X = frame_of(rows)
    rng = np.random.default_rng(1)
    effect = {level: rng.normal() for level in ("red", "blue", "green", "", None)}
    score = np.array([effect[row["colour"]] * (1 if row["flag"] else -2) for row in rows])
    score += X["size"].fillna(0).to_numpy() / 50 + rng.normal(size=len(rows)) / 5
    y = {
        "AFM of three classes": np.digitize(score, [-0.5, 1]),
        "FM of three classes": np.array(["low", "mid", "high"])[np.digitize(score, [-0.5, 1])],
        "FM of two targets": np.stack([score, 3 - score], axis=1),
        "FM of counts": rng.poisson(np.exp(score / 3)).astype(float),
        "ranker": np.digitize(score, [-0.5, 1]),
    }.get(name, score > 0.3 if hasattr(estimator, "predict_proba") else score)
    settings = {"max_iter": 2, "l2_embedding": 0.1, "random_state": 0, "l2_linear": 1.0}
    estimator.set_params(**settings, crosses=None)
    encoder = {"categorical_features": ["ident", "half"], "delimiters": {"words": "|"}, "n_bins": 8}
    pipeline = make_field_pipeline(estimator, **encoder | options)
    routed = {"afmranker__group": np.arange(len(rows)) // 10} if name == "ranker" else {}
    pipeline.fit(X, y, **routed)
    make_uneven(pipeline[-1])
    return pipeline


def make_uneven(model) -> None:
    """Give a fitted model large embeddings, uneven attention, and crosses."""
    rng = np.random.default_rng(2)
    several = np.ndim(model.bias_) > 0
    known = model.embeddings_.any(axis=1)
    size = 0.5 * model.embeddings_.std() / max(model.embeddings_.std(), 1e-9)
    model.embeddings_ = model.embeddings_.copy()
    model.embeddings_[known] = rng.normal(size=(known.sum(), 3)) * max(size, 0.5)
    if hasattr(model, "attention_context_"):
        model.attention_context_ = rng.normal(size=16).astype(model.embeddings_.dtype)
    for name in ("field_weights_", "field_biases_"):
        if hasattr(model, name):
            fitted = getattr(model, name)
            setattr(model, name, rng.normal(size=fitted.shape).astype(fitted.dtype))
    columns = rng.integers(0, len(known), size=(200, 2))
    columns = np.unique(columns[columns[:, 0] < columns[:, 1]], axis=0)
    model.cross_columns_ = columns
    shape = (np.size(model.bias_), len(columns)) if several else len(columns)
    model.cross_weights_ = rng.normal(size=shape)
