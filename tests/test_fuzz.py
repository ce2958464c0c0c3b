"""Fuzz tests: with any X, y, weights and options, a model predicts finite numbers or raises.

The environment variables FUZZ_SEED and FUZZ_EXAMPLES (per test) select other examples. The tests
print both.
"""

import os
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from conftest import AFMS, CLASSIFIERS, ESTIMATORS
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_afm import BayesianFMClassifier, BayesianFMRegressor

SEED = int(os.environ.get("FUZZ_SEED", "0"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))

SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

# Warnings of scikit-learn that are right for the examples drawn here.
EXPECTED_WARNINGS = [
    "ignore:A column-vector y was passed",
    "ignore:The number of unique classes is greater",
    "ignore:R.2 score is not well-defined",
    "ignore:X has feature names",
    "ignore:X does not have valid feature names",
    "ignore:y_pred contains classes not in y_true",
    "ignore:pandas.DataFrame with sparse columns found",
]

# Numbers

PLAIN = [0.0, 0.0, 0.0, 1.0, 1.0, -0.0, 0.5, -1.0, 2.0, 3.25, 0.1, -7.5]
WILD = [
    1e-30, 1e30, 5e-324, 1e-310, -1e-45, 1e-12, 1e12, 1e19, 3e38, -1e38, 1e150, -1e154, 1e300,
    1.7e308, -1.7e308, 2.0**53 + 1, 1e5, -1e-200,
]  # fmt: skip
# Most numbers are not too large for training. Otherwise nearly all examples would be refused.
TABLES = [
    *[np.array([0.0, 1.0])] * 3,
    *[np.array(PLAIN)] * 5,
    np.array(PLAIN * 4 + [1e30, 1e-30, 1e19, -1e12]),
    np.array(PLAIN + WILD),
    np.array(PLAIN + WILD + [np.nan, np.inf, -np.inf]),
]
wild = st.sampled_from(PLAIN + WILD)


def arrays_of(shape, tables=TABLES):
    """Draw arrays of numbers from one of the tables: one random byte selects each number."""
    size = int(np.prod(shape))
    return st.builds(
        lambda table, chosen: table[np.frombuffer(chosen, np.uint8) % len(table)].reshape(shape),
        st.sampled_from(tables),
        st.binary(min_size=size, max_size=size),
    )


# Matrices

DTYPES = [
    *["float64"] * 30, *["float32"] * 4, "float16", "longdouble", "int8", "int64", "uint64",
    "bool", "object", "str", "complex128", ">f8",
]  # fmt: skip


def as_dtype(X, dtype):
    with np.errstate(all="ignore"):
        return X.astype(dtype)


def strided(X):
    return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]


def reversed_view(X):
    return X[::-1, ::-1].copy()[::-1, ::-1]


def read_only(X):
    X = sparse.csr_array(X) if X.shape[0] % 2 and X.dtype.kind in "fiu" else X.copy()
    for array in (X.data, X.indices, X.indptr) if sparse.issparse(X) else (X,):
        array.flags.writeable = False
    return X


def masked(X):
    return np.ma.array(X, mask=np.arange(X.size).reshape(X.shape) % 5 == 4)


def doubled(X):
    """Store each entry as two halves, in descending order of columns."""
    X = sparse.csr_array(X)
    return sparse.csr_array(
        (np.repeat(X.data, 2)[::-1] / 2, np.repeat(X.indices, 2)[::-1],
         2 * (X.nnz - X.indptr[::-1])), shape=X.shape
    )  # fmt: skip


def long_indices(X):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def with_slack(X):
    """Add unused space after the last entry, with arbitrary values."""
    X = sparse.csr_array(X)
    X.data = np.append(X.data, X.data[:1])
    X.indices = np.append(X.indices, np.array([10**6], dtype=X.indices.dtype))[: len(X.data)]
    return X


def sparse_frame(X):
    return pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X))


def explicit_zeros(X):
    columns = np.tile(np.arange(X.shape[1]), X.shape[0])
    return sparse.csr_array(
        (X.ravel(), columns, np.arange(X.shape[0] + 1) * X.shape[1]), shape=X.shape
    )


def ragged(X):
    return [*X.tolist()[:-1], [1]]


