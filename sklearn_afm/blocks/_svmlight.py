"""Files in the svmlight format, read piece by piece."""

from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise

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
        Bytes of a block, and up to a line more.

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
        self._places = [place for file in self.files for place in _lines(file, block_bytes)]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number):
        file, start, stop = self._places[number]
        with open(file, "rb") as opened:
            opened.seek(start)
            lines = BytesIO(opened.read(stop - start))
        X, y = load_svmlight_file(
            lines, n_features=self.n_features, zero_based=bool(self.zero_based)
        )
        return sparse.csr_array(X), y


def _lines(path, block_bytes: int) -> list:
    """The file, first byte and end of blocks of whole lines."""
    size = path.stat().st_size
    starts = {0}
    with open(path, "rb") as file:
        for place in range(block_bytes, size, block_bytes):
            file.seek(place - 1)
            file.readline()
            starts.add(file.tell())
    places = sorted(starts | {size})
    return [(path, start, stop) for start, stop in pairwise(places)]
