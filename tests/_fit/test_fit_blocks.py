"""fit_blocks: the bits of fit on one window; more windows; faults; checkpoints inside an epoch."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import ESTIMATORS, target_for
from scipy import sparse
from sklearn.base import clone
from test_checkpoint import Stop, assert_same, stop_after

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm._fit import checkpoint, counting
from sklearn_afm.baselines import FwFMRegressor, NFMClassifier

N_LEVELS = [4, 6, 40]
GRADIENT = {"l2_linear": 0.5, "l2_embedding": 1.0}
SHORT = {"embedding_dim": 4, "max_iter": 4, "random_state": 0}


@pytest.fixture(scope="module")
def table():
    """2,400 one-hot rows of three fields, with linear effects and an interaction."""
    rng = np.random.default_rng(1)
    starts = np.cumsum([0, *N_LEVELS[:-1]])
    columns = rng.integers(0, N_LEVELS, size=(2400, 3)) + starts
    indptr = np.arange(2401) * 3
    X = sparse.csr_array((np.ones(7200, np.float32), columns.ravel(), indptr), shape=(2400, 50))
    effects, vectors = rng.normal(size=50), rng.normal(size=(50, 2))
    y = effects[columns].sum(1) + (vectors[columns[:, 0]] * vectors[columns[:, 1]]).sum(1)
    return X, y + 0.3 * rng.normal(size=2400)


def blocks_of(X, y, weight=None, sizes=(300,) * 8):
    ends = np.cumsum(sizes)
    parts = [slice(end - size, end) for end, size in zip(ends, sizes)]
    return [
        (X[part], y[part]) if weight is None else (X[part], y[part], weight[part]) for part in parts
    ]


CASES = {
    "all epochs": {"early_stopping": False},
    "gradient alone": GRADIENT | {"early_stopping": False},
    "rows set aside": {},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_blocks", [1, 8])
def test_one_window_has_the_bits_of_fit(Estimator, case, n_blocks, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = SHORT | {"dropout": 0.2} | CASES[case]
    sizes = (300,) if n_blocks == 1 else (40, 0, 60, 100, 25, 25, 49, 1)
    window = 1 if n_blocks == 1 else 300  # one block is a window, however many rows it has
    found = Estimator(**options).fit_blocks(blocks_of(X, y, sizes=sizes), window_rows=window)
    assert_same(found, Estimator(**options).fit(X, y))


def test_one_window_with_weights_and_validation_rows_has_the_bits_of_fit(table, rng):
    X, y = table
    y, weight = np.where(y > 0, "yes", "no"), rng.integers(0, 3, 2400).astype(float)
    validation = {"X_val": X[:300], "y_val": y[:300], "sample_weight_val": weight[:300]}
    options = SHORT | GRADIENT | {"class_weight": "balanced"}
    found = AFMClassifier(**options).fit_blocks(blocks_of(X, y, weight), **validation)
    assert_same(found, AFMClassifier(**options).fit(X, y, weight, **validation))


@pytest.mark.parametrize(
    ("Estimator", "validated"),
    [(FMRegressor, True), (FMClassifier, True), (AFMClassifier, False)],
)
def test_epochs_over_one_window_of_blocks_are_those_of_fit(
    Estimator, validated, table, monkeypatch
):
    """Counting, start and epochs of many blocks, on one: without the short way through `fit`."""
    X, y = table
    y, original = target_for(Estimator, y), counting.count_rows

    def count_rows(*args, **kwargs):
        counts = original(*args, **kwargs)
        counts.every = None
        return counts

    options = SHORT | GRADIENT | {"dropout": 0.2, "early_stopping": validated}
    validation = {"X_val": X[:500], "y_val": y[:500]} if validated else {}
    expected = Estimator(**options).fit(X, y, **validation)
    monkeypatch.setattr("sklearn_afm._fit.blocks.count_rows", count_rows)
    found = Estimator(**options).fit_blocks([(X, y)], **validation)
    if hasattr(Estimator, "predict_proba"):
        assert_same(found, expected)
    else:  # the unit of the target rounds the start
        np.testing.assert_allclose(found.predict(X), expected.predict(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("Estimator", "options"),
    [
        (FMRegressor, {}),
        (AFMRegressor, GRADIENT),
        (AFMClassifier, {}),
        (FMClassifier, GRADIENT | {"class_weight": "balanced"}),
        (FwFMRegressor, {}),
        (NFMClassifier, {}),
        (AFMRegressor, {"init": "fm", "l2_embedding": 1.0}),
    ],
)
def test_several_windows_learn_what_all_rows_teach(Estimator, options, table):
    X, y = table
    y = target_for(Estimator, y)
    train = X[:1800], y[:1800]
    options = {"random_state": 0, "max_iter": 30} | options
    expected = Estimator(**options).fit(*train).score(X[1800:], y[1800:])
    model = Estimator(**options)
    model.fit_blocks(blocks_of(*train, sizes=(300,) * 6), window_rows=700)
    assert model.score(X[1800:], y[1800:]) > expected - 0.03
    assert model.n_iter_ == len(model.history_) <= 30
    assert "validation_loss" in model.history_[0]


def test_real_columns_weights_and_targets_have_the_units_of_all_rows(table, rng):
    X, y = table
    X = sparse.csr_array(sparse.hstack([X, 2000 + 10 * rng.normal(size=(2400, 1))], format="csr"))
    X.data[:2000] *= np.where(X.indices[:2000] < 50, 3.5, 1)
    y = np.stack([y, 1000 + 50 * y], axis=1)
    weight = rng.uniform(0.1, 0.9, 2400)
    options = SHORT | GRADIENT | {"max_iter": 15, "early_stopping": False}
    expected = FMRegressor(**options).fit(X, y, weight)
    model = FMRegressor(**options).fit_blocks(blocks_of(X, y, weight), window_rows=700)
    np.testing.assert_allclose(model.column_mean_, expected.column_mean_, rtol=1e-12)
    for found, known in zip(vars(model._progress).items(), vars(expected._progress).items()):
        if found[0] in ("column_weight", "weight_unit"):
            np.testing.assert_allclose(found[1], known[1], rtol=1e-12)
    scaling, known = model._progress.scaling, expected._progress.scaling
    np.testing.assert_allclose(scaling.column_scale, known.column_scale, rtol=1e-10)
    np.testing.assert_allclose(scaling.target_mean, known.target_mean, rtol=1e-12)
    np.testing.assert_allclose(scaling.target_scale, known.target_scale, rtol=1e-12)
    assert model.score(X, y, weight) > expected.score(X, y, weight) - 0.03


def test_levels_that_the_sample_lacks_are_learnt(table, monkeypatch):
    X, y = table
    monkeypatch.setattr(counting, "MOST_SAMPLED", 60)
    options = {"random_state": 0, "early_stopping": False, "max_iter": 30} | GRADIENT
    model = FMRegressor(**options).fit_blocks(blocks_of(X, y), window_rows=700)
    seen = np.flatnonzero(np.bincount(X.indices, minlength=50))
    assert model.embeddings_[seen].any(axis=1).all()
    assert model.linear_weights_[seen].all()
    np.testing.assert_array_equal(model.fields_, np.repeat([0, 1, 2], N_LEVELS))
    assert model.score(X, y) > 0.9
    # Validation counts them: it leaves out only columns that training does not have.
    options |= {"max_iter": 2, "averaging_decay": 0, "early_stopping": True}
    model = FMRegressor(**options).fit_blocks(blocks_of(X, y), X_val=X, y_val=y, window_rows=700)
    loss = model.history_[model.best_iter_ - 1]["validation_loss"]
    np.testing.assert_allclose(loss, np.mean((model.predict(X) - y) ** 2), rtol=1e-5)


def test_a_scorer_is_shown_the_parameters_of_each_epoch(table):
    X, y = table
    options = SHORT | GRADIENT | {"scoring": "r2"}
    model = FMRegressor(**options).fit_blocks(blocks_of(X, y), X_val=X, y_val=y, window_rows=700)
    assert model.best_iter_ > 0
    score = model.history_[model.best_iter_ - 1]["validation_score"]
    assert score == pytest.approx(model.score(X, y), rel=1e-9)


@pytest.mark.parametrize("fraction", [0.2, 300])
def test_rows_set_aside_are_the_same_in_each_pass_and_never_learnt(fraction, table, monkeypatch):
    X, y = table
    X = sparse.csr_array(sparse.hstack([X, np.arange(2400.0)[:, None]], format="csr"))
    learnt, validated = [], []
    from sklearn_afm._core.training import trainer
    from sklearn_afm._fit import blocks

    step, monitor = trainer.Trainer._step, blocks.make_monitor

    def _step(self, data, csr, rows):
        learnt.append(data.X[rows][:, [50]].toarray().ravel())
        return step(self, data, csr, rows)

    def make_monitor(setup, arrays, validation):
        validated.append(validation.X[:, [50]].toarray().ravel())
        return monitor(setup, arrays, validation)

    monkeypatch.setattr(trainer.Trainer, "_step", _step)
    monkeypatch.setattr(blocks, "make_monitor", make_monitor)
    options = SHORT | GRADIENT | {"max_iter": 2, "validation_fraction": fraction}
    for seed in (0, 1):
        model = FMRegressor(**options | {"random_state": seed})
        model.fit_blocks(blocks_of(X, y), window_rows=500)
    (aside, again) = validated
    np.testing.assert_array_equal(aside, again)
    assert abs(len(aside) - (300 if fraction == 300 else 480)) <= (0 if fraction == 300 else 60)
    scale = model._progress.scaling.column_scale[50]
    rows = np.sort(np.round(np.concatenate(learnt) * scale).reshape(4, -1), axis=1)
    for of_epoch in rows:
        both = np.concatenate([of_epoch, aside])
        np.testing.assert_array_equal(np.sort(both), np.arange(2400.0))


def test_a_second_fit_goes_on(table):
    X, y = table
    options = SHORT | GRADIENT | {"early_stopping": False}
    model = FMRegressor(warm_start=True, **options).fit_blocks(blocks_of(X, y), window_rows=700)
    first = model.embeddings_.copy()
    losses = [record["train_loss"] for record in model.history_]
    model.fit_blocks(blocks_of(X, y), window_rows=700)
    assert model.history_[4]["train_loss"] < losses[0]
    assert [record["epoch"] for record in model.history_] == list(range(1, 9))
    assert (model.embeddings_ != first).any()
    model.partial_fit(X[:100], y[:100])


def test_the_rows_mix(table):
    """Blocks sorted by target are learnt nearly as shuffled ones, if a window has several."""
    X, y = table
    order = np.argsort(y)
    options = SHORT | GRADIENT | {"max_iter": 10, "early_stopping": False}
    model = FMRegressor(**options).fit_blocks(blocks_of(X[order], y[order]), window_rows=1200)
    shuffled = FMRegressor(**options).fit_blocks(blocks_of(X, y), window_rows=1200)
    assert model.score(X, y) > shuffled.score(X, y) - 0.1


class Blocks:
    """A source that changes or fails at a certain reading."""

    def __init__(self, blocks, at=None, change=None):
        self.blocks, self.at, self.change, self.n_read = blocks, at, change, 0

    def __len__(self):
        return len(self.blocks)

    def __getitem__(self, number):
        self.n_read += 1
        return self.change(*self.blocks[number]) if self.n_read == self.at else self.blocks[number]


def disk_error(X, y):
    raise OSError("disk gone")


FAULTS = {
    "columns": (lambda X, y: (X[:, :-1], y), 3, ValueError, "Block 2 of 8: X has 49 features"),
    "error": (disk_error, 4, RuntimeError, r"Block 3 of 8 could not be read \(OSError: disk gone"),
    "later error": (disk_error, 12, RuntimeError, r"Block \d of 8 could not be read"),
    "label": (lambda X, y: (X, np.full(len(y), "new")), 11, ValueError, r"Block \d.*not in classe"),
    "rows": (lambda X, y: (X[:-1], y[:-1]), 11, ValueError, r"Block \d of 8 has 299 rows"),
    "nan": (lambda X, y: (X * np.nan, y), 2, ValueError, "Block 1 of 8: Columns 'x0'"),
    "no pair": (lambda X, y: X, 1, TypeError, "Block 0 of 8: a block must be"),
    "lengths": (lambda X, y: (X, y[:5]), 2, ValueError, "Block 1 of 8: Found input variables"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_name_the_block_and_leave_the_estimator_unfitted(fault, table):
    X, y = table
    change, at, kind, message = FAULTS[fault]
    source = Blocks(blocks_of(X, np.where(y > 0, "yes", "no")), at, change)
    model = FMClassifier(early_stopping=False, **SHORT | GRADIENT)
    with pytest.raises(kind, match=message):
        model.fit_blocks(source, window_rows=700)
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize(
    ("blocks", "options", "kind", "message"),
    [
        ([], {}, ValueError, "blocks is empty"),
        (iter([]), {}, TypeError, "an iterator can be passed once only"),
        ([(np.ones((3, 2)), np.ones(3), np.zeros(3))], {}, ValueError, "no row with a positive"),
        ([(np.empty((0, 2)), np.empty(0))], {}, ValueError, "no row with a positive"),
        ([(np.ones((3, 2)), np.ones(3))], {"window_rows": 0}, ValueError, "window_rows=0 must be"),
        ([(np.ones((3, 2)), np.ones(3))], {"X_val": 1}, ValueError, "y_val was not provided"),
        (
            [(np.ones((3, 2)), np.ones(3)), (np.ones((3, 2)), np.ones((3, 2)))],
            {},
            ValueError,
            r"Block 1 of 2: y has the shape \(n_rows, 2\)",
        ),
    ],
)
def test_what_is_no_source_is_refused(blocks, options, kind, message):
    with pytest.raises(kind, match=message):
        FMRegressor().fit_blocks(blocks, **options)


def test_equal_rows_that_cannot_be_set_aside_are_refused():
    X, y = np.ones((2000, 2)), np.arange(2000.0)
    with pytest.raises(ValueError, match="Give X_val and y_val"):
        FMRegressor(**GRADIENT).fit_blocks(blocks_of(X, y, sizes=(500,) * 4), window_rows=600)


def test_classes_that_differ_by_block(table):
    X, y = table
    order = np.argsort(y)
    labels = np.repeat(["low", "middle", "high"], 800)
    model = FMClassifier(**SHORT | GRADIENT).fit_blocks(
        blocks_of(X[order], labels, sizes=(400,) * 6), window_rows=900
    )
    assert model.classes_.tolist() == ["high", "low", "middle"]
    assert model.predict_proba(X).shape == (2400, 3)


def fit_and_stop_at_write(model, n_writes, *args, **options):
    """Fit a clone that is stopped after so many writes of its checkpoint."""
    with pytest.MonkeyPatch.context() as context:
        writes, original = [], os.replace

        def replace(*paths):
            original(*paths)
            writes.append(paths)
            if len(writes) == n_writes:
                raise Stop

        context.setattr(os, "replace", replace)
        with pytest.raises(Stop):
            clone(model).fit_blocks(*args, **options)


@pytest.mark.parametrize(
    ("Estimator", "case"),
    [
        (AFMClassifier, "learnt"),
        (FMRegressor, "learnt"),
        (FMRegressor, "adam"),
        (FMRegressor, "no averaging"),
        (FMRegressor, "validation"),
    ],
)
def test_a_fit_that_goes_on_inside_an_epoch_has_the_bits_of_one_that_never_stopped(
    Estimator, case, table, tmp_path, monkeypatch
):
    """Four windows an epoch: three writes inside it, and one at its end."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    X, y = table
    y = target_for(Estimator, y)
    options = SHORT | {"dropout": 0.2, "early_stopping": False, "max_iter": 3}
    options |= {
        "learnt": {},
        "adam": GRADIENT | {"optimizer": "adam", "warm_start": True},
        "no averaging": GRADIENT | {"averaging_decay": 0, "early_stopping": True},
        "validation": GRADIENT | {"early_stopping": True, "n_iter_no_change": 2},
    }[case]
    blocks = blocks_of(X, y, sizes=(250,) * 9 + (150,))
    expected = Estimator(**options).fit_blocks(blocks, window_rows=600)
    for n_writes in (1, 4, 6):
        path = tmp_path / f"{n_writes}.npz"
        model = Estimator(checkpoint=path, **options)
        fit_and_stop_at_write(model, n_writes, blocks, window_rows=600)
        model.fit_blocks(blocks, window_rows=600)
        assert_same(model, expected)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_other_blocks_is_refused(table, tmp_path):
    X, y = table
    options = SHORT | GRADIENT | {"checkpoint": tmp_path / "fit.npz"}
    with pytest.raises(Stop):
        FMRegressor(callbacks=stop_after(2), **options).fit_blocks(blocks_of(X, y), window_rows=700)
    other = X.copy()
    other.data[5] = 2
    with pytest.raises(ValueError, match="other values of blocks"):
        FMRegressor(**options).fit_blocks(blocks_of(other, y), window_rows=700)
    with pytest.raises(ValueError, match="other values of window_rows"):
        FMRegressor(**options).fit_blocks(blocks_of(X, y), window_rows=800)
    FMRegressor(**options).fit_blocks(blocks_of(X, y), window_rows=700)


