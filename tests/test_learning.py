"""What an AFM learns that an FM cannot: which pairs matter."""

import numpy as np
import pytest
from oracle import attention, params_of
from scipy import sparse

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

N_FIELDS, N_LEVELS, TRUE_PAIRS = 8, 6, {(1, 0), (3, 2)}


def noisy_interactions(seed, n_rows=5000):
    """Make rows of 8 fields. The only effects are interactions of two pairs of fields."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, N_LEVELS, size=(n_rows, N_FIELDS))
    X = sparse.csr_array(np.eye(N_LEVELS)[levels].reshape(n_rows, -1))
    factors = rng.normal(size=(N_FIELDS, N_LEVELS, 3))
    score = np.zeros(n_rows)
    for i, j in TRUE_PAIRS:
        score += (factors[i, levels[:, i]] * factors[j, levels[:, j]]).sum(1)
    return X, score / score.std(), rng


def attention_by_fields(model, X):
    """Compute the mean attention of each pair of fields, largest first."""
    total = {}
    params = params_of(model)
    for row in X.toarray():
        for (i, j), weight in attention(row, params).items():
            pair = (i // N_LEVELS, j // N_LEVELS)
            total[pair] = total.get(pair, 0) + weight / X.shape[0]
    return sorted(total.items(), key=lambda item: -item[1])


def test_attention_finds_the_true_pairs_and_beats_the_fm():
    ratios = []
    for seed in range(2):
        X, score, rng = noisy_interactions(seed)
        y = score + 0.5 * rng.normal(size=len(score))
        options = {"early_stopping": False, "crosses": None, "l2_embedding": 20, "random_state": 0}
        fm = FMRegressor(**options).fit(X[:2500], y[:2500])
        afm = AFMRegressor(max_iter=300, **options).fit(X[:2500], y[:2500])
        errors = [np.sqrt(np.mean((m.predict(X[2500:]) - score[2500:]) ** 2)) for m in (fm, afm)]
        ratios.append(errors[1] / errors[0])
        assert {pair for pair, _ in attention_by_fields(afm, X[:100])[:2]} == TRUE_PAIRS
    assert np.mean(ratios) < 0.95


def test_learnt_strengths_find_the_true_pairs_better_than_attention():
    X, score, rng = noisy_interactions(0)
    y = score + 0.5 * rng.normal(size=len(score))
    options = {"early_stopping": False, "crosses": None, "l2_embedding": 20, "random_state": 0}
    afm = AFMRegressor(max_iter=150, **options).fit(X[:2500], y[:2500])
    of_attention = np.sqrt(np.mean((afm.predict(X) - score)[2500:] ** 2))
    for Estimator in (FMRegressor, AFMRegressor):
        learnt = Estimator(crosses=None, random_state=0).fit(X[:2500], y[:2500])
        error = np.sqrt(np.mean((learnt.predict(X) - score)[2500:] ** 2))
        assert error < 0.8 * of_attention
        assert error < 0.15


@pytest.mark.parametrize("Estimator", [FMClassifier, AFMClassifier])
def test_an_interaction_that_no_linear_model_sees(Estimator):
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 2, size=(500, 2))
    X = np.eye(2)[levels].reshape(500, 4)
    y = levels[:, 0] ^ levels[:, 1]
    assert Estimator(random_state=0).fit(X, y).score(X, y) == 1


@pytest.mark.parametrize("Estimator", [FMRegressor, AFMRegressor])
def test_rare_levels_are_shrunk(Estimator):
    """The effect of a frequent level must be learnt. A level of one row must not overfit it."""
    rng = np.random.default_rng(0)
    levels = np.concatenate([np.repeat([0, 1], 200), np.arange(2, 102)])
    X = np.eye(102)[levels]
    y = np.where(levels == 0, 1.0, -1.0) * (levels < 2) + rng.normal(size=500)
    model = Estimator(random_state=0).fit(X, y)
    effects = model.predict(np.eye(102))
    assert effects[0] - effects[1] > 1.7
    residual = y[400:] - model.bias_
    assert np.abs(model.linear_weights_[2:]).mean() < 0.8 * np.abs(residual).mean()
