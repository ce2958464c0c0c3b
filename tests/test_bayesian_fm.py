"""The two estimators whose posterior is sampled."""

import inspect
import pickle

import numpy as np
import pytest
from conftest import ragged_matrix
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import BayesianRidge
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from test_settings import section

from sklearn_afm import BayesianFMClassifier, BayesianFMRegressor

BOTH = [BayesianFMRegressor, BayesianFMClassifier]
SHORT = {"max_iter": 40, "embedding_dim": 3, "random_state": 0}


def target_of(Estimator, y):
    return y if Estimator is BayesianFMRegressor else (y > np.median(y)).astype(int)


def predictions(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def equal_levels(rng, n_rows, n_levels):
    """Four one-hot columns of levels; whether the first two are equal."""
    levels = rng.integers(0, n_levels, size=(n_rows, 4))
    half = rng.random(n_rows) < 0.5
    levels[half, 1] = levels[half, 0]
    X = sparse.csr_array(np.eye(n_levels)[levels].reshape(n_rows, -1))
    return X, levels[:, 0] == levels[:, 1]


@pytest.mark.parametrize(("n_rows", "n_levels"), [(400, 5), (800, 10)])
def test_it_learns_which_levels_are_equal(rng, n_rows, n_levels):
    X, same = equal_levels(rng, 2 * n_rows, n_levels)
    train, test = slice(None, n_rows), slice(n_rows, None)
    model = BayesianFMClassifier(random_state=0).fit(X[train], same[train])
    assert roc_auc_score(same[test], model.predict_proba(X[test])[:, 1]) > 0.99
    y = np.where(same, 3.0, -2.0)
    model = BayesianFMRegressor(random_state=0).fit(X[train], y[train])
    assert r2_score(y[test], model.predict(X[test])) > 0.95


def test_ragged_rows_of_real_values(rng):
    dense, v = ragged_matrix(rng, 1200, 8), rng.normal(size=(8, 2))
    score = (((dense @ v) ** 2) - dense**2 @ v**2).sum(axis=1) / 2 + dense @ rng.normal(size=8)
    y = score + rng.normal(size=1200)
    train, test = slice(None, 900), slice(900, None)
    model = BayesianFMRegressor(random_state=0).fit(sparse.csr_array(dense)[train], y[train])
    mean, std = model.predict(dense[test], return_std=True)
    error = score[test] - mean
    assert np.mean(error**2) < 0.1  # the variance of the noise is 1
    linear = BayesianRidge().fit(dense[train], y[train]).predict(dense[test])
    assert np.mean((score[test] - linear) ** 2) > 2
    inside = np.abs(y[test] - mean) < 1.645 * std
    assert 0.85 < inside.mean() < 0.95  # 90% of a normal distribution
    positive = score > np.median(score)
    model = BayesianFMClassifier(random_state=0).fit(dense[train], positive[train])
    assert log_loss(positive[test], model.predict_proba(dense[test])) < 0.2


def test_deviation_is_wider_where_nothing_is_known(one_hot_data):
    """A level without a training row has the prior of its field."""
    X, y = one_hot_data
    known = X[:, [0]].toarray()[:, 0] == 0
    model = BayesianFMRegressor(random_state=0).fit(X[known], y[known])
    _, std = model.predict(X, return_std=True)
    assert std[~known].min() > 1.5 * std[known].mean()
    assert std[known].min() > model.noise_std_draws_.mean() * 0.99


@pytest.mark.parametrize("Estimator", BOTH)
def test_fields_may_be_given_in_any_order_of_columns(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    y, order = target_of(Estimator, y), rng.permutation(20)
    labels = np.array(["a", "b", "c", "d"])[order // 5]
    model = Estimator(**SHORT, fields=labels).fit(X[:, order], y)
    np.testing.assert_array_equal(model.fields_, order // 5)
    assert Estimator(**SHORT).fit(X, y).fields_.tolist() == np.repeat(range(4), 5).tolist()
    assert not Estimator(**SHORT, fields=None).fit(X, y).fields_.any()
    with pytest.raises(ValueError, match=r"fields has the shape \(3,\), but X has 20 columns"):
        Estimator(fields=["a", "b", "c"]).fit(X, y)


def test_a_prior_for_each_field_counts(rng):
    """Levels of one field differ much, those of another hardly: one prior fits neither."""
    levels = np.stack([rng.integers(0, 5, 400), rng.integers(0, 150, 400)], axis=1)
    X = sparse.csr_array(np.eye(155)[levels + np.array([0, 5])].sum(axis=1))
    effects = np.array([-6, -3, 0, 3, 6])[levels[:, 0]]
    y = effects + rng.normal(size=400)
    losses = []
    for fields in ("auto", None):
        model = BayesianFMRegressor(fields=fields, random_state=0).fit(X[:300], y[:300])
        losses.append(np.mean((model.predict(X[300:]) - effects[300:]) ** 2))
    assert losses[0] < 0.8 * losses[1]


@pytest.mark.parametrize("Estimator", BOTH)
def test_the_seed_fixes_the_result(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_of(Estimator, y)
    first, again = (predictions(Estimator(**SHORT).fit(X, y), X) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = predictions(Estimator(**SHORT | {"random_state": 1}).fit(X, y), X)
    assert not np.array_equal(first, other)
    before = str(np.random.get_state())
    Estimator(max_iter=3).fit(X, y)
    assert str(np.random.get_state()) == before
    state = np.random.RandomState(0)
    one, two = (Estimator(**SHORT | {"random_state": state}).fit(X, y) for _ in range(2))
    assert not np.array_equal(one.bias_draws_, two.bias_draws_)


@pytest.mark.parametrize("Estimator", BOTH)
def test_a_weight_is_a_number_of_copies(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    y, weight = target_of(Estimator, y), rng.integers(0, 4, size=300)
    weighted = Estimator(**SHORT).fit(X, y, weight)
    copies = rng.permutation(np.repeat(np.arange(300), weight))
    repeated = Estimator(**SHORT).fit(X[copies], y[copies])
    np.testing.assert_allclose(predictions(weighted, X), predictions(repeated, X), rtol=1e-8)


def test_a_noisy_row_of_low_weight_counts_less(one_hot_data, rng):
    X, y = one_hot_data
    wrong = np.arange(300) % 2 == 0
    noisy = np.where(wrong, y + 5 * rng.normal(size=300), y)
    losses = []
    for weight in (None, np.where(wrong, 0.01, 1.0)):
        model = BayesianFMRegressor(random_state=0).fit(X, noisy, weight)
        losses.append(np.mean((model.predict(X) - y) ** 2))
    assert losses[1] < 0.5 * losses[0]


def test_units_of_the_target_and_the_columns_do_not_count(rng):
    dense = ragged_matrix(rng, 80, 5)
    y = dense @ rng.normal(size=5) + dense[:, 0] * dense[:, 1]
    mean, std = BayesianFMRegressor(**SHORT).fit(dense, y).predict(dense, return_std=True)
    units = np.array([1, 1e-6, 1e6, 3, 0.2])
    other = BayesianFMRegressor(**SHORT).fit(dense * units, 1e4 * y - 7e5)
    other_mean, other_std = other.predict(dense * units, return_std=True)
    np.testing.assert_allclose(other_mean, 1e4 * mean - 7e5, rtol=1e-4, atol=1)
    np.testing.assert_allclose(other_std, 1e4 * std, rtol=1e-3)


def test_a_column_far_from_zero_is_centred(rng):
    year = rng.integers(1990, 2020, size=(200, 1)).astype(float)
    y = (year[:, 0] - 2000) / 10
    model = BayesianFMRegressor(**SHORT).fit(year, y)
    np.testing.assert_allclose(model.column_mean_, year.mean())
    assert model.score(year, y) > 0.99


@pytest.mark.parametrize("Estimator", BOTH)
def test_attributes_are_documented(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT, n_draws=7).fit(X, target_of(Estimator, y))
    documented = section(Estimator, "Attributes")
    fitted = {name for name in vars(model) if name.endswith("_")}
    assert fitted == set(documented) - {"feature_names_in_"}
    assert list(section(Estimator, "Parameters")) == list(inspect.signature(Estimator).parameters)
    assert model.linear_weights_draws_.shape == (7, 20)
    assert model.embeddings_draws_.shape == (7, 20, 3)
    assert model.embeddings_draws_.dtype == model.linear_weights_draws_.dtype == np.float32
    assert model.bias_draws_.shape == (7,)
    assert model.n_iter_ == 40


@pytest.mark.parametrize("Estimator", BOTH)
def test_pickled_models_predict_the_same(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, target_of(Estimator, y))
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(predictions(loaded, X), predictions(model, X))


@pytest.mark.parametrize("Estimator", BOTH)
def test_a_fit_that_fails_changes_nothing(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, target_of(Estimator, y))
    before = dict(vars(model))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((3, 2), np.nan), [0, 1, 0])
    with pytest.raises(ValueError, match="columns"):
        model.set_params(fields=[1]).fit(X[:, :3], target_of(Estimator, y))
    assert vars(model.set_params(fields="auto")) == before
    fresh = clone(model)
    with pytest.raises(ValueError, match="NaN"):
        fresh.fit(np.full((3, 2), np.nan), [0, 1, 0])
    assert not hasattr(fresh, "n_features_in_")


def test_what_is_refused(one_hot_data):
    X, y = one_hot_data
    labels = target_of(BayesianFMClassifier, y)
    classifier, regressor = BayesianFMClassifier(**SHORT), BayesianFMRegressor(**SHORT)
    with pytest.raises(ValueError, match=r"3 classes\. Wrap the estimator in sklearn\.multi"):
        classifier.fit(X, np.arange(300) % 3)
    with pytest.raises(ValueError, match=r"got 1 class: .*1"):
        classifier.fit(X, labels, labels)
    with pytest.raises(ValueError, match="they must be whole numbers"):
        classifier.fit(X, labels, np.full(300, 0.5))
    with pytest.raises(ValueError, match="they must be whole numbers, 1,000,000,000 in total"):
        classifier.fit(X, labels, np.full(300, 1e8))
    with pytest.raises(ValueError, match="Divide y"):
        regressor.fit(X, np.where(labels, 1e200, 0))
    with pytest.raises(ValueError, match="1d array"):
        regressor.fit(X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="too large for float32"):
        regressor.fit(X, y * 1e60)
    with pytest.raises(ValueError, match=r"beyond 1e\+150, .* \|x\| is 1e\+200: clip"):
        regressor.fit(X, y).predict(X * 1e200)


def test_more_classes_one_against_the_rest(one_hot_data):
    X, y = one_hot_data
    labels = np.digitize(y, np.quantile(y, [0.33, 0.67]))
    model = OneVsRestClassifier(BayesianFMClassifier(**SHORT)).fit(X, labels)
    assert model.score(X, labels) > 0.8
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
