"""Rankers that learn from positives alone: negatives that are drawn in training."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_afm import AFMRanker, FMRanker
from sklearn_afm._data import catalogue
from sklearn_afm._data.catalogue import make_catalogue
from sklearn_afm._data.rows import Rows
from sklearn_afm._negatives import UnseenLevels
from sklearn_afm.metrics import ndcg_at_k

N_USERS, N_ITEMS = 30, 24
ITEM = slice(N_USERS, N_USERS + N_ITEMS + 2)
RANKERS = [AFMRanker, FMRanker]
SHORT = {"random_state": 0, "max_iter": 4, "early_stopping": False, "item_columns": ITEM}


@pytest.fixture
def positives():
    """One-hot users and items with two attributes; a user likes items of one kind.

    Returns X, the items, and whether each user likes each item. The last items have no row.
    """
    rng = np.random.default_rng(0)
    kind, taste = np.arange(N_ITEMS) % 3, np.arange(N_USERS) % 3
    likes = (kind == taste[:, None]) | (rng.random((N_USERS, N_ITEMS)) < 0.05)
    user, item = np.nonzero(likes[:, : N_ITEMS - 3])
    of_items = np.hstack([np.eye(N_ITEMS), rng.random((N_ITEMS, 1)), (kind == 1)[:, None]])
    X = np.hstack([np.eye(N_USERS)[user], of_items[item]])
    return sparse.csr_array(X), of_items, likes


def rows_of(X, context=None):
    n_rows = X.shape[0]
    context = np.full(n_rows, -1.0) if context is None else context
    target = np.column_stack([np.ones((n_rows, 2)), context])
    return Rows(X, np.ones(n_rows), target, np.ones(n_rows), np.ones(n_rows))


def lists_of(X, items, n, *, popular=False, context=None, seed=0):
    found, rows, _ = make_catalogue(ITEM, items, popular, rows_of(X, context), None)
    return found.lists(rows, n, np.random.default_rng(seed))


@pytest.mark.parametrize("popular", [False, True])
def test_a_list_is_a_positive_and_items_that_its_user_does_not_have(positives, popular):
    X, items, _ = positives
    lists = lists_of(X, items, 3, popular=popular)
    found = lists.X.toarray().reshape(X.shape[0], 4, -1)
    np.testing.assert_array_equal(found[:, 0], X.toarray())
    seen = {tuple(np.flatnonzero(row[: N_USERS + N_ITEMS])) for row in X.toarray()}
    for of_row, positive in zip(found, X.toarray()):
        for negative in of_row[1:]:
            np.testing.assert_array_equal(negative[:N_USERS], positive[:N_USERS])
            user, item = np.flatnonzero(negative[: N_USERS + N_ITEMS])
            assert (user, item) not in seen
            np.testing.assert_array_equal(negative[N_USERS:], items[item - N_USERS])
    first = np.tile([1, 0, 0, 0], X.shape[0])
    np.testing.assert_array_equal(lists.target[:, 0], first)
    np.testing.assert_array_equal(lists.target[:, 2], first)
    assert lists.X.has_canonical_format


@pytest.mark.parametrize("mass", [np.ones(7), np.array([1, 5, 2, 1, 9, 1, 3])])
def test_draws_are_in_proportion(mass):
    mass = mass.astype(np.int64)
    context, level = np.array([0, 0, 1, 2, 2, 2, 0]), np.array([1, 4, 6, 0, 1, 2, 1])
    unseen = UnseenLevels(context, level, mass)
    rng = np.random.default_rng(0)
    for number in range(3):
        drawn = unseen.draw(np.full(40_000, number), rng.integers)
        left = mass.copy()
        left[level[context == number]] = 0
        assert unseen.mass_left[number] == left.sum()
        share = np.bincount(drawn, minlength=7) / 40_000
        np.testing.assert_allclose(share, left / left.sum(), atol=0.01)
        assert not share[left == 0].any()


def test_without_a_catalogue_the_items_of_the_rows_are_drawn(positives):
    X, _, _ = positives
    drawn = lists_of(X, None, 20).X[:, N_USERS : N_USERS + N_ITEMS].sum(axis=0)
    assert (drawn[: N_ITEMS - 3] > 0).all()
    assert not drawn[N_ITEMS - 3 :].any()


def test_groups_are_contexts(positives):
    """A user with two columns of context has one set of items, if the group is the user."""
    X, items, _ = positives
    user = X[:, :N_USERS].toarray().argmax(axis=1)
    moment = sparse.csr_array(np.random.default_rng(0).random((X.shape[0], 1)).round() + 1)
    apart = sparse.csr_array(sparse.hstack([X, moment, moment == 1], format="csr"))
    item = X[:, N_USERS : N_USERS + N_ITEMS].toarray().argmax(axis=1)
    seen = set(zip(user, item))
    for context, may_be_seen in ((user.astype(float), False), (None, True)):
        lists = lists_of(apart, items, 20, context=context).X.toarray()
        pairs = set(
            zip(
                np.repeat(user, 21)[np.arange(len(lists)) % 21 > 0],
                lists[np.arange(len(lists)) % 21 > 0, N_USERS : N_USERS + N_ITEMS].argmax(axis=1),
            )
        )
        assert bool(pairs & seen) == may_be_seen


@pytest.mark.parametrize("loss", ["softmax", "bpr", "warp"])
@pytest.mark.parametrize("Estimator", RANKERS)
def test_they_learn_who_likes_what(Estimator, loss, positives):
    """Of items without a row too, by their attribute."""
    X, items, likes = positives
    options = {**SHORT, "max_iter": 30, "loss": loss, "l2_embedding": 0.1}
    model = Estimator(**options).fit(X, items=items)
    every = np.hstack([np.eye(N_USERS).repeat(N_ITEMS, 0), np.tile(items, (N_USERS, 1))])
    scores = model.predict(every)
    group = np.arange(N_USERS).repeat(N_ITEMS)
    assert ndcg_at_k(likes.ravel(), scores, group=group) > 0.9
    unseen = np.tile(np.arange(N_ITEMS) >= N_ITEMS - 3, N_USERS)
    columns = model.linear_weights_[N_USERS + N_ITEMS - 3 : N_USERS + N_ITEMS]
    assert (columns < 0).all()  # never liked
    assert np.isfinite(scores[unseen]).all()


@pytest.mark.parametrize("Estimator", RANKERS)
def test_a_seed_gives_the_same_bits_and_epochs_draw_anew(Estimator, positives, monkeypatch):
    X, items, _ = positives
    drawn = []
    original = catalogue.Catalogue.lists

    def lists(self, *args):
        drawn.append(original(self, *args))
        return drawn[-1]

    monkeypatch.setattr(catalogue.Catalogue, "lists", lists)
    model = Estimator(**SHORT).fit(X, items=items)
    assert len({rows.X.indices.tobytes() for rows in drawn}) == 5  # the first sets the units
    again = Estimator(**SHORT).fit(X, items=items)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    other = Estimator(**{**SHORT, "random_state": 1}).fit(X, items=items)
    assert not np.array_equal(model.predict(X), other.predict(X))


class Stop(Exception):
    """What ends a fit."""


@pytest.mark.parametrize("Estimator", RANKERS)
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(Estimator, positives, tmp_path):
    X, items, _ = positives
    options = {**SHORT, "max_iter": 6, "early_stopping": True, "n_iter_no_change": 10}
    whole = Estimator(**options).fit(X, items=items)

    def stop(record):
        if record["epoch"] == 3:
            raise Stop

    path = tmp_path / "fit.npz"
    with pytest.raises(Stop):
        Estimator(**options, checkpoint=path, callbacks=[stop]).fit(X, items=items)
    with pytest.raises(ValueError, match="other values of items"):
        Estimator(**options, checkpoint=path).fit(X, items=np.vstack([items, items[:1] + 1]))
    resumed = Estimator(**options, checkpoint=path).fit(X, items=items)
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))


def test_a_weight_counts_a_positive_as_often(positives):
    """An epoch of one step: the sum of the gradients of drawn lists, each with its weight."""
    X, items, _ = positives
    options = {**SHORT, "batch_size": 10**5, "optimizer": "sgd", "max_iter": 60}
    weight = np.where(X[:, [N_USERS + 4]].toarray().ravel() > 0, 8.0, 1.0)
    plain = FMRanker(**options).fit(X, items=items)
    weighted = FMRanker(**options).fit(X, items=items, sample_weight=weight)
    gain = weighted.linear_weights_ - plain.linear_weights_
    assert gain[N_USERS + 4] == gain[N_USERS : N_USERS + N_ITEMS].max()


def test_rows_for_early_stopping_have_negatives_of_their_own(positives):
    X, items, _ = positives
    test = np.random.default_rng(0).random(X.shape[0]) < 0.2
    user = X[:, :N_USERS].toarray().argmax(axis=1)
    settings = {**SHORT, "max_iter": 5, "early_stopping": True}
    by_columns = FMRanker(**settings).fit(X[~test], X_val=X[test], items=items)
    names = np.array([f"user {number:02}" for number in user])
    options = {"group": names[~test], "group_val": names[test]}
    by_names = FMRanker(**settings).fit(X[~test], X_val=X[test], items=items, **options)
    assert all(0 < record["validation_score"] < 1 for record in by_columns.history_)
    scores = [[r["validation_score"] for r in model.history_] for model in (by_columns, by_names)]
    assert scores[0] == scores[1]


def refused(positives, message, X=None, y=None, settings=None, **options):
    X = positives[0] if X is None else X
    with pytest.raises(ValueError, match=message):
        FMRanker(**{**SHORT, **(settings or {})}).fit(X, y, **options)


def test_refusals(positives):
    X, items, _ = positives
    user = np.zeros(X.shape[0])
    refused(positives, "Row 0 of X has an item that is not among the 23 items", items=items[1:])
    refused(positives, "items has 25 columns; item_columns are 26", items=items[:, 1:])
    refused(
        positives,
        "items is given, but item_columns is None",
        y=X.toarray()[:, 0],
        settings={"item_columns": None},
        items=items,
    )
    refused(positives, "y must be above 0 in all rows", y=user)
    refused(positives, "its context has all 21 items. Give more items", group=user)
    refused(positives, "group has 1 values, X .* rows. With item_columns", group=[X.shape[0]])
    refused(positives, "Give both group and group_val", group=user, X_val=X)
    refused(positives, "X has 56 columns", settings={"item_columns": [56]})
    refused(positives, "at least one column, and each once", settings={"item_columns": [3, 3]})
    refused(positives, "group_val is given without X_val", group_val=user)
    with pytest.raises(ValueError, match="requires y to be passed"):
        FMRanker().fit(X)
