"""Stored models load from pickle, joblib and skops: here, in other processes, in later releases."""

import copy
import inspect
import os
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from conftest import ESTIMATORS, target_for
from scipy import sparse
from sklearn.base import clone

import sklearn_afm
from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm.inspection import pair_importance

SHORT = {"max_iter": 3, "embedding_dim": 4}
STORED = sorted(path for path in (Path(__file__).parent / "models").iterdir() if path.is_dir())


def pickled(model, folder):
    """Store and load the model by pickle."""
    (folder / "model.pickle").write_bytes(pickle.dumps(model))
    return pickle.loads((folder / "model.pickle").read_bytes())


def joblib_stored(model, folder):
    """Store and load the model by joblib."""
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def memory_mapped(model, folder):
    """Store and load the model by joblib, with arrays that stay in the file."""
    joblib.dump(model, folder / "model.joblib")
    return joblib.load(folder / "model.joblib", mmap_mode="r")


def load_skops(path):
    """Load a model by skops. Trust only the package's own types."""
    types = skops.io.get_untrusted_types(file=path)
    assert all(name.startswith("sklearn_afm.") for name in types), types
    return skops.io.load(path, trusted=types)


def skops_stored(model, folder):
    """Store and load the model by skops."""
    skops.io.dump(model, folder / "model.skops")
    return load_skops(folder / "model.skops")


def copied(model, folder):
    """Copy the model by copy.deepcopy."""
    return copy.deepcopy(model)


WAYS = [pickled, joblib_stored, memory_mapped, skops_stored, copied]
CASES = {
    "regressor": (AFMRegressor, lambda y: y),
    "regressor of several outputs": (AFMRegressor, lambda y: np.column_stack([y, -y, y**2])),
    "plain regressor of several outputs": (FMRegressor, lambda y: np.column_stack([y, -y])),
    "binary, booleans": (AFMClassifier, lambda y: y > 0),
    "binary, strings": (FMClassifier, lambda y: np.where(y > 0, "high", "low")),
    "multi-class, strings as objects": (
        AFMClassifier,
        lambda y: np.array(["low", "middle", "high"], dtype=object)[np.digitize(y, [-1.0, 1.0])],
    ),
    "multi-class, integers": (FMClassifier, lambda y: np.digitize(y, [-1.0, 1.0]) * 7),
}


def predictions(model, X):
    """Return all predictions of a fitted estimator, by method."""
    methods = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    return {name: getattr(model, name)(X) for name in methods if hasattr(model, name)}


def assert_same(actual, expected):
    """Check that predictions are equal, bit for bit."""
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert actual[name].dtype == value.dtype
        np.testing.assert_array_equal(actual[name], value)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_loaded_predicts_the_same(way, case, one_hot_data, tmp_path):
    X, y = one_hot_data
    Estimator, target = CASES[case]
    model = Estimator(random_state=0, **SHORT).fit(X, target(y))
    loaded = way(model, tmp_path)
    assert_same(predictions(loaded, X), predictions(model, X))
    assert loaded.history_ == model.history_


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_feature_names_come_back(Estimator, way, one_hot_data, tmp_path):
    X, y = one_hot_data
    frame = pd.DataFrame(X.toarray(), columns=[f"level {i}" for i in range(X.shape[1])])
    model = Estimator(**SHORT).fit(frame, target_for(Estimator, y))
    loaded = way(model, tmp_path)
    assert_same(predictions(loaded, frame), predictions(model, frame))
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(frame.rename(columns={"level 3": "another"}))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_stream_goes_on_as_if_it_had_not_been_stored(Estimator, way, one_hot_data, tmp_path):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    first = {"classes": ["high", "low"]} if hasattr(Estimator, "predict_proba") else {}
    model = Estimator(random_state=0, dropout=0.5).partial_fit(X[:200], y[:200], **first)
    loaded = way(model, tmp_path)
    for stream in (model, loaded):
        stream.partial_fit(X[200:], y[200:])
    np.testing.assert_array_equal(model.embeddings_, loaded.embeddings_)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd"])
