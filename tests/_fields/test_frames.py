"""fit_frames: the encoder of all rows, learnt from frames one after the other."""

import numpy as np
import pytest

from sklearn_afm import FieldEncoder
from sklearn_afm._fields import numbers

pd = pytest.importorskip("pandas")


@pytest.fixture
def frame(rng):
    tags = [list(rng.choice(list("abcdef"), rng.integers(0, 4))) for _ in range(300)]
    return pd.DataFrame(
        {
            "colour": rng.choice(["red", "blue", "pink", None], 300),
            "size": rng.normal(size=300),
            "age": np.where(rng.random(300) < 0.1, np.nan, rng.integers(0, 9, 300)),
            "day": pd.Timestamp("2020-01-01 05:00")
            + pd.to_timedelta(rng.integers(0, 99, 300), "h"),
            "tags": pd.Series(tags, dtype=object),
            "delimited": rng.choice(["x|y", "y", "z|x", ""], 300),
        }
    )


def parts_of(frame, size=70):
    return [frame[start : start + size] for start in range(0, len(frame), size)]


@pytest.mark.parametrize("method", ["bins", "linear", "standard"])
@pytest.mark.parametrize("n_bins", [8, 64])
def test_frames_teach_what_all_rows_teach(method, n_bins, frame):
    options = {"numbers": method, "n_bins": n_bins, "min_frequency": 3}
    options |= {"delimiters": {"delimited": "|"}, "categorical_features": ["age"]}
    expected = FieldEncoder(**options).fit(frame)
    found = FieldEncoder(**options).fit_frames(iter(parts_of(frame)))
    assert found.fields_ == expected.fields_
    assert found.get_feature_names_out().tolist() == expected.get_feature_names_out().tolist()
    rows, known = found.transform(frame), expected.transform(frame)
    np.testing.assert_array_equal(rows.toarray(), known.toarray())


def test_many_numbers_are_sampled(rng, monkeypatch):
    monkeypatch.setattr(numbers, "MOST_KEPT", 500)
    frame = pd.DataFrame({"x": rng.normal(size=20_000), "rare": (rng.random(20_000) < 0.001) * 1.0})
    found = FieldEncoder(n_bins=16).fit_frames(parts_of(frame, 900))
    expected = FieldEncoder(n_bins=16).fit(frame)
    first = found._encoders[0]
    assert len(first.edges) == 7
    ranks = [(frame["x"] < edge).mean() for edge in first.edges]
    known = [(frame["x"] < edge).mean() for edge in expected._encoders[0].edges]
    assert np.abs(np.interp(ranks, known, known) - ranks).max() < 0.05
    assert found._encoders[1].distinct.tolist() == [0.0, 1.0]  # though the sample may lack the 1
    linear = FieldEncoder(n_bins=16, numbers="linear").fit_frames(parts_of(frame, 900))
    knots = linear._encoders[0].edges
    assert (knots[0], knots[-1]) == (frame["x"].min(), frame["x"].max())


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "There are no frames"),
        ([{"a": [None]}, {"a": ["x"]}], "'a' has a value in frame 1, and none in frame 0"),
        ([{"a": ["x"]}, {"a": [1]}], "held categories in fit, and holds numbers"),
        ([{"a": ["x"]}, {"b": ["x"]}], "feature names should match"),
        (
            [{"a": pd.to_datetime(["2020-01-01"])}, {"a": pd.to_datetime(["2020-01-01 05:00"])}],
            "a date with an hour in frame 1",
        ),
    ],
)
def test_frames_that_do_not_fit_together_are_refused(frames, message):
    with pytest.raises(ValueError, match=message):
        FieldEncoder().fit_frames(pd.DataFrame(frame) for frame in frames)
