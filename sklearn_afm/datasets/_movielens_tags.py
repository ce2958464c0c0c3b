"""fetch_movielens_tags: which tag a user gives a film, by the protocol of the AFM paper."""

import csv

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from ._negatives import sample_negatives
from ._one_hot import bunch, encode
from ._remote import cached_members, folder_of

URL = "https://files.grouplens.org/datasets/movielens/{}.zip"
VERSIONS = ("ml-latest", "ml-latest-small")
# Start and end of each part, as shares of the rows.
PARTS = {"train": (0.0, 0.7), "validation": (0.7, 0.9), "test": (0.9, 1.0), "all": (0.0, 1.0)}

DESCR = """MovieLens tags: which tag a user gave a film

Each row is a user, a film ("movie") and a tag, one-hot. Rows with target 1 are the lines of
tags.csv. For each of them, there are two rows with target -1. They have a tag drawn at random that
the user did not give the film. All rows are shuffled and split into 70% for training, 20% for
validation and 10% for testing.

This is the protocol of the AFM paper, but not its data: the archive is renewed from time to time.
The paper used the archive of 2016. It had 668,953 tag applications, hence 2,006,859 rows, of 17,045
users, 23,743 films and 49,657 tags. Results on this data can be compared with the paper's only
roughly. There is no checksum, because the file changes.

Source: https://grouplens.org/datasets/movielens/latest/

Files: ml-latest/tags.csv or ml-latest-small/tags.csv in `data_home`.

Terms: see the archive's README, which has changed over time: research use, no claim of
endorsement by the University of Minnesota, no commercial use without permission; cite:
F. M. Harper, J. A. Konstan (2015). The MovieLens Datasets: History and Context. ACM Transactions
on Interactive Intelligent Systems 5(4), 19. https://doi.org/10.1145/2827872
"""


def fetch_movielens_tags(
    *,
    data_home=None,
    subset="train",
    version="ml-latest",
    random_state=0,
    download_if_missing=True,
    return_X_y=False,
    n_retries=3,
    delay=1.0,
):
    """Load MovieLens tags by the AFM paper's protocol. Fetch them if they are missing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that contains a folder named as `version`, with tags.csv. None means scikit-learn's
        data folder, :func:`sklearn.datasets.get_data_home`.
    subset : {"train", "validation", "test", "all"}, default="train"
        Part to load: 70%, 20% or 10% of the rows, or all of them.
    version : {"ml-latest", "ml-latest-small"}, default="ml-latest"
        Archive to use: the full one of some hundred megabytes, or a small one of a few thousand
        tags.
    random_state : int, default=0
        Seed of the drawn tags and of the split. Load all parts with the same seed, because each
        seed splits the rows anew.
    download_if_missing : bool, default=True
        If True, fetch a missing file. If False, raise OSError.
    return_X_y : bool, default=False
        If True, return only ``(data, target)``.
    n_retries : int, default=3
        How many times a failed download is tried again.
    delay : float, default=1.0
        Seconds between tries.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : csr_array of shape (n_rows, n_columns), float32
            Rows with a 1 for user, movie and tag. All parts have the same columns.
        target : ndarray of shape (n_rows,), float64
            1 for a tag that was given, -1 for a tag drawn at random.
        fields : dict of str to slice
            Columns of each field, in the form that the parameter `fields` of
            :mod:`sklearn_afm.inspection` takes.
        feature_names : ndarray of shape (n_columns,)
            Names of the columns, "field=level". The level of a tag is its text.
        DESCR : str
            Source, files, terms and citation, and how the data differ from the paper's.

    Raises
    ------
    OSError
        If the file is missing and cannot be fetched (the message says where to put it), or if it
        is not a file of tags.
    ValueError
        If `subset` or `version` is not one of its choices, or if `random_state` is not an int.

    See Also
    --------
    sample_negatives : Draws the rows with target -1.

    Examples
    --------
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.datasets import fetch_movielens_tags
    >>> tags = fetch_movielens_tags(version="ml-latest-small")  # doctest: +SKIP
    >>> model = AFMRegressor().fit(tags.data, tags.target)  # doctest: +SKIP
    """
    if subset not in PARTS:
        raise ValueError(f"subset={subset!r} must be one of {sorted(PARTS)}.")
    if version not in VERSIONS:
        raise ValueError(f"version={version!r} must be one of {list(VERSIONS)}.")
    if not isinstance(random_state, (int, np.integer)):
        raise ValueError(
            f"random_state={random_state!r} must be an int, so that all parts use the same split."
        )
    folder = folder_of(data_home, version)
    options = (download_if_missing, n_retries, delay)
    [path] = cached_members(URL.format(version), folder, ["tags.csv"], *options)
    positives, fields, names = encode(_read(path))
    rng = check_random_state(random_state)
    given = slice(fields["user"].start, fields["movie"].stop)
    negatives = sample_negatives(positives, fields["tag"], given, n=2, random_state=rng)
    data = sparse.vstack([positives, negatives], format="csr")
    target = np.repeat([1.0, -1.0], [positives.shape[0], negatives.shape[0]])
    start, stop = (int(np.ceil(share * len(target))) for share in PARTS[subset])
    part = rng.permutation(len(target))[start:stop]
    return bunch(data[part], target[part], fields, names, return_X_y, DESCR=DESCR)


def _read(path):
    """Return the users, films and tags in the lines of tags.csv."""
    with open(path, encoding="utf-8", newline="") as file:
        try:
            header, *lines = csv.reader(file)
            users, movies, tags, _ = zip(*lines, strict=True)
            table = {"user": list(map(int, users)), "movie": list(map(int, movies)), "tag": tags}
        except ValueError as error:
            raise OSError(
                f"{path} is not a file of tags ({error}). Delete it, and it is fetched again."
            ) from error
    if header != ["userId", "movieId", "tag", "timestamp"]:
        raise OSError(f"{path} is not a file of tags: its first line is {header}.")
    return table
