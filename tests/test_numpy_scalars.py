"""Parameters can be NumPy scalars, as from a grid of NumPy values."""

import inspect

import numpy as np
import pytest
from conftest import ESTIMATORS, target_for

from sklearn_afm import AFMRegressor, FMRegressor

VALUES = {
    "embedding_dim": 64, "attention_dim": 64, "dropout": 0.25, "attention_dropout": 0.25,
    "l2_attention": 0.5, "l2_embedding": 0.5, "l2_linear": 0.5, "optimizer": "adam",
    "learning_rate": 0.125, "attention_lr_multiplier": 0.5, "batch_size": 64, "max_iter": 3,
    "init": "fm", "early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 3,
    "tol": 0.5, "scoring": "r2", "averaging_decay": 0.5, "class_weight": "balanced",
    "warm_start": True, "random_state": 3, "row_scaling": "pairs", "verbose": 0,
    "precision": "float64", "device": "cpu", "fields": "auto", "crosses": "auto",
    "hidden_layer_sizes": 8, "activation": "tanh", "alpha": 0.5, "layer_lr_multiplier": 0.5,
    "field_aware": True, "field_lr_multiplier": 0.5, "max_pairs": 3, "loss": "absolute_error",
    "quantile": 0.25, "huber_delta": 0.5,
}  # fmt: skip
NUMPY = {int: [np.int8, np.uint8, np.int64], float: [np.float16, np.float32, np.float64]}
NUMPY |= {bool: [np.bool_], str: [np.str_]}
NEEDED_LOSS = {"quantile": "quantile", "huber_delta": "huber"}  # to matter
OTHERS = {"freeze", "callbacks", "checkpoint"}  # not scalars


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_numpy_scalars_mean_what_python_ones_do(Estimator, one_hot_data, fixed_strengths):
    X, y = one_hot_data
    options = {"max_iter": 2, "random_state": 0, "early_stopping": True}
    names = set(inspect.signature(Estimator).parameters) - OTHERS
    assert names <= set(VALUES)
    for name in sorted(names):
        value = VALUES[name]
        if (name, Estimator) == ("init", FMRegressor) or (
            name == "init" and "attention_dim" not in names
        ):
            continue  # init of an FM cannot be a name
        if name == "scoring" and "class_weight" in names:
            value = "accuracy"
        others = options | {"loss": NEEDED_LOSS[name]} if name in NEEDED_LOSS else options
        plain = Estimator(**others | {name: value})
        plain.fit(X, target_for(plain, y))
        for kind in NUMPY[type(value)]:
            model = Estimator(**others | {name: kind(value)})
            model.fit(X, target_for(model, y))
            for attribute in ("embeddings_", "linear_weights_", "bias_"):
                expected = getattr(plain, attribute)
                found = getattr(model, attribute)
                np.testing.assert_array_equal(found, expected, err_msg=f"{name}={kind}")
            assert model.n_iter_ == plain.n_iter_
            assert type(getattr(model, name)) is kind  # parameters keep their type
            predicted = model.predict(X)
            np.testing.assert_array_equal(predicted, plain.predict(X), err_msg=name)


@pytest.mark.parametrize("kind", [np.bool_, bool])
def test_early_stopping_false_refuses_validation_rows(kind, one_hot_data):
    X, y = one_hot_data
    with pytest.raises(ValueError, match="early_stopping is False"):
        AFMRegressor(early_stopping=kind(False)).fit(X, y, X_val=X, y_val=y)


def test_prediction_goes_by_what_was_fitted(one_hot_data):
    X, y = one_hot_data
    model = AFMRegressor(embedding_dim=8, max_iter=2, random_state=0).fit(X, y)
    expected = model.predict(X)
    model.set_params(embedding_dim=3, attention_dim=np.int8(100))
    np.testing.assert_array_equal(model.predict(X), expected)
