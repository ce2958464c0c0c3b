"""fetch_movielens_100k: film ratings, with attributes of users and films as fields."""

import numpy as np
from scipy import sparse

from ._one_hot import bunch, encode
from ._remote import cached_members, check_sha256, folder_of

URL = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
# Only of files that are the same in all copies of the archive. u.user is checked by its rows.
SHA256 = {
    "u.data": "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
    "u.item": "553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
}
N_USERS = 943
GENRES = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime",
    "Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance",
    "Sci-Fi", "Thriller", "War", "Western",
]  # fmt: skip

DESCR = """MovieLens 100K: ratings of films

100,000 ratings from 1 to 5, given in 1997 and 1998 by 943 users to 1,682 films. The fields of the
user are user, age (by decade), gender, occupation and region (the first digit of the postal code,
or "other" if that is a letter). The fields of the film are item (the film), decade (of its release)
and genre, which has one to six entries per row.

Source: https://grouplens.org/datasets/movielens/100k/. u.data and u.item are checked by SHA256.

Files: ml-100k/u.data, ml-100k/u.user and ml-100k/u.item in `data_home`.

Terms: research use only; no redistribution and no commercial use without permission; no claim of
endorsement by the University of Minnesota; cite:
F. M. Harper, J. A. Konstan (2015). The MovieLens Datasets: History and Context. ACM Transactions
on Interactive Intelligent Systems 5(4), 19. https://doi.org/10.1145/2827872
"""


def fetch_movielens_100k(
    *, data_home=None, download_if_missing=True, return_X_y=False, n_retries=3, delay=1.0
):
    """Load MovieLens 100K with attributes of users and films. Fetch it if it is missing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that contains the folder "ml-100k" with the files. None means scikit-learn's data
        folder, :func:`sklearn.datasets.get_data_home`.
    download_if_missing : bool, default=True
        If True, fetch missing files. If False, raise OSError.
    return_X_y : bool, default=False
        If True, return only ``(data, target)``.
    n_retries : int, default=3
        How many times a failed download is tried again.
    delay : float, default=1.0
        Seconds between tries.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : csr_array of shape (100000, n_columns), float32
            Rows with a 1 for user, age, gender, occupation, region, item and decade, and for each
            genre of the film.
        target : ndarray of shape (100000,), float64
            Ratings from 1 to 5.
        fields : dict of str to slice
            Columns of each field, in the form that the parameter `fields` of
            :mod:`sklearn_afm.inspection` takes.
        feature_names : ndarray of shape (n_columns,)
            Names of the columns, "field=level". Users and items have their numbers in the files.
        titles : ndarray of shape (1682,)
            Title of each item, in the order of the item's columns.
        timestamp : ndarray of shape (100000,), int64
            When the rating was given, in seconds since 1970. Use it to split by time: rows are in
            the order of the file, which is not sorted.
        DESCR : str
            Source, files, terms and citation.

    Raises
    ------
    OSError
        If a file is missing and cannot be fetched (the message says where to put it), or if it
        is not the file that was published.

    Examples
    --------
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.datasets import fetch_movielens_100k
    >>> from sklearn_afm.inspection import pair_importance
    >>> ratings = fetch_movielens_100k()  # doctest: +SKIP
    >>> model = AFMRegressor().fit(ratings.data, ratings.target)  # doctest: +SKIP
    >>> pair_importance(model, ratings.data, fields=ratings.fields)  # doctest: +SKIP
    """
    paths = cached_members(
        URL,
        folder_of(data_home, "ml-100k"),
        ["u.data", "u.user", "u.item"],
        download_if_missing,
        n_retries,
        delay,
    )
    for path in paths:
        if path.name in SHA256:
            check_sha256(path, SHA256[path.name])
    user, item, rating, timestamp = np.loadtxt(paths[0], dtype=np.int64, unpack=True)
    user_rows, user_fields, user_names = encode(_user_table(paths[1]))
    table, genres, titles = _item_table(paths[2])
    item_rows, item_fields, item_names = encode(table)
    # Users and items are numbered from 1.
    data = sparse.hstack([user_rows[user - 1], item_rows[item - 1], genres[item - 1]], format="csr")
    start = user_rows.shape[1]
    fields = dict(user_fields)
    for name, columns in item_fields.items():
        fields[name] = slice(start + columns.start, start + columns.stop)
    fields["genre"] = slice(start + item_rows.shape[1], data.shape[1])
    names = np.concatenate([user_names, item_names, [f"genre={genre}" for genre in GENRES]])
    target = rating.astype(np.float64)
    more = {"titles": titles, "timestamp": timestamp, "DESCR": DESCR}
    return bunch(data, target, fields, names.astype(object), return_X_y, **more)


def _user_table(path):
    """Return the attributes of the users by field, in the order of the users' numbers."""
    lines = [line.split("|") for line in path.read_text("latin-1").splitlines() if line]
    numbers = [line[0] for line in lines]
    if numbers != [str(number + 1) for number in range(len(lines))] or len(lines) != N_USERS:
        raise OSError(
            f"{path} is not the file that was published: it does not have one line for each of the "
            f"users 1 to {N_USERS}. Delete it, and it is fetched again."
        )
    return {
        "user": [int(number) for number in numbers],
        "age": [f"{int(line[1]) // 10 * 10}s" for line in lines],
        "gender": [line[2] for line in lines],
        "occupation": [line[3] for line in lines],
        "region": [line[4][0] if line[4][0].isdigit() else "other" for line in lines],
    }


def _item_table(path):
    """Return numbers and decades of the films, their genres (CSR), and their titles."""
    lines = [line.split("|") for line in path.read_text("latin-1").splitlines()]
    table = {
        "item": [int(line[0]) for line in lines],
        "decade": [f"{line[2][-4:-1]}0s" if line[2] else "unknown" for line in lines],
    }
    genres = np.array([line[5:] for line in lines]).astype(np.float32)
    return table, sparse.csr_array(genres), np.array([line[1] for line in lines], dtype=object)
