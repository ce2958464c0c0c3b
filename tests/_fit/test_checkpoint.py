"""checkpoint: a resumed fit equals one that never stopped; other files are refused."""

import io
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from conftest import AFMS, ESTIMATORS, target_for
from sklearn.base import clone

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor

pytestmark = pytest.mark.usefixtures("fixed_strengths")

OPTIONS = {"embedding_dim": 4, "max_iter": 6, "random_state": 0, "dropout": 0.3}


def learnt(model):
    """Return everything that a fit sets, except how long it took."""
    state = {name: value for name, value in vars(model).items() if name.endswith("_")}
    times = ("seconds", "rows_per_second")
    state["history_"] = [
        {name: value for name, value in record.items() if name not in times}
        for record in model.history_
    ]
    if model.warm_start:
        state |= {f"optimizer {name}": v for name, v in model._progress.optimizer.items()}
        state["order"] = str(model._progress.order_rng.bit_generator.state)
        state["masks"] = model._progress.mask_state
    return state


def assert_same(found, expected):
    found, expected = learnt(found), learnt(expected)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


class Stop(Exception):
    """The error that ends a fit in these tests."""


def stop_after(n_epochs):
    """Return a callback that raises at the end of the n-th epoch that it is called in."""
    seen = []

    def callback(record):
        seen.append(record["epoch"])
        if len(seen) == n_epochs:
            raise Stop

    return [callback]


def fit_in_parts(model, parts, *data, **options):
    """Fit clones that each stop after these numbers of epochs and are resumed by the next one."""
    for n_epochs in parts:
        with pytest.raises(Stop):
            clone(model).set_params(callbacks=stop_after(n_epochs)).fit(*data, **options)
    return model.fit(*data, **options)


CASES = {
    "plain": {},
    "no averaging": {"averaging_decay": 0},
    "adam": {"optimizer": "adam", "warm_start": True},
    "sgd": {"optimizer": "sgd", "warm_start": True},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "learning_rate": 0.5},
    "early, no averaging": {"early_stopping": True, "averaging_decay": 0, "warm_start": True},
    "scorer": {"early_stopping": True, "scoring": None},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_fit_that_goes_on_equals_one_that_never_stopped(Estimator, case, one_hot_data, tmp_path):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = OPTIONS | CASES[case]
    path = tmp_path / "fit.npz"
    # Stopped in epoch 3 with the checkpoint of epoch 2, then in epoch 4 with that of epoch 3.
    model = fit_in_parts(Estimator(checkpoint=path, **options), (3, 2), X, y)
    expected = Estimator(**options).fit(X, y)
    assert_same(model, expected)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stage", ["FM", "main"])
@pytest.mark.parametrize("Estimator", AFMS)
def test_init_fm_goes_on_in_either_stage(Estimator, stage, one_hot_data, tmp_path, monkeypatch):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = OPTIONS | {"init": "fm", "attention_dropout": 0.2}
    expected = Estimator(**options).fit(X, y)
    path = tmp_path / "fit.npz"
    model = Estimator(checkpoint=path, **options)
    if stage == "main":
        with pytest.raises(Stop):
            clone(model).set_params(callbacks=stop_after(6 + 3)).fit(X, y)
        monkeypatch.setattr("sklearn_afm._fit.start._pretrained", None)  # no FM again
    else:
        from sklearn_afm._fit.checkpoint import Checkpoint

        saved = []

        def save(checkpoint, stage, state, save=Checkpoint.save):
            save(checkpoint, stage, state)
            saved.append(stage)
            if len(saved) == 3:
                raise Stop

        with monkeypatch.context() as context:
            context.setattr(Checkpoint, "save", save)
            with pytest.raises(Stop):
                clone(model).fit(X, y)
        assert saved == ["FM"] * 3
    assert_same(model.fit(X, y), expected)


