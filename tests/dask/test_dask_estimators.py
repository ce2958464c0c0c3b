"""Estimators on a Dask cluster of two workers, against the same ones in memory."""

import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import dask.array
import numpy as np
import pandas as pd
import pytest
import torch
from clusters import OF_ONE_PROCESS, SETTINGS, cluster_of_two, make_rows, on_cluster
from sklearn.base import clone

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm.dask import (
    DaskAFMClassifier,
    DaskAFMRegressor,
    DaskFMClassifier,
    DaskFMRegressor,
)
from sklearn_afm.exceptions import RankError

# Dask leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

# Uneven partitions, two of them empty.
SIZES = (250, 90, 0, 180, 80, 0)
LOCAL = {
    DaskAFMRegressor: AFMRegressor,
    DaskAFMClassifier: AFMClassifier,
    DaskFMRegressor: FMRegressor,
    DaskFMClassifier: FMClassifier,
}


@pytest.fixture(scope="module")
def client():
    with cluster_of_two() as client:
        yield client


@pytest.fixture
def rows(client):
    """Rows, targets and weights, in memory and on the cluster."""
    local = make_rows()
    return local, [on_cluster(client, array, SIZES) for array in local]


def labels_of(y):
    return np.where(y > np.median(y), "high", "low")


@pytest.mark.parametrize("Estimator", LOCAL)
def test_a_fit_is_that_of_one_process_if_a_batch_has_all_rows(Estimator, client, rows):
    (X, y, weight), (X_dask, y_dask, weight_dask) = rows
    if "Classifier" in Estimator.__name__:
        y, y_dask = labels_of(y), on_cluster(client, labels_of(y), SIZES)
    expected = LOCAL[Estimator](**OF_ONE_PROCESS).fit(X, y, weight)
    model = Estimator(**SETTINGS).fit(X_dask, y_dask, weight_dask)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        if hasattr(expected, method):
            lazy = getattr(model, method)(X_dask)
            assert isinstance(lazy, dask.array.Array)
            found, in_memory = lazy.compute(), getattr(expected, method)(X)
            assert lazy.shape == in_memory.shape
            assert lazy.dtype == in_memory.dtype
            if method == "predict" and hasattr(model, "classes_"):
                np.testing.assert_array_equal(found, in_memory)
            else:
                np.testing.assert_allclose(found, in_memory, atol=1e-6)
            if found.dtype.kind == "f":
                np.testing.assert_allclose(getattr(model, method)(X), found, rtol=1e-12)
    score = expected.score(X, y, weight)
    assert model.score(X_dask, y_dask, weight_dask) == pytest.approx(score, abs=1e-6)


def leave_mark(folder, record):
    group = torch.distributed
    (folder / f"{group.get_rank()} of {group.get_world_size()}").touch()


