"""Metrics of rankings, against plain loops and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from sklearn_afm import metrics


@pytest.fixture
def ranked():
    """Groups of 1 to 9 rows, whose rows are mixed; scores with many ties."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 10, 60)
    group = np.repeat(np.arange(60), sizes)
    rng.shuffle(group)
    y = rng.integers(0, 4, len(group)) * (rng.random(len(group)) < 0.5)
    return y, rng.integers(0, 4, len(group)).astype(float), group


def in_loops(y, score, group, of_list):
    """Mean of a function of the ranked relevances; of equal scores, the irrelevant come first."""
    values = []
    for one in sorted(set(group)):
        rows = [i for i in range(len(y)) if group[i] == one]
        ranked = sorted(rows, key=lambda i: (-score[i], y[i] > 0))
        relevant = [y[i] > 0 for i in ranked]
        if any(relevant):
            values.append(of_list(relevant))
    return sum(values) / len(values)


@pytest.mark.parametrize("k", [1, 3, 20])
def test_the_first_k(ranked, k):
    expected = {
        "hit_rate_at_k": lambda relevant: float(any(relevant[:k])),
        "precision_at_k": lambda relevant: sum(relevant[:k]) / k,
        "recall_at_k": lambda relevant: sum(relevant[:k]) / sum(relevant),
    }
    y, score, group = ranked
    for name, of_list in expected.items():
        found = getattr(metrics, name)(y, score, group=group, k=k)
        assert found == pytest.approx(in_loops(y, score, group, of_list)), name


def test_reciprocal_rank(ranked):
    y, score, group = ranked
    expected = in_loops(y, score, group, lambda relevant: 1 / (1 + relevant.index(True)))
    assert metrics.mean_reciprocal_rank(y, score, group=group) == pytest.approx(expected)


@pytest.mark.parametrize("k", [None, 2])
def test_ndcg_is_that_of_scikit_learn(ranked, k):
    y, score, group = ranked
    values = []
    for one in np.unique(group):
        rows = group == one
        if y[rows].any() and rows.sum() > 1:
            values.append(ndcg_score([2.0 ** y[rows] - 1], [score[rows]], k=k))
        elif y[rows].any():  # scikit-learn refuses a single row
            values.append(1.0)
    assert metrics.ndcg_at_k(y, score, group=group, k=k) == pytest.approx(np.mean(values))


def test_sizes_are_groups_of_consecutive_rows(ranked):
    y, score, group = ranked
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    for name in metrics.__all__:
        function = getattr(metrics, name)
        found = function(y[order], score[order], group=sizes)
        assert found == pytest.approx(function(y, score, group=group))


def test_ids_can_be_strings(ranked):
    y, score, group = ranked
    names = np.array([f"user {number}" for number in group])
    assert metrics.recall_at_k(y, score, group=names) == metrics.recall_at_k(y, score, group=group)


def test_without_groups_all_rows_are_one():
    assert metrics.mean_reciprocal_rank([0, 0, 1], [3, 2, 1]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("y", "group", "message"),
    [
        ([0, 0, 0], None, "No row of y_true is relevant"),
        ([0, -1, 1], None, "y_true has -1"),
        ([0, 0, 1], [2, 2], "sum to 4; there are 3 rows"),
        ([0, 0, 1], [1.5, 1.5], "are not sizes"),
        ([0, 0, 1], [0, np.nan, 1], "no id for row 1"),
        ([0, 0, 1], np.array([0, "a", 1], dtype=object), "cannot be sorted"),
    ],
)
def test_refusals(y, group, message):
    for name in metrics.__all__:
        with pytest.raises(ValueError, match=message):
            getattr(metrics, name)(y, [1, 2, 3], group=group)


def test_k_must_be_a_number_of_rows():
    for name in set(metrics.__all__) - {"mean_reciprocal_rank"}:
        with pytest.raises(ValueError, match="k == 0, must be >= 1"):
            getattr(metrics, name)([1], [1], k=0)


def test_grades_that_have_no_gain_are_refused():
    with pytest.raises(ValueError, match="0 to 31; relevance must lie within 0 to 30"):
        metrics.ndcg_at_k([0, 31], [1, 2])
