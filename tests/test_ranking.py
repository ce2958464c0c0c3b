"""AFMRanker and FMRanker: groups, weights, early stopping, going on from a file, refusals."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import ndcg_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import AFMRanker, FMRanker
from sklearn_afm._core import ranks
from sklearn_afm._fit import fit
from sklearn_afm.inspection import interaction_scores, permutation_pair_importance

RANKERS = [AFMRanker, FMRanker]
LOSSES = ["bpr", "softmax", "warp"]


@pytest.fixture
def listed():
    """60 groups of 3 to 12 one-hot rows of (user, item), and grades 0 to 3 that need the pair."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(3, 13, 60)
    user = np.repeat(np.arange(60) % 12, sizes)
    item = rng.integers(0, 10, len(user))
    X = np.hstack([np.eye(12)[user], np.eye(10)[item]])
    y = (user + item) % 4
    group = np.repeat(np.arange(60), sizes)
    return X, y, group


def within_groups(scores, group):
    """Scores less their mean in the group: the rest is rounding errors."""
    return scores - (np.bincount(group, scores) / np.bincount(group))[group]


class Stop(Exception):
    """What ends a fit."""


def fitted(Estimator, X, y, group, **options):
    weight = options.pop("sample_weight", None)
    settings = {"random_state": 0, "max_iter": 10, "early_stopping": False, "batch_size": 64}
    return Estimator(**settings | options).fit(X, y, group=group, sample_weight=weight)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("Estimator", RANKERS)
def test_they_learn_an_order_that_needs_the_pair(Estimator, loss, listed):
    X, y, group = listed
    train = group < 45
    options = {"loss": loss, "max_iter": 60, "l2_embedding": 1.0}
    model = fitted(Estimator, X[train], y[train], group[train], **options)
    linear = fitted(Estimator, X[train], y[train], group[train], **options, freeze=["embeddings"])
    of_rest = X[~train], y[~train]
    assert model.score(*of_rest, group=group[~train]) > 0.95
    assert linear.score(*of_rest, group=group[~train]) < 0.9
    assert model.bias_ == 0


@pytest.mark.parametrize("Estimator", RANKERS)
def test_score_is_the_mean_ndcg_of_groups(Estimator, listed):
    X, y, group = listed
    model = fitted(Estimator, X, y, group, max_iter=1)
    scores = model.predict(X)
    parts = [group == number for number in range(60)]
    expected = [ndcg_score([2.0 ** y[p] - 1], [scores[p]]) for p in parts if y[p].any()]
    assert model.score(X, y, group=group) == pytest.approx(np.mean(expected))
    assert model.score(X, y, group=np.bincount(group)) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("Estimator", RANKERS)
def test_sizes_and_ids_are_the_same(Estimator, listed):
    X, y, group = listed
    by_ids, by_sizes = (fitted(Estimator, X, y, g) for g in (group, np.bincount(group)))
    np.testing.assert_array_equal(by_ids.predict(X), by_sizes.predict(X))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("Estimator", RANKERS)
def test_the_order_of_groups_and_rows_says_nothing(Estimator, loss, listed):
    """By ids that name the same groups, rows can come in any order."""
    X, y, group = listed
    order = np.random.default_rng(1).permutation(len(y))
    options = {"loss": loss, "precision": "float64"}
    model = fitted(Estimator, X, y, group, **options)
    mixed = fitted(Estimator, X[order], y[order], group[order], **options)
    found, expected = (within_groups(m.predict(X), group) for m in (mixed, model))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("Estimator", RANKERS)
def test_a_weight_of_a_group_is_its_repetition(Estimator, loss, listed):
    X, y, group = listed
    number = np.random.default_rng(1).integers(0, 3, 60)
    options = {"loss": loss, "precision": "float64", "batch_size": 10**4}
    weighted = fitted(Estimator, X, y, group, sample_weight=number[group], **options)
    rows = np.concatenate([np.flatnonzero(group == g) for g in range(60) for _ in range(number[g])])
    copies = np.repeat(np.arange(number.sum()), np.repeat(np.bincount(group), number))
    repeated = fitted(Estimator, X[rows], y[rows], copies, **options)
    found, expected = (within_groups(m.predict(X), group) for m in (repeated, weighted))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", ["bpr", "softmax"])
