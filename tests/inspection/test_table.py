"""interaction_table: rows by pairs of fields, as in the paper's Table 1."""

import numpy as np
import pytest
from conftest import ragged_matrix
from explained import TRUE_PAIRS, fitted_pipeline, random_model
from sklearn.base import clone

from sklearn_afm import AFMClassifier, AFMRegressor
from sklearn_afm.inspection import interaction_scores, interaction_table

QUANTITIES = ("attention", "score", "cross", "contribution")


def test_cells_are_interaction_scores():
    model, X, _ = fitted_pipeline(AFMRegressor(max_iter=100, random_state=0))
    X = X.iloc[:3].copy()
    X.loc[1, "b"] = "unknown"
    table = interaction_table(model, X, n_pairs=2)
    assert all(set(pair) in TRUE_PAIRS for pair in table.pair_names)
    scores = interaction_scores(model, X)
    for number, (first, second) in enumerate(table.pair_names):
        for row in range(3):
            names = f"{first} = {X.loc[row, first]}", f"{second} = {X.loc[row, second]}"
            at = (scores.row == row) & (scores.first_name == names[0])
            at &= scores.second_name == names[1]
            assert at.sum() == (0 if "b = unknown" in names else 1)
            for name in QUANTITIES:
                expected = scores[name][at] if at.any() else np.nan
                np.testing.assert_allclose(table[name][row, number], expected, rtol=1e-9)
    np.testing.assert_allclose(table.prediction, model.predict(X), rtol=1e-5, atol=1e-6)
    for name in ("linear", "interaction"):
        np.testing.assert_allclose(table[name], scores[name], rtol=1e-9, atol=1e-12)


def test_print_and_frame():
    model, X, _ = fitted_pipeline(AFMRegressor(max_iter=3, random_state=0))
    X = X.iloc[:2].copy()
    X.loc[1, "b"] = "unknown"
    table = interaction_table(model, X, pairs=[("b", "e"), ("d", "c")])
    lines = str(table).splitlines()
    assert lines[0].split() == [
        "row", "b", "x", "e", "d", "x", "c", "linear", "interaction", "unseen", "prediction",
    ]  # fmt: skip
    numbers = {name: f"{table[name][0, 0]:.2f}" for name in table if name in QUANTITIES}
    first = "{attention} * {score} + {cross} = {contribution}".format(**numbers)
    assert first in lines[1]
    assert lines[2].split()[:2] == ["1", "-"]
    frame = table.to_frame()
    assert frame["b x e", "score"].tolist()[0] == table.score[0, 0]
    assert frame.shape == (2, 12)
    assert frame["linear"].tolist() == table.linear.tolist()
    plain = clone(model).set_params(afmregressor__crosses=None).fit(X, [0.0, 1.0])
    assert " + " not in str(interaction_table(plain, X, pairs=[("b", "e")]))


def test_several_pairs_of_two_fields_are_summed(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMClassifier, X, 3, rng)
    fields = np.repeat(["a", "b", "c"], 3)
    table = interaction_table(model, X, fields=fields, pairs=[("a", "c")], output=1)
    scores = interaction_scores(model, X)
    at = (fields[scores.first] == "a") & (fields[scores.second] == "c")
    for name in ("attention", "contribution"):
        values = scores[name] if name == "attention" else scores[name][:, 1]
        total = np.bincount(scores.row[at], values[at], minlength=len(X))
        has_pair = np.bincount(scores.row[at], minlength=len(X)) > 0
        np.testing.assert_allclose(table[name][has_pair, 0], total[has_pair], rtol=1e-9)
        assert np.isnan(table[name][~has_pair]).all()
    np.testing.assert_allclose(table.attention * table.score, table.contribution, rtol=1e-9)
    np.testing.assert_allclose(table.prediction, model.decision_function(X)[:, 1], rtol=1e-9)
    np.testing.assert_allclose(table.probability, model.predict_proba(X)[:, 1], rtol=1e-9)
    assert str(table).splitlines()[0].split()[-2:] == ["prediction", "probability"]


def test_errors(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMRegressor, X, 3, rng)
    with pytest.raises(ValueError, match="interaction_table needs one output"):
        interaction_table(model, X)
    with pytest.raises(ValueError, match=r"pairs has \('x0', 'y'\)\. .* names, out of \['x0'"):
        interaction_table(model, X, pairs=[("x0", "y")], output=0)
    with pytest.raises(ValueError, match="n_pairs="):
        interaction_table(model, X, n_pairs=0, output=0)
