"""fetch_movielens_tags: which tag a user gives a film, after the AFM paper."""

import csv

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from ._negatives import sample_negatives
from ._one_hot import bunch, encode
from ._remote import cached_members, folder_of

URL = "https://files.grouplens.org/datasets/movielens/{}.zip"
VERSIONS = ("ml-latest", "ml-latest-small")
# Where the parts end, as shares of the rows.
PARTS = {"train": (0.0, 0.7), "validation": (0.7, 0.9), "test": (0.9, 1.0), "all": (0.0, 1.0)}

DESCR = """MovieLens tags: which tag a user gave a film

Each row is a user, a film ("movie") and a tag, one-hot. Rows with target 1 are the lines of
tags.csv; for each, two rows with target -1 have a tag drawn at random that the user did not give
the film. All are shuffled and split into 70% for training, 20% for validation and 10% for testing.

This is the protocol of the AFM paper, and not its data: the archive is renewed from time to time.
The paper's, of 2016, had 668,953 tag applications, hence 2,006,859 rows, of 17,045 users, 23,743
films and 49,657 tags. Figures here compare with the paper's only roughly. As the file moves, there
is no checksum.

Source: https://grouplens.org/datasets/movielens/latest/

Files: ml-latest/tags.csv or ml-latest-small/tags.csv in `data_home`.

Terms: those in the archive's README, which have changed with time: research use, no claim of
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
    """Load MovieLens tags after the AFM paper's protocol; fetch them where they are missing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder whose folder `version` has tags.csv. None is scikit-learn's,
        :func:`sklearn.datasets.get_data_home`.
    subset : {"train", "validation", "test", "all"}, default="train"
        Which part: 70%, 20% or 10% of the rows, or all of them.
    version : {"ml-latest", "ml-latest-small"}, default="ml-latest"
        Which archive: the full one of some hundred megabytes, or one of a few thousand tags.
    random_state : int, default=0
        Seed of the negatives and of the split. Parts of one seed belong together.
    download_if_missing : bool, default=True
        Whether a missing file is fetched. Else it is an error.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` only.
    n_retries : int, default=3
        How often a failed download is tried again.
    delay : float, default=1.0
        Seconds between tries.

    Returns
    -------
    dataset : :class:`~sklearn.utils.Bunch`
        data : csr_array of shape (n_rows, n_columns), float32
            Ones for user, movie and tag; the columns are the same in all parts.
        target : ndarray of shape (n_rows,), float64
            1 for a tag that was given, -1 for a drawn one.
        fields : dict of str to slice
            Columns of each field, as `fields` in :mod:`sklearn_afm.inspection` takes them.
        feature_names : ndarray of shape (n_columns,)
            "field=level", with the tags' text.
        DESCR : str
            Source, files, terms and citation, and how this differs from the paper's data.

    Raises
    ------
    OSError
        If the file is missing and cannot be fetched (the message says where to put it), or if it
        is no such file.
    ValueError
        If `subset`, `version` or `random_state` is none of its choices.

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
            f"random_state={random_state!r} must be an int, so that the parts belong together."
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
    """Users, films and tags of the lines of tags.csv."""
    with open(path, encoding="utf-8", newline="") as file:
        try:
            header, *lines = csv.reader(file)
            users, movies, tags, _ = zip(*lines, strict=True)
            table = {"user": list(map(int, users)), "movie": list(map(int, movies)), "tag": tags}
        except ValueError as error:
            raise OSError(
                f"{path} is no file of tags ({error}). Delete it, so that it is fetched again."
            ) from error
    if header != ["userId", "movieId", "tag", "timestamp"]:
        raise OSError(f"{path} is no file of tags: its first line is {header}.")
    return table
