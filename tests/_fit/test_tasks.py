"""Callbacks of scikit-learn (`set_callbacks`): the tasks they see, and what they are shown."""

import numpy as np
import pandas as pd
import pytest
from conftest import ESTIMATORS, target_for
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_afm import AFMRegressor, FMRanker, FMRegressor
from sklearn_afm._compat import HAS_CALLBACKS
from sklearn_afm.dask import DaskFMRegressor

if not HAS_CALLBACKS:
    pytest.skip("scikit-learn has callbacks from 1.9 on", allow_module_level=True)

from sklearn.callback import ProgressBar, ScoringMonitor

SHORT = {"max_iter": 3, "embedding_dim": 2, "random_state": 0}


class Recorder:
    """A callback that keeps what the hooks are shown."""

    def __init__(self, stop_after=None):
        self.calls, self.shown, self.stop_after = [], [], stop_after

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.calls.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.calls.append(("end", context.task_name, context.task_id))
        # What is fitted goes on to change: a copy of the attributes would not notice.
        self.shown.append((X, y, metadata, fitted_estimator))
        return self.stop_after is not None and context.task_id == self.stop_after


EPOCHS = [(when, "epoch", number) for number in range(3) for when in ("begin", "end")]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_an_epoch_is_a_task(Estimator, one_hot_data):
    X, y = one_hot_data
    y, recorder = target_for(Estimator, y), Recorder()
    weight = np.linspace(1, 2, 300)
    model = Estimator(**SHORT).set_callbacks(recorder).fit(X, y, sample_weight=weight)
    fit = [("begin", "fit", 0), *EPOCHS, ("end", "fit", 0)]
    assert recorder.calls == ["setup", *fit, "teardown"]
    assert all(shown[0] is X and shown[1] is y for shown in recorder.shown)
    assert all(shown[2]["sample_weight"] is weight for shown in recorder.shown)
    np.testing.assert_array_equal(recorder.shown[-1][3].predict(X), model.predict(X))
    plain = Estimator(**SHORT).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(plain.predict(X), model.predict(X))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_an_epoch_shows_the_estimator_that_would_end_there(Estimator, one_hot_data):
    """Also in rows of levels that training has not seen."""
    X, y = one_hot_data
    names = [f"c{column}" for column in range(20)]
    X, y = pd.DataFrame(X.toarray(), columns=names), target_for(Estimator, y)
    known = X["c0"] == 0
    recorder = Recorder()
    Estimator(**SHORT).set_callbacks(recorder).fit(X[known], y[known])
    for n_epochs, (*_, fitted) in enumerate(recorder.shown[:3], 1):
        model = Estimator(**SHORT | {"max_iter": n_epochs}).fit(X[known], y[known])
        scores = [
            each.predict_proba(X) if hasattr(each, "predict_proba") else each.predict(X)
            for each in (fitted, model)
        ]
        np.testing.assert_array_equal(*scores)


def test_the_parameters_are_those_that_the_validation_score_is_of(one_hot_data):
    X, y = one_hot_data
    recorder = Recorder()
    options = SHORT | {"scoring": "r2", "max_iter": 6, "learning_rate": 2.0}
    model = FMRegressor(**options).set_callbacks(recorder)
    model.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    found = [shown[3].score(X[200:], y[200:]) for shown in recorder.shown[:-1]]
    expected = [record["validation_score"] for record in model.history_]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.ptp(found) > 1e-6


def test_a_callback_ends_training(one_hot_data):
    model = FMRegressor(**SHORT).set_callbacks(Recorder(stop_after=1))
    assert model.fit(*one_hot_data).n_iter_ == 2


def test_callbacks_are_taken_down_after_an_error(one_hot_data):
    X, y = one_hot_data
    recorder = Recorder()
    model = FMRegressor(**SHORT).set_callbacks(recorder)
    with pytest.raises(ValueError, match="inconsistent"):
        model.fit(X, y[:-1])
    assert recorder.calls == ["setup", ("begin", "fit", 0), "teardown"]
    model.set_callbacks().fit(X, y)
    assert recorder.calls[-1] == "teardown"
    assert not {"_callback_fit_ctx", "_skl_callbacks"} & vars(model).keys()


def test_own_callbacks_stay(one_hot_data):
    records, recorder = [], Recorder()
    model = AFMRegressor(callbacks=[records.append], **SHORT).set_callbacks(recorder)
    model.fit(*one_hot_data)
    assert [record["epoch"] for record in records] == [1, 2, 3]
    assert len(recorder.shown) == 4