def test_init_from_an_estimator_goes_on(one_hot_data, tmp_path):
    X, y = one_hot_data
    fms = [FMRegressor(max_iter=n, embedding_dim=4, warm_start=True).fit(X, y) for n in (2, 3)]
    path = tmp_path / "fit.npz"
    model = AFMRegressor(init=fms[0], checkpoint=path, **OPTIONS)
    callbacks = stop_after(3)
    with pytest.raises(Stop):
        model.set_params(callbacks=callbacks).fit(X, y)
    with pytest.raises(ValueError, match="other values of init"):
        AFMRegressor(init=fms[1], checkpoint=path, **OPTIONS).fit(X, y)
    model.set_params(callbacks=None).fit(X, y)
    assert_same(model, AFMRegressor(init=fms[0], **OPTIONS).fit(X, y))


@pytest.mark.parametrize("random_state", [None, "generator"])
def test_seeds_that_were_drawn_are_kept(random_state, one_hot_data, tmp_path, monkeypatch):
    X, y = one_hot_data
    drawn = np.random.SeedSequence(7).entropy
    path = tmp_path / "fit.npz"

    def model(**options):
        seed = np.random.RandomState(3) if random_state == "generator" else None
        options = OPTIONS | {"random_state": seed, "early_stopping": True} | options
        return AFMRegressor(**options)

    original = np.random.SeedSequence
    if random_state is None:
        with monkeypatch.context() as context:
            context.setattr(
                np.random, "SeedSequence", lambda e=None: original(drawn if e is None else e)
            )
            expected = model().fit(X, y)
            with pytest.raises(Stop):
                model(checkpoint=path, callbacks=stop_after(3)).fit(X, y)
    else:
        expected = model().fit(X, y)
        with pytest.raises(Stop):
            model(checkpoint=path, callbacks=stop_after(3)).fit(X, y)
    assert_same(model(checkpoint=path).fit(X, y), expected)


def test_validation_rows_and_weights_go_on(one_hot_data, tmp_path, rng):
    X, y = one_hot_data
    data = (X[:200], y[:200], rng.uniform(0.5, 2, 200))
    validation = {"X_val": X[200:], "y_val": y[200:], "sample_weight_val": np.ones(100)}
    model = AFMRegressor(checkpoint=str(tmp_path / "fit.npz"), **OPTIONS)
    fit_in_parts(model, (3,), *data, **validation)
    assert_same(model, AFMRegressor(**OPTIONS).fit(*data, **validation))


def test_a_fit_goes_on_for_longer(one_hot_data, tmp_path):
    X, y = one_hot_data
    options = OPTIONS | {"checkpoint": tmp_path / "fit.npz"}
    with pytest.raises(Stop):
        AFMRegressor(callbacks=stop_after(4), **options).fit(X, y)
    seen = []
    model = AFMRegressor(**options | {"max_iter": 9, "callbacks": [seen.append]}).fit(X, y)
    assert_same(model, AFMRegressor(**OPTIONS | {"max_iter": 9}).fit(X, y))
    assert [record["epoch"] for record in seen] == [4, 5, 6, 7, 8, 9]


@pytest.fixture
def stopped(one_hot_data, tmp_path):
    """A checkpoint of a stopped fit, and the data and options of this fit."""
    X, y = one_hot_data
    options = OPTIONS | {"checkpoint": tmp_path / "fit.npz"}
    with pytest.raises(Stop):
        AFMClassifier(callbacks=stop_after(3), **options).fit(X, y > 0)
    return options["checkpoint"], X, y > 0, options


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"embedding_dim": 5}, "embedding_dim"),
        ({"random_state": 1}, "random_state"),
        ({"freeze": ("linear_weights",)}, "freeze"),
        ({"class_weight": {False: 1, True: 2}}, "class_weight, sample_weight"),
        ({"precision": "float64", "tol": 0}, "precision, tol"),
    ],
)
def test_a_checkpoint_of_other_parameters_is_refused(change, named, stopped):
    path, X, y, options = stopped
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"fit.npz' is of a fit with other values of {named}\."):
        AFMClassifier(**options | change).fit(X, y)
    assert path.read_bytes() == before


