"""Which pairs of fields are chosen: those that lower the held-out loss."""

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._data.fields import find_fields
from sklearn_afm._linear import choice
from sklearn_afm._linear.blocks import field_blocks
from sklearn_afm._linear.choice import _held_out_gain, choose_pairs
from sklearn_afm._linear.crosses import cross_block


def test_held_out_gain_of_a_parabola():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 2, 200), rng.integers(2, 4, 200)
    target = 1.0 * (first + second == 3) + rng.normal(0, 0.1, 200)
    training = (rng.random(200) < 0.7)[:, None] * 1.0
    block = cross_block(first, second, 4, 0)
    gradient, curvature = -2 * target[:, None], np.full((200, 1), 2.0)
    parts = [(w * gradient, w * curvature) for w in (training, 1 - training)]
    weights = np.array(
        [
            target[(block.level == level) & (training[:, 0] == 1)].sum()
            / ((training[:, 0] == 1)[block.level == level].sum() + 0.5)
            for level in range(block.n_levels)
        ]
    )
    held = training[:, 0] == 0
    error = target - weights[block.level]
    gain = (target[held] ** 2).sum() - (error[held] ** 2).sum()
    assert _held_out_gain(block, *parts, strength=0.5) == pytest.approx(gain)


def test_pairs_that_interact_are_chosen(monkeypatch):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, (2000, 4))
    target = 1.0 * (codes[:, 0] == codes[:, 2]) + rng.normal(0, 0.3, 2000)
    target -= target.mean()
    X = canonical_csr(OneHotEncoder().fit_transform(codes))
    field = find_fields(X)
    training = (np.arange(2000) % 4 > 0)[:, None] * 1.0
    parts = [
        (-2 * w * target[:, None], 2 * w * np.ones((2000, 1))) for w in (training, 1 - training)
    ]
    found = choose_pairs(field_blocks(X, field, field), X.shape, *parts, strength=5.0)
    assert (0, 2) in found
    assert len(found) <= 3
    monkeypatch.setattr(choice, "_MOST_CROSSES", 16 / 2000)  # the best pair has as many
    assert choose_pairs(field_blocks(X, field, field), X.shape, *parts, strength=5.0) == [(0, 2)]
