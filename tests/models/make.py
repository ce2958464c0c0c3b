"""Store a fitted model of each estimator, and its predictions for some rows.

    python tests/models/make.py

Run this once per release. Files of earlier releases stay as they are: tests/test_persistence.py
loads them. Rows and predictions are plain arrays. Labels are strings.
"""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import skops.io

import sklearn_afm
from sklearn_afm import (
    AFMClassifier,
    AFMRegressor,
    FMClassifier,
    FMRegressor,
    make_field_pipeline,
)
from sklearn_afm.export import to_scorer

FOLDER = Path(__file__).parent / sklearn_afm.__version__


def main():
    """Write `<Estimator>.pickle`, `<Estimator>.skops`, expected.npz and a scorer."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, size=(200, 3))
    X = np.eye(4)[levels].reshape(200, 12)
    score = rng.normal(size=12) @ X.T + 2.0 * (levels[:, 0] == levels[:, 1])
    targets = {
        AFMRegressor: np.column_stack([score, -score]),
        AFMClassifier: np.array(["low", "middle", "high"])[np.digitize(score, [-1.0, 1.0])],
        FMRegressor: score,
        FMClassifier: np.where(score > 0, "yes", "no"),
    }
    expected = {"X": X}
    FOLDER.mkdir(exist_ok=True)
    for Estimator, y in targets.items():
        # With warm_start, the model keeps what a continued fit needs. So this is stored too.
        model = Estimator(embedding_dim=4, max_iter=20, warm_start=True, random_state=0).fit(X, y)
        name = Estimator.__name__
        (FOLDER / f"{name}.pickle").write_bytes(pickle.dumps(model, protocol=4))
        skops.io.dump(model, FOLDER / f"{name}.skops", compression=zipfile.ZIP_DEFLATED)
        expected[f"{name}/predict"] = model.predict(X)
        if hasattr(model, "predict_proba"):
            expected[f"{name}/predict_proba"] = model.predict_proba(X)
    np.savez_compressed(FOLDER / "expected.npz", **expected)
    make_scorer()


def make_scorer():
    """Write scorer.npz, and its rows and predictions as scorer.json."""
    rng = np.random.default_rng(0)
    n_rows = 300
    days = np.datetime64("2024-01-01") + rng.integers(0, 300, n_rows)
    frame = pd.DataFrame(
        {
            "colour": rng.choice(["red", "blue", "green"], n_rows),
            "size": rng.exponential(size=n_rows).round(2),
            "rooms": rng.integers(1, 4, n_rows),
            "garden": rng.random(n_rows) < 0.3,
            "sold": days.astype("datetime64[s]"),
            "tags": [["a", "b", "c"][: 1 + n % 3] for n in range(n_rows)],
            "genres": rng.choice(["x|y", "x", "y|z"], n_rows),
        }
    )
    score = 2.0 * (frame["colour"] == "red") * frame["garden"] + frame["size"]
    encoding = {"categorical_features": ["rooms"], "delimiters": {"genres": "|"}}
    estimator = AFMClassifier(embedding_dim=4, field_aware=True, max_iter=5, random_state=0)
    model = make_field_pipeline(estimator, numbers="linear", n_bins=5, **encoding)
    scorer = to_scorer(model.fit(frame, np.where(score > 1, "yes", "no")))
    scorer.save(FOLDER / "scorer.npz")
    without_dates = [row | {"sold": None} for row in frame[:8].to_dict("records")]
    rows = [*without_dates, without_dates[0] | {"colour": "new", "tags": [], "size": None}]
    stored = {
        "rows": rows,
        "probabilities": scorer.predict_proba(rows).tolist(),
        "labels": scorer.predict(rows).tolist(),
    }
    (FOLDER / "scorer.json").write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
