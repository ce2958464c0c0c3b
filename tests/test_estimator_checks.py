"""scikit-learn's own checks and two of imbalanced-learn's. No check may fail."""

import importlib.util
import warnings

import pytest
import sklearn
from sklearn.exceptions import SkipTestWarning
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

import sklearn_afm
from sklearn_afm import BayesianFMClassifier

ESTIMATORS = [
    value
    for value in (getattr(sklearn_afm, name) for name in sklearn_afm.__all__)
    if isinstance(value, type)
]
# Sweeps of the Bayesian estimators; the checks need no more.
SHORT = {name: {"max_iter": 60} for name in ("BayesianFMRegressor", "BayesianFMClassifier")}


def faulty_checks(Estimator) -> dict[str, str]:
    """Checks of scikit-learn 1.6 that make other labels of the same rows, if there are two."""
    if not sklearn.__version__.startswith("1.6.") or Estimator is not BayesianFMClassifier:
        return {}
    name = "check_sample_weight_equivalence_on_{}_data"
    return {name.format(kind): "labels go by the first row" for kind in ("dense", "sparse")}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_check_estimator(Estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        model = Estimator(**SHORT.get(Estimator.__name__, {}))
        options = {"on_fail": "raise", "expected_failed_checks": faulty_checks(Estimator)}
        results = check_estimator(model, **options)
    names = {result["check_name"] for result in results}
    assert {result["status"] for result in results} <= {"passed", "skipped", "xfail"}
    assert {r["check_name"] for r in results if r["status"] == "xfail"} <= set(
        faulty_checks(Estimator)
    )
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