def test_both_workers_train(client, rows, tmp_path):
    model = DaskFMRegressor(**SETTINGS, callbacks=[functools.partial(leave_mark, tmp_path)])
    model.set_params(client=client).fit(*rows[1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0 of 2", "1 of 2"]


def test_frames_and_learnt_strengths(client):
    frames = pytest.importorskip("dask.dataframe", reason="it needs pyarrow", exc_type=ImportError)
    X, y, _ = make_rows(300)
    frame = pd.DataFrame(X.toarray(), columns=[f"column {i}" for i in range(X.shape[1])])
    frame["y"] = labels_of(y)
    on_dask = frames.from_pandas(frame, npartitions=4)
    X_dask = on_dask.drop(columns="y")
    model = DaskAFMClassifier(embedding_dim=4, max_iter=3, random_state=0).fit(X_dask, on_dask["y"])
    assert model.feature_names_in_.tolist() == frame.columns[:-1].tolist()
    probabilities = model.predict_proba(X_dask)
    assert probabilities.shape[1] == 2
    local = model.to_local()
    assert type(local) is AFMClassifier
    expected = local.predict_proba(frame.drop(columns="y"))
    np.testing.assert_allclose(probabilities.compute(), expected, rtol=1e-5)
    one_process = AFMClassifier(embedding_dim=4, max_iter=3, random_state=0).fit(
        frame.iloc[:, :-1], frame["y"]
    )
    assert local.score(frame.iloc[:, :-1], frame["y"]) > 0.9 * one_process.score(
        frame.iloc[:, :-1], frame["y"]
    )


def test_early_stopping_by_rows_of_their_own(client, rows):
    (X, y, _), (X_dask, y_dask, _) = rows
    stops = {"early_stopping": True, "max_iter": 60, "learning_rate": 0.5, "n_iter_no_change": 2}
    X_val, y_val = on_cluster(client, X[::3], (120, 80)), on_cluster(client, y[::3], (120, 80))
    model = DaskFMRegressor(**SETTINGS | stops).fit(X_dask, y_dask, X_val=X_val, y_val=y_val)
    expected = FMRegressor(**OF_ONE_PROCESS | stops).fit(X, y, X_val=X[::3], y_val=y[::3])
    assert model.n_iter_ == expected.n_iter_ < 60
    np.testing.assert_allclose(
        [record["validation_loss"] for record in model.history_],
        [record["validation_loss"] for record in expected.history_],
        rtol=1e-6,
    )
    with pytest.raises(ValueError, match="rows in 1 partitions, and 2 workers train"):
        model.fit(
            X_dask, y_dask, X_val=on_cluster(client, X, (600,)), y_val=on_cluster(client, y, (600,))
        )


def test_a_warm_start_goes_on(rows):
    X_dask, y_dask, _ = rows[1]
    model = DaskFMRegressor(**SETTINGS, warm_start=True).fit(X_dask, y_dask)
    assert len(model.fit(X_dask, y_dask).history_) == 8


def test_clones_and_pickles(client, rows):
    X_dask, y_dask, _ = rows[1]
    model = DaskFMRegressor(**SETTINGS, client=client).fit(X_dask, y_dask)
    cloned = clone(model)
    assert cloned.client is client
    assert not hasattr(cloned, "linear_weights_")
    assert cloned.get_params() == model.get_params()
    loaded = pickle.loads(pickle.dumps(model))
    assert loaded.client is None
    X = make_rows()[0]
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert "client" not in model.to_local().get_params()


def test_what_does_not_fit_is_refused(client, rows):
    (X, y, _), (X_dask, y_dask, _) = rows
    model = DaskFMRegressor(**SETTINGS)
    with pytest.raises(TypeError, match="X is a csr_array; it must be a Dask array or DataFrame"):
        model.fit(X, y_dask)
    with pytest.raises(TypeError, match="y is a ndarray"):
        model.fit(X_dask, y)
    with pytest.raises(ValueError, match=r"have \[6, 2\] partitions"):
        model.fit(X_dask, on_cluster(client, y, (300, 300)))
    with pytest.raises(ValueError, match=r"has \[\d+, \d+\] rows in X, y"):
        model.fit(X_dask, on_cluster(client, y, (240, 100, 0, 180, 80, 0)))
    with pytest.raises(ValueError, match="X has no rows"):
        model.fit(on_cluster(client, X[:0], (0, 0)), on_cluster(client, y[:0], (0, 0)))
    assert not hasattr(model, "linear_weights_")


def test_an_error_of_one_worker_is_the_error_of_fit(client, rows):
    (_, y, _), (X_dask, _, _) = rows
    y[-1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        DaskFMRegressor(**SETTINGS).fit(X_dask, on_cluster(client, y, SIZES))


def die_on_rank_1(record):
    if torch.distributed.get_rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_ends_the_fit():
    with cluster_of_two() as client:
        X_dask, y_dask, _ = (on_cluster(client, array, SIZES) for array in make_rows())
        model = DaskFMRegressor(**SETTINGS, callbacks=[die_on_rank_1], client=client)
        with pytest.raises(RankError, match="lost"):
            model.fit(X_dask, y_dask)
        assert not hasattr(model, "linear_weights_")
        X_dask, y_dask, _ = (on_cluster(client, array, SIZES) for array in make_rows())
        assert len(model.set_params(callbacks=None).fit(X_dask, y_dask).history_) == 4


def test_ctrl_c_ends_the_workers(client, rows, tmp_path):
    X_dask, y_dask, _ = rows[1]
    callbacks = [functools.partial(leave_mark, tmp_path)]
    endless = SETTINGS | {"max_iter": 20_000, "learning_rate": 1e-9}
    model = DaskFMRegressor(**endless, callbacks=callbacks, client=client)

    def interrupt():
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    # Test processes of pytest-xdist ignore it.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X_dask, y_dask)
    finally:
        signal.signal(signal.SIGINT, handler)
    thread.join()
    assert not hasattr(model, "linear_weights_")
    assert len(model.set_params(**SETTINGS).fit(X_dask, y_dask).history_) == 4


def test_threads_of_one_process_are_refused():
    with cluster_of_two(processes=False) as client:
        X_dask, y_dask, _ = (on_cluster(client, array, SIZES) for array in make_rows())
        with pytest.raises(ValueError, match="threads of one process"):
            DaskFMRegressor(**SETTINGS, client=client).fit(X_dask, y_dask)


def test_nobody_else_imports_dask():
    code = "import sys, sklearn_afm; assert not {'dask', 'distributed'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)