def test_a_checkpoint_of_other_data_is_refused(stopped):
    _, X, y, options = stopped
    other_X, other_y = X.copy(), y.copy()
    other_X.data[0] = 2
    other_y[0] = ~other_y[0]
    for change, named in [
        ({"X": other_X}, "X"),
        ({"y": other_y}, "y"),
        ({"sample_weight": np.r_[2, np.ones(299)]}, "sample_weight"),
        ({"X_val": X, "y_val": y}, "X_val, sample_weight_val, y_val"),
    ]:
        with pytest.raises(ValueError, match=f"other values of {named}\\. Delete the file"):
            AFMClassifier(**options).fit(**{"X": X, "y": y} | change)
    named = "attention_lr_multiplier, class, class_weight, classes, huber_delta, loss, quantile"
    with pytest.raises(ValueError, match=f"other values of {named}\\. Delete the file"):
        AFMRegressor(**options).fit(X, y.astype(float))
    AFMClassifier(**options | {"verbose": 0, "callbacks": ()}).fit(X, y)


def test_damaged_files_are_refused_or_harmless(stopped):
    """Bits are flipped and ends cut off anywhere. Bytes that zip does not check do no harm."""
    path, X, y, options = stopped
    content = path.read_bytes()
    expected = AFMClassifier(**OPTIONS).fit(X, y)
    rng = np.random.default_rng(0)
    damaged = [content[:n] for n in rng.integers(0, len(content), 30)]
    for position in rng.integers(0, len(content), 150):
        flipped = bytearray(content)
        flipped[position] ^= 1 << rng.integers(8)
        damaged.append(bytes(flipped))
    refused = 0
    for data in damaged:
        path.write_bytes(data)
        try:
            model = AFMClassifier(**options).fit(X, y)
        except ValueError as error:
            assert "fit.npz' is not a whole checkpoint" in str(error)  # noqa: PT017
            assert "Delete the file" in str(error)  # noqa: PT017
            refused += 1
        else:
            assert_same(model, expected)
    assert refused > 150


def test_a_damaged_shape_is_refused_before_it_asks_for_memory(one_hot_data, tmp_path):
    path = tmp_path / "fit.npz"
    options = OPTIONS | {"embedding_dim": 128, "checkpoint": path}  # zipfile reads it in parts
    with pytest.raises(Stop):
        FMRegressor(callbacks=stop_after(3), **options).fit(*one_hot_data)
    shape, huge = b"(20, 128), }             ", b"(20000000000000, 128), } "
    assert shape in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(shape, huge))
    with pytest.raises(ValueError, match="is not a whole checkpoint"):
        FMRegressor(**options).fit(*one_hot_data)


class Bomb:
    """An object that ends the process if it is unpickled."""

    def __reduce__(self):
        return (os.abort, ())


def foreign_files():
    pickled, table, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(pickled, about=np.array([Bomb()], dtype=object))
    np.save(table, np.zeros(3))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("about.npy", b"no array")
    files = {"pickled": pickled, "table": table, "archive": archive}
    contents = {name: file.getvalue() for name, file in files.items()}
    return contents | {"empty": b"", "text": b"import os"}


@pytest.mark.parametrize("name", foreign_files())
def test_a_file_that_is_no_checkpoint_is_refused_and_left_alone(name, one_hot_data, tmp_path):
    path = tmp_path / "fit.npz"
    path.write_bytes(foreign_files()[name])
    model = FMRegressor(checkpoint=path, **OPTIONS)
    with pytest.raises(ValueError, match=r"fit.npz' is not a whole checkpoint.*Delete the file"):
        model.fit(*one_hot_data)
    assert path.read_bytes() == foreign_files()[name]
    assert not hasattr(model, "n_features_in_")


