"""FieldEncoder on Dask DataFrames, against one that sees all rows at once."""

import numpy as np
import pandas as pd
import pytest
from clusters import SETTINGS, cluster_of_two
from dask import config
from sklearn.pipeline import make_pipeline

from sklearn_afm import FieldEncoder
from sklearn_afm.dask import DaskFieldEncoder, DaskFMRegressor

frames = pytest.importorskip("dask.dataframe", reason="it needs pyarrow", exc_type=ImportError)

# Dask leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def frame():
    """Rows whose partitions have other levels, in text and as pandas' categories."""
    rng = np.random.default_rng(0)
    colour = np.repeat(["red", "green", "blue", "red"], 50)
    return pd.DataFrame(
        {
            "colour": colour,
            "shape": pd.Categorical(rng.choice(["flat", "round"], 200)),
            "size": rng.normal(size=200),
            "y": rng.normal(size=200) + (colour == "red"),
        }
    )


@pytest.fixture
def on_dask(frame):
    """Four partitions; the second has no rows."""
    parts = frames.from_pandas(frame, npartitions=4)
    return frames.concat(
        [parts.partitions[[0]], parts[parts["y"] > 1e9].partitions[[1]], parts.partitions[1:]]
    )


def test_levels_of_all_partitions(frame, on_dask):
    with config.set(scheduler="synchronous"):
        encoder = DaskFieldEncoder().fit(on_dask)
        rows = encoder.transform(on_dask)
        assert rows.numblocks == (5, 1)
        encoded = rows.compute()
    expected = FieldEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == expected.get_feature_names_out().tolist()
    assert (encoded != expected.transform(frame)).nnz == 0
    local = encoder.to_local()
    assert type(local) is FieldEncoder
    assert (local.transform(frame) != encoded).nnz == 0
    assert (encoder.transform(frame) != encoded).nnz == 0


def test_a_pipeline_from_frame_to_predictions(frame, on_dask):
    with cluster_of_two():
        X, y = on_dask.drop(columns="y"), on_dask["y"]
        model = make_pipeline(DaskFieldEncoder(), DaskFMRegressor(**SETTINGS)).fit(X, y)
        predictions = model.predict(X).compute()
    local = make_pipeline(*(step.to_local() for step in model.named_steps.values()))
    np.testing.assert_allclose(predictions, local.predict(frame.drop(columns="y")))
    red = (frame["colour"] == "red").to_numpy()
    assert predictions[red].mean() > predictions[~red].mean() + 0.5
