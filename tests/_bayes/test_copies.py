"""Copies of rows."""

import numpy as np
from scipy import sparse

from sklearn_afm._bayes.copies import distinct_rows


def test_copies_are_found_whatever_the_order_of_rows(rng):
    patterns = np.array([[1, 0, 2.5], [1, 0, 2], [0, 0, 0], [0, 1, 2]])
    dense = patterns[rng.integers(0, 4, size=30)]
    X, number = distinct_rows(sparse.csr_array(dense))
    assert X.shape == (4, 3)
    np.testing.assert_array_equal(X.toarray()[number], dense)
    shuffled, _ = distinct_rows(sparse.csr_array(dense[::-1]))
    np.testing.assert_array_equal(shuffled.toarray(), X.toarray())
