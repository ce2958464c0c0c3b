"""Displays draw what was computed. Matplotlib is imported only if one is drawn."""

import subprocess
import sys
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from conftest import ragged_matrix
from explained import fitted_pipeline, random_model

from sklearn_afm import AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm.inspection import (
    AttentionDisplay,
    FieldEffectDisplay,
    HistoryDisplay,
    InteractionDisplay,
    PairEffectDisplay,
    PairImportanceDisplay,
    field_effect,
    pair_effect,
    pair_importance,
    permutation_pair_importance,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    return fitted_pipeline(AFMRegressor(max_iter=20, early_stopping=True, random_state=0))


def texts(labels):
    return [label.get_text() for label in labels]


def drawn(display):
    """Render the display's figure, and return the display."""
    display.figure_.canvas.draw()
    return display


@pytest.mark.parametrize("statistic", ["abs_contribution", "contribution"])
def test_map_of_all_pairs(statistic, fitted):
    model, X, _ = fitted
    display = drawn(PairImportanceDisplay.from_estimator(model, X, statistic=statistic, kind="map"))
    shown = display.im_.get_array()
    assert shown.mask.diagonal().all()
    expected = pair_importance(model, X, statistic=statistic).mean
    np.testing.assert_array_equal(shown.filled(0), expected)
    assert texts(display.ax_.get_yticklabels()) == list("abcdef")
    largest = np.abs(expected).max()
    assert display.im_.get_clim() == (-largest, largest)
    assert display.im_.get_cmap()(0.5) == pytest.approx((1, 1, 1, 1), abs=0.01)
    with pytest.raises(ValueError, match="kind='heat' must be one of"):
        display.plot(kind="heat")


def test_ranked_pairs(fitted):
    model, X, y = fitted
    display = drawn(PairImportanceDisplay.from_estimator(model, X, n_pairs=6))
    found = pair_importance(model, X)
    widths = [bar.get_width() for bar in display.bars_]
    np.testing.assert_allclose(widths, found.ranked("mean")[:6])
    (lines,) = display.bars_.errorbar.lines[2]
    low, high = np.transpose([segment[:, 0] for segment in lines.get_segments()])
    mean, error = found.ranked("mean")[:6], found.ranked("std_error")[:6]
    np.testing.assert_allclose(high, mean + error)
    np.testing.assert_allclose(low, np.maximum(mean - error, 0), atol=1e-12)
    names = [f"{a} x {b}" for a, b in found.pair_names[:6]]
    assert texts(display.ax_.get_yticklabels()) == names
    change = permutation_pair_importance(model, X, y, random_state=0)
    _, ax = plt.subplots()
    display = drawn(PairImportanceDisplay(change).plot(ax))
    assert display.ax_ is ax
    assert len(display.bars_) == 15
    assert ax.get_xlabel() == "loss increase (squared error)"
    assert texts(ax.get_legend().get_texts())[0] == "the loss rises without the pair"


def test_pair_effect(fitted):
    model, X, _ = fitted
    X = X[(X["b"] != "w") | (X["e"] != "x")]
    display = drawn(PairEffectDisplay.from_estimator(model, X, pair=("b", "e")))
    found = pair_effect(model, X, ("b", "e"))
    shown = display.im_.get_array()
    np.testing.assert_array_equal(shown.filled(np.nan), found.mean)
    assert shown.mask.sum() == 1
    low, high = display.im_.get_clim()
    assert low == -high
    assert high == np.nanmax(np.abs(found.mean))
    assert display.im_.get_cmap()(0.5) == pytest.approx((1, 1, 1, 1), abs=0.01)
    assert texts(display.ax_.get_yticklabels()) == found.first_levels.tolist()
    assert texts(display.ax_.get_xticklabels()) == found.second_levels.tolist()
    assert display.colorbar_.ax.get_ylabel() == "mean contribution (unit of y)"
    assert display.ax_.get_title(loc="left") == "grey: no rows"
    _, ax = plt.subplots()
    assert drawn(PairEffectDisplay(found).plot(ax)).ax_ is ax


def test_cells_of_few_rows_are_counted_and_do_not_set_the_scale(fitted):
    model, X, _ = fitted
    found = pair_effect(model, X, ("b", "e"), max_levels=3)
    strongest = np.unravel_index(np.abs(found.mean).argmax(), (3, 3))
    found.count[strongest] = 7
    found.mean[strongest] *= 10
    display = drawn(PairEffectDisplay(found).plot())
    assert texts(display.ax_.texts) == ["7"]
    assert display.ax_.get_title(loc="left") == "numbers: rows, if fewer than 10"
    assert display.im_.get_clim()[1] < np.abs(found.mean[strongest])
    assert display.colorbar_.extend in ("min", "max")
    assert display.ax_.get_ylabel() == "b\n3 of 4 levels"
    found.mean[:] = 0.0
    assert "no interaction was learnt" in drawn(PairEffectDisplay(found).plot()).ax_.get_title(
        loc="left"
    )


def test_field_effect(rng):
    X = ragged_matrix(rng)
    model = random_model(FMClassifier, X, 3, rng)
    options = {"fields": {"a": slice(0, 5), "b": slice(5, 9)}, "output": 1, "max_levels": 4}
    display = drawn(FieldEffectDisplay.from_estimator(model, X, field="a", **options))
    found = field_effect(model, X, "a", **options)
    for name in ("linear", "total"):
        line, _, (bars,) = display.lines_[name]
        np.testing.assert_array_equal(line.get_xdata(), found[name])
        low, high = np.transpose([segment[:, 0] for segment in bars.get_segments()])
        error = np.nan_to_num(found[f"{name}_std_error"])
        np.testing.assert_allclose((high - low) / 2, error, atol=1e-12)
    assert texts(display.ax_.get_yticklabels()) == found.levels.tolist()
    assert display.ax_.get_xlabel() == "difference from the average row (logit of b)"
    assert display.ax_.get_ylabel() == "a\n4 of 5 levels"
    assert texts(display.ax_.get_legend().get_texts()) == [
        "linear weight alone", "with all its pairs",
    ]  # fmt: skip


def test_history_of_several(fitted):
    model, X, y = fitted
    fm = FMRegressor(max_iter=8, random_state=0).fit(model[:-1].transform(X), y)
    display = drawn(HistoryDisplay.from_estimator({"FM": fm, "AFM": model}))
    assert {name: len(lines) for name, lines in display.lines_.items()} == {"FM": 1, "AFM": 2}
    history = model[-1].history_
    expected = np.sqrt([record["validation_loss"] for record in history])
    np.testing.assert_allclose(display.lines_["AFM"][1].get_ydata(), expected)
    assert display.ax_.get_ylabel() == "RMSE (unit of y)"
    assert len(display.ax_.get_legend().get_texts()) == 3
    two = HistoryDisplay.from_estimator([fm, fm])
    assert list(two.lines_) == ["FMRegressor 0", "FMRegressor 1"]


def test_history_of_a_classifier(rng):
    X = ragged_matrix(rng)
    classifier = FMClassifier(max_iter=3).fit(X, X[:, 0] > 0)
    display = drawn(HistoryDisplay.from_estimator(classifier))
    assert display.ax_.get_ylabel() == "log loss (nats)"
    losses = [record["train_loss"] for record in classifier.history_]
    np.testing.assert_allclose(display.lines_["FMClassifier"][0].get_ydata(), losses)
    regressor = FMRegressor(max_iter=1).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="share no error"):
        HistoryDisplay.from_estimator([classifier, regressor])
    with pytest.raises(ValueError, match="empty"):
        HistoryDisplay.from_estimator([])
    with pytest.raises(ValueError, match="the history of 'FM' is empty"):
        HistoryDisplay({"FM": []}).plot()
    with pytest.raises(ValueError, match="histories is empty"):
        HistoryDisplay({}).plot()


