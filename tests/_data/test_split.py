"""The split for early stopping: sizes, classes, copies."""

import numpy as np
import pytest
from conftest import ESTIMATORS, target_for
from scipy import sparse

from sklearn_afm._data.split import held_out_weights, validation_split


def distinct_rows(rng, n_rows, n_columns=3):
    return sparse.csr_array(rng.normal(size=(n_rows, n_columns)))


def split(X, target, fraction=0.1, by_class=False, seed=0):
    target = np.asarray(target, dtype=float).reshape(X.shape[0], -1)
    train, validation = validation_split(X, target, fraction, by_class=by_class, seed=seed)
    both = np.concatenate([train, validation])
    np.testing.assert_array_equal(np.sort(both), np.arange(X.shape[0]))  # each row is there once
    return train, validation


@pytest.mark.parametrize(("fraction", "size"), [(0.1, 50), (0.25, 125), (40, 40), (1, 1)])
def test_the_part_has_the_size_asked_for(fraction, size, rng):
    X = distinct_rows(rng, 500)
    assert len(split(X, rng.normal(size=500), fraction)[1]) == size
    assert len(split(X, np.arange(500) % 2, fraction, by_class=True)[1]) == size


@pytest.mark.parametrize("n_positive", [2, 4, 30, 300])
def test_both_parts_have_rare_classes(n_positive, rng):
    X, y = distinct_rows(rng, 6000), np.arange(6000) < n_positive
    for seed in range(5):
        train, validation = split(X, y, by_class=True, seed=seed)
        expected = max(1, round(n_positive / 10))
        assert y[validation].sum() == expected
        assert y[train].sum() == n_positive - expected


def test_a_class_of_one_row_is_learnt_and_leaves_the_others_their_shares(rng):
    X, y = distinct_rows(rng, 1000), np.r_[7, np.zeros(99), np.ones(900)]
    for seed in range(5):
        train, validation = split(X, y, by_class=True, seed=seed)
        assert 0 in train
        assert np.bincount(y[validation].astype(int)).tolist() == [10, 90]


def test_more_classes_than_rows_to_set_aside(rng):
    X, y = distinct_rows(rng, 100), np.arange(100) % 50
    assert len(split(X, y, 20, by_class=True)[1]) == 20


@pytest.mark.parametrize("by_class", [False, True])
def test_copies_of_a_row_stay_together(by_class, rng):
    y = rng.integers(0, 2, 600) if by_class else rng.normal(size=600)
    X = distinct_rows(rng, 600)
    copies = rng.permutation(np.repeat(np.arange(600), rng.integers(0, 6, 600)))
    train, validation = split(X[copies], y[copies], by_class=by_class)
    assert not set(copies[train]) & set(copies[validation])
    assert 0.07 < len(validation) / len(copies) < 0.13
    if by_class:
        assert abs(y[copies][validation].mean() - y[copies].mean()) < 0.1


def test_equal_rows_with_several_targets_are_observations(rng):
    """Two columns of 20 levels have 400 distinct rows. By chance, these repeat in 4,000 rows."""
    levels = rng.integers(0, 20, size=(4000, 2))
    X = sparse.csr_array(np.eye(20)[levels].reshape(4000, 40))
    y = rng.normal(size=4000)
    code = levels @ [20, 1]
    train, validation = split(X, y)
    assert len(validation) == 400
    assert len(set(code[validation]) & set(code[train])) > 200


def test_a_few_distinct_rows_are_observations_too(rng):
    """There are 25 combinations with one target each. A tenth of these are only two or three."""
    levels = rng.integers(0, 5, size=(3000, 2))
    X = sparse.csr_array(np.eye(5)[levels].reshape(3000, 10))
    y = levels[:, 0] == levels[:, 1]
    code = levels @ [5, 1]
    train, validation = split(X, y, by_class=True)
    assert len(validation) == 300
    assert set(code[validation]) == set(code[train]) == set(range(25))


def test_huge_values_are_told_apart_or_kept_together(rng):
    X = sparse.csr_array(rng.choice([1e308, -1e308], size=(500, 4)))
    train, validation = split(X, rng.normal(size=500))
    assert len(train) > len(validation) > 0


@pytest.mark.parametrize("fraction", [300, 5000])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_no_row_left_to_learn_from(Estimator, fraction, one_hot_data):
    X, y = one_hot_data
    message = rf"validation_fraction={fraction} sets aside {fraction} rows.* there are 300"
    with pytest.raises(ValueError, match=message):
        Estimator(early_stopping=True, validation_fraction=fraction).fit(
            X, target_for(Estimator, y)
        )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_copies_stop_as_weights_do(Estimator, rng):
    """The target is noise. If both parts had copies, training would go on and overfit these."""
    levels = rng.integers(0, 12, size=(700, 4))
    X = sparse.csr_array(np.eye(12)[levels].reshape(700, 48))
    y = target_for(Estimator, rng.normal(size=700))
    count = rng.integers(1, 8, 700)
    options = {"early_stopping": True, "l2_embedding": 0.1, "l2_linear": 0.01, "random_state": 0}
    weighted = Estimator(**options).fit(X, y, sample_weight=count)
    copies = np.repeat(np.arange(700), count)
    copied = Estimator(**options).fit(X[copies], y[copies])
    assert copied.n_iter_ <= weighted.n_iter_ + 6


def test_a_few_copies_change_nothing(rng):
    """The rows set aside are the same as if all rows were distinct."""
    X, y = distinct_rows(rng, 1000), rng.normal(size=1000)
    expected = split(X, y)[1]
    twice = np.r_[np.arange(999), 0]
    np.testing.assert_array_equal(split(X[twice], y[twice])[1], expected)


def test_each_fold_holds_out_an_equal_share_of_copies():
    rng = np.random.default_rng(0)
    X = sparse.csr_array(np.eye(12)[rng.integers(0, 12, 200)])
    target = rng.integers(0, 2, (200, 1)).astype(float)
    found = held_out_weights(X, target, np.ones(200), 4)
    np.testing.assert_allclose(found.sum(axis=0), 1)
    group = X.indices * 2 + target[:, 0].astype(int)
    for number in np.unique(group):
        count = (group == number).sum()
        shares = found[:, group == number].sum(axis=1)
        assert shares.min() == pytest.approx(count // 4)
        assert shares.max() == pytest.approx(count // 4 + count % 4)


def test_held_out_weights_depend_on_what_rows_hold_alone():
    rng = np.random.default_rng(1)
    X, target = sparse.csr_array(rng.normal(size=(300, 3))), rng.normal(size=(300, 1))
    weight = rng.integers(1, 6, 300)
    twice = np.repeat(np.arange(300), weight)
    one = held_out_weights(X, target, 1.0 * weight, 4)
    other = held_out_weights(X[twice], target[twice], np.ones(len(twice)), 4)
    summed = np.stack([np.bincount(twice, row) for row in other])
    np.testing.assert_allclose(one, summed)
    order = rng.permutation(300)
    np.testing.assert_array_equal(
        held_out_weights(X[order], target[order], 1.0 * weight[order], 4), one[:, order]
    )
    assert (one > 0).sum(axis=1).min() > 30