KILLED = """
import sys
from sklearn_afm import FMRegressor
from sklearn_afm._fit import checkpoint
from sklearn_afm.blocks import CSRBlocks

checkpoint.SECONDS = 0.0

class Slow(CSRBlocks):
    n_read = 0

    def __getitem__(self, number):
        self.n_read += 1
        if self.n_read == 8 + 8 + 6:  # counted, an epoch, in the middle of the second
            print("here", flush=True)
            sys.stdin.read()
        return super().__getitem__(number)

model = FMRegressor(max_iter=4, random_state=0, l2_linear=0.5, device="cpu",
                    checkpoint=sys.argv[1] + "/fit.npz", early_stopping=False)
model.fit_blocks(Slow(sys.argv[1] + "/blocks"), window_rows=512)
"""


def test_a_killed_process_goes_on_in_the_middle_of_an_epoch(table, tmp_path, monkeypatch):
    from sklearn_afm.blocks import CSRBlocks, save_csr_block

    (tmp_path / "blocks").mkdir()
    for number, (X, y) in enumerate(blocks_of(*table)):
        save_csr_block(tmp_path / "blocks" / f"{number}.npz", X, y)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], **pipes) as process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with np.load(tmp_path / "fit.npz") as file:
        assert b'"n_rows": 1024' in file["about"].tobytes()
    options = {"max_iter": 4, "random_state": 0, "l2_linear": 0.5, "device": "cpu"}
    options |= {"early_stopping": False}
    blocks, seen = CSRBlocks(tmp_path / "blocks"), []
    model = FMRegressor(checkpoint=tmp_path / "fit.npz", callbacks=[seen.append], **options)
    model.fit_blocks(blocks, window_rows=512)
    assert [record["epoch"] for record in seen] == [2, 3, 4]
    assert_same(model, FMRegressor(**options).fit_blocks(blocks, window_rows=512))


