"""The estimators inside scikit-learn's meta-estimators and pipelines."""

import numpy as np
import pytest
import sklearn
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, target_for
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.utils.fixes import parse_version

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier

SHORT = {"max_iter": 5, "random_state": 0, "embedding_dim": 4}


@pytest.fixture
def table(rng):
    """Text columns, numbers of size 100, and a target that depends on both."""
    colours = rng.choice(["red", "green", "blue"], 240)
    shapes = rng.choice(["round", "flat"], 240)
    sizes = rng.normal(100, 50, 240)
    y = (colours == "red") * (shapes == "round") * 4.0 + sizes / 50 + rng.normal(0, 0.1, 240)
    return np.stack([colours, shapes, sizes.astype(object)], axis=1), y


def encoder():
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), [0, 1]), (StandardScaler(), [2])
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_column_transformer(Estimator, table):
    X, y = table
    y = target_for(Estimator, y)
    model = make_pipeline(encoder(), Estimator(random_state=0)).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.8


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_bins(Estimator, rng):
    X = rng.uniform(-1, 1, size=(300, 2))
    y = target_for(Estimator, np.sign(X[:, 0] * X[:, 1]) + 0.01 * X[:, 0])
    bins = KBinsDiscretizer(4, strategy="uniform")
    model = make_pipeline(bins, Estimator(random_state=0)).fit(X, y)
    assert model.score(X, y) > 0.7


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_levels_not_seen_in_training(Estimator, table):
    X, y = table
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Estimator(**SHORT))
    model.fit(X[:, :2], target_for(Estimator, y))
    score = model.predict if not hasattr(model, "predict_proba") else model.predict_proba
    found = score(np.array([["violet", "square"], ["red", "square"]], dtype=object))
    assert np.isfinite(found.astype(float)).all()


@pytest.mark.parametrize("Estimator", AFMS)
def test_grid_search_in_two_processes(Estimator, one_hot_data):
    """Workers get read-only memory maps. Their results are those of a single process."""
    X, y = one_hot_data
    X, y = X[np.repeat(np.arange(300), 120)], np.repeat(target_for(Estimator, y), 120)
    assert X.data.nbytes > 1e6  # joblib maps arrays of more than 1 MB
    grid = {"dropout": [0.0, 0.3], "l2_attention": [0.0, 1e-2]}
    options = {"l2_linear": 0.5, "l2_embedding": 1.0, "crosses": None}  # learnt ones take longer
    estimator = Estimator(random_state=0, max_iter=1, embedding_dim=2, **options)
    searches = [
        GridSearchCV(estimator, grid, cv=2, n_jobs=n, error_score="raise").fit(X, y) for n in (1, 2)
    ]
    scores = [search.cv_results_["mean_test_score"] for search in searches]
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-5)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_halving_search_and_cross_validation(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    search = HalvingGridSearchCV(
        Estimator(**SHORT), {"l2_embedding": [0.1, 10.0]}, cv=2, random_state=0
    )
    assert search.fit(X, y).best_params_["l2_embedding"] in (0.1, 10.0)
    assert np.isfinite(cross_val_score(Estimator(**SHORT), X, y, cv=3)).all()


@pytest.mark.filterwarnings("ignore:scipy.optimize")  # old scikit-learn, new SciPy
@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_calibration_and_stacking(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    calibrated = CalibratedClassifierCV(Estimator(random_state=0), cv=3).fit(X, y)
    assert calibrated.score(X, y) > 0.8
    parts = [("model", Estimator(random_state=0)), ("linear", LogisticRegression())]
    stacked = StackingClassifier(parts, cv=3).fit(X, y)
    assert stacked.score(X, y) > 0.8


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_sample_weight_is_routed_through_a_search(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    weight = (np.arange(300) < 200).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = Estimator(**SHORT).set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=True)
        search = GridSearchCV(estimator, {"dropout": [0.0]}, cv=2, refit=True)
        search.fit(X, y, sample_weight=weight)
    expected = Estimator(**SHORT).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(search.predict(X), expected.predict(X))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_validation_rows_pass_through_a_pipeline(Estimator, table):
    X, y = table
    y = target_for(Estimator, y)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = Estimator(**SHORT).set_fit_request(X_val=True, y_val=True)
        model = Pipeline([("encoder", encoder()), ("model", estimator)], transform_input=["X_val"])
        model.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert "validation_loss" in model[-1].history_[0]


def test_validation_scores_of_a_pipeline_use_scorers(one_hot_data):
    X, y = one_hot_data
    model = AFMClassifier(early_stopping=True, scoring="roc_auc", **SHORT).fit(X, y > 0)
    assert get_scorer("roc_auc")(model, X, y > 0) > 0.5


def test_estimators_show_themselves():
    html = AFMRegressor(embedding_dim=8)._repr_html_()
    assert "AFMRegressor" in html
    assert "https://scikit-learn.org" not in html  # the estimator has no page there
    if parse_version(sklearn.__version__) >= parse_version("1.7"):
        assert "embedding_dim" in html
    assert repr(FMClassifier(embedding_dim=8)) == "FMClassifier(embedding_dim=8)"
