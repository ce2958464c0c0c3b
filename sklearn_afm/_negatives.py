"""Draw levels of a field, such as items, that their context does not have."""

import numpy as np


class UnseenLevels:
    """What is drawn from: for each context, the levels that it does not have.

    Parameters
    ----------
    context : ndarray of shape (n_rows,)
        Number of each row's context, from 0; each number occurs.
    level : ndarray of shape (n_rows,)
        Number of its level.
    mass : ndarray of int, of shape (n_levels,)
        Levels are drawn in proportion to these; at least 1.

    Attributes
    ----------
    mass_left : ndarray of shape (n_contexts,)
        Summed mass of the levels that each context does not have.
    """

    def __init__(self, context: np.ndarray, level: np.ndarray, mass: np.ndarray):
        n_levels = len(mass)
        seen = np.unique(context * n_levels + level)  # by context, then by level
        seen_context, seen_level = np.divmod(seen, n_levels)
        n_seen = np.bincount(seen_context)
        first = np.cumsum(n_seen) - n_seen
        self._ends = mass.cumsum()
        self._total = int(self._ends[-1])
        self._seen_before = np.append(0, mass[seen_level].cumsum())
        self._seen_at_start = self._seen_before[first]
        self.mass_left = self._total - np.diff(self._seen_at_start, append=self._seen_before[-1])
        # Mass of unseen levels below each seen one.
        below = (self._ends - mass)[seen_level]
        below = below - (self._seen_before[:-1] - self._seen_at_start[seen_context])
        self._keys = seen_context * self._total + below

    def draw(self, context: np.ndarray, integers) -> np.ndarray:
        """A level for each context. `integers(0, high)` draws one integer below each of `high`.

        It takes the level at the r-th unit of unseen mass, r uniform. So the work does not depend
        on how many levels a context has.
        """
        r = integers(0, self.mass_left[context])
        passed = np.searchsorted(self._keys, context * self._total + r, side="right")
        skipped = self._seen_before[passed] - self._seen_at_start[context]
        return np.searchsorted(self._ends, r + skipped, side="right")


def number_contexts(X) -> np.ndarray:
    """Number the sets of columns of the rows: the same set gets the same number."""
    X.sort_indices()
    lengths = np.diff(X.indptr)
    context = np.zeros(X.shape[0], dtype=np.int64)
    for position in range(lengths.max(initial=0)):
        has = lengths > position
        column = np.zeros_like(context)
        column[has] = X.indices[X.indptr[:-1][has] + position] + 1
        context = np.unique(context * (X.shape[1] + 1) + column, return_inverse=True)[1]
    return context
