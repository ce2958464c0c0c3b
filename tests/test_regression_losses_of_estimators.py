"""Regressors with each of their losses."""

import dataclasses
import pickle
import warnings

import numpy as np
import pytest
from conftest import REGRESSORS
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.stats import t as student
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
)
from sklearn.utils.estimator_checks import check_estimator

from sklearn_afm import AFMRegressor, FMRegressor
from sklearn_afm._fit import linear
from sklearn_afm._linear.fit import fit_linear_part
from sklearn_afm.baselines import DeepFMRegressor
from sklearn_afm.inspection import HistoryDisplay, pair_effect, permutation_pair_importance

OTHERS = ["absolute_error", "huber", "quantile", "poisson", "gamma"]
METRICS = {
    "absolute_error": mean_absolute_error,
    "quantile": lambda y, p, **w: mean_pinball_loss(y, p, alpha=0.8, **w),
    "poisson": lambda y, p, **w: mean_poisson_deviance(y, p, **w) / 2,
    "gamma": lambda y, p, **w: mean_gamma_deviance(y, p, **w) / 2,
}


def options(loss):
    return {"loss": loss} | ({"quantile": 0.8} if loss == "quantile" else {})


def with_loss(Estimator, loss, **others):
    return Estimator(**options(loss), random_state=0, **others)


def target_of(loss, score, rng):
    """Targets of this kind whose level goes with the score."""
    if loss == "poisson":
        return rng.poisson(np.exp(score / 2)).astype(float)
    if loss == "gamma":
        return np.exp(score / 2) * rng.gamma(4.0, 1 / 4, len(score))
    return score + rng.standard_t(3, len(score))


@pytest.fixture
def rows(rng):
    """2,000 one-hot rows of 3 fields, and a score of linear effects and an interaction."""
    levels = rng.integers(0, 4, size=(2000, 3))
    X = sparse.csr_array(np.eye(4)[levels].reshape(2000, 12))
    score = rng.normal(size=(3, 4))[np.arange(3), levels].sum(1)
    return X, score + rng.normal(size=(4, 4))[levels[:, 0], levels[:, 1]]


# A check of scikit-learn gives several targets below 0 to all.
NEGATIVE = {"check_regressor_multioutput": "its targets are negative"}


@pytest.mark.parametrize("loss", OTHERS)
def test_check_estimator(loss):
    expected = NEGATIVE if loss in ("poisson", "gamma") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        model = FMRegressor(**options(loss), max_iter=10)
        results = check_estimator(model, on_fail="raise", expected_failed_checks=expected)
    assert {r["check_name"] for r in results if r["status"] == "xfail"} == set(expected)


@pytest.mark.parametrize(
    ("Estimator", "loss"),
    [(E, loss) for E in REGRESSORS for loss in OTHERS] + [(DeepFMRegressor, "poisson")],
)
def test_it_learns_what_its_loss_asks_for(Estimator, loss, rows, rng):
    """On held-out rows it gains most of what the model that made them gains on a constant."""
    X, score = rows
    y = target_of(loss, score, rng)
    model = with_loss(Estimator, loss, max_iter=20).fit(X[:1500], y[:1500])
    found, y_test = model.predict(X[1500:]), y[1500:]
    metric = METRICS.get(loss, mean_absolute_error)
    start = y[:1500].mean() if loss in ("poisson", "gamma") else np.median(y[:1500])
    truth = np.exp(score / 2) if loss in ("poisson", "gamma") else score
    if loss == "quantile":
        start, truth = np.quantile(y[:1500], 0.8), score + student.ppf(0.8, 3)
        assert 0.74 < np.mean(y_test <= found) < 0.86
    worst, best = metric(y_test, np.full(500, start)), metric(y_test, truth[1500:])
    assert metric(y_test, found) < best + 0.25 * (worst - best)


@pytest.mark.parametrize("l2_linear", ["auto", 0.5])
@pytest.mark.parametrize("loss", OTHERS)
def test_without_effects_it_is_the_best_constant(loss, l2_linear, rng):
    y = target_of(loss, np.full(301, 2.0), rng)
    weight = rng.integers(1, 4, 301)
    model = with_loss(FMRegressor, loss, l2_linear=l2_linear, max_iter=60)
    found = model.fit(np.ones((301, 1)), y, weight).predict(np.ones((1, 1)))[0]
    every = np.sort(np.repeat(y, weight))
    best = {"absolute_error": np.median(every), "quantile": np.quantile(every, 0.8)}
    best["poisson"] = best["gamma"] = every.mean()
    if loss == "huber":
        delta = model.delta_

        def huber(bias):
            error = np.abs(every - bias)
            return np.where(error < delta, error**2, 2 * delta * error - delta**2).mean()

        best["huber"] = minimize_scalar(huber, bounds=(-5, 5), method="bounded").x
    assert found == pytest.approx(best[loss], abs=0.05)


