"""InteractionDisplay: the waterfall of one prediction."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from conftest import ragged_matrix
from explained import fitted_pipeline, random_model

from sklearn_afm import AFMRegressor, FMClassifier, make_field_pipeline
from sklearn_afm.inspection import InteractionDisplay

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    return fitted_pipeline(AFMRegressor(max_iter=20, early_stopping=True, random_state=0))


def drawn(display):
    display.figure_.canvas.draw()
    return display


def labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def span(bar):
    return bar.get_x(), bar.get_x() + bar.get_width()


def test_bars_add_up_to_the_prediction(fitted):
    model, X, _ = fitted
    display = drawn(InteractionDisplay.from_estimator(model, X, row=-1, n_terms=5))
    names = labels(display)
    at = [names.index(part) for part in ("linear part", "interactions")]
    end = 0.0
    for number, bar in enumerate(display.bars_):
        start, stop = span(bar)
        if number in at:  # a sub-total goes over the bars of its part again
            part = display.bars_[1 if number == at[0] else at[0] + 1]
            np.testing.assert_allclose((start, stop), (span(part)[0], end))
        else:
            np.testing.assert_allclose(start, end, atol=1e-12)
            end = stop
    np.testing.assert_allclose(end, model.predict(X[-1:])[0], rtol=1e-5)
    linear = [name for name in names[1 : at[0]] if "smaller" not in name]
    pairs = [name for name in names[at[0] + 1 : at[1]] if "smaller" not in name]
    assert len(linear) + len(pairs) == 5
    assert set(linear) <= {f"{column} = {X[column].iloc[-1]}" for column in "abcdef"}
    sizes = np.sort(np.abs(display.values))[::-1]
    one_by_one = [abs(bar.get_width()) for bar, name in zip(display.bars_, names) if name in linear]
    one_by_one += [abs(bar.get_width()) for bar, name in zip(display.bars_, names) if name in pairs]
    np.testing.assert_allclose(np.sort(one_by_one)[::-1], sizes[:5])
    assert len(drawn(display.plot(n_terms=21)).bars_) == 1 + 21 + 2


def test_sub_totals_are_those_of_the_terms(fitted):
    model, X, _ = fitted
    display = drawn(InteractionDisplay.from_estimator(model, X, row=2))
    names = labels(display)
    linear = display.values[:6].sum()
    for part, expected in (("linear part", linear), ("interactions", display.values[6:].sum())):
        width = display.bars_[names.index(part)].get_width()
        np.testing.assert_allclose(width, expected, rtol=1e-9)
    assert [type(name) for name in display.names] == [str] * 6 + [tuple] * 15


def test_probability_is_beside_the_logit(rng):
    X = ragged_matrix(rng)
    model = random_model(FMClassifier, X, 3, rng)
    display = drawn(InteractionDisplay.from_estimator(model, X, row=5, output=2))
    total = display.bias + display.values.sum()
    np.testing.assert_allclose(total, model.decision_function(X)[5, 2], rtol=1e-9)
    np.testing.assert_allclose(display.probability, model.predict_proba(X)[5, 2], rtol=1e-9)
    line = f"logit of c: {total:.4g}, probability: {display.probability:.3g}"
    assert display.ax_.get_xlabel() == line
    two = random_model(FMClassifier, X, 1, rng)
    display = drawn(InteractionDisplay.from_estimator(two, X, row=0))  # a row of zeros
    assert display.ax_.get_xlabel().startswith("log odds of b: ")
    np.testing.assert_allclose(display.probability, two.predict_proba(X)[0, 1], rtol=1e-9)
    assert labels(display) == ["bias"]
    with pytest.raises(ValueError, match="InteractionDisplay needs one output"):
        InteractionDisplay.from_estimator(model, X)


@pytest.mark.parametrize("row", [12, -13, True, 1.0, "1"])
def test_what_is_no_row_is_refused(row, rng):
    X = ragged_matrix(rng)
    model = random_model(FMClassifier, X, 1, rng)
    with pytest.raises(ValueError, match=f"row={row!r} is no row of X, which has 12 rows"):
        InteractionDisplay.from_estimator(model, X, row=row)


def overlap(box, other):
    return min(box.x1, other.x1) > max(box.x0, other.x0) + 1 and (
        min(box.y1, other.y1) > max(box.y0, other.y0) + 1
    )


def test_long_names_are_cut_and_nothing_overlaps(rng):
    """Names of 40 characters: half of the width is for data, and all text is in the figure."""
    frame = pd.DataFrame(
        np.array([f"level {letter} with a name of forty characters" for letter in "xyz"])[
            rng.integers(0, 3, (300, 5))
        ],
        columns=[f"column {number} of a name of forty characters." for number in range(5)],
    )
    y = 3.0 * (frame.iloc[:, 0] == frame.iloc[:, 1]) - (frame.iloc[:, 2] == frame.iloc[:, 3])
    model = make_field_pipeline(AFMRegressor(max_iter=5, random_state=0)).fit(frame, y)
    display = drawn(InteractionDisplay.from_estimator(model, frame, n_terms=15))
    assert max(map(len, labels(display))) <= 48
    figure, ax = display.figure_, display.ax_
    boxes = [text.get_window_extent() for text in [*ax.get_yticklabels(), *ax.texts]]
    boxes += [ax.get_legend().get_window_extent(), ax.xaxis.label.get_window_extent()]
    boxes.append(ax.get_window_extent())
    for number, box in enumerate(boxes):
        assert not any(overlap(box, other) for other in boxes[:number])
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
    assert ax.get_window_extent().width > 0.5 * figure.bbox.width
