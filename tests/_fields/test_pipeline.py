"""make_field_pipeline: from a frame to a prediction and a named explanation."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.model_selection import GridSearchCV

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, make_field_pipeline
from sklearn_afm.inspection import pair_importance


@pytest.fixture
def animals(rng):
    """Two columns that interact, and one that does not."""
    n = 600
    frame = pd.DataFrame(
        {
            "size": rng.choice(["small", "large"], n),
            "weight": rng.random(n),
            "noise": rng.integers(0, 5, n),
        }
    )
    y = np.where((frame["size"] == "large") == (frame["weight"] > 0.5), "wild", "tame")
    return frame, y


def test_three_lines(animals):
    frame, y = animals
    model = make_field_pipeline(AFMClassifier(random_state=0), n_bins=8).fit(frame, y)
    assert model.score(frame, y) > 0.95
    found = pair_importance(model, frame, statistic="abs_contribution")
    assert set(found.pair_names[0]) == {"size", "weight"}
    assert set(found.fields) == {"size", "weight", "noise"}


def test_a_grid_search_over_encoder_and_model(animals):
    frame, y = animals
    grid = {
        "fieldencoder__n_bins": [2, 8],
        "fieldencoder__numbers": ["bins", "linear"],
        "fmclassifier__dropout": [0.0, 0.3],
    }
    model = make_field_pipeline(FMClassifier(random_state=0, max_iter=20))
    search = GridSearchCV(model, grid, cv=2).fit(frame, y)
    assert search.best_score_ > 0.8
    assert pair_importance(search, frame).fields.tolist() == ["size", "weight", "noise"]


def test_validation_frames_are_encoded(animals):
    frame, y = animals
    target = (y == "wild").astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = AFMRegressor(random_state=0, max_iter=5).set_fit_request(X_val=True, y_val=True)
        model = make_field_pipeline(estimator)
        model.fit(frame[:400], target[:400], X_val=frame[400:], y_val=target[400:])
        assert "validation_loss" in model[-1].history_[0]