@pytest.mark.parametrize("loss", OTHERS)
def test_weights_are_repetition(loss, rows, rng):
    X, score = rows
    X, y, weight = X[:300], target_of(loss, score[:300], rng), rng.integers(1, 4, 300)
    model = with_loss(FMRegressor, loss, batch_size=2000, max_iter=20)
    weighted = clone(model).fit(X, y, weight).predict(X)
    place = np.repeat(np.arange(300), weight)
    np.testing.assert_allclose(
        weighted, model.fit(X[place], y[place]).predict(X), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("loss", OTHERS)
def test_a_fit_from_a_checkpoint_is_the_same_bit_for_bit(loss, rows, rng, tmp_path):
    X, score = rows
    y = target_of(loss, score, rng)
    whole = with_loss(AFMRegressor, loss, max_iter=5, n_iter_no_change=5).fit(X, y)

    def interrupt(record):
        if record["epoch"] == 3:
            raise RuntimeError

    model = with_loss(AFMRegressor, loss, max_iter=5, n_iter_no_change=5)
    model.set_params(checkpoint=tmp_path / "fit.npz", callbacks=[interrupt])
    with pytest.raises(RuntimeError):
        model.fit(X, y)
    model.set_params(callbacks=None).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), whole.predict(X))
    assert [r["train_loss"] for r in model.history_] == [r["train_loss"] for r in whole.history_]


@pytest.mark.parametrize("loss", METRICS)
def test_early_stopping_sees_the_metric_of_the_loss(loss, rows, rng):
    X, score = rows
    y, weight = target_of(loss, score, rng), rng.uniform(0.5, 2, 500)
    model = with_loss(AFMRegressor, loss, max_iter=1, averaging_decay=0)
    model.set_params(l2_linear=0.5).fit(
        X[:1500], y[:1500], X_val=X[1500:], y_val=y[1500:], sample_weight_val=weight
    )
    expected = METRICS[loss](y[1500:], model.predict(X[1500:]), sample_weight=weight)
    assert model.history_[0]["validation_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", OTHERS)
def test_streams_blocks_several_targets_and_pickles(loss, rows, rng):
    X, score = rows
    y = np.stack([target_of(loss, score, rng) for _ in range(2)], axis=1)
    stream = with_loss(FMRegressor, loss)
    for start in range(0, 2000, 500):
        stream.partial_fit(X[start : start + 500], y[start : start + 500])
    blocks = [(X[:1000], y[:1000]), (X[1000:], y[1000:])]
    of_blocks = with_loss(FMRegressor, loss, max_iter=3).fit_blocks(blocks, window_rows=1000)
    for model in (stream, of_blocks):
        found = pickle.loads(pickle.dumps(model)).predict(X)
        np.testing.assert_array_equal(found, model.predict(X))
        assert min(np.corrcoef(found[:, k], score)[0, 1] for k in range(2)) > 0.5


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_predictions_follow_the_unit_of_y(loss, rows, rng):
    X, score = rows
    y = target_of(loss, score, rng)
    model = with_loss(FMRegressor, loss, max_iter=3, precision="float64")
    found = clone(model).fit(X, y).predict(X)
    np.testing.assert_allclose(model.fit(X, 7 + 100 * y).predict(X), 7 + 100 * found, rtol=1e-4)


def test_the_bound_of_the_huber_loss_is_in_standard_deviations(rows, rng):
    X, score = rows
    y = 100 * target_of("huber", score, rng)
    options = {"random_state": 0, "max_iter": 3, "early_stopping": False, "l2_embedding": 10.0}
    model = FMRegressor(loss="huber", huber_delta=0.5, **options).fit(X, y)
    np.testing.assert_allclose(model.delta_, 0.5 * y.std(), rtol=1e-9)
    far = FMRegressor(loss="huber", huber_delta=1e6, **options).fit(X, y)
    squared = FMRegressor(**options).fit(X, y)
    np.testing.assert_allclose(far.predict(X), squared.predict(X), rtol=1e-3, atol=1e-2)


def test_outliers_move_absolute_error_and_huber_less(rows, rng):
    X, score = rows
    y = score + 0.1 * rng.normal(size=2000)
    y[:1500][rng.random(1500) < 0.05] += 200
    errors = {
        loss: np.abs(
            with_loss(FMRegressor, loss, max_iter=10).fit(X[:1500], y[:1500]).predict(X[1500:])
            - score[1500:]
        ).mean()
        for loss in ("squared_error", "huber", "absolute_error")
    }
    assert errors["absolute_error"] < 0.2 * errors["squared_error"]
    assert errors["huber"] < 0.8 * errors["squared_error"]


