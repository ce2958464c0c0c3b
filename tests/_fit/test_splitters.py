"""validation_fraction as a splitter: which rows train, which are set aside, what is refused."""

import numpy as np
import pytest
import sklearn
from conftest import ESTIMATORS, target_for
from sklearn.base import clone
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedGroupKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sklearn_afm import FMClassifier, FMRanker, FMRegressor
from sklearn_afm.dask import DaskFMRegressor

pytestmark = pytest.mark.usefixtures("fixed_strengths")

SHORT = {"max_iter": 3, "embedding_dim": 2, "random_state": 0}


class Recorded:
    """A splitter that keeps what it is given."""

    def __init__(self, *splits):
        self.splits, self.given = splits, None

    def get_n_splits(self, X=None, y=None, groups=None):
        return len(self.splits)

    def split(self, X, y=None, groups=None):
        self.given = X, y, groups
        yield from self.splits


def same(first, second):
    """Whether two fits have come to the same, bit for bit."""
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("bias_", "linear_weights_", "embeddings_", "best_iter_")
    )


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_fit_is_that_with_the_two_parts_given(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    train, aside = np.arange(50, 300), np.arange(50)
    others = [(np.arange(100, 300), np.arange(100)), (train, aside)]
    model = Estimator(validation_fraction=Recorded(*others), **SHORT).fit(X, y)
    given = Estimator(**SHORT).fit(X[train], y[train], X_val=X[aside], y_val=y[aside])
    assert same(model, given)


def test_a_group_is_in_one_part(one_hot_data):
    X, _ = one_hot_data
    y, groups = np.arange(300.0), np.random.default_rng(0).integers(0, 30, 300)
    seen = []

    def scoring(estimator, X_val, y_val):
        seen.append(y_val.astype(int))
        return 0.0

    splitter = GroupShuffleSplit(test_size=0.3, random_state=1)
    model = FMRegressor(validation_fraction=splitter, scoring=scoring, **SHORT)
    model.fit(X, y, groups=groups)
    aside = groups[seen[0]]
    assert len(set(aside)) == 9
    assert not set(aside) & set(np.delete(groups, seen[0]))


def test_of_a_series_of_time_the_last_rows_are_set_aside(one_hot_data):
    X, y = one_hot_data
    model = FMRegressor(validation_fraction=TimeSeriesSplit(n_splits=5), **SHORT).fit(X, y)
    given = FMRegressor(**SHORT).fit(X[:250], y[:250], X_val=X[250:], y_val=y[250:])
    assert same(model, given)


def test_the_splitter_gets_rows_labels_and_groups(one_hot_data):
    X, y = one_hot_data
    y, groups = target_for(FMClassifier(), y), np.repeat(["a", "b", "c"], 100)
    splitter = Recorded((np.arange(200), np.arange(200, 300)))
    FMClassifier(validation_fraction=splitter, **SHORT).fit(X, y, groups=list(groups))
    np.testing.assert_array_equal(splitter.given[0].toarray(), X.toarray())
    np.testing.assert_array_equal(splitter.given[1], y)
    np.testing.assert_array_equal(splitter.given[2], groups)


@pytest.mark.parametrize("by", ["sample_weight", "class_weight"])
def test_rows_of_weight_0_are_left_out_with_their_groups(by, one_hot_data):
    X, y = one_hot_data
    label = np.where(y > np.quantile(y, 0.7), "high", np.where(y > np.median(y), "low", "lowest"))
    groups = np.arange(300) // 10
    out = label == "low" if by == "class_weight" else groups % 4 == 0
    options = {"sample_weight": np.where(out, 0.0, 1.0)} if by == "sample_weight" else {}
    weights = {"class_weight": {"low": 0.0}} if by == "class_weight" else {}
    recorded = Recorded((np.arange(0, 150), np.arange(150, (~out).sum())))
    FMClassifier(validation_fraction=recorded, **weights, **SHORT).fit(
        X, label, groups=groups, **options
    )
    np.testing.assert_array_equal(recorded.given[2], groups[~out])
    np.testing.assert_array_equal(recorded.given[1], label[~out])
    if by == "sample_weight":
        splitter = GroupShuffleSplit(test_size=0.4, random_state=0)
        model = FMClassifier(validation_fraction=splitter, **SHORT)
        weighted = clone(model).fit(X, label, groups=groups, **options)
        assert same(weighted, model.fit(X[~out], label[~out], groups=groups[~out]))


def test_a_splitter_without_a_seed_has_that_of_the_fit(one_hot_data):
    X, y = one_hot_data
    splitter, seen = ShuffleSplit(test_size=0.2), []
    scoring = make_scorer(lambda y, predicted: seen.append(y) or 0.0)
    options = SHORT | {"validation_fraction": splitter, "scoring": scoring, "max_iter": 1}
    state = np.random.get_state()[1].copy()
    for seed in (0, 0, 1):
        FMRegressor(**options | {"random_state": seed}).fit(X, y)
    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    assert splitter.random_state is None
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_labels_in_even_parts(one_hot_data):
    X, y = one_hot_data
    groups = np.arange(300) // 5
    splitter = StratifiedGroupKFold(n_splits=4)
    model = FMClassifier(validation_fraction=splitter, scoring="roc_auc", **SHORT)
    model.fit(X, target_for(model, y), groups=groups)
    assert "validation_score" in model.history_[0]


def everything(n):
    return np.arange(n)


@pytest.mark.parametrize(
    ("splitter", "options", "message"),
    [
        (0.2, {"groups": np.zeros(300)}, "groups is given, but validation_fraction=0.2 is no"),
        (GroupKFold(3), {}, "cannot split the 300 rows.*give groups to fit"),
        (GroupKFold(3), {"groups": np.arange(299)}, "groups has 299 values, X 300 rows"),
        (GroupKFold(9), {"groups": np.arange(300) % 4}, "number of groups: 4.$"),
        (Recorded(), {}, "gives no split of the 300 rows"),
        (Recorded(([], everything(9))), {}, "has no training rows, of 300 rows"),
        (Recorded((everything(9), [])), {}, "has no rows to set aside, of 300 rows"),
        (Recorded((everything(9), everything(301))), {}, "rows that X does not have"),
        (Recorded((everything(9), [20, 8])), {}, "has 1 rows both for training.* first row 8"),
        (PredefinedSplit(np.arange(301) % 2), {}, "rows that X does not have .*index 300"),
        ("0.1", {}, "implementing 'split' and 'get_n_splits'"),
        ([([0], [1])], {}, "implementing 'split' and 'get_n_splits'"),
    ],
)
def test_what_is_refused(splitter, options, message, one_hot_data):
    model = FMRegressor(validation_fraction=splitter, **SHORT)
    with pytest.raises(ValueError, match=message):
        model.fit(*one_hot_data, **options)
    assert not hasattr(model, "embeddings_")


def test_groups_that_nothing_would_use(one_hot_data):
    X, y = one_hot_data
    groups, splitter = np.arange(300) % 9, GroupKFold(3)
    model = FMRegressor(validation_fraction=splitter, early_stopping=False, **SHORT)
    with pytest.raises(ValueError, match="groups is given, but early_stopping is False"):
        model.fit(X, y, groups=groups)
    model = FMRegressor(validation_fraction=splitter, **SHORT)
    with pytest.raises(ValueError, match="groups is given, but X_val is given"):
        model.fit(X, y, groups=groups, X_val=X, y_val=y)
    model.fit(X, y, X_val=X[:50], y_val=y[:50])  # they go before a splitter


def test_training_rows_of_one_class(one_hot_data):
    X, y = one_hot_data
    y = target_for(FMClassifier(), y)
    splitter = Recorded((np.flatnonzero(y == "low"), np.flatnonzero(y == "high")))
    with pytest.raises(ValueError, match=r"training rows of one class alone: .*low"):
        FMClassifier(validation_fraction=splitter, **SHORT).fit(X, y)


def test_who_takes_no_splitter(one_hot_data):
    X, y = one_hot_data
    options = {"validation_fraction": KFold(3), **SHORT}
    message = "is a splitter, but .*Give X_val and y_val, or a share"
    with pytest.raises(ValueError, match=message):
        FMRegressor(**options).fit_blocks([(X, y)])
    with pytest.raises(ValueError, match=message):
        FMRanker(**options).fit(X, np.arange(300) % 3, group=np.arange(300) // 10)


def test_a_splitter_is_refused_on_dask():
    array = pytest.importorskip("dask.array")
    X, y = array.ones((20, 3)), array.ones(20)
    with pytest.raises(ValueError, match="is a splitter, but the rows are on several workers"):
        DaskFMRegressor(validation_fraction=KFold(3)).fit(X, y)


def test_groups_reach_a_fit_in_a_search(one_hot_data):
    X, y = one_hot_data
    groups = np.arange(300) // 10
    with sklearn.config_context(enable_metadata_routing=True):
        model = FMRegressor(validation_fraction=GroupKFold(3), **SHORT)
        pipeline = make_pipeline(MaxAbsScaler(), model.set_fit_request(groups=True))
        grid = {"fmregressor__dropout": [0.0, 0.2]}
        search = GridSearchCV(pipeline, grid, cv=GroupKFold(3)).fit(X, y, groups=groups)
    best = search.best_estimator_[-1]
    train, aside = list(GroupKFold(3).split(X, y, groups))[-1]
    given = clone(best).set_params(validation_fraction=0.1)
    assert same(best, given.fit(X[train], y[train], X_val=X[aside], y_val=y[aside]))


class Stop(Exception):
    """The error that ends a fit in these tests."""


def stop(record):
    if record["epoch"] == 2:
        raise Stop


@pytest.mark.parametrize("seed", [0, None])
def test_a_checkpoint_goes_on_with_the_same_split(seed, one_hot_data, tmp_path):
    X, y = one_hot_data
    options = SHORT | {"random_state": seed, "checkpoint": tmp_path / "fit.npz"}
    options |= {"validation_fraction": ShuffleSplit(1, test_size=0.3)}
    with pytest.raises(Stop):
        FMRegressor(callbacks=[stop], **options).fit(X, y)
    model = FMRegressor(**options).fit(X, y)
    assert [record["epoch"] for record in model.history_] == [1, 2, 3]
    if seed == 0:
        assert same(model, FMRegressor(**options).fit(X, y))


@pytest.mark.parametrize("changed", ["splitter", "groups", "number"])
def test_a_checkpoint_of_another_split_is_refused(changed, one_hot_data, tmp_path):
    X, y = one_hot_data
    groups = np.arange(300) // 10
    options = SHORT | {"checkpoint": tmp_path / "fit.npz"}
    model = FMRegressor(validation_fraction=GroupKFold(3), callbacks=[stop], **options)
    with pytest.raises(Stop):
        model.fit(X, y, groups=groups)
    splitter = {"splitter": GroupKFold(4), "number": 0.1}.get(changed, GroupKFold(3))
    given = {"number": {}, "groups": {"groups": np.arange(300) % 10}}
    model = FMRegressor(validation_fraction=splitter, **options)
    with pytest.raises(ValueError, match="of a fit with other values of validation_fraction"):
        model.fit(X, y, **given.get(changed, {"groups": groups}))
    FMRegressor(validation_fraction=GroupKFold(3), **options).fit(X, y, groups=groups)


def test_a_checkpoint_of_a_fraction_is_none_of_a_splitter(one_hot_data, tmp_path):
    options = SHORT | {"early_stopping": True, "checkpoint": tmp_path / "fit.npz"}
    with pytest.raises(Stop):
        FMRegressor(callbacks=[stop], **options).fit(*one_hot_data)
    with pytest.raises(ValueError, match="of a fit with other values of validation_fraction"):
        FMRegressor(validation_fraction=KFold(3), **options).fit(*one_hot_data)
