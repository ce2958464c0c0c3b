"""Files of scorers: nothing changes, nothing is executed, and what is no scorer is refused."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from scored import fitted, method_of, training_rows

import sklearn_afm
from sklearn_afm.export import to_scorer
from sklearn_afm.scorer import load_scorer

STORED = sorted((Path(__file__).parents[1] / "models").glob("*/scorer.npz"))
NAMES = ["AFM of several targets", "field-aware AFM", "FM of three classes", "FwFM"]


def content_of(scorer):
    """The bytes of its file."""
    file = io.BytesIO()
    scorer.save(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def content():
    return content_of(to_scorer(fitted("AFM")))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_loaded_predicts_the_same_bits(name, tmp_path):
    scorer = to_scorer(fitted(name))
    path = tmp_path / "a model"  # whose name NumPy would change
    scorer.save(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    with path.open("rb") as stream:
        loaded = [load_scorer(path), load_scorer(str(path)), load_scorer(stream)]
    method = method_of(fitted(name))
    for one in loaded:
        for asked in {method, "predict"}:
            actual, expected = (getattr(s, asked)(training_rows()) for s in (one, scorer))
            assert actual.dtype == expected.dtype
            np.testing.assert_array_equal(actual, expected)
        assert one.columns == scorer.columns
        assert repr(one) == repr(scorer)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_scorer(tmp_path / "none")


def test_a_file_that_is_cut_off_is_refused(content, tmp_path):
    path = tmp_path / "cut"
    for length in [*range(0, len(content) - 1, len(content) // 60), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="no scorer, or is damaged or cut off"):
            load_scorer(path)


def test_a_changed_bit_is_found_or_changes_nothing(content, tmp_path):
    """A zip archive has bits that do not matter, such as the time of writing."""
    rows = training_rows()[:3]
    expected = load_scorer(io.BytesIO(content)).predict(rows)
    rng = np.random.default_rng(0)
    # Most bytes are arrays; the directory at the end is short.
    places = [
        *rng.integers(0, len(content), 150),
        *rng.integers(len(content) - 1500, len(content), 150),
    ]
    path, refused = tmp_path / "flipped", 0
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            found = load_scorer(path).predict(rows)
        except ValueError as error:
            assert "no scorer, or is damaged or cut off" in str(error)  # noqa: PT017
            refused += 1
        else:
            np.testing.assert_array_equal(found, expected)
    assert refused > 150


def foreign():
    """Bytes of files that are no scorers."""
    arrays, array = io.BytesIO(), io.BytesIO()
    np.savez(arrays, weights=np.ones(3))
    np.save(array, np.ones(3))
    described = io.BytesIO()
    np.savez(described, description=np.frombuffer(b'{"format": "another"}', dtype=np.uint8))
    return {
        "empty": b"",
        "arrays": arrays.getvalue(),
        "an array": array.getvalue(),
        "another description": described.getvalue(),
        "a pickle": pickle.dumps({"format": "sklearn_afm scorer"}),
        "a graph": b"\x08\x08\x12\x0bsklearn_afm:" + bytes(range(256)),
        "text": b"{}",
        "zip": b"PK\x05\x06" + bytes(18),
    }


@pytest.mark.parametrize("kind", foreign())
def test_other_files_are_refused(kind, tmp_path):
    (tmp_path / "file").write_bytes(foreign()[kind])
    for file in (tmp_path / "file", io.BytesIO(foreign()[kind])):
        with pytest.raises(ValueError, match=r"no scorer.*Scorer.save writes one"):
            load_scorer(file)


class Touch:
    """Its pickle writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("place", ["description", "array embeddings", "classes", "one more"])
def test_no_code_of_a_file_is_executed(place, content, tmp_path):
    touched = tmp_path / "touched"
    pickle.loads(pickle.dumps(Touch(touched)))
    assert touched.exists()  # the pickle is a harmful one
    touched.unlink()
    with np.load(io.BytesIO(content)) as archive:
        arrays = dict(archive)
    arrays[place] = np.array([Touch(touched)], dtype=object)
    np.savez(tmp_path / "harmful.npz", allow_pickle=True, **arrays)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        load_scorer(tmp_path / "harmful.npz")
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(Touch(touched)))
    with pytest.raises(ValueError, match="no scorer"):
        load_scorer(tmp_path / "plain.npz")
    assert not touched.exists()


def described_otherwise(content, **changes):
    """A file whose description has other values; None: it has none."""
    with np.load(io.BytesIO(content)) as archive:
        arrays = dict(archive)
    described = json.loads(arrays["description"].tobytes()) | changes
    described = {name: value for name, value in described.items() if value is not None}
    arrays["description"] = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    return file


@pytest.mark.parametrize("version", [0, 2, "1"])
def test_another_version_is_refused_in_a_sentence(version, content):
    sentence = f"version {version!r}. This release of sklearn_afm reads"
    with pytest.raises(ValueError, match=sentence.replace(".", r"\.")):
        load_scorer(described_otherwise(content, version=version))


@pytest.mark.parametrize(
    "changes", [{"fields": None}, {"options": None}, {"fields": [{"kind": "x"}]}]
)
def test_a_description_that_lacks_something_is_refused(changes, content):
    with pytest.raises(ValueError, match="no scorer"):
        load_scorer(described_otherwise(content, **changes))


# tests/models/make.py has stored them.


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.parent.name)
def test_scorers_of_earlier_releases_load_and_predict(path):
    scorer = load_scorer(path)
    expected = json.loads((path.parent / "scorer.json").read_text())
    actual = scorer.predict_proba(expected["rows"])
    np.testing.assert_allclose(actual, expected["probabilities"], rtol=1e-6)
    assert scorer.predict(expected["rows"]).tolist() == expected["labels"]


def test_there_is_a_stored_scorer_of_this_release():
    assert sklearn_afm.__version__ in [path.parent.name for path in STORED]
