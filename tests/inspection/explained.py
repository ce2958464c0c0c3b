"""Models and tables that the tests of inspection share."""

import numpy as np
import pandas as pd
from conftest import CLASSIFIERS, random_parameters
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import FMClassifier, FMRegressor
from sklearn_afm._attributes import set_attributes

TRUE_PAIRS = [{"b", "e"}, {"c", "d"}]


def random_model(Estimator, X, n_outputs, rng):
    """Fit an estimator, then draw its attributes, so that the attention is far from uniform."""
    n_rows = X.shape[0]
    if Estimator in CLASSIFIERS:
        n_classes = n_outputs if n_outputs > 1 else 2
        y = np.array(["a", "b", "c", "d"])[np.arange(n_rows) % n_classes]
    else:
        y = rng.normal(size=(n_rows, n_outputs) if n_outputs > 1 else n_rows)
    model = Estimator(embedding_dim=3, max_iter=1, random_state=0).fit(X, y)
    attention_dim = None if Estimator in (FMRegressor, FMClassifier) else 4
    arrays = random_parameters(rng, X.shape[1], 3, n_outputs, attention_dim)
    set_attributes(model, arrays, several_outputs=n_outputs > 1)
    return model


def raw_prediction(estimator, X):
    """Return what the terms of a prediction must add up to."""
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(X)
    return estimator.predict(X)


def table_of_pairs(seed, n_rows=1500):
    """Make six text columns a to f, in which the levels of two pairs of columns interact."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 4, size=(n_rows, 6))
    # Each column has as many levels of sign 1 as of -1. So products of signs have no main effects.
    signs = rng.permuted(np.tile([1.0, 1.0, -1.0, -1.0], (6, 1)), axis=1)
    values = np.take_along_axis(signs.T, levels, axis=0)
    score = values[:, 1] * values[:, 4] + values[:, 2] * values[:, 3]
    frame = pd.DataFrame(np.array(list("wxyz"))[levels], columns=list("abcdef"))
    return frame, score + 0.3 * rng.normal(size=n_rows)


def fitted_pipeline(estimator, seed=0, classify=False):
    """Return a Pipeline fitted on `table_of_pairs`, its rows and its targets."""
    X, y = table_of_pairs(seed)
    if classify:
        y = np.where(y > 0, "high", "low")
    return make_pipeline(OneHotEncoder(handle_unknown="ignore"), estimator).fit(X, y), X, y
