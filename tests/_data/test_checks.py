"""Formats, dtypes and odd shapes of X."""

import numpy as np
import pytest
from conftest import AFMS, ESTIMATORS, target_for
from scipy import sparse

from sklearn_afm import AFMRegressor, FMClassifier, FMRegressor
from sklearn_afm._raw_scores import scores_of_levels

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
    np.testing.assert_array_equal(
        model.linear_weights_, FMRegressor(**SHORT).fit(X, y).linear_weights_
    )


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
    for array in (model.embeddings_, model.linear_weights_, model.projection_):
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
    score = scores_of_levels(model, rows)[:, 0]
    expected = model.bias_ + np.concatenate([[0], model.linear_weights_])
    np.testing.assert_allclose(score, expected, rtol=1e-6)


def test_sparse_input_stays_sparse(rng):
    """As a dense array, these rows would need 160 GB."""
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


def altered(format, **arrays):
    """Make a matrix, and then change its arrays."""
    X = sparse.coo_array(np.eye(4)).asformat(format)
    for name, value in arrays.items():
        if name in ("row", "col") and hasattr(X, "coords"):
            coords = {"row": X.row, "col": X.col, name: np.array(value, dtype=np.int32)}
            X.coords = (coords["row"], coords["col"])
        elif name == "rows":
            X.rows[0] = value
        else:
            dtype = np.float64 if name == "data" else np.int32
            setattr(X, name, np.array(value, dtype=dtype))
    return X


CORRUPT = {
    "indptr falls": (lambda: altered("csr", indptr=[0, 3, 1, 2, 4]), "never decrease"),
    "indptr below 0": (lambda: altered("csr", indptr=[0, -5, 2, 3, 4]), "never decrease"),
    "indptr starts late": (lambda: altered("csr", indptr=[1, 1, 2, 3, 4]), "start at 0"),
    "indptr short": (lambda: altered("csr", indptr=[0, 1, 2, 4]), "5 integers"),
    "indptr goes too far": (lambda: altered("csr", indptr=[0, 1, 2, 3, 10**6]), "ends at 1000000"),
    "column too large": (lambda: altered("csr", indices=[0, 1, 2, 10**8]), "column index 1000000"),
    "column below 0": (lambda: altered("csr", indices=[0, 1, 2, -1]), "column index -1"),
    "values missing": (lambda: altered("csr", data=[1, 1]), "4 indices and 2 values"),
    "csc row too large": (lambda: altered("csc", indices=[0, 1, 2, 10**8]), "row index 100000000"),
    "csc goes too far": (lambda: altered("csc", indptr=[0, 1, 2, 3, 10**7]), "ends at 10000000"),
    "coo row too large": (lambda: altered("coo", row=[0, 1, 2, 10**8]), "row index 100000000"),
    "coo column below 0": (lambda: altered("coo", col=[0, 1, 2, -4]), "column index -4"),
    "coo values missing": (lambda: altered("coo", data=[1, 1]), "4 row indices for 2 values"),
    "bsr block too large": (lambda: altered("bsr", indices=[0, 1, 2, 9]), "column index 9"),
    "dia offset": (lambda: altered("dia", offsets=[2**31 - 1]), "diagonal index 2147483647"),
    "dia offsets missing": (lambda: altered("dia", offsets=[]), "0 offsets for 1 diagonals"),
    "lil columns without values": (lambda: altered("lil", rows=[]), "lists of the same lengths"),
    "lil column too large": (lambda: altered("lil", rows=[9]), "column index 9"),
}


