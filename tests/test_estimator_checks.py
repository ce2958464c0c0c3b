"""scikit-learn's own checks and two of imbalanced-learn's. No check may fail."""

import importlib.util
import warnings

import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

import sklearn_afm

ESTIMATORS = [
    value
    for value in (getattr(sklearn_afm, name) for name in sklearn_afm.__all__)
    if isinstance(value, type)
]
# Sweeps of the Bayesian estimators; the checks need no more.
SHORT = {name: {"max_iter": 60} for name in ("BayesianFMRegressor", "BayesianFMClassifier")}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_check_estimator(Estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        model = Estimator(**SHORT.get(Estimator.__name__, {}))
        results = check_estimator(model, on_fail="raise")
    names = {result["check_name"] for result in results}
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    if not hasattr(Estimator, "predict"):
        return
    assert {
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
    } <= names


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize(
    "check", ["check_param_validation", "check_dataframe_column_names_consistency"]
)
@pytest.mark.filterwarnings("ignore")
def test_checks_that_check_estimator_leaves_out(Estimator, check):
    if check.startswith("check_dataframe") and importlib.util.find_spec("pandas") is None:
        pytest.skip("pandas is not installed")
    getattr(estimator_checks, check)(Estimator.__name__, Estimator())
