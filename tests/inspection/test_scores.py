"""interaction_scores: compared with plain loops; its terms add up to the prediction."""

import sys

import numpy as np
import oracle
import pandas as pd
import pytest
from conftest import AFMS, ESTIMATORS, ragged_matrix
from explained import fitted_pipeline, random_model, raw_prediction
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor
from sklearn_afm.inspection import _terms, interaction_scores


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_pairs_are_those_of_plain_loops_and_add_up(Estimator, n_outputs, real, rng):
    X = ragged_matrix(rng, n_rows=40, real=real)
    model = random_model(Estimator, X, n_outputs, rng)
    model.cross_columns_ = np.array([(0, 2), (1, 2), (1, 4)])
    model.cross_weights_ = rng.normal(size=(n_outputs, 3) if n_outputs > 1 else 3)
    found = interaction_scores(model, sparse.csr_array(X))
    params = oracle.params_of(model)
    expected = {}
    for number, row in enumerate(X):
        weights = oracle.attention(row, params) if Estimator in AFMS else None
        pairs = oracle.row_pairs(row)
        share = len(pairs) / params["median_pairs"] if Estimator in AFMS else 1.0
        for i, j in pairs:
            product = params["embeddings"][i] * params["embeddings"][j] * row[i] * row[j]
            weight = 1.0 if weights is None else weights[i, j]
            expected[number, j, i] = weight, share * params["projection"] @ product
    keys = list(zip(found.row.tolist(), found.first.tolist(), found.second.tolist()))
    assert len(keys) == len(expected)
    assert set(keys) == set(expected)
    np.testing.assert_allclose(found.attention, [expected[key][0] for key in keys], rtol=1e-9)
    score = np.array([expected[key][1] for key in keys]).reshape(found.score.shape)
    np.testing.assert_allclose(found.score, score, rtol=1e-9, atol=1e-12)
    weight = found.attention.reshape(-1, *[1] * (score.ndim - 1))
    weights = dict(
        zip(map(tuple, model.cross_columns_.tolist()), np.atleast_2d(model.cross_weights_).T)
    )
    zero = np.zeros(n_outputs)
    cross = [X[n, i] * X[n, j] * weights.get((i, j), zero) for n, i, j in keys]
    cross = np.reshape(cross, score.shape)
    np.testing.assert_allclose(found.cross, cross, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.contribution, weight * score + cross, rtol=1e-6, atol=1e-9)

    predicted = raw_prediction(model, X)
    np.testing.assert_allclose(
        found.bias + found.linear + found.interaction, predicted, rtol=1e-9, atol=1e-9
    )
    total = np.zeros_like(predicted)
    np.add.at(total, found.row, found.contribution)
    np.testing.assert_allclose(total, found.interaction, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_terms_of_a_fit_are_in_the_unit_of_the_target(Estimator, rng):
    """Columns and targets are not of size 1. A column without training rows has no terms."""
    X = rng.normal(size=(200, 5)) * [1, 100, 0.01, 3, 0]
    y = 500 + 40 * np.sign(X[:, 0] * X[:, 1])
    if hasattr(Estimator, "predict_proba"):
        y = y > 500
    model = Estimator(max_iter=5, random_state=0).fit(X, y)
    X[:, 4] = 2.0
    found = interaction_scores(model, X)
    assert set(found.second) == {1, 2, 3}
    terms = found.bias + found.linear + found.interaction
    np.testing.assert_allclose(terms, raw_prediction(model, X), rtol=1e-6)


def test_a_pipeline_gives_the_encoder_s_names():
    model, X, _ = fitted_pipeline(AFMRegressor(max_iter=3, random_state=0))
    X = X.iloc[:5].copy()
    X.loc[1, "c"] = "unknown"
    found = interaction_scores(model, X)
    names = [f"{column} = {level}" for column, level in X.iloc[0].items()]
    first_row = found.row == 0
    assert set(found.first_name[first_row]) | set(found.second_name[first_row]) == set(names)
    assert (np.bincount(found.row) == [15, 10, 15, 15, 15]).all()
    terms = found.bias + found.linear + found.interaction + found.unseen
    np.testing.assert_allclose(terms, model.predict(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_probabilities_of_classes(n_outputs, rng):
    X = ragged_matrix(rng)
    model = random_model(AFMClassifier, X, n_outputs, rng)
    expected = model.predict_proba(X)
    expected = expected if n_outputs > 1 else expected[:, 1]
    np.testing.assert_allclose(interaction_scores(model, X).probability, expected, rtol=1e-6)
    assert "probability" not in interaction_scores(random_model(AFMRegressor, X, 1, rng), X)


def test_names_without_an_encoder(rng):
    X = pd.DataFrame(rng.normal(size=(50, 3)), columns=["height", "width", "depth"])
    named = FMRegressor(max_iter=2).fit(X, X["height"])
    assert set(interaction_scores(named, X[:1]).first_name) == {"height", "width"}
    silent = make_pipeline(FunctionTransformer(lambda X: X.to_numpy()), FMRegressor(max_iter=2))
    with pytest.warns(UserWarning, match="FunctionTransformer"):
        found = interaction_scores(silent.fit(X, X["height"]), X[:1])
    assert set(found.second_name) == {"x1", "x2"}


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_top_k_takes_the_largest_of_each_row(n_outputs, rng):
    X = ragged_matrix(rng, n_rows=40)
    model = random_model(AFMRegressor, X, n_outputs, rng)
    everything, best = interaction_scores(model, X), interaction_scores(model, X, top_k=3)
    for row in range(40):
        size = np.abs(everything.contribution[everything.row == row]).reshape(-1, n_outputs)
        kept = np.abs(best.contribution[best.row == row]).reshape(-1, n_outputs)
        largest = -np.sort(-size.sum(1))[:3]
        np.testing.assert_allclose(kept.sum(1), largest, rtol=1e-12)
    np.testing.assert_array_equal(best.interaction, everything.interaction)


def test_rows_are_computed_in_blocks_of_bounded_size(rng, monkeypatch):
    X = ragged_matrix(rng, n_rows=300)
    model = random_model(AFMRegressor, X, 1, rng)
    whole = interaction_scores(model, X, top_k=2)
    sizes = []
    compute = _terms.terms_of

    def watched(parameters, rows):
        terms = compute(parameters, rows)
        sizes.append(len(terms.attention))
        return terms

    monkeypatch.setattr(_terms, "terms_of", watched)
    monkeypatch.setattr(_terms, "PAIRS_PER_BLOCK", 100)
    found = interaction_scores(model, X, top_k=2)
    assert len(sizes) > 20
    assert max(sizes) <= 100 + 36  # 9 columns have 36 pairs
    for name in ("row", "first", "second"):
        np.testing.assert_array_equal(found[name], whole[name])
    for name in ("contribution", "linear", "interaction"):
        np.testing.assert_allclose(found[name], whole[name], rtol=1e-9, atol=1e-12)


def test_rows_without_a_pair():
    X = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    model = FMRegressor(max_iter=2).fit(X, [1.0, 2.0, 3.0])
    found = interaction_scores(model, X[1:])
    assert len(found.row) == 0
    np.testing.assert_allclose(found.bias + found.linear, model.predict(X[1:]), rtol=1e-6)


def test_frame_of_several_outputs(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMClassifier, X, 3, rng)
    found = interaction_scores(model, X)
    frame = found.to_frame()
    assert frame.columns[-3:].tolist() == ["contribution a", "contribution b", "contribution c"]
    np.testing.assert_array_equal(frame["contribution c"], found.contribution[:, 2])
    one = interaction_scores(random_model(AFMClassifier, X, 1, rng), X).to_frame()
    assert one.columns[-2:].tolist() == ["cross", "contribution"]


def test_frame_without_pandas(rng, monkeypatch):
    X = ragged_matrix(rng)
    found = interaction_scores(random_model(FMRegressor, X, 1, rng), X)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_frame\(\) needs pandas"):
        found.to_frame()


def test_errors(rng):
    X = ragged_matrix(rng)
    model = random_model(AFMRegressor, X, 1, rng)
    for top_k in (0, 2.5, True):
        with pytest.raises(ValueError, match="top_k="):
            interaction_scores(model, X, top_k=top_k)
    with pytest.raises(TypeError, match="got LinearRegression"):
        interaction_scores(LinearRegression().fit(X, X[:, 0]), X)
    with pytest.raises(NotFittedError):
        interaction_scores(AFMRegressor(), X)
    with pytest.raises(ValueError, match="expecting 9 features"):
        interaction_scores(model, X[:, :3])
