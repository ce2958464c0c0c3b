"""init and freeze: start an AFM from an FM, as the paper's FM+A does (Section 5.3)."""

import numpy as np
import pytest
from conftest import AFMS, target_for
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

pytestmark = pytest.mark.usefixtures("fixed_strengths")

FM_OF = {AFMRegressor: FMRegressor, AFMClassifier: FMClassifier}
UNTRAINED = {"learning_rate": 1e-12, "max_iter": 1, "random_state": 0}


def scores(model, X):
    return model.decision_function(X) if hasattr(model, "classes_") else model.predict(X)


@pytest.mark.parametrize("Estimator", AFMS)
@pytest.mark.parametrize("size", [1, 1000])
def test_uniform_attention_and_p_of_the_number_of_pairs_is_the_fm(Estimator, size, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, size * y)
    fm = FM_OF[Estimator](random_state=0).fit(X, y)
    afm = Estimator(init=fm, **UNTRAINED).fit(X, y)
    lacking = X.copy()  # rows of all lengths, as with unseen levels
    lacking.data[np.random.default_rng(0).random(X.nnz) < 0.3] = 0
    for rows in (X, lacking):
        np.testing.assert_allclose(scores(afm, rows), scores(fm, rows), rtol=1e-4, atol=1e-4 * size)
    assert not afm.attention_context_.any() or np.abs(afm.attention_context_).max() < 1e-9


@pytest.mark.parametrize("Estimator", AFMS)
def test_several_outputs_start_from_their_fm(Estimator, one_hot_data, rng):
    X, y = one_hot_data
    y = np.digitize(y, [-1, 1]) if Estimator is AFMClassifier else np.stack([y, 5 - y], axis=1)
    fm = FM_OF[Estimator](random_state=0).fit(X, y)
    afm = Estimator(init=fm, **UNTRAINED).fit(X, y)
    np.testing.assert_allclose(scores(afm, X), scores(fm, X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("Estimator", AFMS)
def test_init_fm_fits_the_fm_first(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    pretrained = Estimator(init="fm", freeze=("bias", "linear_weights", "embeddings", "projection"))
    pretrained.set_params(random_state=0).fit(X, y)
    fm = FM_OF[Estimator](random_state=0).fit(X, y)
    assert pretrained.score(X, y) > fm.score(X, y) - 0.05
    start = Estimator(init="fm", random_state=0, max_iter=1).fit(X, y)
    cold = Estimator(random_state=0, max_iter=1).fit(X, y)
    assert start.history_[0]["train_loss"] < cold.history_[0]["train_loss"]


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("bias", ["bias_"]),
        ("linear_weights", ["linear_weights_"]),
        ("embeddings", ["embeddings_"]),
        ("projection", ["projection_"]),
        ("attention", ["attention_weight_", "attention_bias_", "attention_context_"]),
    ],
)
def test_freeze_leaves_a_part_as_it_starts(part, names, one_hot_data):
    X, y = one_hot_data
    fm = FMRegressor(random_state=0).fit(X, y)
    start = AFMRegressor(init=fm, **UNTRAINED).fit(X, y)
    model = AFMRegressor(init=fm, freeze=(part,), random_state=0, averaging_decay=0).fit(X, y)
    every = ["bias_", "linear_weights_", "embeddings_", "projection_", "attention_weight_"]
    for name in {*every, *names}:
        same = np.allclose(getattr(model, name), getattr(start, name), rtol=1e-5, atol=1e-7)
        assert same == (name in names), name


def test_fm_plus_attention_improves_the_frozen_fm():
    """FM+A: train an FM (uniform attention), then only the attention network."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, size=(2000, 5))
    X = np.eye(4)[levels].reshape(2000, 20)
    y = 3 * (levels[:, 0] == levels[:, 1]) + rng.normal(size=2000)
    fm = FMRegressor(random_state=0, embedding_dim=8, l2_embedding=1, max_iter=15)
    fm.fit(X[:300], y[:300])
    parts = ("bias", "linear_weights", "embeddings", "projection")
    afm = AFMRegressor(
        init=fm, freeze=parts, embedding_dim=8, random_state=0, max_iter=50, batch_size=64
    ).fit(X[:300], y[:300])
    assert afm.history_[-1]["train_loss"] < afm.history_[0]["train_loss"]
    assert afm.score(X[:300], y[:300]) > fm.score(X[:300], y[:300])
    np.testing.assert_allclose(afm.linear_weights_, fm.linear_weights_, rtol=1e-5)


def test_a_fitted_fm_inside_a_grid_search(one_hot_data):
    X, y = one_hot_data
    fm = FMRegressor(random_state=0, max_iter=5).fit(X, y)
    grid = {"l2_attention": [0.0, 1e-3]}
    with pytest.raises(ValueError, match=r"not a fitted FM estimator.*FrozenEstimator"):
        GridSearchCV(AFMRegressor(init=fm), grid, error_score="raise").fit(X, y)
    search = GridSearchCV(AFMRegressor(init=FrozenEstimator(fm), max_iter=3), grid, cv=2)
    assert search.fit(X, y).best_score_ > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding_dim": 3}, r"embeddings of shape \(20, 16\).*\(20, 3\)"),
        ({"freeze": ("attention", "coef")}, r"do not exist: \['coef'\]"),
    ],
)
def test_what_does_not_fit_is_refused(change, message, one_hot_data):
    X, y = one_hot_data
    fm = FMRegressor(max_iter=1).fit(X, y)
    with pytest.raises(ValueError, match=message):
        AFMRegressor(init=fm, **change).fit(X, y)


def test_outputs_and_classes_of_init_must_be_those_of_y(one_hot_data):
    X, y = one_hot_data
    with pytest.raises(ValueError, match="1 outputs, this fit 2"):
        AFMRegressor(init=FMRegressor(max_iter=1).fit(X, y)).fit(X, np.stack([y, y], axis=1))
    fm = FMClassifier(max_iter=1).fit(X, y > 0)
    with pytest.raises(ValueError, match="fitted with classes"):
        AFMClassifier(init=fm).fit(X, np.where(y > 0, "a", "b"))
