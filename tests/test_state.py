"""Randomness, parameters, warm starts, partial_fit and printed output."""

import copy
import re
import sys

import numpy as np
import pytest
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, REGRESSORS, target_for
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_afm import FMClassifier, FMRegressor

SHORT = {"max_iter": 3, "embedding_dim": 4}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_same_seed_same_result_bit_for_bit(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = SHORT | {"dropout": 0.3, "early_stopping": True, "l2_embedding": 10}
    first, second, other = (Estimator(random_state=seed, **options).fit(X, y) for seed in (0, 0, 1))
    for name in ("embeddings_", "linear_weights_", "projection_", "bias_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert not np.array_equal(first.embeddings_, other.embeddings_)


def test_a_random_state_instance_is_drawn_from(one_hot_data):
    X, y = one_hot_data
    models = [
        FMRegressor(random_state=np.random.RandomState(5), **SHORT).fit(X, y) for _ in range(2)
    ]
    np.testing.assert_array_equal(models[0].embeddings_, models[1].embeddings_)
    assert not np.array_equal(
        models[0].embeddings_, FMRegressor(random_state=6, **SHORT).fit(X, y).embeddings_
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fit_changes_no_parameter(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT)
    before = copy.deepcopy(model.get_params())
    model.fit(X, target_for(Estimator, y))
    assert model.get_params() == before
    assert clone(model).get_params() == before


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_warm_start_goes_on_as_if_it_had_not_stopped(Estimator, optimizer, one_hot_data):
    """With one batch per epoch, the order of rows has no effect."""
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = {
        "optimizer": optimizer, "batch_size": 300, "averaging_decay": 0, "random_state": 0,
        "precision": "float64", "embedding_dim": 4,
    }  # fmt: skip
    model = Estimator(max_iter=4, warm_start=True, **options).fit(X, y).fit(X, y)
    expected = Estimator(max_iter=8, **options).fit(X, y)
    np.testing.assert_allclose(model.embeddings_, expected.embeddings_, rtol=1e-6, atol=1e-12)
    assert [record["epoch"] for record in model.history_] == list(range(1, 9))
    assert model.n_iter_ == 8


def test_without_warm_start_a_fit_starts_afresh(one_hot_data):
    X, y = one_hot_data
    model = FMRegressor(random_state=0, **SHORT).fit(X[:, :9], -y)
    model.fit(X, y)
    np.testing.assert_array_equal(
        model.linear_weights_, FMRegressor(random_state=0, **SHORT).fit(X, y).linear_weights_
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_partial_fit_learns_from_a_stream(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    model = Estimator(random_state=0, batch_size=32)
    first = {"classes": ["high", "low"]} if Estimator in CLASSIFIERS else {}
    for _ in range(30):
        for part in np.array_split(rng.permutation(300), 4):
            model.partial_fit(X[part], y[part], **first)
            first = {}
    assert model.score(X, y) > 0.8
    assert model.n_iter_ == 120


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_partial_fit_keeps_the_optimizers_state_and_the_counts(Estimator, one_hot_data):
    """Without regularisation, calls of partial_fit equal the epochs of a fit. Counts add up."""
    X, y = one_hot_data
    options = {
        "batch_size": 1000, "random_state": 0, "precision": "float64", "averaging_decay": 0,
        "max_iter": 6,
    }  # fmt: skip
    stream = Estimator(l2_embedding=0, l2_linear=0, **options)
    for _ in range(6):
        stream.partial_fit(X, y)
    expected = Estimator(l2_embedding=0, l2_linear=0, **options).fit(X, y)
    np.testing.assert_allclose(stream.linear_weights_, expected.linear_weights_, rtol=1e-6)
    counted = Estimator(l2_linear=5.0, **options)
    for _ in range(6):
        counted.partial_fit(X, y)
    np.testing.assert_allclose(counted._progress.column_weight, 6 * X.sum(axis=0))


def test_partial_fit_meets_new_levels(one_hot_data):
    X, y = one_hot_data
    first = X[:, 0].toarray().ravel() == 0
    model = FMRegressor(random_state=0).partial_fit(X[first], y[first])
    assert not model.embeddings_[0].any()
    model.partial_fit(X, y)
    assert model.embeddings_[0].any()


def test_partial_fit_after_fit(one_hot_data):
    X, y = one_hot_data
    model = FMRegressor(random_state=0, warm_start=True).fit(X, y)
    score = model.score(X, y)
    # The optimiser starts with large steps.
    assert model.partial_fit(X, y).score(X, y) > score - 0.05


def test_partial_fit_of_a_classifier_needs_its_classes(one_hot_data):
    X, y = one_hot_data
    with pytest.raises(ValueError, match="classes must be passed"):
        FMClassifier().partial_fit(X, y > 0)
    model = FMClassifier().partial_fit(X[:2], [0, 1], classes=[0, 1, 2])
    assert model.predict_proba(X).shape == (300, 3)
    with pytest.raises(ValueError, match="not those of the first call"):
        model.partial_fit(X[:2], [0, 1], classes=[0, 1])
    with pytest.raises(ValueError, match=r"not in classes: \[7\]"):
        model.partial_fit(X[:2], [0, 7])
    with pytest.raises(ValueError, match="balanced"):
        FMClassifier(class_weight="balanced").partial_fit(X[:2], [0, 1], classes=[0, 1])


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("has_tqdm", [True, False])
def test_verbose(one_hot_data, capsys, monkeypatch, verbose, has_tqdm):
    if not has_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    X, y = one_hot_data
    FMRegressor(verbose=verbose, **SHORT).fit(X, y, X_val=X, y_val=y)
    captured = capsys.readouterr()
    lines = [line for line in captured.out.splitlines() if line.strip()]
    assert len(lines) == (5 if verbose else 0)
    assert len({len(line) for line in lines[1:]}) <= 1  # aligned
    if verbose:
        assert lines[0].startswith("FMRegressor(")
        assert lines[0].endswith("), 300 rows")
        assert lines[1].split()[0] == "epoch"
        assert lines[-1].split()[0] == "3/3"
    assert bool(captured.err) == (verbose == 2 and has_tqdm)


def test_lines_of_a_search_say_which_candidate(one_hot_data, capfd):
    X, y = one_hot_data
    model = FMRegressor(verbose=1, random_state=0, max_iter=1)
    # Workers that an earlier test has started print to where its output went.
    get_reusable_executor().shutdown(wait=True)
    for n_jobs in 1, 2:
        GridSearchCV(model, {"dropout": [0.1, 0.2]}, cv=2, n_jobs=n_jobs, refit=False).fit(X, y)
        lines = capfd.readouterr().out.splitlines()
        titles = [line for line in lines if "FMRegressor(" in line]
        assert [sum(f"dropout={d}" in title for title in titles) for d in (0.1, 0.2)] == [2, 2]
        assert len(lines) == 3 * len(titles)
        named = [line for line in lines if re.match(r"\[\w+-\d+\] ", line)]
        assert named == (lines if n_jobs == 2 else [])


def test_afms_hold_all_documented_attributes(one_hot_data):
    X, y = one_hot_data
    for Estimator in AFMS:
        model = Estimator(**SHORT).fit(X, target_for(Estimator, y))
        documented = [
            line.split(" : ")[0].strip()
            for line in Estimator.__doc__.split("Attributes\n")[1].split("See Also")[0].splitlines()
            if " : " in line and line.startswith("    ")
        ]
        documented = [name for name in documented if name not in ("feature_names_in_", "delta_")]
        assert "embeddings_" in documented
        assert all(hasattr(model, name) for name in documented)


@pytest.mark.parametrize("way", ["warm_start", "partial_fit"])
@pytest.mark.parametrize(
    ("Estimator", "name"),
    [(Estimator, "embedding_dim") for Estimator in ESTIMATORS]
    + [(Estimator, "attention_dim") for Estimator in AFMS],
)
def test_a_fit_that_goes_on_keeps_its_sizes(Estimator, name, way, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    model = Estimator(warm_start=True, max_iter=1, random_state=0).fit(X, y)
    before = model.predict(X)
    model.set_params(**{name: 7})
    with pytest.raises(ValueError, match=rf"{name}=7, but .* with 16.*Set {name}=16"):
        model.fit(X, y) if way == "warm_start" else model.partial_fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    model.set_params(warm_start=False).fit(X, y)
    assert 7 in (model.embeddings_.shape[1], np.size(getattr(model, "attention_bias_", 0)))