DENSE = {
    "array": np.asarray, "fortran": np.asfortranarray, "strided": strided, "read-only": read_only,
    "reversed": reversed_view, "unmasked": np.ma.array, "masked": masked, "frame": pd.DataFrame,
    "list": lambda X: X.tolist(), "ragged": ragged, "1-d": lambda X: X[0], "3-d": lambda X: X[None],
}  # fmt: skip
SPARSE = {
    "csr": sparse.csr_array, "csr_matrix": sparse.csr_matrix, "csc": sparse.csc_array,
    "csc_matrix": sparse.csc_matrix, "coo": sparse.coo_array, "coo_matrix": sparse.coo_matrix,
    "bsr": sparse.bsr_array, "dia": sparse.dia_array, "lil": sparse.lil_array,
    "dok": sparse.dok_array, "doubled": doubled, "long": long_indices, "slack": with_slack,
    "explicit zeros": explicit_zeros, "sparse frame": sparse_frame,
}  # fmt: skip
REFUSED = ["masked", "ragged", "1-d", "3-d"]
FORMS = [form for form in (*DENSE, *SPARSE) if form not in REFUSED] * 5 + REFUSED
INDEX_ARRAYS = {
    "csr": ["indptr", "indices", "data"], "csc": ["indptr", "indices", "data"],
    "bsr": ["indptr", "indices", "data"], "coo": ["row", "col", "data"],
    "dia": ["offsets", "data"], "lil": ["rows"],
}  # fmt: skip


@dataclass
class Recipe:
    """A description of a matrix. Unlike a corrupt matrix, it can be printed."""

    values: np.ndarray
    dtype: str
    form: str
    corruption: tuple | None

    def make(self):
        X = as_dtype(self.values, self.dtype)
        try:
            with np.errstate(all="ignore"):
                X = (DENSE | SPARSE)[self.form](X)
        except (ValueError, TypeError, IndexError):  # this format cannot store these values
            return X
        if self.corruption and getattr(X, "format", None) in INDEX_ARRAYS:
            corrupt(X, *self.corruption)
        return X

    @property
    def shape(self):
        """Shape of the matrix, if its form has a sensible shape."""
        return self.values.shape


