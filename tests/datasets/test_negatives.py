"""sample_negatives: draws each unseen level equally often, no seen level, changes nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import chisquare

from sklearn_afm.datasets import sample_negatives

# Columns: 4 items, a real value, 3 users, 2 flags. It is intended that the user is not first.
ITEMS, USERS, FLAGS = slice(0, 4), slice(5, 8), slice(8, 10)


def positive_rows(seed, n_rows):
    """Make rows of item (never 3 for user 0, never 1 for the other users), user and flags."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n_rows, 10))
    users = rng.integers(0, 3, n_rows)
    items = np.where(users == 0, rng.integers(0, 3, n_rows), rng.choice([0, 2, 3], n_rows))
    X[np.arange(n_rows), items] = rng.normal(size=n_rows)
    X[:, 4] = rng.normal(size=n_rows)
    X[np.arange(n_rows), 5 + users] = 1
    X[:, 8:] = rng.random((n_rows, 2)) < 0.5
    return X


def seen_items(X, contexts):
    """Return the items of each context, by plain loops."""
    seen = {}
    for row, context in zip(X, contexts):
        seen.setdefault(context, set()).add(int(np.flatnonzero(row[ITEMS])[0]))
    return seen


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(1, 30),
    n=st.integers(1, 4),
    by_flags=st.booleans(),
)
def test_no_negative_was_seen_and_the_rest_stays(seed, n_rows, n, by_flags):
    X = positive_rows(seed, n_rows)
    columns = list(range(5, 10)) if by_flags else USERS
    contexts = [tuple(np.flatnonzero(row[columns])) for row in X]
    seen = seen_items(X, contexts)
    rows = sparse.csr_array(X)
    found = sample_negatives(rows, ITEMS, columns, n=n, random_state=seed)
    assert found.has_canonical_format
    negatives = found.toarray()
    assert negatives.shape == (n * n_rows, 10)
    for number, negative in enumerate(negatives):
        row = X[number // n]
        np.testing.assert_array_equal(negative[4:], row[4:])
        [item] = np.flatnonzero(negative[ITEMS])
        assert item not in seen[contexts[number // n]]
        assert negative[item] == row[ITEMS].sum()
    np.testing.assert_array_equal(rows.toarray(), X)  # X does not change


def test_unseen_levels_are_alike():
    # User 0 has seen items 0, 3 and 9 of 10, some of them twice; user 1 only item 5.
    users = [0, 0, 0, 0, 1]
    items = [0, 3, 9, 9, 5]
    X = np.hstack([np.eye(2)[users], np.eye(10)[items]])
    found = sample_negatives(X, slice(2, 12), slice(0, 2), n=4000, random_state=0)
    counts = np.stack([found[found[:, [user]].toarray()[:, 0] == 1].sum(axis=0) for user in (0, 1)])
    counts = counts[:, 2:]
    assert np.flatnonzero(counts[0] == 0).tolist() == [0, 3, 9]
    assert np.flatnonzero(counts[1] == 0).tolist() == [5]
    for row in counts:
        assert chisquare(row[row > 0]).pvalue > 1e-3


def test_one_level_is_left():
    X = np.hstack([np.ones((4, 1)), np.eye(5)[[0, 1, 3, 4]]])
    found = sample_negatives(X, slice(1, 6), [0], n=3, random_state=0)
    assert (found[:, [3]].toarray() == 1).all()


def test_order_of_columns_and_mask_do_not_matter():
    X = positive_rows(0, 20)
    mask = np.arange(10) < 4
    first = sample_negatives(X, ITEMS, USERS, random_state=0)
    for field in (mask, [3, 1, 0, 2]):
        again = sample_negatives(X, field, [7, 5, 6], random_state=0)
        assert (first != again).nnz == 0


def test_a_context_that_has_seen_all_is_refused():
    X = np.hstack([np.eye(2)[[0, 1, 1]], np.eye(2)[[0, 0, 1]]])
    with pytest.raises(ValueError, match="for row 1: its context has all 2 levels"):
        sample_negatives(X, slice(2, 4), slice(0, 2))


@pytest.mark.parametrize(
    ("field", "columns", "message"),
    [
        (slice(8, 10), USERS, "entries in field"),
        (slice(0, 6), USERS, "in common"),
        ([0, 10], USERS, "field: .* X has 10 columns"),
        (ITEMS, [], "given has no column"),
        (ITEMS, slice(10, 12), "given has no column"),
    ],
)
def test_wrong_columns_are_refused(field, columns, message):
    with pytest.raises(ValueError, match=message):
        sample_negatives(positive_rows(0, 20), field, columns)


def test_n_must_be_a_count():
    with pytest.raises(ValueError, match="n == 0"):
        sample_negatives(positive_rows(0, 20), ITEMS, USERS, n=0)