def test_a_weight_of_a_row_is_its_repetition_in_the_group(loss, listed):
    X, y, group = listed
    number = np.random.default_rng(1).integers(0, 3, len(y))
    options = {"loss": loss, "precision": "float64", "batch_size": 10**4}
    weighted = fitted(FMRanker, X, y, group, sample_weight=number, **options)
    rows = np.repeat(np.arange(len(y)), number)
    repeated = fitted(FMRanker, X[rows], y[rows], group[rows], **options)
    found, expected = (within_groups(m.predict(X), group) for m in (repeated, weighted))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_a_column_that_is_the_same_in_a_group_learns_no_weight(listed):
    """A constant that is added to the scores of a group changes nothing."""
    X, y, group = listed
    constant = np.random.default_rng(1).normal(size=60)[group, None]
    model = fitted(FMRanker, np.hstack([X, constant]), y, group, freeze=["embeddings"])
    assert abs(model.linear_weights_[:12]).max() < 1e-3  # users, who are constant too
    assert abs(model.linear_weights_[-1]) < 1e-3
    assert abs(model.linear_weights_[12:22]).max() > 0.1


def test_groups_without_unequal_grades_are_left_out(listed):
    X, y, group = listed
    flat = group % 3 == 0
    y = np.where(flat, 2, y)
    rest = fitted(FMRanker, X[~flat], y[~flat], group[~flat])
    np.testing.assert_array_equal(fitted(FMRanker, X, y, group).predict(X), rest.predict(X))


@pytest.mark.parametrize("Estimator", RANKERS)
def test_early_stopping_keeps_the_epoch_of_the_best_ndcg(Estimator, listed):
    X, y, group = listed
    train = group < 45
    model = Estimator(random_state=0, max_iter=30, averaging_decay=0.0, learning_rate=0.5)
    rest = {"X_val": X[~train], "y_val": y[~train], "group_val": group[~train]}
    model.fit(X[train], y[train], group=group[train], **rest)
    scores = [record["validation_score"] for record in model.history_]
    assert model.best_iter_ == np.argmax(scores) + 1
    found = model.score(X[~train], y[~train], group=group[~train])
    assert max(scores) == pytest.approx(found, abs=1e-5)


def test_whole_groups_are_set_aside(listed, monkeypatch):
    parts = []
    original = fit.validation_lists

    def recorded(*args, **options):
        parts.append(original(*args, **options))
        return parts[-1]

    monkeypatch.setattr(fit, "validation_lists", recorded)
    X, y, group = listed
    y = np.where(np.arange(len(y)) % 2, y + 1, 0)  # no group is left out
    FMRanker(early_stopping=True, validation_fraction=0.2, max_iter=2, random_state=0).fit(
        X, y, group=group
    )
    train, aside = (set(group[part]) for part in parts[0])
    assert len(aside) == 12
    assert len(train) == 48
    assert not train & aside


@pytest.mark.parametrize("Estimator", RANKERS)
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(Estimator, listed, tmp_path):
    X, y, group = listed
    options = {"early_stopping": True, "n_iter_no_change": 20, "dropout": 0.2}
    whole = fitted(Estimator, X, y, group, max_iter=8, **options)
    path = tmp_path / "fit.npz"

    def stop(record):
        if record["epoch"] == 4:
            raise Stop

    with pytest.raises(Stop):
        fitted(
            Estimator, X, y, group, checkpoint=path, callbacks=[stop], **options | {"max_iter": 8}
        )
    assert path.exists()
    with pytest.raises(ValueError, match="other values of X, sample_weight, y"):
        fitted(Estimator, X, y, group // 2, checkpoint=path, **options)
    resumed = fitted(Estimator, X, y, group, max_iter=8, checkpoint=path, **options)
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))
    assert len(resumed.history_) == 8


@pytest.mark.parametrize("Estimator", RANKERS)
def test_pickles_and_warm_starts(Estimator, listed):
    X, y, group = listed
    model = fitted(
        Estimator, X, y, group, warm_start=True, averaging_decay=0.0, max_iter=3, l2_embedding=0.1
    )
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    copy.fit(X, y, group=group)
    assert copy.n_iter_ == 6
    assert copy.history_[-1]["train_loss"] < 0.99 * model.history_[-1]["train_loss"]


