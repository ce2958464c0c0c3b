"""sample_negatives: draw negative rows, for data that contain only positive rows."""

import numbers

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state, check_scalar

from .._negatives import UnseenLevels, number_contexts


def sample_negatives(X, field, given, n=2, random_state=None):
    """Draw negative rows: copies of rows with a new level of one field, not seen in their context.

    This is the protocol of the AFM paper [1]_. For each row of an app log, it draws two rows with
    an app that the user has not used. For each tag that a user gave a film, it draws two rows with
    a tag that the user has not given the film.

    Parameters
    ----------
    X : sparse matrix or array of shape (n_rows, n_columns)
        The positive rows. Each row has one entry in the columns of `field`.
    field : slice or array-like of int
        Columns of the field whose level is drawn anew (such as the item), for example
        ``dataset.fields["item"]``.
    given : slice or array-like of int
        Columns of the context (such as the user, or the user and the film). Rows with entries in
        the same columns of these have the same context, whatever the values are.
    n : int, default=2
        Number of negative rows to draw for each row of X.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws.

    Returns
    -------
    negatives : csr_array of shape (n * n_rows, n_columns)
        Rows ``n * i`` to ``n * i + n - 1`` are copies of row i of X. In each, the entry in `field`
        moves to another column of the field, and keeps its value. The new column is drawn
        uniformly from those that no row of the same context has in X. Draws are independent, so
        the n rows can be equal.

    Raises
    ------
    ValueError
        If a row does not have exactly one entry in `field`, if a context has all levels of the
        field, or if `field` and `given` are empty, overlap or lie outside X.

    Notes
    -----
    A level counts as not seen if it is not in X. So draw from the whole log, and split afterwards.
    Each draw takes the r-th unseen level, with r uniform. So the work does not depend on how many
    levels a context has seen.

    References
    ----------
    .. [1] J. Xiao et al. (2017). Attentional Factorization Machines: Learning the Weight of Feature
       Interactions via Attention Networks. IJCAI.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_afm.datasets import sample_negatives
    >>> X = np.array([[1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [0, 1, 0, 0, 1]])  # 2 users, 3 items
    >>> sample_negatives(X, slice(2, 5), slice(0, 2), n=1, random_state=0).toarray()
    array([[1, 0, 0, 0, 1],
           [1, 0, 0, 0, 1],
           [0, 1, 1, 0, 0]])
    """
    check_scalar(n, "n", numbers.Integral, min_val=1)
    X = sparse.csr_array(X, copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    field, given = (_columns(X, name, it) for name, it in (("field", field), ("given", given)))
    if np.intersect1d(field, given).size:
        raise ValueError("field and given have columns in common.")

    level_of = np.full(X.shape[1], -1)
    level_of[field] = np.arange(len(field))
    entries = np.flatnonzero(level_of[X.indices] >= 0)  # positions in X.data of the field's entries
    row_of = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    counts = np.bincount(row_of[entries], minlength=X.shape[0])
    if (counts != 1).any():
        row = np.flatnonzero(counts != 1)[0]
        raise ValueError(f"Row {row} has {counts[row]} entries in field. Each row needs one.")

    context = number_contexts(X[:, given])
    levels = level_of[X.indices[entries]]
    unseen = UnseenLevels(context, levels, np.ones(len(field), dtype=np.int64))
    full = unseen.mass_left[context] == 0
    if full.any():
        raise ValueError(
            f"No negative can be drawn for row {np.flatnonzero(full)[0]}: its context has all "
            f"{len(field)} levels of field."
        )
    drawn = unseen.draw(np.repeat(context, n), check_random_state(random_state).randint)

    rows = np.repeat(np.arange(X.shape[0]), n)
    negatives = X[rows]
    # Positions of the field's entries in the repeated rows.
    moved = negatives.indptr[:-1] + np.repeat(entries - X.indptr[:-1], n)
    negatives.indices[moved] = field[drawn]
    negatives.has_sorted_indices = False
    negatives.sort_indices()
    return negatives


def _columns(X, name, columns):
    try:
        columns = np.unique(np.arange(X.shape[1])[columns])
    except IndexError as error:
        raise ValueError(f"{name}: {error}. X has {X.shape[1]} columns.") from error
    if len(columns) == 0:
        raise ValueError(f"{name} has no column.")
    return columns
