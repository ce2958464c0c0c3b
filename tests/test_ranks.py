"""Data-parallel fits: several processes against one that sees the same batches."""

import functools
import os
import signal
import time
from itertools import zip_longest

import numpy as np
import pytest
import torch
from ranks import on_ranks
from scipy import sparse
from sklearn.model_selection import KFold

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor
from sklearn_afm._core import ranks
from sklearn_afm.baselines import NFMRegressor

# Rows of two ranks, and of four. The last batches of the smaller ones are empty.
ENDS = {2: [0, 130, 205], 4: [0, 60, 130, 172, 205]}
SETTINGS = {
    "random_state": 0,
    "embedding_dim": 4,
    "attention_dim": 4,
    "max_iter": 4,
    "batch_size": 16,
    "precision": "float64",
}


def make_rows():
    """Rows of unequal length: two one-hot fields, numbers with zeros, a year."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 6, size=(205, 2))
    one_hot = np.eye(6)[levels].reshape(205, 12)
    numbers = np.where(rng.random((205, 1)) < 0.3, 0, rng.normal(size=(205, 1)))
    year = 2000 + rng.normal(size=(205, 1))
    X = sparse.csr_array(np.hstack([one_hot, numbers, year]))
    y = rng.normal(size=6)[levels[:, 0]] + 2 * (levels[:, 0] == levels[:, 1]) + numbers[:, 0]
    return X, y + 0.3 * rng.normal(size=205), rng.uniform(0.5, 3, size=205)


def rows_of(rank, n_ranks):
    part = slice(*ENDS[n_ranks][rank : rank + 2])
    return tuple(array[part] for array in make_rows())


def labels_of(y):
    """Three labels. The rows of rank 0 have no "high"."""
    labels = np.where(y > np.median(y), "medium", "low").astype(object)
    labels[150:][y[150:] > np.quantile(y, 0.8)] = "high"
    return labels


CASES = {
    "learnt strengths": AFMRegressor(**SETTINGS | {"max_iter": 2}),
    "layers": AFMRegressor(**SETTINGS, l2_linear=0.5, l2_embedding=3.0, hidden_layer_sizes=(5,)),
    "adam": AFMRegressor(**SETTINGS, l2_linear=0.5, optimizer="adam", freeze=["projection"]),
    "quantile": AFMRegressor(**SETTINGS | {"max_iter": 2}, loss="quantile", quantile=0.7),
    "poisson": AFMRegressor(**SETTINGS | {"max_iter": 2}, loss="poisson"),
}
STOPPED = AFMClassifier(
    **SETTINGS | {"max_iter": 30},
    l2_linear=0.5,
    l2_embedding=1.0,
    class_weight="balanced",
    n_iter_no_change=2,
    learning_rate=0.5,
)


def fit_cases(names, rank, n_ranks, of_rank=rows_of):
    X, y, weight = of_rank(rank, n_ranks)
    targets = {name: np.exp(y / 4) if name == "poisson" else y for name in names}
    fitted = {name: CASES[name].fit(X, targets[name], weight) for name in names}
    predictions = {name: model.predict(make_rows()[0]) for name, model in fitted.items()}
    return predictions, {name: losses_of(model) for name, model in fitted.items()}


def fit_stopped(rank, n_ranks, of_rank=rows_of):
    """Early stopping on a quarter of each rank's rows."""
    X, _, weight = of_rank(rank, n_ranks)
    is_last = np.isin(weight, make_rows()[2][::4])
    X_all, y, of_all = make_rows()
    y = labels_of(y)[np.isin(of_all, weight)]
    model = STOPPED.fit(
        X[~is_last],
        y[~is_last],
        weight[~is_last],
        X_val=X[is_last],
        y_val=y[is_last],
        sample_weight_val=weight[is_last],
    )
    return model.decision_function(X_all), losses_of(model), model.classes_.tolist()


def losses_of(model):
    names = ("train_loss", "validation_loss")
    return [[record[name] for name in names if name in record] for record in model.history_]


@pytest.fixture
def one_process(monkeypatch):
    """What makes one process take the batches of several ranks together."""

    def take(n_ranks, bounds):
        of_first = np.random.SeedSequence(0).spawn(3)[1]
        seeds = [of_first, *of_first.spawn(n_ranks - 1)]
        orders = [np.random.default_rng(seed) for seed in seeds]

        def blocks(X, _, ends):
            size = ends[0] // n_ranks
            drawn = [
                start + order.permutation(end - start)
                for order, start, end in zip(orders, bounds, bounds[1:])
            ]
            parts = [[d[i : i + size] for i in range(0, len(d), size)] for d in drawn]
            for batches in zip_longest(*parts, fillvalue=np.empty(0, dtype=int)):
                rows = np.concatenate(batches)
                yield rows, X[rows].indptr, X[rows]

        monkeypatch.setattr("sklearn_afm._core.training.trainer.iter_row_blocks", blocks)

    return take


