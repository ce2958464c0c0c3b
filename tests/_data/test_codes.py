"""Codes of categories are told from numbers: a warning that is seldom wrong."""

import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import ESTIMATORS, target_for
from scipy import sparse
from sklearn.datasets import load_digits, load_iris
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_afm import BayesianFMRegressor, FMRegressor
from sklearn_afm._data.codes import columns_of_codes
from sklearn_afm.exceptions import CategoryCodesWarning


@pytest.fixture
def levels(rng):
    """Two text columns of uneven levels, and one of two levels."""
    return pd.DataFrame(
        {
            "carrier": rng.choice(["AA", "B6", "DL", "UA"], 500, p=[0.4, 0.1, 0.3, 0.2]),
            "origin": rng.choice(["EWR", "JFK", "LGA"], 500),
            "late": rng.choice(["no", "yes"], 500),
        }
    )


def found(X):
    return columns_of_codes(sparse.csr_array(np.asarray(X, dtype=float))).tolist()


def test_codes_are_found(levels):
    codes = OrdinalEncoder().fit_transform(levels)
    assert found(codes) == [0, 1]
    assert columns_of_codes(sparse.csr_array(codes.astype(np.float32))).tolist() == [0, 1]
    by_pandas = levels.astype("category").apply(lambda column: column.cat.codes)
    assert found(by_pandas) == [0, 1]


def one_hot(levels, rng):
    return OneHotEncoder(sparse_output=False).fit_transform(levels)


def digits(levels, rng):
    return load_digits().data


def bag_of_words(levels, rng):
    words = np.array(list("abcdefgh"))
    texts = [" ".join(rng.choice(words, 6, p=[0.4] + [0.6 / 7] * 7)) for _ in range(500)]
    return CountVectorizer(analyzer=str.split).fit_transform(texts).toarray()


def counts(levels, rng):
    return rng.poisson([0.3, 1, 3], (2000, 3))


def even(levels, rng):
    return rng.integers(0, 5, (2000, 3))


def measurements(levels, rng):
    return load_iris().data


def codes_beside_a_measurement(levels, rng):
    return np.column_stack([OrdinalEncoder().fit_transform(levels), rng.normal(size=500)])


def codes_beside_years(levels, rng):
    return np.column_stack([OrdinalEncoder().fit_transform(levels), rng.integers(17, 90, 500)])


def with_gaps(levels, rng):
    return 2 * OrdinalEncoder().fit_transform(levels)


def below_0(levels, rng):
    return OrdinalEncoder().fit_transform(levels) - [0, 0, 1]


def ids(levels, rng):
    """A count of each value up to the largest would not fit into memory."""
    return rng.integers(10**12, 10**13, (500, 2))


def one_column(levels, rng):
    return OrdinalEncoder().fit_transform(levels[["carrier", "late"]])


def nothing(levels, rng):
    return np.zeros((5, 3))


@pytest.mark.parametrize(
    "table",
    [one_hot, digits, bag_of_words, counts, even, measurements, codes_beside_a_measurement,
     codes_beside_years, with_gaps, below_0, ids, one_column, nothing],
)  # fmt: skip
def test_other_tables_are_not_taken_for_codes(table, levels, rng):
    assert found(table(levels, rng)) == []


@pytest.mark.parametrize("Estimator", [*ESTIMATORS, BayesianFMRegressor])
def test_fit_warns_and_names_the_columns(Estimator, levels, rng):
    frame = levels.astype("category").apply(lambda column: column.cat.codes)
    y = target_for(Estimator, rng.normal(size=500))
    message = rf"Columns 'carrier' and 'origin' of X .* {Estimator.__name__} multiplies them"
    with pytest.warns(CategoryCodesWarning, match=message) as caught:
        Estimator(max_iter=2, random_state=0).fit(frame, y)
    assert {warning.filename for warning in caught} == {__file__}


def test_a_stream_is_not_warned(levels, rng):
    """A batch has not all levels."""
    X = OrdinalEncoder().fit_transform(levels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FMRegressor().partial_fit(X, rng.normal(size=500))
