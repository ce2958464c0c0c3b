"""Formats, dtypes and odd shapes of X."""

import numpy as np
import pytest
from conftest import ESTIMATORS, target_for
from scipy import sparse

from sklearn_afm import AFMRegressor, FMRegressor

SHORT = {"max_iter": 3, "random_state": 0, "embedding_dim": 4}

FORMATS = {
    "csr_matrix": sparse.csr_matrix,
    "csc_array": sparse.csc_array,
    "csc_matrix": sparse.csc_matrix,
    "coo_array": sparse.coo_array,
    "coo_matrix": sparse.coo_matrix,
    "dense": lambda X: X.toarray(),
    "fortran": lambda X: np.asfortranarray(X.toarray()),
    "list": lambda X: X.toarray().tolist(),
    "int8": lambda X: X.astype(np.int8),
    "int64": lambda X: X.astype(np.int64),
    "bool": lambda X: X.astype(bool),
    "float32": lambda X: X.astype(np.float32),
    "int64 indices": lambda X: sparse.csr_array(
        (X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), shape=X.shape
    ),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_the_format_of_X_does_not_matter(Estimator, name, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    expected = Estimator(**SHORT).fit(X, y)
    other = FORMATS[name](X)
    model = Estimator(**SHORT).fit(other, y)
    np.testing.assert_array_equal(model.embeddings_, expected.embeddings_)
    np.testing.assert_array_equal(model.predict(other), expected.predict(X))


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_frames(Estimator, library, one_hot_data):
    frames = pytest.importorskip(library)
    X, y = one_hot_data
    y = target_for(Estimator, y)
    frame = frames.DataFrame({f"x{i}": column for i, column in enumerate(X.toarray().T)})
    model = Estimator(**SHORT).fit(frame, y)
    assert model.feature_names_in_.tolist() == [f"x{i}" for i in range(20)]
    np.testing.assert_array_equal(model.predict(frame), Estimator(**SHORT).fit(X, y).predict(X))


def test_sparse_pandas_frame(one_hot_data):
    pandas = pytest.importorskip("pandas")
    X, y = one_hot_data
    frame = pandas.DataFrame.sparse.from_spmatrix(X, columns=[f"x{i}" for i in range(20)])
    model = FMRegressor(**SHORT).fit(frame, y)
    np.testing.assert_array_equal(model.coef_, FMRegressor(**SHORT).fit(X, y).coef_)


def test_zeros_duplicates_and_order_of_entries_do_not_matter(one_hot_data):
    X, y = one_hot_data
    reordered = X.copy()
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        reordered.indices[part] = X.indices[part][::-1]
    reordered.has_sorted_indices = False
    halves = sparse.csr_array(
        (np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape
    )
    zeros = sparse.csr_array(X + sparse.csr_array(np.full(X.shape, 1e-3)))
    zeros.data[zeros.data < 0.5] = 0
    zeros.data[:] = np.where(zeros.data > 0.5, 1, 0)
    expected = AFMRegressor(**SHORT).fit(X, y)
    for other in (reordered, halves, zeros):
        before = other.data.copy(), other.indices.copy(), other.indptr.copy()
        model = AFMRegressor(**SHORT).fit(other, y)
        np.testing.assert_array_equal(model.predict(other), expected.predict(X))
        for old, new in zip(before, (other.data, other.indices, other.indptr), strict=True):
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_read_only_memory(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    for array in (X.data, X.indices, X.indptr, y):
        array.flags.writeable = False
    model = Estimator(**SHORT).fit(X, y)
    for array in (model.embeddings_, model.coef_, model.projection_):
        array.flags.writeable = False
    assert len(model.predict(X)) == 300


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("shape", [(1, 5), (6, 1), (1, 1), (70, 3)])
def test_odd_shapes(Estimator, shape):
    X = sparse.csr_array(np.ones(shape))
    y = np.arange(shape[0]) % 2 if shape[0] > 1 else np.zeros(1)
    if hasattr(Estimator, "predict_proba") and shape[0] == 1:
        with pytest.raises(ValueError, match="1 class"):
            Estimator(**SHORT).fit(X, y)
        return
    model = Estimator(**SHORT).fit(X, y)
    assert model.predict(X[:1]).shape == (1,)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_rows_without_pairs_have_no_interaction(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**SHORT).fit(X, target_for(Estimator, y))
    rows = sparse.csr_array(np.vstack([np.zeros((1, 20)), np.eye(20)]))
    score = getattr(model, "decision_function", model.predict)(rows)
    expected = model.intercept_ + np.concatenate([[0], model.coef_])
    np.testing.assert_allclose(score, expected, rtol=1e-6)


def test_sparse_input_stays_sparse(rng):
    """Densified, these rows would need 160 GB."""
    indices = rng.integers(0, 10**7, size=(2000, 4))
    X = sparse.csr_array(
        (np.ones(8000), indices.ravel(), np.arange(0, 8001, 4)), shape=(2000, 10**7)
    )
    model = FMRegressor(embedding_dim=1, max_iter=1).fit(X, rng.normal(size=2000))
    assert np.isfinite(model.predict(X)).all()


def test_wrong_number_of_columns(one_hot_data):
    X, y = one_hot_data
    model = FMRegressor(**SHORT).fit(X, y)
    with pytest.raises(ValueError, match=r"19 features.*expecting 20"):
        model.predict(X[:, :19])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_more_columns_than_memory_holds(Estimator):
    """Said before anything of that size is made."""
    columns = np.array([0, 2**40, 5, 2**40 + 1], dtype=np.int64)
    X = sparse.csr_array((np.ones(4), columns, np.array([0, 2, 4])), shape=(2, 2**40 + 2))
    with pytest.raises(ValueError, match=r"1099511627778 columns.*GiB"):
        Estimator().fit(X, [0, 1])
