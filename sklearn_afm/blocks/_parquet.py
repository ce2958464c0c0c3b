"""Parquet files: their row groups are the blocks."""

from collections.abc import Sequence

from ._files import files_of


class ParquetBlocks(Sequence):
    """Parquet files, whose row groups are the blocks. It needs pyarrow and pandas.

    Parameters
    ----------
    path : str, path-like or list of them
        A file, files, or a folder of .parquet files.
    transformer : transformer or None
        What makes rows of frames: a fitted one, such as a :class:`~sklearn_afm.FieldEncoder`, or
        one that has nothing to learn. None: the columns are numbers, and the rows as they are.
    target : str or list of str
        Column of y, or columns of several targets.
    columns : list of str or None, default=None
        Columns that the transformer gets. None: all but those of target and weight.
    sample_weight : str or None, default=None
        Column of weights.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ImportError
        If pyarrow is not installed.
    ValueError
        If a file has other columns than the first, or lacks one that is named.

    See Also
    --------
    sklearn_afm.FieldEncoder.fit_frames : Learns the levels of all blocks, in one pass.

    Examples
    --------
    ::

        blocks = ParquetBlocks("clicks/", encoder, target="clicked")
        encoder.fit_frames(blocks.frames())
        model = AFMClassifier().fit_blocks(blocks)
    """

    def __init__(self, path, transformer, target, *, columns=None, sample_weight=None):
        try:
            from pyarrow import parquet
        except ImportError as error:
            raise ImportError(
                "ParquetBlocks needs pyarrow and pandas: pip install sklearn_afm[parquet]."
            ) from error
        self.transformer, self.target, self.sample_weight = transformer, target, sample_weight
        self.files = files_of(path, (".parquet", ".pq"))
        self._parquet, self._places, known = parquet, [], None
        for file in self.files:
            with parquet.ParquetFile(file) as opened:
                names = opened.schema_arrow.names
                known = known or names
                if names != known:
                    raise ValueError(
                        f"{file} has the columns {names[:20]}, {self.files[0]} has {known[:20]}."
                    )
                self._places += [(file, group) for group in range(opened.num_row_groups)]
        others = [target] if isinstance(target, str) else list(target)
        others += [sample_weight] if sample_weight is not None else []
        self.columns = [n for n in known if n not in others] if columns is None else list(columns)
        missing = [name for name in (*self.columns, *others) if name not in known]
        if missing:
            raise ValueError(f"The files have no columns {missing}; they have {known[:20]}.")
        self._read = [*self.columns, *others]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number):
        frame = self._frame(number, self._read)
        X = frame[self.columns]
        if len(X) and self.transformer is not None:
            X = self.transformer.transform(X)
        y = frame[self.target].to_numpy()
        if self.sample_weight is None:
            return X, y
        return X, y, frame[self.sample_weight].to_numpy()

    def frames(self):
        """The frames of the blocks, without target and weight.

        Yields
        ------
        frame : pandas.DataFrame
        """
        for number in range(len(self)):
            yield self._frame(number, self.columns)

    def _frame(self, number: int, columns: list[str]):
        file, group = self._places[number]
        with self._parquet.ParquetFile(file) as opened:
            return opened.read_row_group(group, columns=columns).to_pandas()
