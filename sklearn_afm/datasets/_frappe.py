"""fetch_frappe: the app log of the AFM paper, in its authors' parts."""

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
country and city. 96,203 rows are entries of a log (target 1); for each, two rows have an app drawn
at random that the user did not use (target -1). The authors of "Neural Factorization Machines"
drew them, and split all rows into 70% for training, 20% for validation and 10% for testing;
"Attentional Factorization Machines" uses the same data. Levels are numbers: their meaning was not
published with these files.

Source: https://github.com/hexiangnan/neural_factorization_machine (data/frappe), made from
https://www.baltrunas.info/context-aware. No checksum is known here; number of rows, fields and
targets are checked.

Files: frappe/frappe.train.libfm, frappe.validation.libfm and frappe.test.libfm in `data_home`.
Where one is missing, frappe/train.npz or validation.npz (arrays `indices` of shape (n_rows, 10)
and `target`) takes its place; the test part has no such form.

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
    """Load a part of Frappe, the app log of the AFM paper; fetch it where it is missing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder whose folder "frappe" has the files. None is scikit-learn's,
        :func:`sklearn.datasets.get_data_home`.
    subset : {"train", "validation", "test"}, default="train"
        The authors' parts: 202,027, 57,722 and 28,860 rows.
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
        data : csr_array of shape (n_rows, 5382), float32
            One-hot rows: a one in each of the ten fields.
        target : ndarray of shape (n_rows,), float64
            1 for an entry of the log, -1 for a row with a drawn app.
        fields : dict of str to slice
            Columns of each field, as `fields` in :mod:`sklearn_afm.inspection` takes them.
        feature_names : ndarray of shape (5382,)
            "field=level", levels numbered from 0.
        DESCR : str
            Source, files, terms and citation.

    Raises
    ------
    OSError
        If the file is missing and cannot be fetched (the message says where to put it), or if it
        is not what was published.
    ValueError
        If `subset` is none of the parts.

    Notes
    -----
    `data_home` may hold frappe/train.npz and frappe/validation.npz in place of the authors' text
    files, with arrays ``indices`` (column numbers, ten a row) and ``target``.

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
    except ValueError as error:  # no such lines, a column too many, or rows of other lengths
        raise OSError(_refusal(path, error)) from error


def _check(path, columns, target, n_rows):
    """Refuse other rows than the authors'."""
    if columns.shape != (n_rows, len(FIELDS)):
        raise OSError(_refusal(path, f"it has {columns.shape} entries, not {n_rows} by 10"))
    starts = np.array([field.start for field in FIELDS.values()])
    stops = np.array([field.stop for field in FIELDS.values()])
    if ((columns < starts) | (columns >= stops)).any():
        raise OSError(_refusal(path, "a row has not one entry in each field"))
    if not np.isin(target, (-1, 1)).all():
        raise OSError(_refusal(path, "a target is neither 1 nor -1"))


def _refusal(path, reason):
    return f"{path} is not what was published: {reason}. Delete it, so that it is fetched again."