@pytest.mark.parametrize(
    ("settings", "y", "message"),
    [
        ({"loss": "poisson"}, [1.0, -1, 2], "y must be 0 or above.*in 1 of 3 rows, first in row 1"),
        ({"loss": "gamma"}, [1.0, 2, 0], "y must be above 0.*first in row 2"),
        ({"loss": "poisson"}, [0.0, 0, 0], "y is 0 in all rows"),
        ({"loss": "quantile"}, [1.0, 2, 3], "needs quantile"),
        ({"loss": "pinball"}, [1.0, 2, 3], "'loss' parameter"),
        ({"loss": "quantile", "quantile": 1.0}, [1.0, 2, 3], "'quantile' parameter"),
        ({"loss": "huber", "huber_delta": 0}, [1.0, 2, 3], "'huber_delta' parameter"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_refusals(settings, y, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(FMRegressor(**settings), method)(np.eye(3), y)


def test_a_fitted_estimator_keeps_its_loss(rows, rng):
    X, score = rows
    y = target_of("poisson", score, rng)
    model = with_loss(FMRegressor, "poisson", max_iter=2, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="was fitted with loss='poisson'"):
        model.set_params(loss="gamma").predict(X)
    with pytest.raises(ValueError, match="was fitted with loss='poisson'"):
        model.fit(X, y + 1)
    with pytest.raises(ValueError, match="init was fitted with the half Poisson deviance"):
        AFMRegressor(init=model.set_params(loss="poisson")).fit(X, y)
    AFMRegressor(init=model, loss="poisson", max_iter=1).fit(X, y)


def test_predictions_that_overflow_are_refused(rng):
    X = rng.normal(size=(200, 1))
    model = with_loss(FMRegressor, "poisson").fit(X, rng.poisson(np.exp(X[:, 0])))
    with pytest.raises(ValueError, match="A prediction is infinite: its logarithm goes up to"):
        model.predict([[1e4]])


def test_explanations_are_in_the_unit_of_the_loss(rows, rng):
    X, score = rows
    y = target_of("poisson", score, rng)
    counts = with_loss(FMRegressor, "poisson", max_iter=2).fit(X, y)
    median = with_loss(FMRegressor, "absolute_error", max_iter=2).fit(X, y)
    for model, unit, name in (
        (counts, "log of y", "half Poisson deviance"),
        (median, "unit of y", "absolute error"),
    ):
        pair = permutation_pair_importance(model, X, y, method="zero")
        assert pair.unit == name
        first, second = pair.pair_names[0]
        assert pair_effect(model, X, (first, second)).unit == unit
        assert HistoryDisplay.from_estimator(model).ax_.get_ylabel() == name
    found = permutation_pair_importance(counts, X, y, method="zero")
    assert found.loss == pytest.approx(mean_poisson_deviance(y, counts.predict(X)) / 2, rel=1e-5)
    with pytest.raises(ValueError, match="share no axis"):
        HistoryDisplay.from_estimator([counts, median])


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_a_linear_part_that_overshoots_is_left_out(loss, rows, rng, monkeypatch):
    """It is worse than a constant, but finite."""
    X, score = rows
    y = target_of(loss, score, rng)

    def overshooting(*args):
        part = fit_linear_part(*args)
        return dataclasses.replace(part, bias=part.bias + 6)

    monkeypatch.setattr(linear, "fit_linear_part", overshooting)
    model = with_loss(FMRegressor, loss, max_iter=3).fit(X, y)
    assert METRICS[loss](y, model.predict(X)) < METRICS[loss](y, np.full(len(y), y.mean()))


@pytest.mark.parametrize("seed", [0, 1])
def test_counts_by_gradient_alone_are_better_than_a_constant(seed):
    """At the rate of other losses, the first epoch overshoots and leaves more than a constant."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 30, size=(2500, 8))
    columns, indptr = np.arange(8) * 30 + levels, np.arange(2501) * 8
    X = sparse.csr_array((np.ones(20_000), columns.ravel(), indptr), (2500, 240))
    effects = rng.normal(size=(8, 30))[np.arange(8), levels].sum(1) / 4
    y = rng.poisson(np.exp(effects - 1.5) * rng.gamma(0.3, 1 / 0.3, 2500)).astype(float)
    model = FMRegressor(loss="poisson", l2_linear=0.5, random_state=0).fit(X[:2000], y[:2000])
    constant = np.full(500, y[:2000].mean())
    found = mean_poisson_deviance(y[2000:], model.predict(X[2000:]))
    assert found < mean_poisson_deviance(y[2000:], constant)