def corrupt(X, which, place, number):
    """Write a number into an array of a sparse matrix, or cut the array short."""
    names = INDEX_ARRAYS[X.format]
    name = names[which % len(names)]
    array = getattr(X, name).copy()
    if number is None:
        array = array[: len(array) // 2]
    elif name == "rows" and array.size:
        array[place % array.size] = [number]
    elif array.size and array.dtype.kind in "iu":
        array.flat[place % array.size] = np.array(number).astype(array.dtype)
    if name in ("row", "col") and hasattr(X, "coords"):
        X.coords = (array, X.col) if name == "row" else (X.row, array)
    else:
        setattr(X, name, array)


corruptions = st.tuples(
    st.integers(0, 2),
    st.integers(0, 50),
    st.sampled_from([None, -1, -(2**31), 2**31 - 1, 10**6]) | st.integers(-3, 12),
)


@st.composite
def matrices(draw, n_columns=None):
    n_rows = draw(st.sampled_from([4, 5, 6, 8] * 5 + [3, 2, 1, 1, 0]))
    if n_columns is None:
        n_columns = draw(st.sampled_from([3, 4, 6] * 6 + [2, 1, 1, 0]))
    return Recipe(
        draw(arrays_of((n_rows, n_columns))),
        draw(st.sampled_from(DTYPES)),
        draw(st.sampled_from(FORMS)),
        draw(corruptions) if draw(st.integers(0, 15)) == 0 else None,
    )


# Targets and weights

LABELS = [
    [0, 1], [0, 1], [0, 1, 2], ["a", "b"], ["x", "y", "z"], [True, False], [-5, 7], [3], [0.0, 1.0],
]  # fmt: skip


@st.composite
def targets(draw, n_rows, classifies, labels=None):
    n_rows = max(0, n_rows + draw(st.sampled_from([0] * 60 + [1, -1])))
    if classifies and draw(st.integers(0, 15)):
        labels = labels or draw(st.sampled_from(LABELS))
        drawn = draw(arrays_of((n_rows,), [np.arange(len(labels))]))
        y = np.array(labels)[(np.arange(n_rows) + drawn) % len(labels)]
    else:
        shape = draw(st.sampled_from([(n_rows,)] * 12 + [(n_rows, 1), (n_rows, 2), (n_rows, 0)]))
        y = draw(arrays_of(shape))
        if draw(st.integers(0, 7)) == 0:
            y = np.full(shape, draw(wild))
    form = draw(st.sampled_from(["array"] * 20 + ["object", "list", "series", "column", "str"]))
    if form == "series":
        return pd.Series(y) if y.ndim == 1 else pd.DataFrame(y)
    if form == "column":
        return y.reshape(len(y), -1) if len(y) else y
    return {
        "array": y, "object": y.astype(object), "list": y.tolist(), "str": y.astype(str)
    }[form]  # fmt: skip


WEIGHTS = [
    *[np.array([1e-12, 1e12, 1.0, 0.0, 0.25, 1, 2, 3])] * 3,
    np.abs(PLAIN + WILD),
    np.array([1.0, 2.0, -1.0, np.nan, np.inf]),
]


@st.composite
def weights(draw, n_rows):
    if draw(st.integers(0, 2)):
        return None
    if draw(st.integers(0, 9)) == 0:
        return draw(wild)
    return draw(arrays_of((max(0, n_rows + draw(st.sampled_from([0] * 20 + [1]))),), WEIGHTS))


# Options


@st.composite
def options(draw, Estimator):
    penalty = st.sampled_from([0, 1e-4, 1.0, 20.0, 1e30])
    choices = {
        "embedding_dim": st.integers(1, 4),
        "dropout": st.sampled_from([0.0, 0.5, 0.99]),
        "l2_embedding": penalty,
        "l2_linear": penalty,
        "optimizer": st.sampled_from(["adagrad", "adam", "sgd"]),
        "learning_rate": st.sampled_from(["auto", 1e-3, 1, 1e30, 1e-300]),
        "batch_size": st.sampled_from(["auto", 1, 2, 3, 1000]),
        "max_iter": st.integers(1, 2),
        "freeze": st.sets(st.sampled_from(["bias", "linear_weights", "embeddings", "projection"])),
        "early_stopping": st.sampled_from(["auto", True, False]),
        "validation_fraction": st.sampled_from([None, 0.1, 0.5, 0.9, 1, 2, 100]),
        "scoring": st.sampled_from(["loss", None]),
        "averaging_decay": st.sampled_from([0, 0.8, 0.999]),
        "precision": st.sampled_from(["auto", "float32", "float64", "bfloat16"]),
        "warm_start": st.booleans(),
    }
    if Estimator in AFMS:
        choices |= {
            "attention_dim": st.integers(1, 4),
            "attention_dropout": st.sampled_from([0.0, 0.5, 0.99]),
            "l2_attention": penalty,
            "init": st.sampled_from([None, "fm"]),
        }
    if Estimator in CLASSIFIERS:
        choices["class_weight"] = st.sampled_from([None, "balanced", {0: 2.0, 1: 1e-3}, {0: 0.0}])
    names = draw(st.sets(st.sampled_from(sorted(choices)), max_size=5))
    found = {name: draw(choices[name]) for name in sorted(names)}
    if "freeze" in found:
        found["freeze"] = sorted(found["freeze"])
    return {"embedding_dim": 2, "max_iter": 2, "random_state": 0} | found


# Checks


def attempt(call):
    """Return the result of a call, or None if it raised an error with a useful message."""
    refusal = ""
    try:
        return call()
    except (ValueError, TypeError) as error:
        refusal = str(error)
    assert len(refusal) > 15
    return None


def assert_predicts(model, recipe):
    """Check that the model predicts finite numbers of the right shape, or raises an error."""
    X, n_rows = recipe.make(), len(recipe.values)
    prediction = attempt(lambda: model.predict(X))
    if prediction is None:
        return
    if not hasattr(model, "predict_proba"):
        assert prediction.shape == (n_rows, *np.shape(model.bias_))
        assert np.isfinite(prediction).all()
        return
    assert prediction.shape == (n_rows,)
    assert np.isin(prediction, model.classes_).all()
    assert np.isfinite(model.decision_function(X)).all()
    proba = model.predict_proba(X)
    assert proba.shape == (n_rows, len(model.classes_))
    assert (proba >= 0).all()
    assert (proba <= 1).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    assert np.isfinite(model.predict_log_proba(X)).all()


def assert_finite_attributes(model):
    for name in ("bias_", "linear_weights_", "embeddings_", "projection_"):
        assert np.isfinite(getattr(model, name)).all(), name


def made(arguments):
    """Return the arguments, with matrices instead of recipes."""
    return {
        name: value.make() if isinstance(value, Recipe) else value
        for name, value in arguments.items()
    }


def run_examples(strategy, check, record_property):
    """Check examples of a strategy. `check` returns how an example ended."""
    ends = Counter()

    @seed(SEED)
    @SETTINGS
    @given(strategy)
    def each(example):
        ends[check(example)] += 1

    try:
        each()
    finally:
        numbers = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        record_property("fuzz", f"seed {SEED}, {sum(ends.values())} examples: {numbers}")
    assert ends["trained"] > 0.2 * sum(ends.values())


@st.composite
def fits(draw, Estimator):
    X = draw(matrices())
    n_rows, n_columns = X.shape
    classifies = Estimator in CLASSIFIERS
    arguments = {
        "X": X, "y": draw(targets(n_rows, classifies)), "sample_weight": draw(weights(n_rows)),
    }  # fmt: skip
    if draw(st.integers(0, 3)) == 0:
        X_val = draw(matrices(n_columns) | matrices())
        n_val = X_val.shape[0]
        arguments |= {
            "X_val": X_val, "y_val": draw(targets(n_val, classifies)),
            "sample_weight_val": draw(weights(n_val)),
        }  # fmt: skip
    return draw(options(Estimator)), arguments, draw(matrices(n_columns))


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.filterwarnings(*EXPECTED_WARNINGS)
def test_fit_and_predict(Estimator, record_property):
    def check(example):
        parameters, arguments, other = example
        model = Estimator(**parameters)
        if attempt(lambda: model.fit(**made(arguments))) is None:
            assert not hasattr(model, "embeddings_")
            return "refused"
        assert_finite_attributes(model)
        assert_predicts(model, arguments["X"])
        assert_predicts(model, other)
        if model.warm_start:
            y = np.resize(np.asarray(arguments["y"]), len(other.values))
            attempt(lambda: model.fit(other.make(), y))
            assert_finite_attributes(model)
            assert_predicts(model, arguments["X"])
        return "trained"

    run_examples(fits(Estimator), check, record_property)


@st.composite
def streams(draw, Estimator):
    classifies = Estimator in CLASSIFIERS
    labels = draw(st.sampled_from(LABELS)) if classifies else None
    n_columns = draw(st.integers(1, 5))
    calls = []
    for _ in range(draw(st.integers(1, 3))):
        X = draw(matrices(n_columns) | matrices(n_columns) | matrices())
        calls.append(
            {"X": X, "y": draw(targets(X.shape[0], classifies, labels)),
             "sample_weight": draw(weights(X.shape[0]))}
        )  # fmt: skip
        if classifies and draw(st.integers(0, 9)):
            calls[-1]["classes"] = labels
    return draw(options(Estimator)), calls


@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.filterwarnings(*EXPECTED_WARNINGS)
def test_partial_fit_and_predict(Estimator, record_property):
    def check(example):
        parameters, calls = example
        model = Estimator(**parameters)
        trained = [attempt(lambda call=call: model.partial_fit(**made(call))) for call in calls]
        for call in calls if any(trained) else ():
            assert_finite_attributes(model)
            assert_predicts(model, call["X"])
        return "trained" if any(trained) else "refused"

    run_examples(streams(Estimator), check, record_property)


@st.composite
def bayesian_fits(draw, Estimator):
    X = draw(matrices())
    n_rows, n_columns = X.shape
    classifies = Estimator is BayesianFMClassifier
    y, weight = draw(targets(n_rows, classifies)), draw(weights(n_rows))
    parameters = {
        "embedding_dim": draw(st.integers(1, 3)),
        "max_iter": draw(st.integers(1, 8)),
        "burn_in": draw(st.sampled_from([0, 0.5, 0.99])),
        "n_draws": draw(st.integers(1, 4)),
        "fields": draw(st.sampled_from(["auto", None, ["a"] * n_columns, [2, 1, 2]])),
    }
    return parameters, {"X": X, "y": y, "sample_weight": weight}, draw(matrices(n_columns))


@pytest.mark.parametrize("Estimator", [BayesianFMRegressor, BayesianFMClassifier])
@pytest.mark.filterwarnings(*EXPECTED_WARNINGS)
def test_bayesian_fit_and_predict(Estimator, record_property):
    def check(example):
        parameters, arguments, other = example
        model = Estimator(**parameters, random_state=0)
        if attempt(lambda: model.fit(**made(arguments))) is None:
            assert not hasattr(model, "bias_draws_")
            return "refused"
        for recipe in (arguments["X"], other):
            X = recipe.make()
            if Estimator is BayesianFMClassifier:
                found = attempt(lambda X=X: model.predict_proba(X))
                if found is not None:
                    np.testing.assert_allclose(found.sum(axis=1), 1)
            else:
                found = attempt(lambda X=X: model.predict(X, return_std=True))
                assert found is None or np.isfinite(found).all()
        return "trained"

    run_examples(bayesian_fits(Estimator), check, record_property)