def test_ctrl_c_in_the_first_epoch_that_goes_on_keeps_the_file(table, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    model = FMRegressor(checkpoint=tmp_path / "fit.npz", early_stopping=False, **SHORT | GRADIENT)
    fit_and_stop_at_write(model, 2, blocks_of(*table), window_rows=600)

    def interrupt(X, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clone(model).fit_blocks(Blocks(blocks_of(*table), 10, interrupt), window_rows=600)
    model.fit_blocks(blocks_of(*table), window_rows=600)
    expected = (
        clone(model).set_params(checkpoint=None).fit_blocks(blocks_of(*table), window_rows=600)
    )
    assert_same(model, expected)


def test_progress(table, capsys, monkeypatch):
    monkeypatch.setattr("sklearn_afm._fit.reporting.SECONDS", 0.0)
    options = SHORT | GRADIENT | {"max_iter": 1, "verbose": 1, "early_stopping": False}
    FMRegressor(**options).fit_blocks(blocks_of(*table), window_rows=700)
    printed = capsys.readouterr().out
    assert "8 of 8 blocks, 0.0 min left" in printed
    assert "2,400 rows of 50 columns in 8 blocks" in printed
    assert "2,400 of 2,400 rows, 0.0 min left" in printed
    assert "train loss" in printed


GROWTH = """
import resource, sys
import numpy as np
from scipy import sparse
from sklearn_afm import FMRegressor
from sklearn_afm._fit import counting

counting.MOST_SAMPLED = 1000

class Drawn:
    "Blocks of 10,000 rows of 100 entries: 12 MB as they come, 8 MB in float32."
    def __init__(self, n_blocks):
        self.n_blocks = n_blocks
    def __len__(self):
        return self.n_blocks
    def __getitem__(self, number):
        rng = np.random.default_rng(number)
        columns = rng.integers(0, 5, size=(10_000, 100)) + 5 * np.arange(100)
        indptr = np.arange(10_001) * 100
        X = sparse.csr_array((np.ones(columns.size), columns.ravel(), indptr), (10_000, 500))
        return X, rng.normal(size=10_000)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

for n_blocks in (6, 19):  # the first has two windows and more
    model = FMRegressor(embedding_dim=2, max_iter=1, batch_size=2000, l2_linear=1.0,
                        l2_embedding=1.0, early_stopping=False, device="cpu")
    model.fit_blocks(Drawn(n_blocks), window_rows=20_000)
    print(peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss")
def test_memory_does_not_grow_with_the_rows():
    """Thirteen more blocks are 104 MB and more; the growth is that of the allocator."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True
    )
    few, many = map(float, done.stdout.split())
    assert many - few < 30
