"""Files in the svmlight format, read piece by piece."""

from collections.abc import Sequence

from scipy import sparse
from sklearn.datasets import load_svmlight_file

from ._files import files_of


class SvmlightBlocks(Sequence):
    """Files in the svmlight (libsvm) format, in blocks of whole lines.

    Parameters
    ----------
    path : str, path-like or list of them
        A file, files, or a folder of .svm, .svmlight, .libsvm or .txt files. They are not
        compressed.
    n_features : int
        Columns of X.
    zero_based : bool, default=True
        Whether the first column is 0, not 1.
    block_bytes : int, default=67108864
        Bytes of a block, more or less a line.

    Raises
    ------
    FileNotFoundError
        If there is no file.

    See Also
    --------
    sklearn.datasets.load_svmlight_file : It reads the blocks.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_afm.blocks import SvmlightBlocks
    >>> file = Path(tempfile.mkdtemp()) / "rows.svm"
    >>> _ = file.write_text("1 0:1 3:1\\n0 1:1 2:0.5\\n1 0:1 2:1\\n")
    >>> blocks = SvmlightBlocks(file, n_features=4, block_bytes=16)
    >>> [len(y) for X, y in blocks]
    [2, 1]
    """

    def __init__(self, path, n_features, *, zero_based=True, block_bytes=1 << 26):
        self.n_features = n_features
        self.zero_based = zero_based
        self.block_bytes = block_bytes
        self.files = files_of(path, (".svm", ".svmlight", ".libsvm", ".txt"))
        self._places = [
            (file, start)
            for file in self.files
            for start in range(0, file.stat().st_size, block_bytes)
        ]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number):
        file, start = self._places[number]
        X, y = load_svmlight_file(
            str(file),
            n_features=self.n_features,
            zero_based=bool(self.zero_based),
            offset=start,
            length=self.block_bytes,
        )
        return sparse.csr_array(X), y
