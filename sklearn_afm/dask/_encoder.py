"""FieldEncoder on Dask DataFrames."""

from collections.abc import Iterator

from scipy import sparse

from .._fields.encoder import FieldEncoder
from ._collections import is_frame, map_partitions


class DaskFieldEncoder(FieldEncoder):
    """One-hot rows from Dask DataFrames of any columns.

    ``fit`` takes the partitions one after the other to where it is called, and counts their levels
    as :meth:`FieldEncoder.fit_frames <sklearn_afm.FieldEncoder.fit_frames>` does: levels that only
    some partitions have are levels of all. Partitions without rows are left out. ``transform`` is
    lazy. The parameters are those of :class:`~sklearn_afm.FieldEncoder`.

    See Also
    --------
    DaskAFMClassifier : Trains on the rows.

    Examples
    --------
    ::

        frame = dask.dataframe.read_parquet("clicks/")
        X = DaskFieldEncoder().fit_transform(frame.drop(columns="clicked"))
        model = DaskAFMClassifier().fit(X, frame["clicked"])
    """

    def fit(self, X, y=None):
        """Learn levels and edges.

        Parameters
        ----------
        X : dask.dataframe.DataFrame
            The rows. A frame in memory is taken as FieldEncoder takes it.
        y : object
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        ValueError
            As in :meth:`FieldEncoder.fit_frames <sklearn_afm.FieldEncoder.fit_frames>`.
        """
        return self.fit_frames(_frames(X)) if is_frame(X) else super().fit(X)

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : dask.dataframe.DataFrame
            Rows with the columns of the training frame. A frame in memory gives rows in memory.

        Returns
        -------
        rows : dask.array.Array of shape (n_samples, n_levels)
            Its blocks are scipy's csr_array, one for each partition.
        """
        if not is_frame(X):
            return super().transform(X)
        meta = sparse.csr_array((0, self.fields_[-1].stop))
        return map_partitions(_encoded, self.to_local(), X, meta)

    def to_local(self):
        """The same encoder for frames in memory.

        Returns
        -------
        encoder : FieldEncoder
        """
        local = FieldEncoder(**self.get_params(deep=False))
        vars(local).update(vars(self))
        return local


def _frames(collection) -> Iterator:
    """The partitions that have rows, in memory one at a time."""
    for partition in collection.to_delayed():
        frame = partition.compute()
        if len(frame):
            yield frame


def _encoded(encoder: FieldEncoder, frame, meta):
    return encoder.transform(frame) if len(frame) else meta
