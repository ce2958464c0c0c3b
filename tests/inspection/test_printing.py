"""How results print: a header and their first ten lines, aligned; in a notebook, a table."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import ragged_matrix
from explained import fitted_pipeline, random_model

from sklearn_afm import AFMClassifier, FMRegressor
from sklearn_afm.inspection import (
    field_effect,
    field_importance,
    interaction_scores,
    interaction_table,
    pair_effect,
    pair_importance,
    permutation_pair_importance,
)
from sklearn_afm.inspection._plotting import shortened
from sklearn_afm.inspection._results import aligned


@pytest.fixture(scope="module")
def fitted():
    return fitted_pipeline(FMRegressor(max_iter=5, random_state=0))


CALLS = {
    "pair_importance": (
        lambda model, X, y: pair_importance(model, X),
        "15 pairs of fields by mean |contribution|; the first 10, all in to_frame()",
    ),
    "permutation_pair_importance": (
        lambda model, X, y: permutation_pair_importance(model, X, y, method="zero"),
        "15 pairs of fields by loss increase; the first 10, all in to_frame()",
    ),
    "field_importance": (
        lambda model, X, y: field_importance(model, X),
        "6 fields by how far they move the raw score",
    ),
    "pair_effect": (
        lambda model, X, y: pair_effect(model, X, ("b", "e")),
        "mean contribution of 16 pairs of levels of b x e (unit of y); the first 10, "
        "all in to_frame()",
    ),
    "field_effect": (
        lambda model, X, y: field_effect(model, X, "b"),
        "effect of 4 levels of b (unit of y)",
    ),
    "interaction_scores": (
        lambda model, X, y: interaction_scores(model, X[:3]),
        "45 pairs of 3 rows; the first 10, all in to_frame()",
    ),
    "interaction_table": (
        lambda model, X, y: interaction_table(model, X[:30]),
        "attention * score + cross = contribution, of 30 rows; the first 10, all by print",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_shows_its_first_lines(name, fitted):
    call, title = CALLS[name]
    result = call(*fitted)
    first, heads, *lines = repr(result).splitlines()
    assert first == title
    assert len(lines) == {"field_importance": 6, "field_effect": 4}.get(name, 10)
    if name != "interaction_table":
        assert len({len(line) for line in lines}) == 1  # the last column ends where its head does
        assert len(lines[0]) == len(heads)
    table = ElementTree.fromstring(result._repr_html_())
    assert table.find("caption").text == title
    cells = [[cell.text for cell in row] for row in table.find("tbody")]
    assert [re.sub(" +", " ", " ".join(row)) for row in cells] == [
        re.sub(" +", " ", line.strip()) for line in lines
    ]


def test_numbers_are_those_of_the_frame(fitted):
    found = pair_importance(*fitted[:2])
    frame = found.to_frame()
    _, _, *lines = repr(found).splitlines()
    for line, (_, row) in zip(lines, frame.iterrows()):
        assert line.startswith(f"{row['first']} x {row['second']}  ")
        shown = [float(number) for number in line.split()[3:]]
        np.testing.assert_allclose(shown, row.iloc[2:].astype(float), atol=1e-3)


def test_an_interaction_table_prints_all_rows(fitted):
    model, X, _ = fitted
    assert len(str(interaction_table(model, X[:30])).splitlines()) == 31


def test_names_are_escaped(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMClassifier, X, 3, rng)
    names = ["<b>a</b>", *"bcdefgh", "x & y"]
    html = pair_importance(model, X, fields=names)._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;a&lt;/b&gt; x" in html
    assert "&amp;" in html
    scores = repr(interaction_scores(model, X))
    assert scores.splitlines()[1].split()[-2:] == ["contribution", "c"]


def test_a_result_without_a_line(rng):
    X = np.eye(3)
    found = pair_importance(FMRegressor(max_iter=1).fit(X, [1.0, 2.0, 3.0]), X)
    assert repr(found).splitlines()[0] == "0 pairs of fields by mean |contribution|"
    assert "<tbody></tbody>" in found._repr_html_()


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("Wildlife Size = Large", 40, "Wildlife Size = Large"),
        ("Wildlife Size = Large", 16, "Wildl…ze = Large"),
        ("size = Extraordinarily Large", 20, "size = Extraord…arge"),
    ],
)
def test_a_long_level_keeps_more_than_its_field(text, length, expected):
    found = shortened(text, length)
    assert found == expected
    assert len(found) <= length


def test_names_begin_at_the_left_and_numbers_end_at_the_right():
    rows = [["pair", "mean"], ["a x b", "10.0"], ["long name x b", "1.0"]]
    assert aligned(rows, [True, False]).splitlines() == [
        "pair           mean",
        "a x b          10.0",
        "long name x b   1.0",
    ]
