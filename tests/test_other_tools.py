"""Tools that guess a model's kind from its attributes do not mistake these for other models."""

import numpy as np
import pytest
from conftest import ESTIMATORS, target_for
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.feature_selection import RFE, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import permutation_importance

from sklearn_afm import FMClassifier, FMRegressor

# Attributes by which shap, eli5, yellowbrick, scikit-learn's selectors and other tools recognise
# linear models, trees, ensembles, networks and clusterings.
TAKEN = {
    "coef_", "intercept_", "coefs_", "intercepts_", "dual_coef_", "support_vectors_",
    "feature_importances_", "estimators_", "estimator_", "tree_", "booster_", "get_booster",
    "best_estimator_", "n_outputs_", "n_layers_", "loss_", "loss_curve_", "components_", "labels_",
    "cluster_centers_", "transform", "feature_log_prob_", "theta_", "scores_", "module_", "layers",
    "named_parameters", "predictor", "n_estimators",
}  # fmt: skip


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_no_attribute_belongs_to_another_kind_of_model(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(max_iter=1).fit(X, target_for(Estimator, y))
    assert not TAKEN & set(dir(model))


def products(rng, n_rows=600):
    """Make y = 3 x0 x1 + 0.3 x2: the columns of the product have no linear effect."""
    X = rng.normal(size=(n_rows, 4))
    return X, 3 * X[:, 0] * X[:, 1] + 0.3 * X[:, 2]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("selector", [RFE, SelectFromModel])
def test_selection_by_an_importance_that_is_not_there_is_refused(selector, Estimator, rng):
    X, y = products(rng)
    with pytest.raises((ValueError, AttributeError), match=r"coef_|feature_importances_"):
        selector(Estimator(max_iter=1)).fit_transform(X, target_for(Estimator, y))


def test_selection_by_score_finds_the_columns_of_a_product(rng):
    X, y = products(rng)
    model = FMRegressor(random_state=0, l2_embedding=1, max_iter=60)
    selector = SequentialFeatureSelector(
        model, n_features_to_select=2, direction="backward", scoring="r2", cv=2
    )
    assert selector.fit(X, y).get_support().tolist() == [True, True, False, False]
    model.fit(X, y)
    importance = permutation_importance(model, X, y, random_state=0).importances_mean
    assert set(np.argsort(importance)[-2:]) == {0, 1}


def test_ada_boost_passes_weights_that_sum_to_one(rng):
    levels = rng.integers(0, 4, size=(400, 3))
    X = np.eye(4)[levels].reshape(400, 12)
    y = (levels[:, 0] + levels[:, 1]) % 4 < 2
    model = FMClassifier(random_state=0, l2_embedding=1, max_iter=40)
    boosted = AdaBoostClassifier(model, n_estimators=3, random_state=0).fit(X, y)
    assert boosted.score(X, y) > 0.95
    number = FMRegressor(random_state=0, max_iter=20)
    assert AdaBoostRegressor(number, n_estimators=3, random_state=0).fit(X, 1.0 * y).score(X, y) > 0
