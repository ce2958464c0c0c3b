"""fit: fitted attributes, objective, early stopping, averaging, history, errors."""

import numpy as np
import oracle
import pytest
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, REGRESSORS, target_for
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

SHORT = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_fitted_attributes_are_arrays_of_the_documented_shapes(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, target_for(Estimator, y))
    assert model.bias_.shape == ()
    assert model.linear_weights_.shape == (20,)
    assert model.embeddings_.shape == (20, 4)
    assert model.projection_.shape == (4,)
    if Estimator in AFMS:
        assert model.attention_weight_.shape == (16, 4)
        assert model.attention_bias_.shape == model.attention_context_.shape == (16,)
    assert all(
        type(value) in (np.ndarray, np.float32, np.float64)
        for name, value in vars(model).items()
        if name in ("bias_", "linear_weights_", "embeddings_", "projection_", "attention_weight_")
    )
    assert model.n_iter_ == model.best_iter_ == len(model.history_) == 3


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_predictions_follow_from_the_fitted_attributes(Estimator, n_outputs, rng):
    X = rng.normal(size=(60, 6)) * (rng.random((60, 6)) < 0.7) * [1, 100, 0.01, 1, 3, 1]
    if Estimator in CLASSIFIERS:
        y = rng.integers(0, n_outputs if n_outputs > 1 else 2, 60)
        model = Estimator(**SHORT).fit(X, y)
        found = model.decision_function(X)
    else:
        y = 50 + 20 * rng.normal(size=(60, n_outputs))
        model = Estimator(**SHORT).fit(X, y)
        found = model.predict(X)
    expected = oracle.raw_scores(X, oracle.params_of(model))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-9, atol=1e-9)


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
    loss = "log" if Estimator in CLASSIFIERS else "squared"

    def value(**options):
        model = Estimator(
            precision="float64", weight_averaging=0, random_state=0, **priors, **options
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


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("n_rows", [1, 300])
def test_columns_never_seen_have_no_part_in_predictions(Estimator, n_rows, one_hot_data):
    X, y = one_hot_data
    wide = sparse.hstack([X, sparse.csr_array((300, 4))], format="csr")
    model = Estimator(**SHORT).fit(wide, target_for(Estimator, y))
    unseen = sparse.hstack([X, sparse.csr_array(np.ones((300, 4)))], format="csr")
    score = model.predict if Estimator in REGRESSORS else model.decision_function
    np.testing.assert_array_equal(score(unseen[:n_rows]), score(wide[:n_rows]))
    assert not model.embeddings_[20:].any()
    assert not model.linear_weights_[20:].any()


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("scoring", ["loss", None])
def test_columns_never_seen_have_no_part_in_validation(Estimator, scoring, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    wide = sparse.hstack([X, sparse.csr_array((300, 4))], format="csr")
    unseen = sparse.hstack([X, sparse.csr_array(np.ones((300, 4)))], format="csr")
    records = []
    for X_val in (wide, unseen):
        model = Estimator(scoring=scoring, **SHORT)
        model.fit(wide[:200], y[:200], X_val=X_val[200:], y_val=y[200:])
        records.append([record["validation_loss"] for record in model.history_])
    assert records[0] == records[1]


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
@pytest.mark.parametrize("scoring", ["loss", None, "explicit"])
def test_early_stopping_keeps_the_best_epoch(Estimator, scoring, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    if scoring == "explicit":
        scoring = "r2" if Estimator in REGRESSORS else "roc_auc"
    model = Estimator(
        early_stopping=True, scoring=scoring, n_iter_no_change=3, learning_rate=0.5,
        l2_embedding=0, weight_averaging=0, random_state=0,
    )  # fmt: skip
    model.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    name = "validation_loss" if scoring == "loss" else "validation_score"
    scores = [record[name] * (-1 if scoring == "loss" else 1) for record in model.history_]
    assert model.n_iter_ < 100
    assert model.best_iter_ == np.argmax(scores) + 1
    assert model.n_iter_ == model.best_iter_ + 3
    if scoring is None:
        assert model.score(X[200:], y[200:]) == pytest.approx(max(scores))
    if scoring == "loss" and Estimator in REGRESSORS:
        loss = np.mean((model.predict(X[200:]) - y[200:]) ** 2)
        assert loss == pytest.approx(-max(scores), rel=1e-5)


def test_early_stopping_auto_goes_by_the_number_of_rows(rng):
    X, y = np.eye(3)[rng.integers(0, 3, 1_501)], rng.normal(size=1_501)
    assert "validation_loss" in FMRegressor(**SHORT).fit(X, y).history_[0]
    assert "validation_loss" not in FMRegressor(**SHORT).fit(X[1:], y[1:]).history_[0]


def test_validation_rows_are_set_aside_by_class(rng):
    X, y = np.eye(3)[rng.integers(0, 3, 100)], np.array([0] * 90 + [1] * 10)
    model = FMClassifier(early_stopping=True, **SHORT).fit(X, y)
    assert len(model.history_) == 3
    FMClassifier(early_stopping=True, **SHORT).fit(X, np.array([0] * 99 + [1]))
    in_training = FMClassifier(early_stopping=True, validation_fraction=None, **SHORT).fit(X, y)
    assert "validation_loss" in in_training.history_[0]


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_history_is_in_the_unit_of_the_loss(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, 10 * y)
    model = Estimator(
        learning_rate=1e-9, weight_averaging=0, max_iter=1, early_stopping=True,
        validation_fraction=None,
    ).fit(X, y)  # fmt: skip
    record = model.history_[0]
    base = np.var(y) if Estimator in REGRESSORS else np.log(2)
    assert record["train_loss"] == pytest.approx(base, rel=1e-3)
    assert record["validation_loss"] == pytest.approx(base, rel=1e-3)
    assert record["rows_per_second"] > 0
    assert record["seconds"] > 0


def test_weight_averaging_keeps_the_average_of_the_epochs(one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "precision": "float64"}
    epochs = [
        FMRegressor(weight_averaging=0, max_iter=n, **options).fit(X, y).linear_weights_
        for n in (1, 2, 3)
    ]
    averaged = FMRegressor(weight_averaging=0.5, max_iter=3, **options).fit(X, y).linear_weights_
    expected = (0.25 * epochs[0] + 0.5 * epochs[1] + epochs[2]) / 1.75
    np.testing.assert_allclose(averaged, expected, rtol=1e-9)


def test_dropout_acts_in_training_only(one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "max_iter": 5}
    plain = AFMRegressor(**options).fit(X, y)
    for name in ("dropout", "attention_dropout"):
        dropped = AFMRegressor(**{name: 0.5}, **options).fit(X, y)
        assert not np.array_equal(dropped.linear_weights_, plain.linear_weights_)
        np.testing.assert_array_equal(dropped.predict(X), dropped.predict(X))


@pytest.mark.parametrize("Estimator", AFMS)
def test_attention_rate_is_a_multiple_of_the_learning_rate(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    options = {"optimizer": "sgd", "max_iter": 1, "batch_size": X.shape[0], "weight_averaging": 0}
    once, half = (
        Estimator(attention_rate=rate, random_state=0, **options).fit(X, y) for rate in (1.0, 0.5)
    )
    assert np.abs(once.attention_context_).max() > 0
    np.testing.assert_allclose(half.attention_context_, once.attention_context_ / 2, rtol=1e-6)
    for name in ("bias_", "linear_weights_", "embeddings_", "projection_"):
        np.testing.assert_array_equal(getattr(half, name), getattr(once, name))


@pytest.mark.parametrize(("weight", "rate"), [(1, 0.1), (5, None), (1e4, 1)])
def test_attention_rate_auto_goes_by_the_rows_of_a_column(weight, rate, one_hot_data):
    X, y = one_hot_data
    X = sparse.hstack([X, sparse.csr_array((X.shape[0], 7))]).tocsr()  # columns without entries
    expected = rate or weight * X.nnz / len(np.unique(X.indices)) / 1000
    assert 0.1 <= expected <= 1
    options = {"random_state": 0, "max_iter": 3}
    weights = np.full(len(y), weight)
    auto, explicit = (
        AFMRegressor(attention_rate=value, **options).fit(X, y, sample_weight=weights)
        for value in ("auto", expected)
    )
    np.testing.assert_array_equal(auto.attention_weight_, explicit.attention_weight_)


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


def test_bfloat16_is_close_to_float32(one_hot_data):
    X, y = one_hot_data
    exact = AFMRegressor(random_state=0).fit(X, y)
    rough = AFMRegressor(random_state=0, precision="bfloat16").fit(X, y)
    assert rough.embeddings_.dtype == np.float32
    assert rough.score(X, y) == pytest.approx(exact.score(X, y), abs=0.02)


def test_auto_precision_is_what_the_values_need(one_hot_data, rng):
    X, y = one_hot_data
    assert FMRegressor(**SHORT).fit(X, y).embeddings_.dtype == np.float32
    assert (
        FMRegressor(**SHORT).fit(rng.normal(size=(9, 2)), y[:9]).linear_weights_.dtype == np.float64
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


@pytest.mark.parametrize(
    "labels", [["b", "a"], [True, False], [-3, -1], ["x", "y", "z"], [5, 7, 9]]
)
@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_any_labels(Estimator, labels, rng):
    codes = rng.integers(0, len(labels), 90)
    y = np.array(labels)[codes]
    model = Estimator(random_state=0).fit(np.eye(len(labels))[codes], y)
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert (model.predict(np.eye(len(labels))[codes]) == y).mean() == 1
    proba = model.predict_proba(np.eye(len(labels)))
    assert proba.shape == (len(labels), len(labels))
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(np.eye(len(labels)))), proba)


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_several_targets(Estimator, one_hot_data):
    X, y = one_hot_data
    Y = np.stack([y, 100 - 30 * y, np.full(300, 4.0)], axis=1)
    model = Estimator(random_state=0).fit(X, Y)
    assert model.predict(X).shape == (300, 3)
    assert r2_score(Y[:, :2], model.predict(X)[:, :2]) > 0.95
    np.testing.assert_allclose(model.predict(X)[:, 2], 4, atol=0.2)


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
def test_huge_logits_give_finite_log_probabilities(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, y > 0)
    model.bias_ = np.asarray(1e4, dtype=np.float32)
    assert np.isfinite(model.predict_log_proba(X)).all()
    np.testing.assert_array_equal(model.predict_proba(X).sum(1), 1)


def bad_inputs():
    X, y = np.eye(4), np.array([0.0, 1.0, 0.0, 1.0])
    infinite = X.copy()
    infinite[0, 0] = np.inf
    nan = np.where(X == 1, np.nan, X)
    return {
        "NaN in X": ({"X": nan, "y": y}, "NaN"),
        "infinity in X": ({"X": infinite, "y": y}, "infinity"),
        "NaN in y": ({"X": X, "y": [0, 1, np.nan, 1]}, "NaN"),
        "lengths": ({"X": X, "y": y[:3]}, "inconsistent"),
        "zero weights": ({"X": X, "y": y, "sample_weight": np.zeros(4)}, "(?i)sample.weight.*zero"),
        "negative weights": ({"X": X, "y": y, "sample_weight": [1, 1, -1, 1]}, "(?i)negative"),
        "X_val alone": ({"X": X, "y": y, "X_val": X}, "y_val was not provided"),
        "y_val alone": ({"X": X, "y": y, "y_val": y}, "X_val was not provided"),
        "weights alone": ({"X": X, "y": y, "sample_weight_val": y}, "X_val and y_val are not"),
        "X_val width": ({"X": X, "y": y, "X_val": X[:, :2], "y_val": y}, "2 features.*expecting 4"),
    }


@pytest.mark.parametrize("case", bad_inputs())
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_input_that_cannot_be_learnt_from(Estimator, case):
    arguments, message = bad_inputs()[case]
    model = Estimator()
    with pytest.raises(ValueError, match=message):
        model.fit(**arguments)
    with pytest.raises(NotFittedError):
        model.predict(np.eye(4))


def test_one_class_only():
    with pytest.raises(ValueError, match="1 class"):
        FMClassifier().fit(np.eye(3), [2, 2, 2])
    with pytest.raises(ValueError, match="1 class"):
        FMClassifier().fit(np.eye(3), [1, 2, 2], sample_weight=[0, 1, 1])


def test_validation_rows_without_early_stopping():
    with pytest.raises(ValueError, match="early_stopping is False"):
        FMRegressor(early_stopping=False).fit(
            np.eye(3), [1, 2, 3], X_val=np.eye(3), y_val=[1, 2, 3]
        )


@pytest.mark.parametrize(
    "options",
    [{"embedding_dim": 0}, {"dropout": 1.0}, {"optimizer": "lbfgs"}, {"learning_rate": 0},
     {"attention_rate": 0}, {"precision": "float16"}, {"l2_attention": -1}, {"init": "pca"},
     {"scoring": "best"}],
)  # fmt: skip
def test_bad_parameters(options):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        AFMRegressor(**options).fit(np.eye(3), [1, 2, 3])


def test_unknown_device():
    with pytest.raises(ValueError, match=r"device='nowhere' cannot be used"):
        FMRegressor(device="nowhere").fit(np.eye(3), [1, 2, 3])


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_divergence_names_epoch_rate_and_size(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(optimizer="sgd", learning_rate=1e6)
    with pytest.raises(ValueError, match=r"epoch \d.*learning_rate=1e\+06.*largest \|x\|.* 1\)"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_callbacks_see_each_epoch_and_may_end_training(one_hot_data):
    X, y = one_hot_data
    seen = []

    def stop_after_two(record):
        seen.append(record["epoch"])
        return len(seen) == 2

    model = AFMClassifier(callbacks=[stop_after_two]).fit(X, y > 0)
    assert seen == [1, 2]
    assert model.n_iter_ == 2


def test_interrupt_leaves_a_fitted_estimator(one_hot_data):
    X, y = one_hot_data

    def interrupt(record):
        if record["epoch"] == 4:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after 4 epochs"):
        model = FMRegressor(callbacks=[interrupt], random_state=0).fit(X, y)
    expected = FMRegressor(max_iter=4, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert model.n_iter_ == 4
