"""Store a fitted model of each estimator, and its predictions for some rows.

    python tests/models/make.py

Run this once per release. Files of earlier releases stay as they are: tests/test_persistence.py
loads them. Rows and predictions are plain arrays. Labels are strings.
"""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import skops.io

import sklearn_afm
from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

FOLDER = Path(__file__).parent / sklearn_afm.__version__


def main():
    """Write `<Estimator>.pickle`, `<Estimator>.skops` and expected.npz into the folder."""
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


if __name__ == "__main__":
    main()