@pytest.mark.parametrize("case", CORRUPT)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_corrupt_sparse_matrices(Estimator, case):
    """Compiled code would read or write memory outside the arrays of these matrices."""
    make, message = CORRUPT[case]
    y = np.array([0, 1, 0, 1])
    model = Estimator(**SHORT).fit(np.eye(4), y)
    before = model.predict(np.eye(4))
    for call in (
        lambda X: Estimator(**SHORT).fit(X, y),
        lambda X: Estimator(**SHORT).fit(np.eye(4), y, X_val=X, y_val=y),
        lambda X: model.partial_fit(X, y),
        lambda X: model.predict(X),
    ):
        with pytest.raises(ValueError, match=f"corrupt sparse matrix of format.*{message}"):
            call(make())
    np.testing.assert_array_equal(model.predict(np.eye(4)), before)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_room_behind_the_last_entry_is_not_read(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    roomy = X.copy()
    roomy.data = np.append(X.data, [np.nan, 5])
    roomy.indices = np.append(X.indices, [10**6, -1]).astype(X.indices.dtype)
    model = Estimator(**SHORT).fit(roomy, y)
    expected = Estimator(**SHORT).fit(X, y)
    np.testing.assert_array_equal(model.embeddings_, expected.embeddings_)
    np.testing.assert_array_equal(model.predict(roomy), expected.predict(X))
    assert len(roomy.data) == X.nnz + 2


HUGE = {
    "entries that add up to infinity": sparse.coo_array(
        ([1.7e308, 1.7e308, 1, 1], ([0, 0, 1, 2], [0, 0, 1, 2])), shape=(4, 3)
    ),
    "longdouble": np.eye(4, 3, dtype=np.longdouble) * np.longdouble("1e4000"),
    "sparse longdouble": sparse.csr_array(np.eye(4, 3, dtype=np.longdouble))
    * np.longdouble("1e4000"),
    "integer": [[10**400, 0, 1]] * 4,
}


@pytest.mark.parametrize("case", HUGE)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_numbers_beyond_float64(Estimator, case):
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max and "longdouble" in case:
        pytest.skip("longdouble is float64 here")
    model = Estimator(**SHORT).fit(np.eye(4, 3), [0, 1, 0, 1])
    for call in (lambda X: Estimator(**SHORT).fit(X, [0, 1, 0, 1]), lambda X: model.predict(X)):
        with pytest.raises(ValueError, match=r"infinit|float64 cannot hold"):
            call(HUGE[case])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_large_values_of_both_signs(Estimator):
    """Their sum overflows to NaN in scikit-learn's first check of X."""
    X = np.array([[1.7e308, -1.7e308], [1.7e308, -1.7e308], [0, 1], [1, 0]])
    with pytest.raises(ValueError, match="infinite or NaN"):
        Estimator(**SHORT).fit(np.eye(4, 2), [0, 1, 0, 1]).predict(1e-1 * X)
    with pytest.raises(ValueError, match="loss became infinite or NaN"):
        Estimator(**SHORT).fit(X, [0, 1, 0, 1])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_masked_entries_are_not_taken_for_values(Estimator, name):
    arguments = {"X": np.eye(4), "y": np.array([0, 1, 0, 1]), "sample_weight": np.ones(4)}
    Estimator(**SHORT).fit(**arguments | {name: np.ma.array(arguments[name])})
    arguments[name] = np.ma.array(arguments[name], mask=arguments[name] == 1)
    with pytest.raises(ValueError, match=f"{name} has masked entries"):
        Estimator(**SHORT).fit(**arguments)


def test_targets_that_are_no_labels():
    with pytest.raises(ValueError, match=r"(?i)label|class"):
        FMClassifier().fit(np.eye(3), [-1.7e308, 1.0, 2.5])


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_a_sparse_target_is_refused_as_scikit_learn_does(Estimator, one_hot_data):
    X, y = one_hot_data
    target = sparse.csr_array((y > 0).astype(float)[:, None])
    message = "Sparse data was passed for y, but dense data is required"
    with pytest.raises(TypeError, match=message):
        Estimator().fit(X, target)
    with pytest.raises(TypeError, match=message):
        Estimator().fit(X, target_for(Estimator, y), X_val=X, y_val=target)


@pytest.mark.parametrize("Estimator", AFMS)
def test_one_long_row_leaves_the_others_as_they_are(Estimator, rng, fixed_strengths):
    levels = rng.integers(0, 10, size=(2000, 4))
    X = sparse.csr_array(np.eye(10)[levels].reshape(2000, 40))
    X.resize(2000, 640)
    y = rng.normal(size=10)[levels[:, 0]] + 2 * (levels[:, 1] == levels[:, 2])
    y = target_for(Estimator, y)
    long_row = sparse.csr_array((np.ones(600), (np.zeros(600, int), np.arange(40, 640))))
    options = {"random_state": 0, "max_iter": 30, "early_stopping": False}
    alone = Estimator(**options).fit(X[:1500], y[:1500])
    beside = Estimator(**options).fit(
        sparse.vstack([X[:1500], long_row]), np.append(y[:1500], y[0])
    )
    assert alone.median_pairs_ == beside.median_pairs_ == 6
    assert beside.score(X[1500:], y[1500:]) > alone.score(X[1500:], y[1500:]) - 0.02
