"""AttentionDisplay: attention in even shares, by loops over interaction_scores."""

import matplotlib
import numpy as np
import pytest
from conftest import ragged_matrix
from explained import random_model

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor
from sklearn_afm.inspection import AttentionDisplay, _terms, interaction_scores

matplotlib.use("Agg")
import matplotlib.pyplot as plt

FIELDS = ["a", "b", "a", "c", "b", "d", "c", "d", "a"]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def by_hand(model, X):
    """{(field, field): {row: (attention, even share)}}, and (n_pairs, in even shares) of each."""
    scores = interaction_scores(model, X)
    n_pairs = np.bincount(scores.row, minlength=len(X))
    table, all_shares = {}, []
    for row, i, j, attention in zip(scores.row, scores.first, scores.second, scores.attention):
        pair = tuple(sorted((FIELDS[i], FIELDS[j])))
        total, even = table.setdefault(pair, {}).get(row, (0, 0))
        table[pair][row] = total + attention, even + 1 / n_pairs[row]
    for rows in table.values():
        for row, (total, even) in rows.items():
            all_shares += [(row, even * n_pairs[row], total / even)]
    return table, np.array(all_shares)


@pytest.mark.parametrize("weighted", [True, False])
def test_fields_in_even_shares(weighted, rng, monkeypatch):
    X = ragged_matrix(rng, n_rows=60)
    model = random_model(AFMRegressor, X, 1, rng)
    weight = rng.integers(1, 4, size=60).astype(float) if weighted else np.ones(60)
    table, shares = by_hand(model, X)
    for block in (1 << 17, 100):
        monkeypatch.setattr(_terms, "PAIRS_PER_BLOCK", block)
        display = AttentionDisplay.from_estimator(
            model, X, fields=FIELDS, sample_weight=weight if weighted else None
        )
        display.figure_.canvas.draw()
        for i, first in enumerate("abcd"):
            for j, second in enumerate("abcd"):
                rows = table.get(tuple(sorted((first, second))))
                if rows is None:
                    assert np.isnan(display.values[i, j])
                    continue
                attention, even = np.transpose(list(rows.values())) @ weight[list(rows)]
                np.testing.assert_allclose(display.values[i, j], attention / even, rtol=1e-9)
        row, n_pairs, share = shares.T
        w = weight[row.astype(int)] * n_pairs
        spread = np.sqrt(np.average((share - 1) ** 2, weights=w))
        np.testing.assert_allclose(display.spread, spread, rtol=1e-9)
    assert display.ax_.get_title().startswith(f"Attention varies by {100 * spread:.2g}%")
    assert display.im_.norm(1.0) == pytest.approx(0.5)  # even is white


def test_rows_in_even_shares(rng):
    X = ragged_matrix(rng, n_rows=20)
    model = random_model(AFMClassifier, X, 3, rng)  # all outputs have the same attention
    options = {"fields": FIELDS, "n_pairs": 4}
    display = AttentionDisplay.from_estimator(model, X, kind="rows", **options)
    display.figure_.canvas.draw()
    table, _ = by_hand(model, X)
    mean = {pair: np.divide(*np.sum(list(rows.values()), axis=0)) for pair, rows in table.items()}
    best = sorted(mean, key=mean.get, reverse=True)[:4]
    assert display.column_names == [f"{first} x {second}" for first, second in best]
    for number, pair in enumerate(best):
        for row in range(20):
            if row in table[pair]:
                share = np.divide(*table[pair][row])
                np.testing.assert_allclose(display.values[row, number], share, rtol=1e-9)
            else:
                assert np.isnan(display.values[row, number])


@pytest.mark.parametrize("kind", ["fields", "rows"])
def test_even_attention_is_called_even(kind, rng):
    """Rounding, or a thousandth, makes no colours."""
    X = ragged_matrix(rng, n_rows=30)
    model = random_model(AFMRegressor, X, 1, rng)
    for size in (0.0, 1e-3):
        model.attention_context_[:] = size * rng.normal(size=4)
        model.attention_bias_[:] = 0.1
        display = AttentionDisplay.from_estimator(model, X, kind=kind)
        assert display.spread < 0.01
        title = display.ax_.get_title()
        assert title.startswith("Attention is even: this model weighs all pairs alike.")
        assert "PairImportanceDisplay" in title
        colors = display.im_.norm(display.values[display.values > 0])
        np.testing.assert_allclose(colors, 0.5, atol=0.1)


def test_attention_that_is_even_only_on_average_is_not_called_even():
    values = np.array([[np.nan, 1.001], [1.001, np.nan]])
    display = AttentionDisplay(values, ["a", "b"], ["a", "b"], spread=0.2).plot()
    assert display.ax_.get_title().startswith(
        "On average, attention is even.\nAttention varies by 20%"
    )


def test_refusals(rng):
    X = np.eye(3)
    afm = AFMRegressor(max_iter=1).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="No row of X has two non-zero features"):
        AttentionDisplay.from_estimator(afm, X)
    fm = FMRegressor(max_iter=1).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"FMRegressor has no attention.*PairImportanceDisplay"):
        AttentionDisplay.from_estimator(fm, X)
    with pytest.raises(ValueError, match="kind='field' must be one of"):
        AttentionDisplay.from_estimator(afm, X, kind="field")
