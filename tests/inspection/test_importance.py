"""pair_importance and permutation_pair_importance: true pairs first, averages as by hand."""

import numpy as np
import pytest
from conftest import ESTIMATORS, ragged_matrix
from explained import TRUE_PAIRS, fitted_pipeline, random_model, raw_prediction
from scipy import sparse
from sklearn.metrics import mean_squared_error

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm.inspection import (
    _terms,
    interaction_scores,
    pair_importance,
    permutation_pair_importance,
)

METHODS = ["permute", "zero", "uniform"]


@pytest.fixture(scope="module", params=[0, 1, 2])
def learnt(request):
    """AFMs that have learnt which pairs interact, with their rows and targets."""
    seed = request.param
    options = {"max_iter": 50, "crosses": None, "random_state": seed}
    regressor = fitted_pipeline(AFMRegressor(l2_embedding=20, **options), seed)
    classifier = fitted_pipeline(AFMClassifier(l2_embedding=10, **options), seed, classify=True)
    return regressor, classifier


@pytest.mark.parametrize("statistic", ["attention", "abs_contribution"])
def test_true_pairs_come_first(statistic, learnt):
    for model, X, _ in learnt:
        found = pair_importance(model, X, statistic=statistic)
        assert len(found.pair_names) == 15
        assert [set(pair) in TRUE_PAIRS for pair in found.pair_names[:3]] == [True, True, False]
        assert set(found.fields[np.argsort(-found.total)[:4]]) == set("bcde")


@pytest.mark.parametrize("method", METHODS)
def test_the_loss_rests_on_the_true_pairs(method, learnt):
    for model, X, y in learnt:
        found = permutation_pair_importance(model, X, y, method=method, random_state=0)
        rises, errors = found.ranked("mean"), found.ranked("std_error")
        assert all(set(pair) in TRUE_PAIRS for pair in found.pair_names[:2])
        assert (rises[:2] > 5 * errors[:2]).all()
        assert rises[1] > 5 * np.abs(rises[2:]).max()


def by_hand(model, X, fields, statistic, output):
    """Compute the values of each row and pair of fields by hand, as {pair: {row: value}}."""
    scores = interaction_scores(model, X)
    table = {}
    contribution = scores.contribution.reshape(len(scores.row), -1)
    for number in range(len(scores.row)):
        pair = tuple(sorted((fields[scores.first[number]], fields[scores.second[number]])))
        rows = table.setdefault(pair, {})
        value = scores.attention[number : number + 1]
        value = value if statistic == "attention" else contribution[number]
        rows[scores.row[number]] = rows.get(scores.row[number], 0) + value
    for rows in table.values():
        for row, value in rows.items():
            value = np.abs(value) if statistic == "abs_contribution" else value
            rows[row] = value.mean() if output is None else value[output]
    return table


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("Estimator", "n_outputs", "statistic", "output"),
    [
        (AFMRegressor, 1, "attention", None),
        (AFMRegressor, 1, "contribution", None),
        (FMClassifier, 1, "abs_contribution", None),
        (AFMClassifier, 3, "abs_contribution", None),
        (AFMClassifier, 3, "contribution", 2),
        (FMRegressor, 1, "attention", None),
    ],
)
def test_averages_are_those_of_plain_loops(
    Estimator, n_outputs, statistic, output, weighted, rng, monkeypatch
):
    """Rows have any number of entries, fields several columns. There are one or many blocks."""
    X = ragged_matrix(rng, n_rows=60)
    fields = np.array([0, 1, 0, 2, 1, 3, 2, 3, 0])
    model = random_model(Estimator, X, n_outputs, rng)
    weight = rng.integers(0, 3, size=60).astype(float) if weighted else np.ones(60)
    options = {"fields": fields, "statistic": statistic, "output": output}
    table = by_hand(model, X, fields, statistic, output)
    for block in (1 << 17, 100):
        monkeypatch.setattr(_terms, "PAIRS_PER_BLOCK", block)
        found = pair_importance(model, X, sample_weight=weight if weighted else None, **options)
        for (f, g), rows in table.items():
            values = np.array(list(rows.values()))
            there = weight[list(rows)]
            mean = np.average(values, weights=there)
            std = np.sqrt(np.average((values - mean) ** 2, weights=there))
            share = there.sum() / weight.sum()
            over_rows = np.zeros(60)
            over_rows[list(rows)] = values
            variance = np.average((over_rows - mean * share) ** 2, weights=weight)
            error = np.sqrt(variance * (weight**2).sum()) / weight.sum()
            for i, j in ((f, g), (g, f)):
                np.testing.assert_allclose(found.mean[i, j], mean * share, rtol=1e-9)
                np.testing.assert_allclose(found.std[i, j], std, rtol=1e-9, atol=1e-12)
                np.testing.assert_allclose(found.std_error[i, j], error, rtol=1e-9, atol=1e-12)
                np.testing.assert_allclose(found.share[i, j], share, rtol=1e-9)
        everything = sum(found.mean[pair] for pair in table)
        np.testing.assert_allclose(found.total.sum(), everything, rtol=1e-9)
        assert len(found.first) == len(table)
        assert (np.diff(np.abs(found.ranked("mean"))) <= 0).all()


