"""Whatever ends a fit, the estimator is fitted, unfitted or as before. It is never half fitted."""

import copy
import os
import pickle
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import CLASSIFIERS, ESTIMATORS, target_for
from sklearn.exceptions import NotFittedError
from test_checkpoint import OPTIONS, assert_same

import sklearn_afm
from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor
from sklearn_afm._core.batches.memory import is_out_of_memory

PACKAGE = str(Path(sklearn_afm.__file__).parent)
# If memory runs out in these functions, or in those that they call, they are tried again.
COMPUTING = ("_gradients", "_predict_batch")


class Fault(Exception):
    """An error that the package does not expect."""


@contextmanager
def raising(error, at, within=()):
    """Raise the error before the at-th executed line of the package. Count the lines.

    If `within` has names, only lines that these functions execute, or call, count.
    """
    lines = [0]

    def trace(frame, event, _argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "call" and within and not has_caller(frame, within):
            return None
        if event == "line":
            lines[0] += 1
            if lines[0] == at:
                raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


def has_caller(frame, names):
    while frame is not None and frame.f_code.co_name not in names:
        frame = frame.f_back
    return frame is not None


def lines_of(action, within=()):
    with raising(None, -1, within) as lines:
        action()
    return lines[0]


def try_to(action):
    """Tell whether the action succeeded, with or without a warning."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            action()
    except (Fault, KeyboardInterrupt, SystemExit):
        return False
    return True


CASES = {
    "plain": {},
    "no averaging": {"averaging_decay": 0},
    "early stopping": {"early_stopping": True, "averaging_decay": 0},
    "scorer": {"early_stopping": True, "scoring": None},
    "init": {"init": "fm"},
    "checkpoint": {"checkpoint": "fit.npz"},
    "kept state": {"warm_start": True, "optimizer": "adam", "averaging_decay": 0},
}
FAULTS = [KeyboardInterrupt, SystemExit, Fault]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("error", FAULTS)
def test_a_fault_on_any_line_of_a_fit(error, case, one_hot_data, tmp_path, monkeypatch):
    X, y = one_hot_data
    monkeypatch.chdir(tmp_path)
    options = OPTIONS | {"max_iter": 4, "batch_size": 100} | CASES[case]
    references = {
        n: AFMRegressor(**options | {"max_iter": n}).fit(X, y)
        for n in (range(1, 5) if case != "init" else [4])
    }
    n_lines = lines_of(lambda: AFMRegressor(**options).fit(X, y))
    rng = np.random.default_rng(0)
    # The last lines set the attributes, so more places are among them.
    places = [*rng.integers(1, n_lines, 25), *range(n_lines - 20, n_lines, 4)]
    outcomes = set()
    for at in places:
        model = AFMRegressor(**options)
        with raising(error, at):
            done = try_to(lambda model=model: model.fit(X, y))
        if not hasattr(model, "embeddings_"):
            assert not done
            assert vars(model).keys() == model.get_params().keys()
        elif model.n_iter_ in references:
            assert_same(model, references[model.n_iter_])
            assert done or model.n_iter_ == 4
        outcomes.add((done, getattr(model, "n_iter_", 0)))
        if case == "checkpoint":
            assert {path.name for path in tmp_path.iterdir()} <= {"fit.npz"}
            assert_same(AFMRegressor(**options).fit(X, y), references[4])
    assert (False, 0) in outcomes
    if error is KeyboardInterrupt:
        assert len(outcomes) > 2


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("error", FAULTS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_fault_on_any_line_of_a_continued_fit(Estimator, error, method, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = OPTIONS | {"batch_size": 100, "warm_start": True, "max_iter": 2}
    first = Estimator(**options).fit(X[:200, :15], y[:200])
    before = pickle.dumps(first)
    expected = getattr(copy.deepcopy(first), method)(X[:, :15], y)
    n_lines = lines_of(lambda: getattr(copy.deepcopy(first), method)(X[:, :15], y))
    rng = np.random.default_rng(0)
    unchanged = 0
    for at in rng.integers(1, n_lines, 12):
        model = pickle.loads(before)
        with raising(error, at):
            try_to(lambda model=model: getattr(model, method)(X[:, :15], y))
        if model.n_iter_ == 2:
            assert_same(model, first)
            assert_same(getattr(model, method)(X[:, :15], y), expected)
            unchanged += 1
    assert unchanged


@pytest.mark.parametrize("place", ["callback", "scorer"])
@pytest.mark.parametrize("continued", [False, True])
def test_a_fault_of_the_users_own(place, continued, one_hot_data):
    X, y = one_hot_data
    calls = []

    def fail(*_arguments):
        calls.append(1)
        if len(calls) == 2:
            raise Fault
        return 0

    model = FMRegressor(early_stopping=True, warm_start=continued, **OPTIONS)
    if continued:
        model.fit(X, y)
    before = copy.deepcopy(model)
    model.set_params(**({"callbacks": [fail]} if place == "callback" else {"scoring": fail}))
    with pytest.raises(Fault):
        model.fit(X, y)
    if continued:
        assert_same(model, before)
    else:
        with pytest.raises(NotFittedError):
            model.predict(X)


def test_an_interrupt_in_the_fm_of_init_is_not_a_fit(one_hot_data):
    def interrupt(record):
        raise KeyboardInterrupt

    model = AFMRegressor(init="fm", callbacks=[interrupt], **OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*one_hot_data)
    assert not hasattr(model, "linear_weights_")


# Memory

OUT_OF_MEMORY = [
    MemoryError("Unable to allocate"),
    torch.cuda.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
]


def test_what_the_cpu_allocator_raises_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


def replace_look_up(monkeypatch, look_up):
    """Where linear weights are looked up, in training and in prediction."""
    monkeypatch.setattr("sklearn_afm._core.models.model.look_up", look_up)
    monkeypatch.setattr("sklearn_afm._core.models.prediction.look_up", look_up)


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=range(4))
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_large_groups_that_find_no_memory_are_halved(Estimator, error, one_hot_data, monkeypatch):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = OPTIONS | {"dropout": 0, "precision": "float64", "batch_size": 100}
    expected = Estimator(**options).fit(X, y)
    predicted = expected.predict(X)
    sizes = []
    original = sklearn_afm._core.batches.columns.look_up

    def look_up(table, group):
        if torch.is_grad_enabled():  # in training
            sizes.append(len(group.features))
        if len(group.features) > 30:
            raise error
        return original(table, group)

    replace_look_up(monkeypatch, look_up)
    model = Estimator(**options).fit(X, y)
    np.testing.assert_allclose(model.embeddings_, expected.embeddings_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(
        model.linear_weights_, expected.linear_weights_, rtol=1e-8, atol=1e-12
    )
    # Groups are halved twice in the first step, then not again.
    assert sizes[:2] == [100, 50]
    assert max(sizes[2:]) <= 25
    found = expected.predict(X)
    if Estimator in CLASSIFIERS:
        np.testing.assert_array_equal(found, predicted)
    else:
        np.testing.assert_allclose(found, predicted, rtol=1e-12)


@pytest.mark.parametrize("embedding_dim", [4, 128])
@pytest.mark.parametrize("action", ["fit", "predict"])
def test_no_memory_on_any_line_of_the_computation(action, embedding_dim, one_hot_data):
    X, y = one_hot_data
    options = {"embedding_dim": embedding_dim, "attention_dim": 64, "max_iter": 2}
    options |= {"precision": "float64", "random_state": 0}
    expected = AFMRegressor(**options).fit(X, y)
    predicted = expected.predict(X)

    def act(model):
        return model.predict(X) if action == "predict" else model.fit(X, y).predict(X)

    n_lines = lines_of(lambda: act(expected), COMPUTING)
    for at in np.random.default_rng(0).integers(1, n_lines, 12):
        model = expected if action == "predict" else AFMRegressor(**options)
        with raising(MemoryError, at, COMPUTING) as lines:
            found = act(model)
        assert lines[0] == at  # the error was raised; after that, Python traces no lines
        np.testing.assert_allclose(found, predicted, rtol=1e-7, atol=1e-9)


def test_masks_of_a_step_that_is_tried_again_are_the_same(one_hot_data, monkeypatch):
    """With one row per group from the start, a retry has the same shapes."""
    X, y = one_hot_data
    monkeypatch.setattr("sklearn_afm._core.training.trainer.MAX_TRAINING_COST", 1)
    options = OPTIONS | {"attention_dropout": 0.5, "max_iter": 1}
    expected = AFMRegressor(**options).fit(X[:70], y[:70])
    monkeypatch.setattr("sklearn_afm._core.batches.batches.Batcher.halve_groups", lambda *_: True)
    with raising(MemoryError, 900, COMPUTING):
        model = AFMRegressor(**options).fit(X[:70], y[:70])
    assert_same_arrays(model, expected)


def assert_same_arrays(found, expected):
    for name in ("linear_weights_", "embeddings_", "attention_weight_"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("action", ["fit", "predict"])
def test_one_row_that_finds_no_memory_is_named(action, one_hot_data, monkeypatch):
    X, y = one_hot_data
    fitted = AFMClassifier(**OPTIONS).fit(X, y > 0)

    def look_up(table, group):
        raise MemoryError

    replace_look_up(monkeypatch, look_up)
    message = r"one row at a time.* 4 non-zeros and needs about .* MiB.*Lower embedding_dim"
    model = AFMClassifier(**OPTIONS)
    with pytest.raises(MemoryError, match=message):
        model.fit(X, y > 0) if action == "fit" else fitted.predict(X)
    assert not hasattr(model, "classes_")


def test_other_errors_of_the_computation_are_raised_as_they_are(one_hot_data, monkeypatch):
    def look_up(table, group):
        raise RuntimeError("shapes do not match")

    replace_look_up(monkeypatch, look_up)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        FMRegressor(**OPTIONS).fit(*one_hot_data)


# Processes

SEARCH = """
import os, signal, sys
import numpy as np
from sklearn.model_selection import GridSearchCV
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn_afm import FMRegressor

def die(record):
    if record["epoch"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)

rng = np.random.default_rng(0)
X, y = np.eye(5)[rng.integers(0, 5, 60)], rng.normal(size=60)
model = FMRegressor(max_iter=3, callbacks=[die], random_state=0)
grid = {"dropout": [0.0, 0.3]}
try:
    GridSearchCV(model, grid, cv=2, n_jobs=2).fit(X, y)
except TerminatedWorkerError:
    print("terminated")
search = GridSearchCV(model.set_params(callbacks=None), grid, cv=2, n_jobs=2).fit(X, y)
print("searched", search.best_score_ < 1)
"""


def test_a_killed_worker_of_a_grid_search(tmp_path):
    environment = os.environ | {"JOBLIB_TEMP_FOLDER": str(tmp_path), "PYTHONPATH": PACKAGE + "/.."}
    command = [sys.executable, "-W", "ignore", "-c", SEARCH]
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[:2] == ["terminated", "searched True"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("action", ["fit", "partial_fit", "predict"])
def test_what_torch_cannot_allocate_is_a_memory_error(action, one_hot_data, monkeypatch):
    """This holds for parameters, optimiser state and targets too, not only for groups of rows."""
    X, y = one_hot_data
    model = FMRegressor(max_iter=1).fit(X, y)

    def fails(*args, **kwargs):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    monkeypatch.setattr(torch, "as_tensor" if action != "predict" else "from_numpy", fails)
    with pytest.raises(MemoryError, match=r"can't allocate memory.*embedding_dim"):
        model.predict(X) if action == "predict" else getattr(FMRegressor(), action)(X, y)
