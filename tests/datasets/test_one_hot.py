"""One-hot rows, their fields and names are the same as by plain loops."""

import numpy as np

from sklearn_afm.datasets import _one_hot


def test_encoded_rows_carry_the_names_of_their_levels(rng):
    table = {
        "number": rng.integers(0, 12, 50).tolist(),
        "text": rng.choice(["b", "a", "c"], 50).tolist(),
    }
    data, fields, names = _one_hot.encode(table)
    assert data.dtype == np.float32
    assert list(fields) == ["number", "text"]
    # Numbers are sorted as numbers, not as text.
    levels = [int(name.split("=")[1]) for name in names[fields["number"]]]
    assert levels == sorted(set(table["number"]))
    assert names[fields["text"]].tolist() == ["text=a", "text=b", "text=c"]
    for row, (number, text) in enumerate(zip(*table.values())):
        [found] = data[[row]].toarray()
        assert set(names[found == 1]) == {f"number={number}", f"text={text}"}
        assert found.sum() == 2


def test_numbered_columns():
    fields = _one_hot.slices({"a": 2, "b": 3})
    assert fields == {"a": slice(0, 2), "b": slice(2, 5)}
    assert _one_hot.numbered_names(fields).tolist() == ["a=0", "a=1", "b=0", "b=1", "b=2"]
    data = _one_hot.ones_at(np.array([[0, 4], [1, 2], [1, 4]]), 5)
    assert data.toarray().tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0], [0, 1, 0, 0, 1]]
