"""Layout of pictures, with long names and many levels: nothing is cut off, nothing overlaps."""

from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest

from sklearn_afm import AFMClassifier, AFMRegressor, make_field_pipeline
from sklearn_afm.inspection import (
    AttentionDisplay,
    FieldEffectDisplay,
    HistoryDisplay,
    InteractionDisplay,
    PairEffectDisplay,
    PairImportanceDisplay,
    permutation_pair_importance,
)
from sklearn_afm.inspection._plotting import pair_label, shortened

matplotlib.use("Agg")
import matplotlib.pyplot as plt

LENGTH = 40


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def long_name(text) -> str:
    return f"{text} of a table with very long names {'x' * LENGTH}"[:LENGTH]


@pytest.fixture(scope="module")
def fitted():
    """Two pipelines on a frame of seven fields, with 30 levels of long names; and the frame."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            long_name("first"): [long_name(level) for level in rng.integers(0, 30, size=900)],
            long_name("second"): [long_name(level) for level in rng.integers(0, 30, size=900)],
            long_name("number"): rng.normal(size=900) * 1e5,
            long_name("few"): rng.choice(["a", "b"], size=900),
            long_name("date"): pd.date_range("2024-01-01", periods=900, freq="9h"),
        }
    )
    y = rng.normal(size=900) * 1e4
    options = {"max_iter": 3, "embedding_dim": 4, "l2_embedding": 5, "random_state": 0}
    regressor = make_field_pipeline(AFMRegressor(**options)).fit(frame, y)
    classifier = make_field_pipeline(AFMClassifier(**options))
    classifier.fit(frame, np.where(y > 0, long_name("class"), long_name("another")))
    return regressor, classifier, frame, y


def pair_effects(one, other):
    pair = (long_name(one), long_name(other))
    return lambda model, X, y: PairEffectDisplay.from_estimator(model, X, pair=pair)


def field_effects(field):
    return lambda model, X, y: FieldEffectDisplay.from_estimator(model, X, field=long_name(field))


def importances(statistic):
    return lambda model, X, y: PairImportanceDisplay.from_estimator(model, X, statistic=statistic)


def permuted(model, X, y):
    return PairImportanceDisplay(permutation_pair_importance(model, X, y, n_repeats=1)).plot()


def histories(model, X, y):
    return HistoryDisplay.from_estimator({long_name("first"): model, long_name("second"): model})


def attention(**options):
    return lambda model, X, y: AttentionDisplay.from_estimator(model, X[:50], **options)


def waterfall(model, X, y):
    return InteractionDisplay.from_estimator(model, X)


DISPLAYS = {
    "levels by levels": pair_effects("first", "second"),
    "bins by two levels": pair_effects("number", "few"),
    "two levels by bins": pair_effects("few", "number"),
    "levels": field_effects("first"),
    "bins": field_effects("number"),
    "two levels": field_effects("few"),
    "pairs by contribution": importances("contribution"),
    "pairs by |contribution|": importances("abs_contribution"),
    "pairs by permutation": permuted,
    "histories": histories,
    "rows by pairs": attention(kind="rows"),
    "waterfall": waterfall,
}


@pytest.mark.parametrize("classify", [False, True], ids=["regression", "classes"])
@pytest.mark.parametrize("name", DISPLAYS)
def test_layout(name, classify, fitted):
    regressor, classifier, frame, y = fitted
    model = classifier if classify else regressor
    target = np.where(y > 0, *model.classes_[::-1]) if classify else y
    display = DISPLAYS[name](model, frame, target)
    check_layout(display.figure_, display.ax_)


def check_layout(figure, ax):
    """Nothing is outside of the figure or on another text, and data have half of the width."""
    figure.canvas.draw()
    texts = [text for one in figure.axes for text in visible_texts(one)]
    boxes = {text: text.get_window_extent() for text in texts}
    assert len(boxes) > 4
    for text, box in boxes.items():
        inside = box.x0 >= -1 and box.y0 >= -1
        inside &= box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
        assert inside, f"{text.get_text()!r} is cut off: {box}"
        assert len(text.get_text()) < 3 * LENGTH
    for one, other in combinations(texts, 2):
        a, b = boxes[one], boxes[other]
        apart = min(a.x1, b.x1) - max(a.x0, b.x0) < 1 or min(a.y1, b.y1) - max(a.y0, b.y0) < 1
        assert apart, f"{one.get_text()!r} is on {other.get_text()!r}"
    share = ax.get_window_extent().width / figure.bbox.width
    assert share >= 0.5, f"data have {share:.0%} of the width"


def visible_texts(ax):
    """Titles, labels, ticks, legend and other texts of axes that have any letters."""
    texts = [*ax.texts, ax.title, ax._left_title, ax._right_title]
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        margin = 1e-6 * (high - low)
        texts += [axis.label, axis.get_offset_text()]
        for tick in axis.get_major_ticks():
            if low - margin <= tick.get_loc() <= high + margin:
                texts += [tick.label1, tick.label2]
    if ax.get_legend() is not None:
        texts += ax.get_legend().get_texts()
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (lambda ax: ax.set_title(long_name("title") * 2), "is cut off"),
        (lambda ax: ax.set_yticks([0, 1], [long_name("tick"), "1"]), "is cut off"),
        (lambda ax: ax.text(0.5, 0.5, "one") and ax.text(0.51, 0.5, "two"), "'one' is on 'two'"),
        (lambda ax: ax.figure.subplots_adjust(left=0.6), "width"),
    ],
)
def test_the_check_finds_faults(fault, complaint):
    figure, ax = plt.subplots(figsize=(5, 4))
    check_layout(figure, ax)
    fault(ax)
    with pytest.raises(AssertionError, match=complaint):
        check_layout(figure, ax)


def test_long_names_lose_their_middle():
    name = "date of a table with very long names"
    assert shortened(name, 12) == "date of\N{HORIZONTAL ELLIPSIS}ames"
    assert shortened("short", 5) == "short"
    assert pair_label("a", "short", 11) == "a x short"
    label = pair_label("a", name, 20)
    assert label.startswith("a x date of")
    assert len(label) in (19, 20)
    assert len(pair_label(name, name)) <= 31