def test_a_missing_folder_is_refused_before_training(one_hot_data, tmp_path):
    seen = []
    model = FMRegressor(checkpoint=tmp_path / "none" / "fit.npz", callbacks=[seen.append])
    with pytest.raises(ValueError, match=r"there is no folder .*none"):
        model.fit(*one_hot_data)
    assert not seen


def test_a_continued_fit_refuses_a_checkpoint(one_hot_data, tmp_path):
    model = FMRegressor(checkpoint=tmp_path / "fit.npz", warm_start=True, **OPTIONS)
    linear_weights = model.fit(*one_hot_data).linear_weights_.copy()
    with pytest.raises(ValueError, match=r"cannot be used.*warm_start=True.*checkpoint=None"):
        model.fit(*one_hot_data)
    np.testing.assert_array_equal(model.linear_weights_, linear_weights)


def test_ctrl_c_keeps_the_checkpoint(one_hot_data, tmp_path):
    X, y = one_hot_data

    def interrupt(record):
        if record["epoch"] == 4:
            raise KeyboardInterrupt

    options = OPTIONS | {"checkpoint": tmp_path / "fit.npz"}
    with pytest.warns(UserWarning, match="interrupted after 4 epochs"):
        AFMRegressor(callbacks=[interrupt], **options).fit(X, y)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]
    assert_same(AFMRegressor(**options).fit(X, y), AFMRegressor(**OPTIONS).fit(X, y))


@pytest.mark.parametrize("place", ["savez", "fsync", "replace"])
def test_a_write_that_fails_leaves_the_last_whole_file(place, stopped, monkeypatch):
    path, X, y, options = stopped
    before = path.read_bytes()

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    module = np if place == "savez" else os
    with monkeypatch.context() as context:
        context.setattr(module, place, fail)
        with pytest.raises(OSError, match="No space left"):
            AFMClassifier(**options).fit(X, y)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["fit.npz"]
    assert_same(AFMClassifier(**options).fit(X, y), AFMClassifier(**OPTIONS).fit(X, y))


KILLED = """
import sys, time, numpy as np, torch
from sklearn_afm import AFMRegressor

def say(record):
    print(record["epoch"], flush=True)
    time.sleep(0.01)

torch.set_num_threads(int(sys.argv[2]))
with np.load(sys.argv[1] + "/data.npz") as data:
    options = {"embedding_dim": 4, "random_state": 0, "dropout": 0.3, "max_iter": 10_000}
    options |= {"l2_linear": 0.5, "device": "cpu"}
    model = AFMRegressor(checkpoint=sys.argv[1] + "/fit.npz", callbacks=[say], **options)
    model.fit(data["X"], data["y"])
"""


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_process_leaves_a_checkpoint_that_goes_on(kill, one_hot_data, tmp_path):
    X, y = one_hot_data
    np.savez(tmp_path / "data.npz", X=X.toarray(), y=y)
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(torch.get_num_threads())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) == 7:
                process.send_signal(kill)
                break
        process.communicate()
        assert process.returncode == -kill
    left = {file.name for file in tmp_path.iterdir()} - {"data.npz"}
    assert left in ({"fit.npz"}, {"fit.npz", "fit.npz.tmp"})
    # The killed process has no conftest.py, which makes CUDA deterministic.
    seen, options = [], OPTIONS | {"max_iter": 40, "l2_linear": 0.5, "device": "cpu"}
    model = AFMRegressor(checkpoint=tmp_path / "fit.npz", callbacks=[seen.append], **options)
    model.fit(X, y)
    assert seen[0]["epoch"] >= 7
    assert_same(model, AFMRegressor(**options).fit(X, y))
    assert [file.name for file in tmp_path.iterdir()] == ["data.npz"]


def test_an_unfinished_file_of_a_killed_write_is_taken_away(one_hot_data, tmp_path):
    (tmp_path / "fit.npz.tmp").write_bytes(b"half")
    FMRegressor(checkpoint=tmp_path / "fit.npz", **OPTIONS).fit(*one_hot_data)
    assert not list(tmp_path.iterdir())
