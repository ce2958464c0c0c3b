"""Fields from rows alone: those that an encoder made, and never two entries of a row in one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import FieldEncoder
from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._data.fields import find_fields

encoders = st.one_of(
    st.builds(
        OneHotEncoder,
        drop=st.sampled_from([None, "first", "if_binary"]),
        min_frequency=st.sampled_from([None, 2, 5]),
    ),
    st.builds(
        OneHotEncoder, handle_unknown=st.just("ignore"), max_categories=st.sampled_from([None, 3])
    ),
    st.builds(
        OneHotEncoder, handle_unknown=st.just("infrequent_if_exist"), min_frequency=st.just(3)
    ),
)


def tables(max_rows=60):
    """Tables of 1 to 5 columns of up to 6 levels."""
    return st.integers(1, 5).flatmap(
        lambda n: hnp.arrays(
            np.int64, st.tuples(st.integers(2, max_rows), st.just(n)), elements=st.integers(0, 5)
        )
    )


def fields_by_loops(X):
    """The same rule, a row and a column at a time, with all entries of the field at hand."""
    X = X.toarray()
    field, members, number = [], [], 0
    several = [len(np.unique(c[c != 0])) > 1 for c in X.T]
    for column in range(X.shape[1]):
        clash = any(((X[:, other] != 0) & (X[:, column] != 0)).any() for other in members)
        if members and (clash or several[column] or several[members[-1]]):
            members, number = [], number + 1
        members.append(column)
        field.append(number)
    return field


@given(tables(), encoders)
@settings(max_examples=200, deadline=None)
def test_fields_of_one_hot_encoder(table, encoder):
    names = encoder.fit(table).get_feature_names_out()
    expected = np.unique([int(name[1 : name.index("_")]) for name in names], return_inverse=True)[1]
    X = canonical_csr(encoder.transform(table))
    assume(X.shape[1])
    # Rows decide: a field's first column has an entry beside one of the field before.
    held = sparse.csc_array(X)
    for field in range(1, expected.max() + 1):
        first = np.flatnonzero(expected == field)[0]
        rows = held[:, [first]].nonzero()[0]
        before = np.flatnonzero(expected == field - 1)
        assume(held[:, before].tocsr()[rows].nnz)
    np.testing.assert_array_equal(find_fields(X), expected)


@given(tables(), st.sampled_from([1, 2, 4]), st.sampled_from(["ignore", "rare"]))
@settings(max_examples=60, deadline=None)
def test_fields_of_field_encoder(table, min_frequency, handle_unknown):
    encoder = FieldEncoder(
        categorical_features=range(0, table.shape[1], 2),
        min_frequency=min_frequency,
        handle_unknown=handle_unknown,
        n_bins=3,
    )
    X = canonical_csr(encoder.fit_transform(table))
    sizes = [field.stop - field.start for field in encoder.fields_]
    np.testing.assert_array_equal(find_fields(X), np.repeat(np.arange(len(sizes)), sizes))


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
        elements=st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0]),
    )
)
@settings(max_examples=300, deadline=None)
def test_no_row_has_two_entries_in_a_field(table):
    X = canonical_csr(table)
    field = find_fields(X)
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    pairs = np.stack([rows, field[X.indices]])
    assert len(np.unique(pairs, axis=1).T) == X.nnz
    seen = np.unique(X.indices)
    assert field[seen].tolist() == fields_by_loops(X[:, seen])
    unseen = np.setdiff1d(np.arange(1, X.shape[1]), seen)
    np.testing.assert_array_equal(field[unseen], field[unseen - 1])


@pytest.mark.parametrize("part", [slice(0, 300), slice(1, None, 2)])
def test_fields_survive_a_slice_of_rows(part):
    table = np.random.default_rng(0).integers(0, [3, 40, 2], (600, 3))
    X = canonical_csr(OneHotEncoder().fit_transform(table))
    np.testing.assert_array_equal(find_fields(X[part]), find_fields(X))
