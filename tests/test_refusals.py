"""What fit refuses: input that cannot be learnt from, and parameters out of range."""

import numpy as np
import pytest
from conftest import ESTIMATORS
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_afm import AFMRegressor, FMClassifier, FMRegressor


def bad_inputs():
    X, y = np.eye(4), np.array([0.0, 1.0, 0.0, 1.0])
    infinite = X.copy()
    infinite[0, 0] = np.inf
    nan = np.where(X == 1, np.nan, X)
    return {
        "NaN in X": ({"X": nan, "y": y}, "NaN"),
        "infinity in X": ({"X": infinite, "y": y}, "infinity"),
        "NaN in y": ({"X": X, "y": [0, 1, np.nan, 1]}, "NaN"),
        "lengths": ({"X": X, "y": y[:3]}, "inconsistent"),
        "zero weights": ({"X": X, "y": y, "sample_weight": np.zeros(4)}, "(?i)sample.weight.*zero"),
        "negative weights": ({"X": X, "y": y, "sample_weight": [1, 1, -1, 1]}, "(?i)negative"),
        "X_val alone": ({"X": X, "y": y, "X_val": X}, "y_val was not provided"),
        "y_val alone": ({"X": X, "y": y, "y_val": y}, "X_val was not provided"),
        "weights alone": ({"X": X, "y": y, "sample_weight_val": y}, "X_val and y_val are not"),
        "X_val width": ({"X": X, "y": y, "X_val": X[:, :2], "y_val": y}, "2 features.*expecting 4"),
    }


@pytest.mark.parametrize("case", bad_inputs())
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_input_that_cannot_be_learnt_from(Estimator, case):
    arguments, message = bad_inputs()[case]
    model = Estimator()
    with pytest.raises(ValueError, match=message):
        model.fit(**arguments)
    with pytest.raises(NotFittedError):
        model.predict(np.eye(4))


def test_one_class_only():
    with pytest.raises(ValueError, match="1 class"):
        FMClassifier().fit(np.eye(3), [2, 2, 2])
    with pytest.raises(ValueError, match="1 class"):
        FMClassifier().fit(np.eye(3), [1, 2, 2], sample_weight=[0, 1, 1])


def test_validation_rows_without_early_stopping():
    with pytest.raises(ValueError, match="early_stopping is False"):
        FMRegressor(early_stopping=False).fit(
            np.eye(3), [1, 2, 3], X_val=np.eye(3), y_val=[1, 2, 3]
        )


@pytest.mark.parametrize(
    "options",
    [{"embedding_dim": 0}, {"dropout": 1.0}, {"optimizer": "lbfgs"}, {"learning_rate": 0},
     {"attention_lr_multiplier": 0}, {"precision": "float16"}, {"l2_attention": -1},
     {"init": "pca"}, {"scoring": "best"}],
)  # fmt: skip
def test_bad_parameters(options):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        AFMRegressor(**options).fit(np.eye(3), [1, 2, 3])


def test_unknown_device():
    with pytest.raises(ValueError, match=r"device='nowhere' cannot be used"):
        FMRegressor(device="nowhere").fit(np.eye(3), [1, 2, 3])
