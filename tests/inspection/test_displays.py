"""Displays draw what was computed. Matplotlib is imported only if one is drawn."""

import subprocess
import sys
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from conftest import ragged_matrix
from explained import fitted_pipeline, random_model

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm.inspection import (
    AttentionDisplay,
    HistoryDisplay,
    InteractionDisplay,
    PairImportanceDisplay,
    interaction_table,
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


def test_attention_of_fields(fitted):
    model, X, _ = fitted
    display = drawn(AttentionDisplay.from_estimator(model, X))
    shown = display.im_.get_array()
    assert shown.mask.diagonal().all()
    expected = pair_importance(model, X).mean
    np.testing.assert_array_equal(shown.filled(0), expected)
    assert texts(display.ax_.get_yticklabels()) == list("abcdef")
    assert display.im_.get_clim() == (0, expected.max())


def test_signed_values_have_zero_in_the_middle(fitted):
    model, X, _ = fitted
    display = drawn(AttentionDisplay.from_estimator(model, X, statistic="contribution"))
    low, high = display.im_.get_clim()
    assert low == -high < 0
    assert display.im_.get_cmap()(0.5)[:3] == pytest.approx((0.97, 0.97, 0.97), abs=0.01)


@pytest.mark.parametrize("statistic", ["attention", "contribution", "abs_contribution"])
def test_rows_by_pairs(statistic, fitted):
    model, X, _ = fitted
    display = drawn(
        AttentionDisplay.from_estimator(model, X[:30], kind="rows", statistic=statistic, n_pairs=4)
    )
    pairs = pair_importance(model, X[:30], statistic=statistic).pair_names[:4]
    table = interaction_table(model, X[:30], pairs=pairs)
    expected = table.attention if statistic == "attention" else table.contribution
    np.testing.assert_array_equal(display.im_.get_array(), expected)
    assert texts(display.ax_.get_xticklabels()) == [f"{a} x {b}" for a, b in pairs]


def test_attention_of_many_classes_needs_no_output(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMClassifier, X, 3, rng)
    drawn(AttentionDisplay.from_estimator(model, X, kind="rows"))
    drawn(AttentionDisplay.from_estimator(model, X))
    with pytest.raises(ValueError, match="Set output to an int"):
        AttentionDisplay.from_estimator(model, X, kind="rows", statistic="abs_contribution")


@pytest.mark.parametrize("kind", ["fields", "rows"])
def test_rows_without_a_pair_have_no_attention(kind):
    X = np.eye(3)
    model = FMRegressor(max_iter=1).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="No row of X has two non-zero features"):
        AttentionDisplay.from_estimator(model, X, kind=kind)


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


def test_waterfall_ends_at_the_prediction(fitted):
    model, X, _ = fitted
    display = drawn(InteractionDisplay.from_estimator(model, X, row=-1, n_terms=5))
    assert len(display.bars_) == 7  # bias, 5 terms, and all other terms
    last = display.bars_[-1]
    predicted = model.predict(X[-1:])[0]
    np.testing.assert_allclose(last.get_x() + last.get_width(), predicted, rtol=1e-5)
    for above, below in pairwise(display.bars_):
        np.testing.assert_allclose(above.get_x() + above.get_width(), below.get_x())
    sizes = np.abs([bar.get_width() for bar in display.bars_[1:6]])
    assert (np.diff(sizes) <= 0).all()
    assert texts(display.ax_.get_yticklabels())[-1] == "16 smaller terms"
    everything = drawn(display.plot(n_terms=21))
    assert len(everything.bars_) == 22


def test_waterfall_of_classes(rng):
    X = ragged_matrix(rng)
    model = random_model(FMClassifier, X, 3, rng)
    display = drawn(InteractionDisplay.from_estimator(model, X, row=5, output=2))
    total = display.bias + display.values.sum()
    np.testing.assert_allclose(total, model.decision_function(X)[5, 2], rtol=1e-9)
    assert display.ax_.get_xlabel().startswith("logit of c")
    two = random_model(FMClassifier, X, 1, rng)
    display = drawn(InteractionDisplay.from_estimator(two, X, row=0))  # a row of zeros
    assert display.ax_.get_xlabel().startswith("logit of b")
    with pytest.raises(ValueError, match="InteractionDisplay needs one output"):
        InteractionDisplay.from_estimator(model, X)
    with pytest.raises(ValueError, match="row=12 is no row of X, which has 12"):
        InteractionDisplay.from_estimator(two, X, row=12)


def test_history_of_several(fitted):
    model, X, y = fitted
    fm = FMRegressor(max_iter=8, random_state=0).fit(model[:-1].transform(X), y)
    display = drawn(HistoryDisplay.from_estimator({"FM": fm, "AFM": model}))
    assert {name: len(lines) for name, lines in display.lines_.items()} == {"FM": 1, "AFM": 2}
    history = model[-1].history_
    expected = np.sqrt([record["validation_loss"] for record in history])
    np.testing.assert_allclose(display.lines_["AFM"][1].get_ydata(), expected)
    assert display.ax_.get_ylabel() == "RMSE (unit of the target)"
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
    displays = [AttentionDisplay(values, names, names).plot()]
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
