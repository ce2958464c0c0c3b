"""The largest numbers of each row, against plain sorting."""

import numpy as np
import pytest

from sklearn_afm.recommendation._top import top_k


@pytest.mark.parametrize("n_values", [1, 3, 10**6])
@pytest.mark.parametrize("k", [1, 2, 7, 12, 15])
def test_against_sorting(k, n_values, rng):
    """Few values make many ties."""
    scores = rng.integers(0, n_values, (30, 12)).astype(float)
    scores[rng.random(scores.shape) < rng.random((30, 1))] = -np.inf
    scores[0], scores[1] = -np.inf, 5.0
    columns, found = top_k(scores, k)
    assert columns.shape == found.shape == (30, k)
    for row, row_columns, row_found in zip(scores, columns, found):
        best = sorted((-score, column) for column, score in enumerate(row) if score > -np.inf)[:k]
        rest = k - len(best)
        assert row_columns.tolist() == [column for _, column in best] + [-1] * rest
        expected = [-score for score, _ in best] + [np.nan] * rest
        np.testing.assert_array_equal(row_found, expected)
