"""fetch_movielens_tags: the paper's protocol on a small tags.csv made here."""

import zipfile

import numpy as np
import pytest

from sklearn_afm.datasets import _movielens_tags, fetch_movielens_tags

LINES = 150
HEADER = "userId,movieId,tag,timestamp\n"
WORDS = ["funny", '"sad, slow"', "naïve", "B&W", "1990s", "a=b", "war"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder for the data. The archive to fetch is made here."""
    rng = np.random.default_rng(0)
    seen = set()
    while len(seen) < LINES:
        seen.add((int(rng.integers(1, 30)), int(rng.integers(1, 25)), str(rng.choice(WORDS[:5]))))
    lines = [f"{user},{movie},{tag},1137179352\n" for user, movie, tag in sorted(seen)]
    lines += [f"99,99,{word},1137179352\n" for word in WORDS[5:]]
    for version in _movielens_tags.VERSIONS:
        with zipfile.ZipFile(tmp_path / f"{version}.zip", "w") as archive:
            archive.writestr(f"{version}/tags.csv", HEADER + "".join(lines))
    monkeypatch.setattr(_movielens_tags, "URL", f"file://localhost{tmp_path}/{{}}.zip")
    return tmp_path / "home"


def names_of(found):
    """Return user, movie and tag of each row, from the names of its columns."""
    assert (np.diff(found.data.indptr) == 3).all()
    return [tuple(names) for names in found.feature_names[found.data.indices.reshape(-1, 3)]]


def test_two_negatives_a_tag_that_was_given(home):
    found = fetch_movielens_tags(data_home=home, subset="all")
    rows = names_of(found)
    given = [row for row, y in zip(rows, found.target) if y == 1]
    drawn = [row for row, y in zip(rows, found.target) if y == -1]
    assert len(given) == LINES + 2
    assert not set(given) & set(drawn)
    # A tag that the user gave to another film can be drawn for this film.
    assert {row[::2] for row in given} & {row[::2] for row in drawn}
    contexts = sorted(row[:2] for row in given)
    assert sorted(row[:2] for row in drawn) == sorted(contexts * 2)
    texts = {name.partition("=")[2] for name in found.feature_names[found.fields["tag"]]}
    assert texts == {"funny", "sad, slow", "naïve", "B&W", "1990s", "a=b", "war"}


def test_parts_divide_the_rows(home):
    whole = fetch_movielens_tags(data_home=home, subset="all")
    parts = [
        fetch_movielens_tags(data_home=home, subset=subset)
        for subset in ("train", "validation", "test")
    ]
    n_rows = 3 * (LINES + 2)
    assert [len(part.target) for part in parts] == [320, 91, 45]
    assert sum(len(part.target) for part in parts) == n_rows == len(whole.target)
    rows = [row for part in parts for row in zip(names_of(part), part.target)]
    assert rows == list(zip(names_of(whole), whole.target))
    assert whole.target[:20].std() > 0  # shuffled


def test_the_seed_decides(home):
    first, again = (fetch_movielens_tags(data_home=home) for _ in range(2))
    assert (first.data != again.data).nnz == 0
    other = fetch_movielens_tags(data_home=home, random_state=1)
    assert (first.data != other.data).nnz > 0
    with pytest.raises(ValueError, match="must be an int"):
        fetch_movielens_tags(data_home=home, random_state=None)


def test_only_the_file_that_is_needed_is_kept(home):
    X, y = fetch_movielens_tags(data_home=home, version="ml-latest-small", return_X_y=True)
    assert X.shape[0] == len(y)
    files = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert files == ["ml-latest-small/tags.csv"]


@pytest.mark.parametrize(
    "text",
    ["", HEADER, HEADER + "1,2\n", HEADER + "x,2,war,3\n", "a,b,c,d\n1,2,war,3\n"],
    ids=["empty", "no line", "short", "no number", "header"],
)
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "ml-latest" / "tags.csv"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(OSError, match=f"{path} is not a file of tags"):
        fetch_movielens_tags(data_home=tmp_path)


@pytest.mark.parametrize("choice", [{"subset": "dev"}, {"version": "ml-20m"}])
def test_unknown_choices(choice, tmp_path):
    with pytest.raises(ValueError, match="must be one of"):
        fetch_movielens_tags(data_home=tmp_path, **choice)
