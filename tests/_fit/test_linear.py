"""The linear part of a fit: learnt strengths and crosses, as a user of the estimators sees them."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_afm import AFMClassifier, AFMRegressor, FieldEncoder, FMClassifier, FMRegressor

FEW = {"embedding_dim": 4, "max_iter": 3, "random_state": 0}


def levels(n_rows=1200, sizes=(5, 6, 4), seed=0):
    return np.random.default_rng(seed).integers(0, sizes, (n_rows, len(sizes)))


@pytest.fixture(scope="module")
def crossed():
    """Rows, targets that depend on whether the first two columns have equal levels, and a model."""
    codes = levels()
    y = 2.0 * (codes[:, 0] == codes[:, 1]) + np.random.default_rng(1).normal(0, 0.3, len(codes))
    X = sparse.csr_array(OneHotEncoder().fit_transform(codes))
    return X, y, AFMRegressor(**FEW).fit(X, y)


@pytest.mark.parametrize("cls", [FMClassifier, AFMClassifier])
def test_an_interaction_of_equal_levels_is_found(cls):
    codes = levels(2000, (10, 10, 10, 10))
    y = codes[:, 0] == codes[:, 1]
    X = OneHotEncoder().fit_transform(codes)
    model = cls(**FEW).fit(X[:800], y[:800])
    assert [0, 1] in model.crossed_fields_.tolist()
    assert roc_auc_score(y[800:], model.decision_function(X[800:])) > 0.98


def test_without_interactions_it_is_as_good_as_a_linear_model():
    behind = []
    for seed in range(4):
        codes = levels(6000, (60, 30, 10, 4), seed)
        rng = np.random.default_rng(seed + 1)
        logits = sum(rng.normal(0, 0.7, 60)[column] for column in codes.T)
        y = rng.random(6000) < 1 / (1 + np.exp(-logits))
        X = OneHotEncoder().fit_transform(codes)
        ours, linear = (
            log_loss(y[2000:], model.fit(X[:2000], y[:2000]).predict_proba(X[2000:]))
            for model in (AFMClassifier(random_state=0), LogisticRegression())
        )
        behind.append(ours - linear)
    assert np.mean(behind) < 0.001
    assert max(behind) < 0.005


def test_predictions_are_the_sum_of_their_parts(crossed):
    X, _, model = crossed
    assert len(model.cross_columns_)
    plain = clone(model).set_params(l2_linear=0.5).fit(X, crossed[1])
    for name in ("bias_", "linear_weights_", "embeddings_", "projection_", "median_pairs_"):
        setattr(plain, name, getattr(model, name))
    for name in ("attention_weight_", "attention_bias_", "attention_context_"):
        setattr(plain, name, getattr(model, name))
    table = X.toarray()
    crosses = np.zeros(len(table))
    for (first, second), weight in zip(model.cross_columns_, model.cross_weights_):
        crosses += weight * table[:, first] * table[:, second]
    np.testing.assert_allclose(model.predict(X), plain.predict(X) + crosses, atol=1e-5)


def test_strengths_are_by_field():
    codes = levels(1200, (30, 30, 4))
    rng = np.random.default_rng(1)
    y = rng.normal(size=30)[codes[:, 0]] + rng.normal(size=1200)
    X = OneHotEncoder().fit_transform(codes)
    model = FMRegressor(**FEW).fit(X, y)
    np.testing.assert_array_equal(model.fields_, np.repeat([0, 1, 2], [30, 30, 4]))
    for number in range(3):
        assert len(np.unique(model.l2_linear_[model.fields_ == number])) == 1
    assert model.l2_linear_[30] > 5 * model.l2_linear_[0]
    one = FMRegressor(fields=None, **FEW).fit(X, y)
    assert len(np.unique(one.l2_linear_)) == 1


def test_labels_of_fields(crossed):
    X, y, _ = crossed
    labels = ["a"] * 5 + ["b"] * 6 + ["a"] * 4
    model = FMRegressor(fields=labels, crosses=[("b", "a")], **FEW).fit(X, y)
    assert model.fields_.tolist() == labels
    assert model.crossed_fields_.tolist() == [["a", "b"]]
    assert len(np.unique(model.l2_linear_[model.fields_ == "a"])) == 1
    pairs = {tuple(sorted(pair)) for pair in model.fields_[model.cross_columns_].tolist()}
    assert pairs == {("a", "b")}


def test_given_pairs_are_crossed():
    codes = levels(400)
    y = np.random.default_rng(2).normal(size=400)
    X = OneHotEncoder().fit_transform(codes)
    model = FMRegressor(crosses=[(2, 0)], **FEW).fit(X, y)
    assert model.crossed_fields_.tolist() == [[0, 2]]
    assert model.l2_crosses_.shape == (1,)
    assert not len(FMRegressor(crosses=None, **FEW).fit(X, y).cross_columns_)
    assert not len(FMRegressor(l2_linear=1.0, **FEW).fit(X, y).cross_columns_)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"fields": [0, 1]}, "15 columns"),
        ({"crosses": [(0, 7)]}, "two different fields"),
        ({"crosses": [(1, 1)]}, "two different fields"),
    ],
)
def test_wrong_fields_are_refused(crossed, parameters, words):
    with pytest.raises(ValueError, match=words):
        AFMRegressor(**FEW, **parameters).fit(*crossed[:2])


def test_fields_survive_searches_column_transformers_slices_and_pickles(crossed):
    codes, y = levels(), crossed[1]
    search = GridSearchCV(
        make_pipeline(FieldEncoder(categorical_features=[0, 1, 2]), FMRegressor(**FEW)),
        {"fieldencoder__min_frequency": [1, 230]},
        cv=2,
    ).fit(codes, y)
    assert search.best_params_ == {"fieldencoder__min_frequency": 1}
    assert [0, 1] in search.best_estimator_[-1].crossed_fields_.tolist()
    parts = ColumnTransformer([("one", OneHotEncoder(), [2]), ("other", OneHotEncoder(), [0, 1])])
    X = sparse.csr_array(parts.fit_transform(codes))
    sliced = FMRegressor(**FEW).fit(X[100:], y[100:])
    assert [1, 2] in sliced.crossed_fields_.tolist()
    copy = pickle.loads(pickle.dumps(sliced))
    np.testing.assert_array_equal(copy.predict(X), sliced.predict(X))


def test_training_goes_on_beside_the_linear_part(crossed):
    X, y, _ = crossed
    options = FEW | {"warm_start": True, "early_stopping": False, "averaging_decay": 0}
    twice = AFMRegressor(**options).fit(X, y).fit(X, y)
    once = AFMRegressor(**options | {"max_iter": 6}).fit(X, y)
    np.testing.assert_allclose(twice.predict(X), once.predict(X), atol=1e-4)


def test_partial_fit_keeps_crosses(crossed):
    X, y, model = crossed
    model = pickle.loads(pickle.dumps(model))
    before, weights = model.predict(X), model.cross_weights_
    model.partial_fit(X, y)
    np.testing.assert_array_equal(model.cross_weights_, weights)
    assert np.mean((model.predict(X) - y) ** 2) < 1.2 * np.mean((before - y) ** 2)
    assert not len(AFMRegressor(**FEW).partial_fit(X, y).cross_columns_)


def test_an_afm_starts_from_an_fm_with_crosses(crossed):
    X, y, _ = crossed
    fm = FMRegressor(**FEW).fit(X, y)
    for l2_linear in ("auto", 0.5):
        options = FEW | {"max_iter": 1, "learning_rate": 1e-6, "early_stopping": False}
        afm = AFMRegressor(init=fm, l2_linear=l2_linear, **options).fit(X, y)
        np.testing.assert_allclose(afm.predict(X), fm.predict(X), atol=0.02)


def test_a_weight_of_two_is_a_row_given_twice():
    codes = levels(300)
    y = 1.0 * (codes[:, 0] == codes[:, 1]) + np.random.default_rng(3).normal(size=300)
    X = sparse.csr_array(OneHotEncoder().fit_transform(codes))
    weight = np.random.default_rng(4).integers(1, 3, 300)
    twice = np.repeat(np.arange(300), weight)
    options = FEW | {"early_stopping": False, "max_iter": 1, "learning_rate": 1e-9}
    one = FMRegressor(**options).fit(X, y, sample_weight=weight)
    other = FMRegressor(**options).fit(X[twice], y[twice])
    np.testing.assert_allclose(one.l2_linear_, other.l2_linear_, rtol=1e-6)
    np.testing.assert_allclose(one.predict(X), other.predict(X), atol=1e-4)


def test_the_unit_of_interactions_goes_by_weights():
    X = np.zeros((6, 6))
    X[0], X[4] = [66, 0, 0, 0, 1, 3], [0, 0, 0, 0, -1, 1]
    y, weight = np.sin(np.arange(6)) + X[:, 0] / 10, np.array([1, 2, 2, 0, 2, 0])
    options = FEW | {"precision": "float64"}
    one = AFMRegressor(**options).fit(X, y, sample_weight=weight)
    other = AFMRegressor(**options).fit(X.repeat(weight, 0), y.repeat(weight))
    np.testing.assert_allclose(one.l2_embedding_, other.l2_embedding_, rtol=1e-9)
    np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-9)


def test_validation_losses_too_large_to_square_leave_the_fit_at_its_start():
    X = np.array([[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]])
    X_val = np.zeros((5, 4))
    X_val[4, 3] = -1.7e308
    options = {"embedding_dim": 2, "max_iter": 2, "random_state": 0, "averaging_decay": 0}
    model = FMClassifier(precision="float64", **options)
    model.fit(X, [0, 1, 0, 1], X_val=X_val, y_val=[0, 1, 0, 1, 0])
    assert np.isfinite(model.decision_function(X)).all()


def test_the_order_of_rows_does_not_count(crossed):
    X, y, _ = crossed
    order = np.random.default_rng(0).permutation(len(y))
    one, other = (
        FMRegressor(**FEW | {"early_stopping": False}).fit(X[rows], y[rows])
        for rows in (np.arange(len(y)), order)
    )
    np.testing.assert_allclose(one.l2_linear_, other.l2_linear_, rtol=1e-6)


def test_several_outputs():
    codes = levels(900)
    rng = np.random.default_rng(5)
    X = OneHotEncoder().fit_transform(codes)
    same = codes[:, 0] == codes[:, 1]
    Y = np.stack([2.0 * same, codes[:, 2]], axis=1) + rng.normal(0, 0.1, (900, 2))
    model = AFMRegressor(**FEW).fit(X[:700], Y[:700])
    assert model.cross_weights_.shape == (2, len(model.cross_columns_))
    assert model.score(X[700:], Y[700:]) > 0.9
    labels = np.array(["none", "one", "two"])[same * 1 + same * (codes[:, 2] > 1)]
    classifier = AFMClassifier(**FEW).fit(X[:700], labels[:700])
    assert classifier.score(X[700:], labels[700:]) > 0.95
    assert classifier.cross_weights_.shape[0] == 3


def test_real_values_share_a_strength():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(500, 5))
    y = X @ [1.0, -2.0, 0.5, 0.0, 3.0] + rng.normal(0, 0.5, 500)
    model = FMRegressor(**FEW).fit(X[:300], y[:300])
    assert len(np.unique(model.l2_linear_)) == 1
    ridge = Ridge().fit(X[:300], y[:300])
    error, of_ridge = (np.mean((m.predict(X[300:]) - y[300:]) ** 2) for m in (model, ridge))
    assert error < 1.05 * of_ridge


def test_bags_of_words_have_one_strength_for_all():
    X = sparse.random_array((300, 1500), density=0.05, rng=7, format="csr")
    y = X.sum(axis=1)
    model = FMRegressor(**FEW).fit(X, y)
    assert not hasattr(model, "l2_linear_")
    same = FMRegressor(l2_linear=0.5, **FEW).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), same.predict(X))


def test_the_linear_part_alone_is_kept_if_no_epoch_is_better():
    rng = np.random.default_rng(8)
    codes = levels(2000, (40, 40))
    y = rng.normal(size=40)[codes[:, 0]] + rng.normal(size=2000)
    X = OneHotEncoder().fit_transform(codes)
    options = FEW | {"learning_rate": 3.0, "l2_embedding": 0.0, "early_stopping": True}
    model = FMRegressor(**options).fit(X, y)
    assert model.best_iter_ == 0
    assert model.n_iter_ == 3


def test_a_frozen_linear_part_is_not_learnt(crossed):
    X, y, _ = crossed
    model = FMRegressor(freeze=("linear_weights",), **FEW).fit(X, y)
    assert not model.linear_weights_.any()
    assert not hasattr(model, "l2_linear_")


def low_rank(n_rows=6000, n_levels=60, seed=9):
    """One-hot rows of two fields and one without effect, and targets of rank 2 with noise."""
    rng = np.random.default_rng(seed)
    codes = levels(n_rows, (n_levels, n_levels, 5), seed)
    u, v = rng.normal(size=(2, n_levels, 2))
    truth = (u[codes[:, 0]] * v[codes[:, 1]]).sum(axis=1)
    return sparse.csr_array(OneHotEncoder().fit_transform(codes)), truth, rng


@pytest.mark.parametrize("cls", [FMRegressor, AFMRegressor])
def test_embeddings_are_as_strong_as_their_fields_vary(cls):
    X, truth, rng = low_rank()
    y = truth + rng.normal(size=len(truth))
    model = cls(crosses=None, random_state=0).fit(X[:3000], y[:3000])
    strength = [model.l2_embedding_[model.fields_ == field][0] for field in range(3)]
    assert strength[2] > 10 * max(strength[:2])
    error = np.mean((model.predict(X[3000:]) - truth[3000:]) ** 2)
    given = cls(crosses=None, l2_embedding=10, random_state=0).fit(X[:3000], y[:3000])
    assert error < 0.8 * np.mean((given.predict(X[3000:]) - truth[3000:]) ** 2)
    assert error < 0.1 * truth.var()
    assert not hasattr(given, "l2_embedding_")


@pytest.mark.parametrize("cls", [FMClassifier, AFMClassifier])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_embeddings_of_classes(cls, n_classes):
    X, truth, rng = low_rank()
    bounds = np.quantile(truth, np.arange(1, n_classes) / n_classes)
    y = np.digitize(truth + 0.3 * rng.normal(size=len(truth)), bounds)
    model = cls(crosses=None, random_state=0).fit(X[:4000], y[:4000])
    linear = LogisticRegression(max_iter=500).fit(X[:4000], y[:4000])
    loss, of_linear = (log_loss(y[4000:], m.predict_proba(X[4000:])) for m in (model, linear))
    assert loss < 0.7 * of_linear


def test_noise_leaves_the_linear_part_alone():
    codes = levels(4000, (30, 30, 5))
    rng = np.random.default_rng(10)
    y = rng.normal(size=30)[codes[:, 0]] + rng.normal(size=4000)
    X = sparse.csr_array(OneHotEncoder().fit_transform(codes))
    model = FMRegressor(random_state=0).fit(X, y)
    linear = model.bias_ + X @ model.linear_weights_
    np.testing.assert_allclose(model.predict(X), linear, atol=0.02)


def test_rows_set_aside_for_early_stopping_are_learnt_in_the_end():
    X, truth, rng = low_rank(2000)
    y = truth + 0.1 * rng.normal(size=2000)
    fit = {
        early: FMRegressor(
            crosses=None, random_state=0, max_iter=1, learning_rate=1e-9,
            early_stopping=early, validation_fraction=0.5,
        ).fit(X, y)
        for early in (True, False)
    }  # fmt: skip
    errors = {early: np.mean((model.predict(X) - truth) ** 2) for early, model in fit.items()}
    assert errors[True] < 1.5 * errors[False]


def test_checkpoints_and_warm_starts_keep_learnt_embeddings(tmp_path):
    X, truth, rng = low_rank(2500)
    y = truth + rng.normal(size=2500)
    options = {"random_state": 0, "max_iter": 4, "crosses": None}
    whole = AFMRegressor(**options).fit(X, y)

    def stop(record):
        if record["epoch"] == 2:
            raise RuntimeError

    path = tmp_path / "fit.npz"
    with pytest.raises(RuntimeError):
        AFMRegressor(checkpoint=path, callbacks=[stop], **options).fit(X, y)
    resumed = AFMRegressor(checkpoint=path, **options).fit(X, y)
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
    warm = AFMRegressor(warm_start=True, **options).fit(X, y).fit(X, y)
    assert np.mean((warm.predict(X) - truth) ** 2) < 1.1 * np.mean((whole.predict(X) - truth) ** 2)


def test_a_field_that_only_rows_for_early_stopping_have_or_none_at_all():
    X, truth, rng = low_rank(2000)
    X = sparse.hstack([X, np.zeros((2000, 2))], format="lil")
    X[7, -2] = 1
    fields = np.repeat([0, 1, 2, 3, 4], [60, 60, 5, 1, 1])
    for seed in range(3):
        model = FMRegressor(fields=fields, random_state=seed, max_iter=2)
        model.fit(X.tocsr(), truth + rng.normal(size=2000))
        assert model.l2_embedding_.shape == (127,)
        assert not model.embeddings_[-1].any()


def test_few_rows_keep_the_strengths_of_an_untuned_linear_model():
    """And so its predictions, if there are no interactions."""
    X, y = load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    model = FMClassifier(crosses=None, l2_embedding=1e9, max_iter=1, random_state=0).fit(X, y)
    assert (model.l2_linear_ == 0.5).all()
    expected = LogisticRegression(max_iter=1000).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=0.02)


def test_a_stream_goes_on_with_learnt_strengths(crossed):
    X, y, _ = crossed
    model = FMRegressor(crosses=None, warm_start=True, random_state=0).fit(X, y)
    shrunk = copy.deepcopy(model)
    shrunk.l2_linear_ = np.full_like(shrunk.l2_linear_, 1e4)
    for each in (model, shrunk):
        each.partial_fit(X, y)
    assert np.linalg.norm(shrunk.linear_weights_) < 0.5 * np.linalg.norm(model.linear_weights_)