def test_searches_and_pipelines_route_groups(listed):
    X, y, group = listed
    with sklearn.config_context(enable_metadata_routing=True):
        ranker = FMRanker(random_state=0, max_iter=10)
        ranker.set_fit_request(group=True).set_score_request(group=True)
        folds = list(GroupKFold(3).split(X, y, group))
        grid = {"l2_embedding": [0.1, 1.0]}
        search = GridSearchCV(ranker, grid, cv=folds, error_score="raise")
        search.fit(X, y, group=group)
    train, test = folds[0]
    model = clone(ranker).set_params(l2_embedding=0.1).fit(X[train], y[train], group=group[train])
    found = search.cv_results_["split0_test_score"][0]
    assert found == pytest.approx(model.score(X[test], y[test], group=group[test]))
    table = np.column_stack([X[:, :12].argmax(1), X[:, 12:].argmax(1)])
    pipeline = make_pipeline(OneHotEncoder(), FMRanker(random_state=0, max_iter=10))
    pipeline.fit(table, y, fmranker__group=group)
    expected = FMRanker(random_state=0, max_iter=10).fit(X, y, group=group).predict(X)
    np.testing.assert_allclose(pipeline.predict(table), expected, rtol=1e-5)


def test_a_fit_that_is_refused_leaves_it_unfitted(listed):
    X, y, group = listed
    model = fitted(FMRanker, X, y, group, max_iter=1)
    with pytest.raises(ValueError, match="group has 1 values"):
        model.fit(X, y, group=[3])
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_explanations(listed):
    """Contributions sum to the scores; a row has no loss of its own."""
    X, y, group = listed
    model = fitted(AFMRanker, X, y, group)
    terms = interaction_scores(model, X)
    total = terms.bias + terms.linear + terms.interaction
    np.testing.assert_allclose(total, model.predict(X), atol=1e-5)
    with pytest.raises(ValueError, match="AFMRanker compares rows within groups"):
        permutation_pair_importance(model, X, y)


def test_there_is_no_stream_and_no_block(listed):
    for name in ("partial_fit", "fit_blocks"):
        assert not hasattr(FMRanker(), name)
        with pytest.raises(AttributeError, match=f"FMRanker has no {name}; use fit"):
            getattr(FMRanker(), name)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([0, 1, 0, 1], {"group": [2, 3]}, "group has 2 values, which sum to 5; there are 4 rows"),
        ([0, 1, 0, 1], {"group": [1, 2, 3, 4, 5]}, "sum to 15"),
        ([0, 1, 0, 1], {"group": [[2, 2], [2, 2]]}, "1d"),
        ([0, 0, 1, 1], {"group": [2, 2]}, "No group has rows of unequal y"),
        ([1, 1, 1, 1], {}, "No group has rows of unequal y .n_samples=4, 1 groups"),
        ([0, 1, 0, 1], {"group": [2, 2], "sample_weight": [1, 0, 0, 1]}, "No group has rows"),
        ([0, 1, -1, 1], {}, "y goes from -1 to 1; relevance must lie within 0 to 30"),
        ([0, 1, 31, 1], {}, "y goes from 0 to 31"),
        ([0, 1, np.nan, 1], {}, "Input y contains NaN"),
        (["a", "b", "a", "b"], {}, "could not convert"),
        ([0, 1, 0, 1], {"group_val": [2]}, "group_val is given without X and y"),
        ([0, 1, 0, 1], {"X_val": np.eye(4)}, "X_val is provided, but y_val was not"),
        (
            [0, 1, 0, 1],
            {"X_val": np.eye(4), "y_val": [0, 1, 0, 1], "group_val": [3]},
            "group_val has 1 values",
        ),
        ([0, 1, 0, 1], {"X_val": np.eye(4), "y_val": [0] * 4}, "validation score was NaN"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_refusals(y, options, message):
    with pytest.raises(ValueError, match=message):
        FMRanker(max_iter=2).fit(np.eye(4), y, **options)


def test_one_group_cannot_be_split():
    with pytest.raises(ValueError, match="sets aside 1 groups for early stopping, but there are 1"):
        FMRanker(early_stopping=True).fit(np.eye(4), [0, 1, 0, 1])


@pytest.mark.parametrize("Ranker", RANKERS)
def test_a_fit_of_several_ranks_is_refused(Ranker, listed, monkeypatch):
    monkeypatch.setattr(ranks, "_size_of_group", lambda: 2)
    X, y, group = listed
    with pytest.raises(
        ValueError, match=r"Ranker\.fit is not data-parallel, and a process group of 2"
    ):
        Ranker().fit(X, y, group=group)
