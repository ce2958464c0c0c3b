"""fit_blocks: a fit on rows that are read block by block."""

from numbers import Integral

from ._compat import fit_context
from ._core.batches.memory import torch_memory_errors
from ._core.ranks import refuse_group
from ._data.split import refuse_splitter
from ._fit.blocks import fit_blocks
from ._fit.notices import Notices
from ._fit.source import Source
from ._fit.tasks import tasks_of_fit


class BlockFitting:
    """What the base of the estimators has of it."""

    def fit_blocks(
        self, blocks, *, X_val=None, y_val=None, sample_weight_val=None, window_rows=1_000_000
    ):
        """Fit the model on rows that are read block by block, such as more rows than memory holds.

        The blocks are read once to count, and once in each epoch. An epoch takes them in random
        order and mixes the rows of `window_rows`. If there are no more rows than that, or one
        block, the result is that of ``fit``, bit for bit. Else what ``fit`` learns before its first
        epoch (strengths, crosses, a start of the embeddings) is learnt from 131,072 rows, drawn
        evenly; the epochs go on from there, as ``partial_fit`` does after ``fit``.

        Parameters
        ----------
        blocks : sequence of (X, y) or (X, y, sample_weight)
            ``len(blocks)`` blocks of rows. ``blocks[i]`` reads one, and gives the same rows each
            time. X, y and sample_weight are as in ``fit``, and X always has the same columns.
            :mod:`sklearn_afm.blocks` has sources for files.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows for early stopping. Without them, `validation_fraction` of the rows, but at most
            131,072 if it is a share, are set aside: those whose hash is the smallest. So rows that
            are equal in X stay together, and it is the same rows whatever `random_state` is.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.
        window_rows : int, default=1000000
            Rows that are in memory at once and mixed; no fewer than the largest block has.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As in ``fit``; if there is a process group of several ranks, or no block; or if a block
            has other columns or labels, or other rows than when it was counted. The message says
            which block it is.
        RuntimeError
            If a block cannot be read.

        Notes
        -----
        `class_weight` costs one more pass, to learn the classes. A fit with `checkpoint` also
        writes its file inside an epoch, after a window, if the last one is a minute old.

        Examples
        --------
        >>> import numpy as np
        >>> from scipy import sparse
        >>> from sklearn_afm import FMRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = sparse.csr_array(np.eye(8, dtype=np.float32)[rng.integers(0, 8, 600)])
        >>> y = X @ rng.normal(size=8)
        >>> blocks = [(X[start : start + 200], y[start : start + 200]) for start in (0, 200, 400)]
        >>> model = FMRegressor(random_state=0).fit_blocks(blocks)
        >>> bool((model.predict(X) == FMRegressor(random_state=0).fit(X, y).predict(X)).all())
        True
        """
        refuse_group("fit_blocks", ", or give each rank its rows by fit")
        continued = self._continues()
        fitted = self._working_copy()
        validation = X_val, y_val, sample_weight_val
        with torch_memory_errors():
            notices = fitted._fit_blocks(blocks, validation, window_rows, continued)
        return self._take_over(fitted, notices)

    @fit_context(prefer_skip_nested_validation=True)
    def _fit_blocks(self, blocks, validation, window_rows, continued) -> Notices:
        if continued:
            self._check_same_sizes()
        refuse_splitter(self.validation_fraction, "fit_blocks never has all rows at once")
        if not (isinstance(window_rows, Integral) and window_rows > 0):
            raise ValueError(f"window_rows={window_rows!r} must be an integer above 0.")

        def check(class_weights):
            return self._check_validation_rows(*validation, class_weights)

        given = self._has_validation_rows(*validation)
        source, known = Source(self, blocks), self._progress if continued else None
        validate, tasks = check if given else None, tasks_of_fit(self)
        seeds, window_rows = self._seeds(), int(window_rows)
        notices = fit_blocks(self, source, window_rows, validate, seeds, known, tasks)
        if tasks is not None:
            tasks.end()
        return notices
