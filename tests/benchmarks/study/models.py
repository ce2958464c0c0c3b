"""The models of the study: how each takes a table's columns, and what its search draws from."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from frames import is_category
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from sklearn_afm import make_field_pipeline

FACTORS = {  # the strengths of the linear part remain "auto"
    "embedding_dim": [8, 16, 32, 64],
    "l2_embedding": loguniform(2, 100),
    "dropout": [0.0, 0.2, 0.4],
}
SEARCHES = {
    "AFM": FACTORS
    | {
        "attention_dim": [8, 16, 32],
        "l2_attention": loguniform(1e-6, 1e-1),
        "attention_lr_multiplier": [0.1, 0.3, 1.0],
    },
    "FM": FACTORS,
    "HistGradientBoosting": {
        "learning_rate": loguniform(0.02, 0.3),
        "max_iter": [100, 200, 400],
        "max_leaf_nodes": [7, 15, 31, 63],
        "min_samples_leaf": [5, 20, 80],
        "l2_regularization": loguniform(1e-3, 10),
    },
    "LightGBM": {
        "learning_rate": loguniform(0.02, 0.3),
        "n_estimators": [100, 200, 400],
        "num_leaves": [7, 15, 31, 63],
        "min_child_samples": [5, 20, 80],
        "cat_smooth": loguniform(1, 100),
    },
    "CatBoost": {
        "learning_rate": loguniform(0.02, 0.3),
        "iterations": [300, 1000],
        "depth": [4, 6, 8],
        "l2_leaf_reg": loguniform(1, 30),
    },
    "MLP": {
        "hidden_layer_sizes": [(50,), (100,), (100, 50)],
        "alpha": loguniform(1e-4, 30),
        "learning_rate_init": loguniform(3e-4, 1e-2),
    },
}
CLASSES = {  # module, regressor, classifier; a module is imported when a model is made
    "linear": ("sklearn.linear_model", "Ridge", "LogisticRegression"),
    "FM": ("sklearn_afm", "FMRegressor", "FMClassifier"),
    "AFM": ("sklearn_afm", "AFMRegressor", "AFMClassifier"),
    "Bayesian FM": ("sklearn_afm", "BayesianFMRegressor", "BayesianFMClassifier"),
    "MLP": ("sklearn.neural_network", "MLPRegressor", "MLPClassifier"),
    "HistGradientBoosting": (
        "sklearn.ensemble",
        "HistGradientBoostingRegressor",
        "HistGradientBoostingClassifier",
    ),
    "LightGBM": ("lightgbm", "LGBMRegressor", "LGBMClassifier"),
    "CatBoost": ("catboost", "CatBoostRegressor", "CatBoostClassifier"),
}
BOOSTINGS = ["HistGradientBoosting", "LightGBM", "CatBoost"]
BLENDS = {f"AFM + {name}": ("AFM", name) for name in BOOSTINGS}


def installed(name):
    """Tell whether the library of a model is installed."""
    return find_spec(CLASSES[name][0].partition(".")[0]) is not None


def searched(name):
    """Tell whether a model has a tuned version. The Bayesian FM has nothing to tune."""
    return all(part == "linear" or part in SEARCHES for part in BLENDS.get(name, [name]))


def search_space(name, task):
    """Return what a random search draws from. The linear model's parameter depends on the task."""
    if name == "linear":
        strength = {"regression": "alpha", "classification": "C"}[task]
        return {strength: loguniform(1e-3, 1e2)}
    return SEARCHES[name]


def make_model(name, table, parameters):
    """Make an estimator for the table's frame, with these parameters and one thread."""
    module, regressor, classifier = CLASSES[name]
    cls = getattr(import_module(module), regressor if table.task == "regression" else classifier)
    if name == "CatBoost":
        columns = np.flatnonzero(is_category(table.X)).tolist()
        fixed = {"thread_count": 1, "allow_writing_files": False, "verbose": 0, "random_seed": 0}
        return cls(cat_features=columns, **fixed, **parameters)
    if name == "LightGBM":  # takes categorical columns unchanged
        return cls(n_jobs=1, verbose=-1, random_state=0, **parameters)
    if name == "HistGradientBoosting":
        categories = is_category(table.X)
        codes = np.arange(categories.sum())
        model = cls(categorical_features=codes, random_state=0, **parameters)
        return make_pipeline(_codes(categories), model)
    if module == "sklearn_afm":
        return make_field_pipeline(cls(random_state=0, **parameters))
    fixed = {"early_stopping": True} if name == "MLP" else {}
    return make_pipeline(clone(table.encoder), cls(random_state=0, **fixed, **parameters))


def _codes(categories):
    """Encode levels as integers. The rarest share the last of 254. Unknown levels become NaN."""
    encoder = OrdinalEncoder(
        max_categories=254, handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    return make_column_transformer((encoder, categories), remainder="passthrough")
