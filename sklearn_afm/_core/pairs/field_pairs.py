"""Pairs of many rows that have a field a position: by arithmetic where that is cheaper.

Where two positions hold few different features, all their combinations are listed, and the
place of a row's pair follows from its two features; pairs of other positions are searched for.
"""

import numpy as np

from .pairs import PairFinder, SharedPairs, pair_positions

# Combinations of two positions that are listed at most, for each row of the group.
COMBINATIONS_PER_ROW = 0.5
# Pairs among which equal ones are searched for at once: index arrays that stay in cache.
SEARCHED_PAIRS = 1 << 15


def find_many_pairs(features: np.ndarray, n_features: int, find_pairs: PairFinder) -> SharedPairs:
    """Pairs of rows (n_rows, width), listed ones first.

    `position` is (n_pairs, n_rows), see `SharedPairs`. Pairs that no row has may be among the
    listed ones, and equal pairs among the others.
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
        # Padding is at the end of a row, hence in the member with the larger position.
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


def _number_by_position(features, n_features):
    """Features numbered from 0 at each position, and the features that each position has."""
    present = np.zeros((len(features), n_features), dtype=bool)
    np.put_along_axis(present, features, True, axis=1)
    number = np.cumsum(present, axis=1, dtype=np.int32) - 1
    return np.take_along_axis(number, features, axis=1), [np.flatnonzero(row) for row in present]
