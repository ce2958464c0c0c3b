"""Shared test data."""

import os

import numpy as np
import pytest
import torch
from scipy import sparse

from sklearn_afm import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

# If each worker started one thread per core, the workers would slow each other down.
if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)

# On CUDA, torch adds up in any order unless it is asked not to. Then all that is the same bit for
# bit on a CPU is so there too (docs/guide/running.md).
if torch.cuda.is_available():
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)

ESTIMATORS = [AFMRegressor, AFMClassifier, FMRegressor, FMClassifier]
REGRESSORS = [AFMRegressor, FMRegressor]
CLASSIFIERS = [AFMClassifier, FMClassifier]
AFMS = [AFMRegressor, AFMClassifier]


def ragged_matrix(rng, n_rows=12, n_columns=9, real=True):
    """Make a dense matrix with 0 to n_columns non-zeros per row: 0, 1 and 2 in the first rows."""
    X = rng.normal(size=(n_rows, n_columns)) if real else np.ones((n_rows, n_columns))
    keep = rng.random((n_rows, n_columns)) < rng.random((n_rows, 1))
    for row in range(min(3, n_rows)):
        keep[row] = np.arange(n_columns) < row
    return np.where(keep, X, 0.0)


def random_parameters(rng, n_columns, embedding_dim, n_outputs, attention_dim=None):
    """Draw parameters that are so large that the attention is far from uniform."""
    params = {
        "bias": rng.normal(size=n_outputs),
        "linear_weights": rng.normal(size=(n_columns, n_outputs)),
        "embeddings": rng.normal(size=(n_columns, embedding_dim)),
        "projection": rng.normal(size=(n_outputs, embedding_dim)),
    }
    if attention_dim:
        params["attention_weight"] = rng.normal(size=(attention_dim, embedding_dim))
        params["attention_bias"] = rng.normal(size=attention_dim)
        params["attention_context"] = rng.normal(size=attention_dim)
    return params


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def one_hot_data():
    """300 one-hot rows of 4 fields, and a target with linear effects and one interaction."""
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 5, size=(300, 4))
    X = sparse.csr_array(np.eye(5)[levels].reshape(300, 20))
    effects, pairs = rng.normal(size=(4, 5)), rng.normal(size=(5, 5))
    y = effects[np.arange(4), levels].sum(1) + pairs[levels[:, 0], levels[:, 1]]
    return X, y


def target_for(estimator, y):
    """Return y, or for a classifier string labels: above the median or not."""
    if hasattr(estimator, "predict_proba"):
        return np.where(np.asarray(y) > np.median(y), "high", "low")
    return y


def pytest_terminal_summary(terminalreporter):
    """Print the seed of each fuzz test, and how its examples ended."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "fuzz" and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid}: {value}")


@pytest.fixture
def fixed_strengths(monkeypatch):
    """Fits without a linear part of its own: all parameters are learnt by gradient descent."""
    monkeypatch.setattr("sklearn_afm._fit.linear.learns_linear_part", lambda *_: False)
