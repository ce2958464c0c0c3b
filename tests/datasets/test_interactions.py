"""make_interactions: only the named pairs have effects, and an AFM finds them."""

import numpy as np
import pytest

from sklearn_afm import AFMRegressor
from sklearn_afm.datasets import make_interactions
from sklearn_afm.inspection import pair_importance


def levels_of(made):
    """Return the level of each field in each row."""
    assert (made.data.data == 1).all()
    n_fields = len(made.fields)
    starts = [columns.start for columns in made.fields.values()]
    return made.data.indices.reshape(-1, n_fields) - starts


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_afm_finds_the_pairs(seed):
    made = make_interactions(1500, random_state=seed)
    options = {"max_iter": 40, "crosses": None, "l2_embedding": 20, "random_state": seed}
    model = AFMRegressor(**options).fit(made.data, made.target)
    for statistic in ("attention", "abs_contribution"):
        found = pair_importance(model, made.data, fields=made.fields, statistic=statistic)
        assert {frozenset(pair) for pair in found.pair_names[:2]} == set(map(frozenset, made.pairs))


def test_pairs_are_all_that_there_is():
    made = make_interactions(5000, n_fields=5, n_levels=3, n_pairs=3, noise=0.0, random_state=0)
    levels, y = levels_of(made), made.target
    names = list(made.fields)
    pairs = [(names.index(first), names.index(second)) for first, second in made.pairs]
    assert len(set(pairs)) == 3
    # Dummy variables of the pairs of levels explain everything. Those of single fields explain
    # nothing.
    own = np.hstack([np.eye(9)[3 * levels[:, i] + levels[:, j]] for i, j in pairs])
    residual = y - own @ np.linalg.lstsq(own, y, rcond=None)[0]
    np.testing.assert_allclose(residual, 0, atol=1e-5)
    np.testing.assert_allclose(y.var(), 3, rtol=0.1)
    single = made.data.toarray()
    explained = single @ np.linalg.lstsq(single, y, rcond=None)[0]
    assert explained.var() < 0.01 * y.var()


def test_noise_alone():
    made = make_interactions(20_000, n_pairs=0, noise=0.5, random_state=0)
    assert made.pairs == []
    np.testing.assert_allclose(made.target.std(), 0.5, rtol=0.02)


def test_shapes_and_seed():
    made = make_interactions(7, n_fields=3, n_levels=2, n_pairs=1, random_state=0)
    assert made.data.shape == (7, 6)
    assert made.data.dtype == np.float32
    assert made.fields == {"f0": slice(0, 2), "f1": slice(2, 4), "f2": slice(4, 6)}
    assert made.feature_names[3] == "f1=1"
    X, y = make_interactions(7, 3, 2, 1, random_state=0, return_X_y=True)
    assert (made.data != X).nnz == 0
    np.testing.assert_array_equal(y, made.target)


@pytest.mark.parametrize(
    "wrong",
    [{"n_samples": 0}, {"n_fields": 1}, {"n_levels": 1}, {"n_pairs": 16}, {"noise": -1.0}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_numbers_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_interactions(**wrong)
