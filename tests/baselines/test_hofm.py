"""HOFM against plain loops over pairs, triples and fours."""

from itertools import combinations

import numpy as np
import pytest
import torch
from loops import linear_part
from modelling import check_gradients, check_predictions, check_units, predicted, random_values

from sklearn_afm import FMRegressor
from sklearn_afm._fm import FM
from sklearn_afm.baselines import HOFMRegressor
from sklearn_afm.baselines._hofm import HOFM, anova_kernel
from sklearn_afm.inspection import interaction_scores

K = 3


def loops(order, shared):
    """w0 + sum_i w_i x_i + sum over sets of 2 to `order` entries of p_t . product of their v x."""

    def raw_scores(X, params):
        result = []
        for row in X:
            score = linear_part(row, params)
            for degree in range(2, order + 1):
                own = degree > 2 and not shared
                v = params[f"embeddings_{degree}" if own else "embeddings"]
                p = params["projection" if degree == 2 else f"projection_{degree}"]
                for members in combinations(np.flatnonzero(row), degree):
                    product = np.ones(v.shape[1])
                    for i in members:
                        product = product * v[i] * row[i]
                    score = score + p @ product
            result.append(score)
        return np.array(result)

    return raw_scores


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("order", "n_outputs"), [(2, 1), (3, 1), (3, 2), (4, 1)])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, order, n_outputs, shared, real):
    model = HOFM(2, n_outputs, order=order, shared=shared)
    check_predictions(model, loops(order, shared), rng, real)
    check_gradients(model, "squared error", loops(order, shared), rng, real)
    check_units(model, rng)


def test_a_row_of_fewer_entries_than_the_degree_has_no_such_interaction(rng):
    entries = torch.from_numpy(rng.normal(size=(5, 3, K)))
    assert (anova_kernel(entries, 3) != 0).all()
    assert (anova_kernel(entries, 4) == 0).all()
    assert (anova_kernel(entries[:, :0], 3) == 0).all()


@pytest.mark.parametrize("shared", [True, False])
def test_at_order_2_it_is_an_fm(shared, rng, one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "max_iter": 5, "crosses": None}
    fm = FMRegressor(**options).fit(X, y)
    model = HOFMRegressor(order=2, shared_embeddings=shared, **options).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), fm.predict(X))
    assert interaction_scores(model, X[:3]).interaction.any()


def test_a_shared_table_starts_as_an_fm(rng):
    model = HOFM(K, 1, order=3, shared=True)
    params = random_values(rng, model) | {"projection_3": np.zeros((1, K))}
    X = rng.normal(size=(8, 9))
    np.testing.assert_allclose(predicted(model, params, X), predicted(FM(K, 1), params, X))


def test_explanations_by_pairs_are_refused_above_order_2(one_hot_data):
    X, y = one_hot_data
    model = HOFMRegressor(max_iter=1).fit(X, y)
    with pytest.raises(TypeError, match="HOFMRegressor are no sums over pairs"):
        interaction_scores(model, X)


def test_it_learns_triples(rng):
    levels = rng.integers(0, 3, size=(900, 3))
    X = np.eye(3)[levels].reshape(900, 9)
    y = rng.choice([-1.0, 1.0], size=(3, 3, 3))[tuple(levels.T)]
    options = {"random_state": 0, "embedding_dim": 8, "crosses": None, "max_iter": 30}
    score = HOFMRegressor(**options).fit(X[:600], y[:600]).score(X[600:], y[600:])
    assert score > 0.95
    assert FMRegressor(**options).fit(X[:600], y[:600]).score(X[600:], y[600:]) < 0.9


def test_memory_is_linear_in_the_length_of_rows():
    model = HOFM(K, 1, order=4)
    assert model.row_cost(200) == 2 * model.row_cost(100)