def all_rows(rank, n_ranks):
    return make_rows()


def bytes_of_a_step(rank, n_ranks):
    """Bytes that a rank hands over in a step, and the columns that it touches, by width of X."""
    sent, result = [], []

    def counted(collective, place):
        def count(*arguments):
            sent.append(arguments[place].nbytes)
            return collective(*arguments)

        return count

    torch.distributed.all_gather = counted(torch.distributed.all_gather, 1)
    torch.distributed.all_reduce = counted(torch.distributed.all_reduce, 0)
    rng = np.random.default_rng(rank)
    columns, y = rng.integers(0, 500, (32, 2)) + np.array([0, 500]), rng.normal(size=32)
    for n_columns in (1_000, 100_000):
        rows = (np.ones(64), columns.ravel(), np.arange(33) * 2)
        ends = []
        model = FMRegressor(
            embedding_dim=8,
            l2_linear=0.5,
            batch_size=32,
            max_iter=2,
            random_state=0,
            callbacks=[lambda record, ends=ends: ends.append(len(sent))],
        )
        model.fit(sparse.csr_array(rows, (32, n_columns)), y)
        # A step, and the header of the one that nobody has rows for; sums and answers of the epoch.
        of_epoch = sent[ends[0] : ends[1]]
        result.append((of_epoch, len(np.unique(columns))))
    return result


def values_of(results):
    """The results of all ranks; the first error is raised."""
    errors = [value for of_rank in results for value in of_rank if isinstance(value, Exception)]
    if errors:
        raise errors[0]
    return results