@pytest.mark.parametrize("n_fields", [10, 40])
def test_labels_do_not_touch(n_fields, rng):
    values = rng.uniform(size=(n_fields, n_fields))
    names = [f"field number {number}" for number in range(n_fields)]
    displays = [AttentionDisplay(2 * values, names, names, spread=0.6).plot()]
    X = rng.normal(size=(30, n_fields))
    model = random_model(AFMRegressor, X, 1, rng)
    displays.append(AttentionDisplay.from_estimator(model, X, kind="rows", n_pairs=45))
    displays.append(PairImportanceDisplay.from_estimator(model, X, n_pairs=n_fields))
    displays.append(InteractionDisplay.from_estimator(model, X, n_terms=n_fields))
    for display in displays:
        drawn(display)
        boxes = [label.get_window_extent() for label in display.ax_.get_yticklabels()]
        boxes.sort(key=lambda box: box.y0)
        assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))
        edge = display.figure_.bbox
        assert all(box.x0 >= -1 and box.y0 >= -1 and box.y1 <= edge.y1 + 1 for box in boxes)
    for display in displays[:2]:
        boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
        assert all(left.x1 <= right.x0 + 1 for left, right in pairwise(boxes))
        assert all(box.y0 >= -1 for box in boxes)


def test_errors_without_matplotlib(fitted, monkeypatch):
    model, X, _ = fitted
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"AttentionDisplay needs matplotlib: .*\[plot\]"):
        AttentionDisplay.from_estimator(model, X[:5])
    with pytest.raises(ValueError, match="kind='field' must be one of"):
        AttentionDisplay.from_estimator(model, X[:5], kind="field")


def test_the_package_imports_without_matplotlib():
    code = "import sys, sklearn_afm.inspection; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