@pytest.mark.parametrize("window_rows", [100, 1000])
def test_epochs_of_blocks(window_rows, one_hot_data):
    X, y = one_hot_data
    recorder, blocks = (
        Recorder(),
        [(X[start : start + 100], y[start : start + 100]) for start in (0, 100, 200)],
    )
    model = FMRegressor(**SHORT).set_callbacks(recorder)
    model.fit_blocks(blocks, window_rows=window_rows)
    assert recorder.calls[2:-2] == EPOCHS
    assert recorder.shown[1][:2] == (None, None)
    np.testing.assert_array_equal(recorder.shown[-1][3].predict(X), model.predict(X))


def test_rankers_show_no_rows(one_hot_data):
    X, y = one_hot_data
    recorder = Recorder()
    model = FMRanker(**SHORT).set_callbacks(recorder)
    model.fit(X, (y > 0).astype(int), group=np.arange(300) // 10)
    assert recorder.shown[0][:3] == (None, None, None)
    np.testing.assert_array_equal(recorder.shown[-1][3].predict(X), model.predict(X))


def test_dask_refuses():
    array = pytest.importorskip("dask.array")
    model = DaskFMRegressor().set_callbacks(Recorder())
    with pytest.raises(ValueError, match="do not reach the workers"):
        model.fit(array.ones((20, 3)), array.ones(20))


def scores_of(monitor):
    """The scores of the epochs: a list for each fit, in the order of tasks."""
    found = {}
    for row in monitor.get_logs().data:
        if row["task_name"] == "epoch":
            found.setdefault(row["parent_task_id_path"], []).append(row["r2"])
    return list(found.values())


@pytest.mark.parametrize("place", ["alone", "pipeline"])
def test_the_scoring_monitor(place, one_hot_data):
    X, y = one_hot_data
    monitor = ScoringMonitor(scoring="r2")

    def fitted(n_epochs, *callbacks):
        model = FMRegressor(**SHORT | {"max_iter": n_epochs}).set_callbacks(*callbacks)
        if place == "pipeline":
            model = make_pipeline(StandardScaler(with_mean=False), model)
        return model.fit(X, y)

    fitted(3, monitor)
    expected = [fitted(n_epochs).score(X, y) for n_epochs in (1, 2, 3)]
    np.testing.assert_allclose(scores_of(monitor), [expected], rtol=1e-6)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_scoring_monitor_in_a_search(n_jobs, one_hot_data):
    X, y = one_hot_data
    monitor = ScoringMonitor(scoring="r2")
    pipeline = make_pipeline(
        StandardScaler(with_mean=False), FMRegressor(**SHORT).set_callbacks(monitor)
    )
    folds = [(np.arange(100, 300), np.arange(100)), (np.arange(200), np.arange(200, 300))]
    grid = {"fmregressor__embedding_dim": [2, 3]}
    search = GridSearchCV(pipeline, grid, cv=folds, n_jobs=n_jobs).fit(X, y)
    found = sorted(scores[-1] for scores in scores_of(monitor))
    expected = [search.score(X, y)]  # of the refit
    for rows, _ in folds:
        for k in (2, 3):
            model = clone(search.estimator).set_params(fmregressor__embedding_dim=k)
            expected.append(model.fit(X[rows], y[rows]).score(X[rows], y[rows]))
    np.testing.assert_allclose(found, sorted(expected), rtol=1e-6)


@pytest.mark.parametrize("place", ["alone", "pipeline", "search", "search of 2 jobs"])
def test_the_progress_bar(place, one_hot_data, capfd):
    pytest.importorskip("rich")
    X, y = one_hot_data
    bar, model = ProgressBar(max_propagation_depth=None), FMRegressor(**SHORT)
    if place != "alone":
        model = make_pipeline(StandardScaler(with_mean=False), model)
    if "search" in place:
        grid = {"fmregressor__embedding_dim": [2, 3]}
        model = GridSearchCV(model, grid, cv=2, n_jobs=2 if "jobs" in place else 1)
    model.set_callbacks(bar).fit(X, y)
    lines = [line for line in capfd.readouterr().out.splitlines() if "FMRegressor" in line]
    assert len(lines) == {"alone": 1, "pipeline": 1}.get(place, 5)
    assert all("100%" in line for line in lines)
