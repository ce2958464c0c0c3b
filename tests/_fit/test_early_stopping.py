"""Early stopping: which scores count, what a scorer gets, and when training ends."""

import numpy as np
import pandas as pd
import pytest
from conftest import CLASSIFIERS, ESTIMATORS, target_for
from sklearn.metrics import log_loss, make_scorer

from sklearn_afm import AFMClassifier, FMClassifier, FMRegressor

pytestmark = pytest.mark.usefixtures("fixed_strengths")


def scores(*values):
    """Return a scorer that returns these values one after another."""
    given = iter(values)
    return lambda estimator, X, y: next(given)


def test_a_nan_score_is_never_the_best(one_hot_data):
    scoring = scores(np.nan, 0.3, np.nan, 0.5, 0.4)
    model = FMRegressor(max_iter=5, early_stopping=True, scoring=scoring, random_state=0)
    model.fit(*one_hot_data)
    assert model.best_iter_ == 4
    assert np.isnan(model.history_[0]["validation_score"])


def test_nan_scores_count_as_no_better_ones(one_hot_data):
    scoring = scores(0.3, *[np.nan] * 9)
    options = {"early_stopping": True, "n_iter_no_change": 4, "random_state": 0}
    model = FMRegressor(scoring=scoring, **options).fit(*one_hot_data)
    assert (model.best_iter_, model.n_iter_) == (1, 5)


@pytest.mark.parametrize("max_iter", [3, 50])
def test_nothing_but_nan_scores_is_an_error(max_iter, one_hot_data):
    X, y = one_hot_data
    options = {"early_stopping": True, "n_iter_no_change": 4, "max_iter": max_iter}
    model = FMRegressor(scoring=lambda estimator, X, y: float("nan"), **options)
    message = rf"NaN in each of {min(max_iter, 4)} epochs.*scoring="
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not hasattr(model, "embeddings_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_one_class_among_the_validation_rows(one_hot_data):
    X, y = one_hot_data
    X_val, y_val = X[:20], np.repeat("low", 20)
    model = FMClassifier(scoring="roc_auc", max_iter=3)
    with pytest.raises(ValueError, match="one class"):
        model.fit(X, target_for(model, y), X_val=X_val, y_val=y_val)


def test_a_scorer_is_shown_another_estimator_without_names(one_hot_data):
    X, y = one_hot_data
    frame = pd.DataFrame(X.toarray(), columns=[f"c{column}" for column in range(20)])
    seen = []

    def scoring(estimator, X, y):
        assert estimator is not model
        assert not hasattr(model, "embeddings_")
        seen.append(estimator)
        return estimator.score(X, y)

    model = FMRegressor(max_iter=3, early_stopping=True, scoring=scoring, random_state=0)
    model.fit(frame, y)  # a warning about feature names would be an error
    assert len({id(estimator) for estimator in seen}) == 3
    assert list(model.feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_frames_and_scorers_do_not_warn(Estimator, one_hot_data):
    X, y = one_hot_data
    frame = pd.DataFrame(X.toarray(), columns=[f"c{column}" for column in range(20)])
    y = pd.Series(target_for(Estimator, y))
    model = Estimator(max_iter=2, early_stopping=True, scoring="roc_auc", random_state=0)
    model.fit(frame, y, sample_weight=pd.Series(np.ones(300)))
    weight = pd.Series(np.linspace(1, 2, 50))
    model.fit(frame, y, X_val=frame[:50], y_val=y[:50], sample_weight_val=weight)


def without_weights(estimator, X, y):
    return estimator.score(X, y)


@pytest.mark.parametrize("scoring", [without_weights, "accuracy", "balanced_accuracy", None])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_scorers_with_and_without_weights(scoring, class_weight, one_hot_data, rng):
    X, y = one_hot_data
    options = {"early_stopping": True, "max_iter": 3, "scoring": scoring}
    model = FMClassifier(class_weight=class_weight, **options)
    model.fit(X, target_for(model, y), sample_weight=rng.uniform(1, 2, 300))
    assert "validation_score" in model.history_[0]


def test_a_metric_that_takes_no_weights(one_hot_data, rng):
    options = {"early_stopping": True, "max_iter": 3, "scoring": "neg_max_error"}
    weight = rng.uniform(1, 2, 300)
    model = FMRegressor(random_state=0, **options).fit(*one_hot_data, sample_weight=weight)
    assert model.best_iter_ > 0


def validation_data(one_hot_data, rng):
    X, y = one_hot_data
    y = np.where(y > np.quantile(y, 0.8), "high", "low")
    return X[:200], y[:200], X[200:], y[200:], rng.uniform(1, 3, 100)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("class_weight", ["balanced", {"low": 1, "high": 7}])
def test_class_weight_is_in_the_loss_of_given_validation_rows(
    Estimator, class_weight, one_hot_data, rng
):
    X, y, X_val, y_val, weight = validation_data(one_hot_data, rng)
    model = Estimator(class_weight=class_weight, max_iter=1, averaging_decay=0, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    if class_weight == "balanced":  # balanced by the training rows
        class_weight = {label: 200 / (2 * (y == label).sum()) for label in ("low", "high")}
    by_class = np.array([class_weight[label] for label in y_val])
    expected = log_loss(y_val, model.predict_proba(X_val), sample_weight=weight * by_class)
    np.testing.assert_allclose(model.history_[0]["validation_loss"], expected, rtol=1e-5)


def test_a_scorer_has_sample_weight_without_class_weight(one_hot_data, rng):
    X, y, X_val, y_val, weight = validation_data(one_hot_data, rng)
    given = []

    def metric(y_true, y_pred, sample_weight=None):
        given.append(sample_weight)
        return 0.0

    model = AFMClassifier(class_weight="balanced", max_iter=1, scoring=make_scorer(metric))
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    np.testing.assert_array_equal(given[0], weight)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    assert given[1] is None


def test_validation_rows_without_weight(one_hot_data, rng):
    X, y, X_val, y_val, _ = validation_data(one_hot_data, rng)
    only_low = y_val == "low"
    model = FMClassifier(class_weight={"low": 0, "high": 1})
    with pytest.raises(ValueError, match=r"at least 2 classes|validation rows"):
        model.fit(X, y, X_val=X_val[only_low], y_val=y_val[only_low])


@pytest.mark.parametrize("answer", [17, "line", [1], 1.0, 1, np.int64(1), None, False, np.False_])
def test_only_true_ends_training(answer, one_hot_data):
    model = FMRegressor(max_iter=3, callbacks=[lambda record: answer]).fit(*one_hot_data)
    assert model.n_iter_ == 3


@pytest.mark.parametrize("answer", [True, np.True_])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_true_ends_training(Estimator, answer, one_hot_data):
    X, y = one_hot_data
    model = Estimator(max_iter=3, callbacks=[lambda record: answer])
    assert model.fit(X, target_for(model, y)).n_iter_ == 1
