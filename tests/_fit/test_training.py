"""The run of a fit: history, averaging, callbacks, interrupts, divergence."""

import numpy as np
import pytest
from conftest import ESTIMATORS, REGRESSORS, target_for
from sklearn.exceptions import NotFittedError

from sklearn_afm import AFMClassifier, FMRegressor

pytestmark = pytest.mark.usefixtures("fixed_strengths")


@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_history_is_in_the_unit_of_the_loss(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, 10 * y)
    model = Estimator(
        learning_rate=1e-9, averaging_decay=0, max_iter=1, early_stopping=True,
        validation_fraction=None,
    ).fit(X, y)  # fmt: skip
    record = model.history_[0]
    base = np.var(y) if Estimator in REGRESSORS else np.log(2)
    assert record["train_loss"] == pytest.approx(base, rel=1e-3)
    assert record["validation_loss"] == pytest.approx(base, rel=1e-3)
    assert record["rows_per_second"] > 0
    assert record["seconds"] > 0


def test_weight_averaging_keeps_the_average_of_the_epochs(one_hot_data):
    X, y = one_hot_data
    options = {"random_state": 0, "precision": "float64"}
    epochs = [
        FMRegressor(averaging_decay=0, max_iter=n, **options).fit(X, y).linear_weights_
        for n in (1, 2, 3)
    ]
    averaged = FMRegressor(averaging_decay=0.5, max_iter=3, **options).fit(X, y).linear_weights_
    expected = (0.25 * epochs[0] + 0.5 * epochs[1] + epochs[2]) / 1.75
    np.testing.assert_allclose(averaged, expected, rtol=1e-9)


def test_callbacks_see_each_epoch_and_may_end_training(one_hot_data):
    X, y = one_hot_data
    seen = []

    def stop_after_two(record):
        seen.append(record["epoch"])
        return len(seen) == 2

    model = AFMClassifier(callbacks=[stop_after_two]).fit(X, y > 0)
    assert seen == [1, 2]
    assert model.n_iter_ == 2


def test_interrupt_leaves_a_fitted_estimator(one_hot_data):
    X, y = one_hot_data

    def interrupt(record):
        if record["epoch"] == 4:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after 4 epochs"):
        model = FMRegressor(callbacks=[interrupt], random_state=0).fit(X, y)
    expected = FMRegressor(max_iter=4, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert model.n_iter_ == 4


@pytest.mark.parametrize("Estimator", REGRESSORS)
def test_divergence_names_epoch_rate_and_size(Estimator, one_hot_data):
    X, y = one_hot_data
    model = Estimator(optimizer="sgd", learning_rate=1e6)
    with pytest.raises(ValueError, match=r"epoch \d.*learning_rate=1e\+06.*largest \|x\|.* 1\)"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)
