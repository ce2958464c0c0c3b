"""Find the pairs of many rows with one field per position, by arithmetic if that is cheaper.

If two positions have few different features, all combinations of these are listed. The number of
a row's pair is then computed from its two features. Pairs of other positions are searched for.
"""

import numpy as np

from .pairs import PairFinder, SharedPairs, pair_positions

# Largest number of combinations to list for two positions, per row of the group.
COMBINATIONS_PER_ROW = 0.5
# Number of pairs to search at once, so that their index arrays stay in the cache.
SEARCHED_PAIRS = 1 << 15


def find_many_pairs(features: np.ndarray, n_features: int, find_pairs: PairFinder) -> SharedPairs:
    """Find the pairs of rows of features (n_rows, width). Listed pairs come first in the result.

    `position` of the result is (n_pairs, n_rows); see `SharedPairs`. The listed pairs can include
    pairs that no row has. The other pairs can include equal pairs.
    """
    features = np.ascontiguousarray(features.T)
    padded = (features[-1] == n_features).any()
    i, j = pair_positions(len(features))
    position = np.empty((len(i), features.shape[1]), dtype=np.int32)
    parts, n_pairs, searched = [], 0, np.ones(len(i), dtype=bool)
    if not padded:
        code, members = _number_by_position(features, n_features)
        sizes = np.array([len(part) for part in members])
        searched = sizes[i] * sizes[j] > COMBINATIONS_PER_ROW * features.shape[1]
        for pair in np.flatnonzero(~searched):
            a, b = members[i[pair]], members[j[pair]]
            np.multiply(code[i[pair]], len(b), out=position[pair])
            position[pair] += code[j[pair]]
            position[pair] += n_pairs
            parts.append((np.repeat(a, len(b)), np.tile(b, len(a))))
            n_pairs += len(a) * len(b)
    i, j, places = i[searched], j[searched], np.flatnonzero(searched)
    step = max(1, SEARCHED_PAIRS // max(1, len(i)))
    for start in range(0, features.shape[1] if len(i) else 0, step):
        rows = slice(start, start + step)
        first, second = features[i, rows].ravel(), features[j, rows].ravel()
        # Padding is at the end of a row. So a pair has it in the member with the larger position.
        real = np.flatnonzero(first != n_features) if padded else slice(None)
        first, second = first[real], second[real]
        owner, number = find_pairs.distinct(first, second, n_features)
        found = np.full((len(i), features[:, rows].shape[1]), -1)
        found.ravel()[real] = number + n_pairs
        position[places, rows] = found
        parts.append((first[owner], second[owner]))
        n_pairs += len(owner)
    position[position < 0] = n_pairs
    first, second = (np.concatenate(part) for part in zip(*parts))
    return SharedPairs(first, second, position)


def _number_by_position(
    features: np.ndarray, n_features: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Number the features at each position from 0. Return each entry's number, and the features."""
    present = np.zeros((len(features), n_features), dtype=bool)
    np.put_along_axis(present, features, True, axis=1)
    number = np.cumsum(present, axis=1, dtype=np.int32) - 1
    return np.take_along_axis(number, features, axis=1), [np.flatnonzero(row) for row in present]
