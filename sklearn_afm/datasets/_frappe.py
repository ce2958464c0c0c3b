"""fetch_frappe: the app log of the AFM paper, in the parts that its authors published."""

import numpy as np
from sklearn.datasets import load_svmlight_file

from ._one_hot import bunch, numbered_names, ones_at, slices
from ._remote import cached_file, folder_of

URL = (
    "https://raw.githubusercontent.com/hexiangnan/neural_factorization_machine/master/"
    "data/frappe/frappe.{}.libfm"
)
N_ROWS = {"train": 202_027, "validation": 57_722, "test": 28_860}
FIELDS = slices(
    {
        "user": 957, "item": 4082, "daytime": 7, "weekday": 7, "isweekend": 2,
        "homework": 3, "cost": 2, "weather": 9, "country": 80, "city": 233,
    }
)  # fmt: skip
N_COLUMNS = FIELDS["city"].stop

DESCR = """Frappe: which app was used in which context

288,609 rows of ten categorical fields (5,382 one-hot columns): a user, an app ("item"), and the
context: time of day, weekday, weekend or not, home or work, whether the app costs money, weather,
country and city. 96,203 rows come from a log (target 1). For each of them, there are two rows with
an app drawn at random that the user did not use (target -1). The authors of "Neural Factorization
Machines" drew these rows, and split all rows into 70% for training, 20% for validation and 10% for
testing. "Attentional Factorization Machines" uses the same data. Levels are numbers: their meaning
was not published with these files.

Source: https://github.com/hexiangnan/neural_factorization_machine (data/frappe), made from
https://www.baltrunas.info/context-aware. No checksum is known here. The number of rows, the fields
and the targets are checked.

Files: frappe/frappe.train.libfm, frappe.validation.libfm and frappe.test.libfm in `data_home`.
If a text file is missing, frappe/train.npz or frappe/validation.npz (arrays `indices` of shape
(n_rows, 10) and `target`) is read instead. The test part has no such file.

Terms: research use only, no redistribution without permission, no commercial use, no attempt to
find out who the users are; cite:
L. Baltrunas, K. Church, A. Karatzoglou, N. Oliver (2015). Frappe: Understanding the Usage and
Perception of Mobile App Recommendations In-The-Wild. arXiv:1505.03014.
The parts: X. He, T.-S. Chua (2017). Neural Factorization Machines for Sparse Predictive
Analytics. SIGIR.
"""


def fetch_frappe(
    *,
    data_home=None,
    subset="train",
    download_if_missing=True,
    return_X_y=False,
    n_retries=3,
    delay=1.0,
):
    """Load a part of Frappe, the app log of the AFM paper. Fetch it if it is missing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder that contains the folder "frappe" with the files. None means scikit-learn's data
        folder, :func:`sklearn.datasets.get_data_home`.
    subset : {"train", "validation", "test"}, default="train"
        Part to load. The authors' parts have 202,027, 57,722 and 28,860 rows.
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
        data : csr_array of shape (n_rows, 5382), float32
            One-hot rows: each row has one 1 in each of the ten fields.
        target : ndarray of shape (n_rows,), float64
            1 for a row of the log, -1 for a row with an app drawn at random.
        fields : dict of str to slice
            Columns of each field, in the form that the parameter `fields` of
            :mod:`sklearn_afm.inspection` takes.
        feature_names : ndarray of shape (5382,)
            Names of the columns, "field=level". Levels are numbered from 0.
        DESCR : str
            Source, files, terms and citation.

    Raises
    ------
    OSError
        If the file is missing and cannot be fetched (the message says where to put it), or if it
        is not the file that was published.
    ValueError
        If `subset` is not one of the parts.

    Notes
    -----
    Instead of the authors' text files, `data_home` can contain frappe/train.npz and
    frappe/validation.npz, with arrays ``indices`` (column numbers, ten per row) and ``target``.

    Examples
    --------
    >>> from sklearn_afm import AFMRegressor
    >>> from sklearn_afm.datasets import fetch_frappe
    >>> X, y = fetch_frappe(subset="train", return_X_y=True)  # doctest: +SKIP
    >>> model = AFMRegressor(embedding_dim=64).fit(X, y)  # doctest: +SKIP
    """
    if subset not in N_ROWS:
        raise ValueError(f"subset={subset!r} must be one of {sorted(N_ROWS)}.")
    folder = folder_of(data_home, "frappe")
    text, arrays = folder / f"frappe.{subset}.libfm", folder / f"{subset}.npz"
    if arrays.exists() and not text.exists():
        path, (columns, target) = arrays, _read_arrays(arrays)
    else:
        path = cached_file(URL.format(subset), text, download_if_missing, n_retries, delay)
        columns, target = _read_text(path)
    _check(path, columns, target, N_ROWS[subset])
    data = ones_at(columns, N_COLUMNS)
    return bunch(data, target, dict(FIELDS), numbered_names(FIELDS), return_X_y, DESCR=DESCR)


def _read_arrays(path):
    with np.load(path) as file:
        return file["indices"].astype(np.int32), file["target"].astype(np.float64)


def _read_text(path):
    try:
        rows, target = load_svmlight_file(str(path), n_features=N_COLUMNS, zero_based=True)
        return rows.indices.reshape(len(target), len(FIELDS)), target
    except ValueError as error:  # bad lines, column numbers too large, or rows of other lengths
        raise OSError(_refusal(path, error)) from error


def _check(path, columns, target, n_rows):
    """Raise OSError if these are not the authors' rows."""
    if columns.shape != (n_rows, len(FIELDS)):
        raise OSError(_refusal(path, f"it has {columns.shape} entries, not ({n_rows}, 10)"))
    starts = np.array([field.start for field in FIELDS.values()])
    stops = np.array([field.stop for field in FIELDS.values()])
    if ((columns < starts) | (columns >= stops)).any():
        raise OSError(_refusal(path, "a row does not have one entry in each field"))
    if not np.isin(target, (-1, 1)).all():
        raise OSError(_refusal(path, "a target is neither 1 nor -1"))


def _refusal(path, reason):
    return f"{path} is not what was published: {reason}. Delete it, and it is fetched again."
