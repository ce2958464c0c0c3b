"""What training minimises: loss, weights, units; each optimiser learns."""

import numpy as np
import oracle
import pytest
from conftest import CLASSIFIERS, ESTIMATORS, REGRESSORS, target_for
from scipy import sparse

from sklearn_afm import AFMRegressor, FMClassifier

pytestmark = pytest.mark.usefixtures("fixed_strengths")

SHORT = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_training_lowers_the_objective(Estimator, rng):
    """Targets have mean 0 and standard deviation 1, and X is one-hot. So nothing is rescaled."""
    levels = rng.integers(0, 4, size=(200, 3))
    X = np.eye(4)[levels].reshape(200, 12)
    y = rng.normal(size=200) + 2 * (levels[:, 0] == levels[:, 1])
    if Estimator in CLASSIFIERS:
        y = target = (y > 1).astype(float)
    else:
        y = target = (y - y.mean()) / y.std()
    weight = rng.uniform(0.5, 2, 200)
    if Estimator in REGRESSORS:
        y = target = (y - np.average(y, weights=weight)) / 1.0
        y = target = y / np.sqrt(np.average(y**2, weights=weight))
    priors = {"l2_embedding": 3.0, "l2_linear": 2.0}
    loss = "log loss" if Estimator in CLASSIFIERS else "squared error"

    def value(**options):
        model = Estimator(
            precision="float64", averaging_decay=0, random_state=0, **priors, **options
        ).fit(X, y, weight)
        l2_attention = getattr(model, "l2_attention", 0.0)
        return oracle.objective(
            X, target[:, None], weight, oracle.params_of(model), loss, l2_attention, **priors
        )

    values = [value(max_iter=n, batch_size=200) for n in (1, 10, 100, 300)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_weights_are_repetitions(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    X, y = X[:60], target_for(Estimator, y[:60])
    weight = rng.integers(0, 4, 60)
    options = SHORT | {"batch_size": 1000, "precision": "float64"}
    weighted = Estimator(**options).fit(X, y, weight)
    repeated = Estimator(**options).fit(X[np.repeat(np.arange(60), weight)], np.repeat(y, weight))
    np.testing.assert_allclose(weighted.embeddings_, repeated.embeddings_, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(
        weighted.linear_weights_, repeated.linear_weights_, rtol=1e-8, atol=1e-12
    )


def test_class_weight(one_hot_data):
    X, y = one_hot_data
    y = np.where(y > np.quantile(y, 0.9), "rare", "common")
    plain = FMClassifier(**SHORT).fit(X, y)
    balanced = FMClassifier(class_weight="balanced", **SHORT).fit(X, y)
    by_hand = FMClassifier(class_weight={"rare": 5.0, "common": 0.5555555555555556}, **SHORT)
    assert (balanced.predict(X) == "rare").sum() > (plain.predict(X) == "rare").sum()
    np.testing.assert_allclose(
        by_hand.fit(X, y).linear_weights_, balanced.linear_weights_, rtol=1e-5
    )


@pytest.mark.parametrize("Estimator", REGRESSORS)
@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_units_of_columns_and_target_do_not_matter(Estimator, unit, rng):
    X, y = rng.normal(size=(80, 5)), rng.normal(size=80)
    scale = np.array([unit, 1, 1 / unit, 1, 1])
    expected = Estimator(**SHORT).fit(X, y).predict(X)
    found = Estimator(**SHORT).fit(X * scale, 7 * unit + unit * y).predict(X * scale)
    np.testing.assert_allclose((found - 7 * unit) / unit, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("size", [100, 1e4])
def test_large_real_values_beside_one_hot_columns(Estimator, size, one_hot_data, rng):
    X, y = one_hot_data
    X = sparse.hstack([X, sparse.csr_array(size * rng.normal(size=(300, 2)))], format="csr")
    model = Estimator(random_state=0, max_iter=30).fit(X, target_for(Estimator, y))
    assert model.score(X, target_for(Estimator, y)) > 0.6


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_rows_without_entries_get_the_base_rate(Estimator):
    X, y = sparse.csr_array((8, 3)), target_for(Estimator, np.array([0, 0, 0, 0, 0, 0, 1, 1]))
    model = Estimator(random_state=0, max_iter=300).fit(X, y)
    found = model.predict_proba(X)[:, 0] if hasattr(model, "predict_proba") else model.predict(X)
    np.testing.assert_allclose(found, 0.25, atol=0.02)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_each_optimizer_learns(Estimator, optimizer, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    model = Estimator(optimizer=optimizer, random_state=0, max_iter=60).fit(X, y)
    assert model.score(X, y) > 0.7


def test_dropout_acts_in_training_only(one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "max_iter": 5}
    plain = AFMRegressor(**options).fit(X, y)
    for name in ("dropout", "attention_dropout"):
        dropped = AFMRegressor(**{name: 0.5}, **options).fit(X, y)
        assert not np.array_equal(dropped.linear_weights_, plain.linear_weights_)
        np.testing.assert_array_equal(dropped.predict(X), dropped.predict(X))
