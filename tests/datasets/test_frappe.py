"""fetch_frappe reads the authors' text files or the arrays, and refuses other rows."""

import numpy as np
import pytest

from sklearn_afm.datasets import _frappe, fetch_frappe

WIDTHS = [957, 4082, 7, 7, 2, 3, 2, 9, 80, 233]
STARTS = np.cumsum([0, *WIDTHS[:-1]])


def made_rows(subset):
    """Make columns and targets, as many as the authors' part has."""
    rng = np.random.default_rng(0)
    n_rows = {"train": 202_027, "validation": 57_722, "test": 28_860}[subset]
    return STARTS + rng.integers(0, WIDTHS, (n_rows, 10)), rng.choice([-1, 1], n_rows)


def write_text(folder, subset, columns, target):
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{y} " + " ".join(f"{column}:1" for column in row)
        for row, y in zip(columns.tolist(), target.tolist())
    ]
    (folder / f"frappe.{subset}.libfm").write_text("\n".join(lines) + "\n")


def write_arrays(folder, subset, columns, target):
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / f"{subset}.npz", indices=columns.astype(np.int16), target=target.astype(np.int8)
    )


def assert_same(found, columns, target):
    X = found.data
    assert X.shape == (len(target), 5382)
    assert X.dtype == np.float32
    assert (X.data == 1).all()
    np.testing.assert_array_equal(X.indices.reshape(-1, 10), columns)
    np.testing.assert_array_equal(found.target, target)


def test_text_files_of_the_authors_are_fetched(tmp_path, monkeypatch):
    columns, target = made_rows("test")
    write_text(tmp_path / "origin", "test", columns, target)
    origin = f"file://localhost{tmp_path / 'origin'}"
    monkeypatch.setattr(_frappe, "URL", origin + "/frappe.{}.libfm")
    home = tmp_path / "home"
    assert_same(fetch_frappe(data_home=home, subset="test"), columns, target)
    assert (home / "frappe" / "frappe.test.libfm").exists()
    monkeypatch.setattr(_frappe, "URL", "file://localhost/nowhere/{}")
    X, y = fetch_frappe(data_home=home, subset="test", return_X_y=True)
    assert X.shape == (28_860, 5382)
    np.testing.assert_array_equal(y, target)


def test_arrays_take_the_place_of_text_files_but_for_the_test_part(tmp_path, monkeypatch):
    monkeypatch.setattr(_frappe, "URL", "file://localhost/nowhere/{}")
    columns, target = made_rows("validation")
    write_arrays(tmp_path / "frappe", "validation", columns, target)
    found = fetch_frappe(data_home=tmp_path, subset="validation")
    assert_same(found, columns, target)
    with pytest.raises(OSError, match=str(tmp_path / "frappe" / "frappe.test.libfm")):
        fetch_frappe(data_home=tmp_path, subset="test", n_retries=0)
    # If both exist, the text file is read.
    write_text(tmp_path / "frappe", "validation", columns, -target)
    assert_same(fetch_frappe(data_home=tmp_path, subset="validation"), columns, -target)


def test_fields_and_names(tmp_path):
    write_arrays(tmp_path / "frappe", "validation", *made_rows("validation"))
    found = fetch_frappe(data_home=tmp_path, subset="validation")
    assert [field.start for field in found.fields.values()] == STARTS.tolist()
    assert found.feature_names[[0, 957, 5381]].tolist() == ["user=0", "item=0", "city=232"]
    assert len(found.feature_names) == 5382
    assert "arXiv:1505.03014" in found.DESCR


def spoil(columns, target, how):
    """Return the same rows with one fault."""
    if how == "a row less":
        return columns[1:], target[1:]
    if how == "two entries of a field":
        columns[5, 1] = columns[5, 0] + 1 if columns[5, 0] < 956 else 3
        columns[5].sort()
    elif how == "a target":
        target[7] = 0
    elif how == "a column too many":
        columns[3, 9] = 5382
    return columns, target


FAULTS = ["a row less", "two entries of a field", "a target", "a column too many"]


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("write", [write_text, write_arrays])
def test_other_rows_are_refused(how, write, tmp_path):
    subset = "test" if write is write_text else "validation"
    write(tmp_path / "frappe", subset, *spoil(*made_rows(subset), how))
    with pytest.raises(OSError, match="is not what was published"):
        fetch_frappe(data_home=tmp_path, subset=subset)


def test_lines_that_are_no_rows_are_refused(tmp_path):
    path = tmp_path / "frappe" / "frappe.test.libfm"
    path.parent.mkdir()
    path.write_text("<html>\n")
    with pytest.raises(OSError, match=f"{path} is not what was published"):
        fetch_frappe(data_home=tmp_path, subset="test")


def test_unknown_subset(tmp_path):
    with pytest.raises(ValueError, match="'dev' must be one of"):
        fetch_frappe(data_home=tmp_path, subset="dev")
