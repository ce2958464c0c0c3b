"""Messages of a fit if all interactions became zero, or if the attention stayed uniform."""

import re
import warnings

import numpy as np
import pytest
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, REGRESSORS, target_for
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklearn_afm import AFMRegressor, FMClassifier
from sklearn_afm.exceptions import VanishedInteractionsWarning
from sklearn_afm.inspection._terms import iter_terms

pytestmark = pytest.mark.usefixtures("fixed_strengths")


def equal_levels(rng, n_levels, n_rows):
    """Make four categorical columns. The target is whether the first two are equal."""
    levels = rng.integers(0, n_levels, size=(n_rows, 4))
    X = np.eye(n_levels)[levels].reshape(n_rows, -1)
    return sparse.csr_array(X), levels[:, 0] == levels[:, 1]


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize(("n_levels", "n_rows"), [(5, 400), (10, 800)])
def test_a_prior_that_leaves_no_interaction_is_told(Estimator, n_levels, n_rows, rng):
    X, y = equal_levels(rng, n_levels, n_rows)
    message = rf"l2_embedding=10 and {n_rows} rows .* linear.* lower l2_embedding \(say to 1\)"
    with pytest.warns(VanishedInteractionsWarning, match=message) as caught:
        model = Estimator(random_state=0).fit(X, y)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        lower = Estimator(random_state=0, l2_embedding=1).fit(X, y)
    assert lower.score(X, y) > model.score(X, y) + 0.05


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_interactions_that_are_there_are_not_told(Estimator, one_hot_data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Estimator(random_state=0).fit(*one_hot_data)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_where_there_are_no_pairs_none_has_vanished(Estimator, rng):
    X = sparse.csr_array(np.eye(4)[rng.integers(0, 4, 200)])
    y = target_for(Estimator, rng.normal(size=200))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Estimator(random_state=0, l2_embedding=1e4).fit(X, y)


def test_a_part_that_is_frozen_has_not_vanished(one_hot_data):
    X, y = one_hot_data
    fm = FMClassifier(max_iter=1, random_state=0).fit(X, y > 0)
    fm.embeddings_ = 1e-6 * fm.embeddings_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FMClassifier(init=fm, freeze=("embeddings",), max_iter=1).fit(X, y > 0)


@pytest.mark.parametrize("Estimator", AFMS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_attention_spread_is_the_deviation_over_pairs(Estimator, n_outputs, rng):
    X = sparse.csr_array(np.where(rng.random((200, 8)) < 0.6, rng.normal(size=(200, 8)), 0))
    y = rng.normal(size=(200, n_outputs) if n_outputs > 1 else 200)
    if Estimator in CLASSIFIERS:
        y = rng.integers(0, n_outputs + 1, 200)
    model = Estimator(max_iter=30, l2_embedding=0.1, random_state=0).fit(X, y)
    relative = []
    for _, terms in iter_terms(model, X):
        n_pairs = np.bincount(terms.pair_row, minlength=terms.n_rows)
        relative.append(terms.attention * n_pairs[terms.pair_row])
    np.testing.assert_allclose(model.attention_spread_, np.concatenate(relative).std(), rtol=1e-3)
    assert model.attention_spread_ > 0.01


def test_even_attention_has_no_spread(one_hot_data, capsys):
    model = AFMRegressor(max_iter=2, freeze=("attention",), random_state=0, verbose=1)
    assert model.fit(*one_hot_data).attention_spread_ == 0
    assert "attention varies by 0% of its mean from pair to pair: it stayed even" in (
        capsys.readouterr().out
    )


def test_uneven_attention_is_shown(one_hot_data, capsys):
    AFMRegressor(random_state=0, verbose=1).fit(*one_hot_data)
    shown = re.search(r"attention varies by (\S+)% of its mean", capsys.readouterr().out)
    assert float(shown[1]) > 1


@pytest.mark.parametrize("seed", range(6))
def test_the_attention_does_not_die(seed):
    """The target has strong linear effects. At first, they change all biases of the attention."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 6, size=(1500, 4))
    X = sparse.csr_array(np.eye(6)[levels].reshape(1500, 24))
    effects = np.exp(rng.normal(size=(4, 6)))
    y = np.prod(effects[np.arange(4), levels], axis=1)
    model = AFMRegressor(random_state=seed, max_iter=30).fit(X, y)
    assert model.attention_spread_ > 0.1
