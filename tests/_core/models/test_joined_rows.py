"""Joined rows of two matrices against predictions of the rows one by one."""

import numpy as np
import pytest
from conftest import ragged_matrix
from modelling import N_COLUMNS, predicted, random_values, tensors
from scipy import sparse

from sklearn_afm._afm import AFM
from sklearn_afm._core.models import joined
from sklearn_afm._core.models.joined import JoinedRows, row_parts
from sklearn_afm._core.models.model import Model
from sklearn_afm._core.pairs.joined import AttentionJoiner
from sklearn_afm._fm import FM, SumJoiner
from sklearn_afm.baselines._hofm import HOFM

FIELDS = np.array([0, 0, 1, 2, 2, 3, 3, 1, 0])
MODELS = {
    "FM": lambda: FM(4, 1),
    "AFM": lambda: AFM(4, 3, 1, median_pairs=5.0),
    "AFM of many units": lambda: AFM(4, 300, 1, median_pairs=5.0),
    "AFM without scaling of rows": lambda: AFM(4, 3, 1, scales_rows=False),
    "AFM of fields": lambda: AFM(4, 3, 1, fields=FIELDS, field_aware=True, median_pairs=2.0),
    "HOFM of order 2": lambda: HOFM(4, 1, order=2),
    "HOFM of order 3": lambda: HOFM(4, 1, order=3),
}


def two_sides(rng, real, n_first=12, n_second=15):
    """Rows of 0 to 5 entries in the first columns, and of 0 to 4 in the others."""
    first, second = np.zeros((n_first, N_COLUMNS)), np.zeros((n_second, N_COLUMNS))
    first[:, :5] = ragged_matrix(rng, n_first, 5, real)
    second[:, 5:] = ragged_matrix(rng, n_second, 4, real)
    return first, second


def one_by_one(model, params, first, second):
    return np.array([[predicted(model, params, a[None] + b)[0, 0] for b in second] for a in first])


def joined_rows(model, params, first, second):
    return JoinedRows(model, tensors(params), *map(sparse.csr_array, (first, second)))


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("at_once", [(1 << 10, 1 << 12), (7, 5)])
@pytest.mark.parametrize("name", MODELS)
def test_against_rows_one_by_one(name, at_once, real, rng, monkeypatch):
    for constant, value in zip(("FIRST_ENTRIES", "SECOND_ENTRIES"), at_once):
        monkeypatch.setattr(joined, constant, value)
    model = MODELS[name]()
    params = random_values(rng, model)
    first, second = two_sides(rng, real)
    expected = one_by_one(model, params, first, second)
    rows = joined_rows(model, params, first, second)
    np.testing.assert_allclose(rows(slice(0, 12)), expected, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(rows(slice(3, 5)), expected[3:5], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "joiner"),
    [("FM", SumJoiner), ("AFM", AttentionJoiner), ("AFM of fields", AttentionJoiner)],
)
def test_no_row_is_built_where_a_model_has_a_short_cut(name, joiner, rng, monkeypatch):
    model = MODELS[name]()
    assert isinstance(model.joiner(tensors(random_values(rng, model))), joiner)
    monkeypatch.setattr(joined, "every_pair", None)  # to call it is an error
    rows = joined_rows(model, random_values(rng, model), *two_sides(rng, real=False))
    assert rows(slice(0, 12)).shape == (12, 15)


def test_a_model_that_is_no_sum_over_pairs_has_none(rng):
    """HOFM inherits what FM has, and adds triples."""
    model = MODELS["HOFM of order 3"]()
    assert model.joiner is not Model.joiner
    assert joined_rows(model, random_values(rng, model), *two_sides(rng, True))._joiner is None


@pytest.mark.parametrize("factor", [1e2, 1e6])
def test_logits_that_differ_by_more_than_exp_can_hold(factor, rng):
    model = MODELS["AFM"]()
    params = random_values(rng, model)
    params["attention_context"] *= factor
    first, second = two_sides(rng, True)
    expected = one_by_one(model, params, first, second)
    found = joined_rows(model, params, first, second)(slice(0, 12))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("empty", [0, 1])
def test_rows_without_entries(name, empty, rng):
    model = MODELS[name]()
    params = random_values(rng, model)
    sides = list(two_sides(rng, True))
    sides[empty][:] = 0
    found = joined_rows(model, params, *sides)(slice(0, 12))
    np.testing.assert_allclose(found, one_by_one(model, params, *sides), rtol=1e-10, atol=1e-10)


def test_parts_of_rows():
    lengths = np.array([3, 0, 0, 9, 2, 1, 0])
    indptr = np.concatenate([[5], 5 + np.cumsum(lengths)])
    parts = list(row_parts(indptr, 6))
    assert [range(7)[part] for part in parts] == [range(3), range(3, 4), range(4, 7)]
    assert list(row_parts(np.zeros(1, dtype=int), 6)) == []
