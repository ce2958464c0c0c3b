"""fetch_movielens_100k: rows equal a plain reading of the files; a row can have several genres."""

import zipfile
from hashlib import sha256

import numpy as np
import pytest

from sklearn_afm import AFMRegressor
from sklearn_afm.datasets import _movielens_100k, fetch_movielens_100k
from sklearn_afm.inspection import (
    interaction_scores,
    interaction_table,
    pair_importance,
    permutation_pair_importance,
)

N_USERS, N_ITEMS, N_RATINGS = 30, 12, 200
ZIPS = ["85711", "V3N4P", "05201"]
DATES = ["01-Jan-1995", "", "14-Feb-1941"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Make an archive with files of the same form, and list what they contain, row by row."""
    rng = np.random.default_rng(0)
    genres = rng.random((N_ITEMS, 19)) < 0.2
    genres[:, 7] |= ~genres.any(axis=1)
    users = [
        f"{u}|{5 + u}|{'MF'[u % 2]}|{['writer', 'none'][u % 2]}|{ZIPS[u % 3]}"
        for u in range(1, N_USERS + 1)
    ]
    items = [
        f"{i}|Café {i} (1995)|{DATES[i % 3]}||http://|" + "|".join(map(str, genres[i - 1] * 1))
        for i in range(1, N_ITEMS + 1)
    ]
    ratings = np.column_stack(
        [
            rng.integers(1, N_USERS + 1, N_RATINGS),
            rng.integers(1, N_ITEMS + 1, N_RATINGS),
            rng.integers(1, 6, N_RATINGS),
            rng.integers(10**8, 10**9, N_RATINGS),
        ]
    )
    content = {
        "u.data": "".join("\t".join(map(str, row)) + "\n" for row in ratings).encode(),
        "u.user": ("\n" + "\n".join(users) + "\n").encode(),  # empty lines are not users
        "u.item": ("\n".join(items) + "\n").encode("latin-1"),
    }
    with zipfile.ZipFile(tmp_path / "ml-100k.zip", "w") as archive:
        for name, text in content.items():
            archive.writestr(f"ml-100k/{name}", text)
    monkeypatch.setattr(_movielens_100k, "URL", f"file://localhost{tmp_path}/ml-100k.zip")
    monkeypatch.setattr(_movielens_100k, "N_USERS", N_USERS)
    known = {name: sha256(content[name]).hexdigest() for name in ("u.data", "u.item")}
    monkeypatch.setattr(_movielens_100k, "SHA256", known)
    return tmp_path / "home", ratings, genres


def expected_levels(user, item, genres):
    """Return the names of the columns of one row."""
    names = {
        f"user={user}",
        f"age={(5 + user) // 10 * 10}s",
        f"gender={'MF'[user % 2]}",
        f"occupation={['writer', 'none'][user % 2]}",
        f"region={['8', 'other', '0'][user % 3]}",
        f"item={item}",
        f"decade={['1990s', 'unknown', '1940s'][item % 3]}",
    }
    return names | {
        f"genre={name}" for name, on in zip(_movielens_100k.GENRES, genres[item - 1]) if on
    }


def test_rows_equal_a_plain_reading(files):
    home, ratings, genres = files
    found = fetch_movielens_100k(data_home=home)
    assert found.data.dtype == np.float32
    assert len(found.feature_names) == found.data.shape[1]
    for row, (user, item, *_) in enumerate(ratings.tolist()):
        [entries] = found.data[[row]].toarray()
        assert set(found.feature_names[entries == 1]) == expected_levels(user, item, genres)
        assert set(entries) == {0, 1}
    np.testing.assert_array_equal(found.target, ratings[:, 2])
    np.testing.assert_array_equal(found.timestamp, ratings[:, 3])
    assert found.titles[2] == "Café 3 (1995)"
    for name, columns in found.fields.items():
        own = [column.startswith(f"{name}=") for column in found.feature_names]
        assert np.flatnonzero(own).tolist() == list(range(columns.start, columns.stop))


def test_explanations_take_its_fields(files):
    found = fetch_movielens_100k(data_home=files[0])
    X, y, fields = found.data, found.target, found.fields
    model = AFMRegressor(embedding_dim=2, max_iter=2, l2_embedding=10, random_state=0).fit(X, y)
    importance = pair_importance(model, X, fields=fields, statistic="attention")
    assert importance.fields.tolist() == list(fields)
    # The attention of a row sums to 1, over pairs of two fields and pairs of two genres.
    np.testing.assert_allclose(importance.total.sum(), 1)
    genre = list(fields).index("genre")
    several = (np.diff(X[:, fields["genre"]].indptr) > 1).mean()
    np.testing.assert_allclose(importance.share[genre, genre], several)
    change = permutation_pair_importance(model, X, y, fields=fields, random_state=0)
    assert np.isfinite(change.ranked("mean")).all()
    assert "genre" in str(interaction_table(model, X[:2], fields=fields))
    assert interaction_scores(model, X[:2]) is not None


def test_return_X_y(files):
    X, y = fetch_movielens_100k(data_home=files[0], return_X_y=True)
    assert X.shape[0] == len(y) == N_RATINGS


@pytest.mark.parametrize("name", ["u.data", "u.item", "u.user"])
def test_other_files_are_refused(name, files):
    home = files[0]
    fetch_movielens_100k(data_home=home)
    path = home / "ml-100k" / name
    path.write_bytes(path.read_bytes().rstrip(b"\n").rpartition(b"\n")[0])
    with pytest.raises(OSError, match=f"{path} is not the file that was published"):
        fetch_movielens_100k(data_home=home)
