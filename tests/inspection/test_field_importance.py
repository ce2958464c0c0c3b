"""field_importance: by plain loops over interaction_scores and linear weights."""

import numpy as np
import pytest
from conftest import ragged_matrix
from explained import fitted_pipeline, random_model

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor
from sklearn_afm.inspection import (
    _terms,
    field_importance,
    interaction_scores,
)

FIELDS = np.array(["a", "b", "a", "c", "b", "d", "c", "d", "a"])


def by_hand(model, X, n_outputs):
    """Linear part (n_rows, 4, n_outputs), and contributions (n_rows, n_outputs) by pair."""
    scores = interaction_scores(model, X)
    number = {name: position for position, name in enumerate("abcd")}
    linear = np.zeros((len(X), 4, n_outputs))
    weights = model.linear_weights_.reshape(n_outputs, -1)
    for row in range(len(X)):
        for column in np.flatnonzero(X[row]):
            linear[row, number[FIELDS[column]]] += weights[:, column] * X[row, column]
    pairs = {}
    contribution = scores.contribution.reshape(-1, n_outputs)
    for row, i, j, value in zip(scores.row, scores.first, scores.second, contribution):
        key = tuple(sorted((FIELDS[i], FIELDS[j])))
        pairs.setdefault(key, np.zeros((len(X), n_outputs)))[row] += value
    return linear, pairs


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("Estimator", "n_outputs", "output"),
    [(AFMRegressor, 1, None), (FMRegressor, 1, 0), (AFMClassifier, 3, None), (AFMClassifier, 3, 2)],
)
def test_averages_are_those_of_plain_loops(
    Estimator, n_outputs, output, weighted, rng, monkeypatch
):
    X = ragged_matrix(rng, n_rows=60)
    model = random_model(Estimator, X, n_outputs, rng)
    weight = rng.integers(0, 3, size=60).astype(float) if weighted else np.ones(60)
    linear, pairs = by_hand(model, X, n_outputs)
    shared = np.zeros_like(linear)
    for pair, values in pairs.items():
        for name in pair:
            distance = np.abs(values - np.average(values, axis=0, weights=weight))
            shared[:, "abcd".index(name)] += distance / 2
    linear = np.abs(linear - np.average(linear, axis=0, weights=weight))
    chosen = slice(None) if output is None else [output]
    linear, shared = linear[:, :, chosen].mean(2), shared[:, :, chosen].mean(2)
    total = np.average(linear + shared, axis=0, weights=weight)
    variance = np.average((linear + shared - total) ** 2, axis=0, weights=weight)
    n_effective = weight.sum() ** 2 / (weight**2).sum()
    options = {"fields": FIELDS, "output": output}
    for block in (1 << 17, 100):
        monkeypatch.setattr(_terms, "PAIRS_PER_BLOCK", block)
        found = field_importance(model, X, sample_weight=weight if weighted else None, **options)
        assert found.fields.tolist() == ["a", "b", "c", "d"]
        np.testing.assert_allclose(found.mean, total, rtol=1e-5)
        np.testing.assert_allclose(found.std_error, np.sqrt(variance / n_effective), rtol=1e-5)
        np.testing.assert_allclose(found.linear, np.average(linear, axis=0, weights=weight), 1e-5)
        np.testing.assert_allclose(found.mean, found.linear + found.interaction)


def test_fields_that_matter_come_first():
    """Pairs (b, e) and (c, d) make the target; a and f are noise."""
    model, X, _ = fitted_pipeline(FMRegressor(max_iter=30, random_state=0))
    found = field_importance(model, X)
    assert set(found.fields[found.ranking()[:4]]) == set("bcde")
    frame = found.to_frame()
    assert frame.columns.tolist() == ["field", "mean", "std_error", "linear", "interaction"]
    assert frame["mean"].is_monotonic_decreasing


def test_what_is_the_same_in_every_row_moves_nothing(rng):
    """Two constant columns: their linear parts and their pair are as good as a bias."""
    X = np.column_stack([np.ones((50, 2)), rng.normal(size=(50, 2))])
    model = random_model(FMRegressor, X, 1, rng)
    found = field_importance(model, X, fields=["one", "one", "a", "b"])
    np.testing.assert_allclose(found.linear[0], 0, atol=1e-7)
    model.embeddings_[2:] = 0
    found = field_importance(model, X, fields=["one", "one", "a", "b"])
    np.testing.assert_allclose(found.mean[0], 0, atol=1e-7)
    assert (found.mean[1:] > 1e-3).all()
