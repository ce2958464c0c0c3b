"""Blocks of sparse rows on disk."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ._files import files_of


class CSRBlocks(Sequence):
    """A folder of files of :func:`save_csr_block`, a block each.

    Parameters
    ----------
    path : str, path-like or list of them
        A folder of .npz files, in the order of their names, or files.

    Raises
    ------
    FileNotFoundError
        If there is no file.

    See Also
    --------
    sklearn_afm.AFMClassifier.fit_blocks : What reads it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sklearn_afm.blocks import CSRBlocks, save_csr_block
    >>> folder = Path(tempfile.mkdtemp())
    >>> for number in range(3):
    ...     X = sparse.eye_array(4, format="csr")
    ...     save_csr_block(folder / f"{number:05}.npz", X, y=np.arange(4.0))
    >>> blocks = CSRBlocks(folder)
    >>> len(blocks), blocks[2][0].shape
    (3, (4, 4))
    """

    def __init__(self, path):
        self.files = files_of(path, (".npz",))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number):
        with np.load(self.files[number], allow_pickle=False) as file:
            indices = file["indices"]
            data = file["data"] if "data" in file else np.ones(len(indices), dtype=np.float32)
            X = sparse.csr_array((data, indices, file["indptr"]), shape=tuple(file["shape"]))
            if "sample_weight" in file:
                return X, file["y"], file["sample_weight"]
            return X, file["y"]


def save_csr_block(path, X, y, sample_weight=None) -> None:
    """Write a block of sparse rows for :class:`CSRBlocks`.

    Parameters
    ----------
    path : str or path-like
        The file, whose name ends with .npz.
    X : sparse matrix of shape (n_samples, n_features)
        Rows. If all values are 1, they are not stored.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets or labels: numbers or text.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Raises
    ------
    ValueError
        If y is an array of Python objects that are no text.
    """
    X, y = sparse.csr_array(X), np.asarray(y)
    if y.dtype == object:
        y = np.array(y.tolist())
        if y.dtype.kind not in "US":
            raise ValueError("y holds Python objects. Convert it to numbers or text.")
    arrays = {"indices": X.indices, "indptr": X.indptr, "shape": np.array(X.shape), "y": y}
    if not (X.data == 1).all():
        arrays["data"] = X.data
    if sample_weight is not None:
        arrays["sample_weight"] = np.asarray(sample_weight, dtype=np.float64)
    np.savez(path, **arrays)