@pytest.mark.parametrize("way", WAYS)
def test_a_warm_start_goes_on_as_if_it_had_not_been_stored(way, optimizer, one_hot_data, tmp_path):
    X, y = one_hot_data
    options = {"random_state": 0, "dropout": 0.5, "warm_start": True, "optimizer": optimizer}
    model = AFMRegressor(**options, **SHORT).fit(X, y)
    loaded = way(model, tmp_path)
    for continued in (model, loaded):
        continued.fit(X, y)
    np.testing.assert_array_equal(model.embeddings_, loaded.embeddings_)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_pickle_is_little_more_than_the_parameters(Estimator, rng):
    levels = rng.integers(0, 3000, size=(4000, 2))
    levels[:, 1] += 3000
    X = sparse.csr_array((np.ones(8000), levels.ravel(), np.arange(0, 8001, 2)), (4000, 6000))
    model = Estimator(embedding_dim=32, max_iter=1).fit(X, rng.integers(0, 2, 4000))
    size = sum(value.nbytes for value in vars(model).values() if isinstance(value, np.ndarray))
    assert len(pickle.dumps(model)) < 1.2 * size


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_no_torch_and_nothing_of_scikit_learn_in_a_pickle(Estimator, one_hot_data):
    """So a pickle loads with any version of torch and scikit-learn."""
    X, y = one_hot_data
    y = target_for(Estimator, y)
    model = Estimator(warm_start=True, **SHORT).fit(X, y)
    content = pickle.dumps(model.partial_fit(X, y))
    assert b"torch" not in content
    assert b"sklearn." not in content
    assert b"sklearn_afm." in content


def test_a_model_of_another_device_predicts_here(one_hot_data):
    X, y = one_hot_data
    model = FMRegressor(device="cpu", **SHORT).fit(X, y)
    expected = model.predict(X)
    model.device = "cuda:7"
    np.testing.assert_array_equal(model.predict(X), expected)


IN_A_FRESH_PROCESS = """
import sys, joblib, numpy, pickle, skops.io
folder, names = sys.argv[1], sys.argv[2:]
X = numpy.load(folder + "/X.npy")
loaders = {
    "pickle": lambda path: pickle.load(open(path, "rb")),
    "joblib": joblib.load,
    "skops": lambda path: skops.io.load(path, skops.io.get_untrusted_types(file=path)),
}
results = {}
for name in names:
    for kind, load in loaders.items():
        model = load(f"{folder}/{name}.{kind}")
        results[f"{name}/{kind}"] = getattr(model, "predict_proba", model.predict)(X)
numpy.savez(folder + "/results.npz", **results)
"""


def test_a_fresh_process_predicts_the_same(one_hot_data, tmp_path):
    X, y = one_hot_data
    np.save(tmp_path / "X.npy", X.toarray())
    expected = {}
    for Estimator in ESTIMATORS:
        name = Estimator.__name__
        model = Estimator(random_state=0, **SHORT).fit(X, target_for(Estimator, y))
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps(model))
        joblib.dump(model, tmp_path / f"{name}.joblib")
        skops.io.dump(model, tmp_path / f"{name}.skops")
        expected[name] = getattr(model, "predict_proba", model.predict)(X)
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, str(tmp_path), *expected]
    # The bits are the same at the same number of threads.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    subprocess.run(command, check=True, env=os.environ | threads)
    with np.load(tmp_path / "results.npz") as results:
        assert len(results) == 12
        for key, value in results.items():
            np.testing.assert_array_equal(value, expected[key.split("/")[0]])


def load_stored(path):
    """Load a stored model of some release."""
    return load_skops(path) if path.suffix == ".skops" else pickle.loads(path.read_bytes())


@pytest.mark.parametrize("kind", ["pickle", "skops"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_models_of_earlier_releases_load(folder, Estimator, kind):
    """They load completely and without a warning, from any version of scikit-learn."""
    name = Estimator.__name__
    model = load_stored(folder / f"{name}.{kind}")
    with np.load(folder / "expected.npz") as expected:
        X = expected["X"]
        methods = [key.split("/")[1] for key in expected if key.startswith(f"{name}/")]
        assert methods == [m for m in ("predict", "predict_proba") if hasattr(model, m)]
        for method in methods:
            actual, value = getattr(model, method)(X), expected[f"{name}/{method}"]
            if value.dtype.kind == "U":
                np.testing.assert_array_equal(actual, value)
            else:  # other machines may add in another order
                np.testing.assert_allclose(actual, value, rtol=1e-5, atol=1e-6)
    # What is newer than the model exists too: names of targets, and parameters.
    assert pair_importance(model, X).unit.startswith(("unit", "logits", "log odds of "))
    assert model.get_params().keys() == inspect.signature(Estimator).parameters.keys()
    assert isinstance(clone(model), Estimator)
    y = model.predict(X)
    assert model.fit(X, y).n_iter_ == 40
    assert model.partial_fit(X, y).n_iter_ == 41


def test_there_is_a_stored_model_of_this_release():
    assert sklearn_afm.__version__ in [folder.name for folder in STORED]