def test_deviation_tells_whether_the_attention_varies_by_row(rng):
    X = np.eye(4)[rng.integers(0, 4, size=(80, 3))].reshape(80, 12)
    model = random_model(AFMRegressor, X, 1, rng)
    fields = np.repeat(["a", "b", "c"], 4)
    options = {"fields": fields, "statistic": "attention"}
    assert (pair_importance(model, X, **options).ranked("std") > 0.05).all()
    model.attention_context_[:] = 0  # uniform in each row
    found = pair_importance(model, X, **options)
    np.testing.assert_allclose(found.ranked("mean"), 1 / 3, rtol=1e-12)
    np.testing.assert_allclose(found.ranked("std"), 0, atol=1e-12)


def losses(model, X, y, raw):
    """Compute the mean loss of raw scores: squared error or log loss."""
    if not hasattr(model, "classes_"):
        return mean_squared_error(y, raw)
    if raw.ndim == 1:
        raw = np.stack([np.zeros(len(raw)), raw], axis=1)
    chosen = raw[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return (np.logaddexp.reduce(raw, axis=1) - chosen).mean()


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_losses_without_a_pair_are_those_of_plain_loops(Estimator, n_outputs, rng, monkeypatch):
    X = ragged_matrix(rng, n_rows=50)
    model = random_model(Estimator, X, n_outputs, rng)
    raw = raw_prediction(model, X)
    y = model.predict(X[rng.permutation(50)])
    scores = interaction_scores(model, X)
    n_pairs = np.bincount(scores.row, minlength=50)
    monkeypatch.setattr(_terms, "PAIRS_PER_BLOCK", 200)
    base = losses(model, X, y, raw)
    for method in ["zero", "uniform"] if hasattr(model, "attention_weight_") else ["zero"]:
        found = permutation_pair_importance(model, X, y, fields=None, method=method)
        np.testing.assert_allclose(found.loss, base, rtol=1e-9)
        for i, j in [(1, 0), (5, 2), (8, 7)]:
            at = (scores.second == i) & (scores.first == j)
            rows = scores.row[at]
            changed = raw.copy()
            changed[rows] -= scores.contribution[at]
            if method == "uniform":
                even = scores.score[at] / n_pairs[rows].reshape(-1, *[1] * (raw.ndim - 1))
                changed[rows] += even
            rise = losses(model, X, y, changed) - base
            np.testing.assert_allclose(found.mean[i, j], rise, rtol=1e-7, atol=1e-10)
            np.testing.assert_allclose(found.mean[j, i], rise, rtol=1e-7, atol=1e-10)


def test_permuting_exchanges_contributions(rng, monkeypatch):
    X = ragged_matrix(rng, n_rows=50)
    model = random_model(AFMRegressor, X, 1, rng)
    y = rng.normal(size=50)
    weight = rng.uniform(size=50)
    scores = interaction_scores(model, X)
    raw = model.predict(X)
    draws = np.random.RandomState(3)
    orders = [draws.permutation(50) for _ in range(4)]
    monkeypatch.setattr(_terms, "PAIRS_PER_BLOCK", 200)
    found = permutation_pair_importance(
        model, X, y, fields=None, n_repeats=4, sample_weight=weight, random_state=3
    )
    for i, j in [(1, 0), (5, 2), (8, 7)]:
        at = (scores.second == i) & (scores.first == j)
        contribution = np.zeros(50)
        contribution[scores.row[at]] = scores.contribution[at]
        rises = [
            (raw - contribution + contribution[order] - y) ** 2 - (raw - y) ** 2 for order in orders
        ]
        rise = np.mean(rises, axis=0)
        mean = np.average(rise, weights=weight)
        np.testing.assert_allclose(found.mean[i, j], mean, rtol=1e-9)
        variance = np.average((rise - mean) ** 2, weights=weight)
        n_effective = weight.sum() ** 2 / (weight**2).sum()
        np.testing.assert_allclose(found.std_error[i, j], np.sqrt(variance / n_effective))


def test_an_fm_s_attention_is_one_and_cannot_be_made_uniform():
    model, X, y = fitted_pipeline(FMRegressor(max_iter=30, random_state=0))
    found = pair_importance(model, X, statistic="attention")
    np.testing.assert_array_equal(found.ranked("mean"), 1)
    ranked = pair_importance(model, X).pair_names  # by contributions
    assert all(set(pair) in TRUE_PAIRS for pair in ranked[:2])
    with pytest.raises(ValueError, match="FMRegressor has none"):
        permutation_pair_importance(model, X, y, method="uniform")


def test_frames():
    model, X, y = fitted_pipeline(AFMRegressor(max_iter=2, random_state=0))
    frame = pair_importance(model, X).to_frame()
    assert frame.columns.tolist() == ["first", "second", "mean", "std", "std_error", "share"]
    assert len(frame) == 15
    frame = permutation_pair_importance(model, X, y, n_repeats=1).to_frame()
    assert frame.columns.tolist() == ["first", "second", "mean", "std_error"]


def test_errors(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMClassifier, X, 3, rng)
    y = model.predict(X)
    with pytest.raises(ValueError, match=r"statistic='mean' must be one of \['abs_contribution'"):
        pair_importance(model, X, statistic="mean")
    with pytest.raises(ValueError, match=r"model has 3 \(\['a', 'b', 'c'\]\)\. .* from 0 to 2"):
        pair_importance(model, X, statistic="contribution")
    with pytest.raises(ValueError, match="output=3 must be None or an int from 0 to 2"):
        pair_importance(model, X, output=3)
    with pytest.raises(ValueError, match="method='shuffle' must be one of"):
        permutation_pair_importance(model, X, y, method="shuffle")
    with pytest.raises(ValueError, match="n_repeats=0"):
        permutation_pair_importance(model, X, y, n_repeats=0)
    with pytest.raises(ValueError, match=r"does not know: \['z'\]"):
        permutation_pair_importance(model, X, np.where(y == "a", "z", y))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        permutation_pair_importance(model, X, y[:-1])
    regressor = random_model(AFMRegressor, X, 3, rng)
    with pytest.raises(ValueError, match="y has 1 targets, but the model predicts 3"):
        permutation_pair_importance(regressor, X, np.zeros(len(X)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_target_that_is_no_number_is_refused(value):
    model, X, y = fitted_pipeline(FMRegressor(max_iter=1))
    y = y.copy()
    y[[3, 8]] = value
    with pytest.raises(ValueError, match="2 of 1500 rows, first in row 3"):
        permutation_pair_importance(model, X, y)


def test_a_sparse_target_is_refused():
    model, X, y = fitted_pipeline(FMRegressor(max_iter=1))
    with pytest.raises(TypeError, match="Sparse data was passed for y"):
        permutation_pair_importance(model, X, sparse.csr_array(y[:, None]))


def test_arrays_that_cannot_be_written_to(recwarn):
    model, X, y = fitted_pipeline(FMRegressor(max_iter=1))
    weight = np.ones(len(y))
    for array in (y, weight):
        array.flags.writeable = False
    permutation_pair_importance(model, X, y, sample_weight=weight, n_repeats=1)
    pair_importance(model, X, sample_weight=weight)
    assert not recwarn.list
