"""Blocks hold every entry once, and a row at most once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._linear.blocks import field_blocks

tables = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=10),
    elements=st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.5]),
)


def rows_of(block, n_rows):
    return np.arange(n_rows) if block.rows is None else block.rows


@given(tables, st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_blocks_hold_every_entry_once(table, n_labels):
    X = canonical_csr(table)
    label = np.arange(X.shape[1]) % n_labels
    blocks = field_blocks(X, label, label + 7)
    found = np.zeros_like(table)
    for block in blocks:
        rows = rows_of(block, len(table))
        assert len(np.unique(rows)) == len(rows)
        values = np.ones(len(rows)) if block.value is None else block.value
        found[rows, block.columns[block.level]] += values
        assert (label[block.columns] == block.field).all()
        assert block.group == block.field + 7
    np.testing.assert_array_equal(found, table)


@given(tables, st.data())
@settings(max_examples=100, deadline=None)
def test_sums_and_spread_are_products_with_the_matrix(table, data):
    X = canonical_csr(table)
    zero = np.zeros(X.shape[1], dtype=int)
    rng = np.random.default_rng(0)
    of_rows = rng.normal(size=len(table))
    chosen = np.flatnonzero(data.draw(hnp.arrays(bool, len(table))))
    for block in field_blocks(X, zero, zero):
        part = table[:, block.columns]
        np.testing.assert_allclose(block.sums(of_rows), part.T @ of_rows)
        np.testing.assert_allclose(block.sums(of_rows, 2), (part**2).T @ of_rows)
        of_levels = rng.normal(size=block.n_levels)
        spread = np.zeros(len(table))
        spread[rows_of(block, len(table))] = block.spread(of_levels)
        np.testing.assert_allclose(spread, part @ of_levels)
        few = block.part(chosen)
        np.testing.assert_allclose(few.sums(of_rows[chosen]), part[chosen].T @ of_rows[chosen])
