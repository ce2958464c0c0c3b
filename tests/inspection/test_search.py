"""A fitted search is explained by its best estimator, in every function and display."""

import matplotlib
import numpy as np
import pytest
from explained import table_of_pairs
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sklearn_afm import AFMRegressor, make_field_pipeline
from sklearn_afm.inspection import (
    AttentionDisplay,
    HistoryDisplay,
    InteractionDisplay,
    PairImportanceDisplay,
    field_importance,
    interaction_scores,
    interaction_table,
    pair_importance,
    permutation_pair_importance,
)

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(scope="module")
def fitted():
    X, y = table_of_pairs(0, n_rows=200)
    model = make_field_pipeline(AFMRegressor(max_iter=2, l2_linear=0.5, random_state=0))
    grid = {"afmregressor__l2_embedding": [1.0, 20.0]}
    return GridSearchCV(model, grid, cv=2).fit(X, y), X, y


CALLS = {
    "pair_importance": lambda model, X, y: pair_importance(model, X).mean,
    "permutation_pair_importance": lambda model, X, y: (
        permutation_pair_importance(model, X, y, random_state=0).mean
    ),
    "field_importance": lambda model, X, y: field_importance(model, X).mean,
    "interaction_scores": lambda model, X, y: interaction_scores(model, X).contribution,
    "interaction_table": lambda model, X, y: interaction_table(model, X).contribution,
    "AttentionDisplay": lambda model, X, y: AttentionDisplay.from_estimator(model, X).values,
    "InteractionDisplay": lambda model, X, y: InteractionDisplay.from_estimator(model, X).values,
    "PairImportanceDisplay": lambda model, X, y: (
        PairImportanceDisplay.from_estimator(model, X).importance.mean
    ),
    "HistoryDisplay": lambda model, X, y: (
        HistoryDisplay.from_estimator(model).lines_["AFMRegressor"][0].get_ydata()
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_search_is_its_best_estimator(name, fitted):
    search, X, y = fitted
    expected = CALLS[name](search.best_estimator_, X, y)
    for model in (search, FrozenEstimator(search)):
        np.testing.assert_array_equal(CALLS[name](model, X, y), expected)
    plt.close("all")


def test_names_are_those_of_the_frame(fitted):
    search, X, _ = fitted
    found = interaction_scores(search, X[:1])
    names = {f"{column} = {level}" for column, level in X.iloc[0].items()}
    assert set(found.first_name) | set(found.second_name) == names