def check_same(names, results, one_process, n_ranks):
    """Compare the ranks with one another, and with one process."""
    (predictions, losses), stopped = results[0][:2]
    for rank in results[1:]:
        np.testing.assert_equal(rank[0], (predictions, losses))
        np.testing.assert_equal(rank[1], stopped)
    size = 16
    for name in names:
        one_process(n_ranks, ENDS[n_ranks])
        CASES[name].set_params(batch_size=size * n_ranks)
        alone, of_epochs = fit_cases([name], 0, 1, all_rows)
        CASES[name].set_params(batch_size=size)
        np.testing.assert_allclose(predictions[name], alone[name], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(losses[name], of_epochs[name], rtol=1e-9)
    is_last = np.isin(make_rows()[2], make_rows()[2][::4])
    one_process(n_ranks, np.append(0, np.cumsum(~is_last))[ENDS[n_ranks]])
    STOPPED.set_params(batch_size=size * n_ranks)
    scores, losses, classes = fit_stopped(0, 1, all_rows)
    STOPPED.set_params(batch_size=size)
    assert classes == stopped[2] == ["high", "low", "medium"]
    assert 3 < len(losses) < 30
    np.testing.assert_allclose(stopped[0], scores, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(stopped[1], losses, rtol=1e-9)


def test_two_ranks_are_one_process(one_process):
    fits = functools.partial(fit_cases, list(CASES))
    results = values_of(on_ranks(2, fits, fit_stopped, bytes_of_a_step))
    check_same(CASES, results, one_process, 2)
    (narrow, _), (wide, _) = results[0][2]
    assert narrow == wide
    most = max(n_columns for rank in results for _, n_columns in rank[2])
    # Per touched column its number, and k + 1 gradients; bias. The rest are headers of 512 bytes.
    assert sorted(set(narrow)) == sorted({512, 4, 8 * most, 4 * 9 * most})
    assert sum(size != 512 for size in narrow) == 3


def test_four_ranks_are_one_process(one_process):
    names = ["layers", "adam"]
    fits = functools.partial(fit_cases, names)
    check_same(names, values_of(on_ranks(4, fits, fit_stopped)), one_process, 4)


FIXED = SETTINGS | {"l2_linear": 0.5, "early_stopping": False}


def refused(rank, n_ranks):
    """Errors of fits that cannot be, and whether the group is of use after each."""
    X, y, _ = rows_of(rank, n_ranks)
    broken = X.copy()
    broken.data[0] = np.nan if rank else broken.data[0]
    fits = [
        lambda model: model.fit(broken, y),
        lambda model: model.fit(X[:, : 13 + rank], y),
        lambda model: model.set_params(embedding_dim=3 + rank).fit(X, y),
        lambda model: model.fit(X, y, **({"X_val": X, "y_val": y} if rank else {})),
        lambda model: model.set_params(early_stopping=True, validation_fraction=KFold()).fit(X, y),
        lambda model: model.set_params(callbacks=[stop_in_second] * rank).fit(X, y),
    ]
    return [error_of(fit, AFMRegressor(**FIXED)) for fit in fits]


def stop_in_second(record):
    if record["epoch"] == 2:
        raise OSError("the disk is full")


def error_of(fit, model):
    try:
        fit(model)
    except Exception as error:
        return type(error).__name__, str(error), hasattr(model, "linear_weights_")


def interrupted(rank, n_ranks):
    """Ctrl-C on rank 1, within the third epoch."""
    X, y, _ = rows_of(rank, n_ranks)

    def press(record):
        if rank and record["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGINT)

    model = AFMRegressor(**FIXED | {"max_iter": 50}, callbacks=[press]).fit(X, y)
    return model.n_iter_, model.predict(make_rows()[0])


def resumed(rank, n_ranks, path):
    """Predictions of a fit that a rank breaks off and that goes on, and of one that never stops."""
    X, y, _ = rows_of(rank, n_ranks)
    settings = FIXED | {"dropout": 0.3, "random_state": 0}
    broken = AFMRegressor(**settings, checkpoint=path, callbacks=[stop_in_second] * rank)
    error = error_of(lambda model: model.fit(X, y), broken)[0]
    was_there = path.exists()
    fits = [AFMRegressor(**settings, checkpoint=path), AFMRegressor(**settings)]
    predictions = [model.fit(X, y).predict(make_rows()[0]) for model in fits]
    return error, was_there, path.exists(), predictions


def gone_on(rank, n_ranks):
    """A fit and a stream that go on; another score; a callback of one rank that ends training."""
    X, y, _ = rows_of(rank, n_ranks)
    model = AFMRegressor(**FIXED, warm_start=True, dropout=0.2).fit(X, y).fit(X, y)
    model.partial_fit(X, y)
    other = AFMRegressor(
        **FIXED | {"early_stopping": True, "callbacks": [lambda record: rank == 1]}, scoring="r2"
    ).fit(X, y)
    normalised = NFMRegressor(random_state=0, max_iter=2, batch_size=16, l2_linear=0.5).fit(X, y)
    predictions = [each.predict(make_rows()[0]) for each in (model, other, normalised)]
    return predictions, other.history_, model._progress.order_rng.random()


def dies(rank, n_ranks):
    X, y, _ = rows_of(rank, n_ranks)

    def die(record):
        if rank and record["epoch"] == 2:
            os._exit(1)

    started = time.perf_counter()
    model = AFMRegressor(**FIXED | {"max_iter": 50}, callbacks=[die])
    return error_of(lambda model: model.fit(X, y), model), time.perf_counter() - started


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """What ends fits of two ranks: the results of rank 0, and of rank 1, which dies at last."""
    resume = functools.partial(resumed, path=tmp_path_factory.mktemp("ends") / "fit.npz")
    return on_ranks(2, refused, interrupted, resume, gone_on, dies)


def test_an_error_of_one_rank_ends_all(ends):
    first, second = ends[0][0], ends[1][0]
    expected = [
        ("RankError: Rank 1 of 2 has failed", "ValueError: Column 'x4' of X has missing values"),
        ("the same number of columns of X; rank 0 has 13, rank 1 has 14",) * 2,
        ("the same embedding_dim; rank 0 has 3.0, rank 1 has 4.0",) * 2,
        ("early_stopping is False", "ValueError: X_val and y_val are for early stopping"),
        ("is a splitter, but each rank would split the rows of groups that others have",) * 2,
        ("ended on all ranks: OSError: the disk is full", "OSError: the disk is full"),
    ]
    for of_ranks, texts in zip(zip(first, second), expected):
        for (kind, message, is_fitted), text in zip(of_ranks, texts):
            assert text.split(";")[0] in f"{kind}: {message}"
            assert not is_fitted


def test_an_interrupt_of_one_rank_ends_all(ends):
    assert ends[0][1][0] == 2
    np.testing.assert_equal(ends[0][1], ends[1][1])


def test_all_ranks_go_on_from_a_checkpoint(ends):
    for errors, was_there, is_there, (resumed, never_stopped) in (ends[0][2], ends[1][2]):
        assert errors in ("RankError", "OSError")
        assert was_there
        assert not is_there
        np.testing.assert_array_equal(resumed, never_stopped)
    np.testing.assert_array_equal(ends[0][2][3], ends[1][2][3])


def test_all_ranks_go_on_alike(ends):
    np.testing.assert_equal(ends[0][3], ends[1][3])
    predictions, history, _ = ends[0][3]
    assert np.isfinite(predictions).all()
    assert len(history) == 1


def test_a_rank_that_dies_ends_the_others(ends):
    (kind, message, is_fitted), seconds = ends[0][4]
    assert kind == "RankError"
    assert "Rank 0 of 2 has lost another rank" in message
    assert not is_fitted
    assert seconds < 20
    assert len(ends[1]) == 4


def test_without_a_group_nothing_is_exchanged():
    values = np.arange(3)
    with ranks.together():
        assert ranks.sum_over_ranks(values) is values
        assert ranks.gather(values)[0] is values
        assert (ranks.n_ranks(), ranks.rank()) == (1, 0)
