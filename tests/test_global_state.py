"""Global state of the Python session: no call changes it, and it does not change any result."""

import contextlib
import os
import pickle
import random
import signal
import threading
import warnings

import joblib
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import sklearn
import torch
from conftest import CLASSIFIERS, ESTIMATORS, target_for
from sklearn.base import clone

from sklearn_afm import AFMRegressor, inspection, recommendation

mpl.use("agg")
SHORT = {"max_iter": 3, "embedding_dim": 4, "dropout": 0.5}
# The 20 columns are 4 fields of 5 columns each.
FIELDS = [name for name in "abcd" for _ in range(5)]


def global_state():
    """Return all global state that a library could change, by name."""
    return {
        "random": random.getstate(),
        "numpy.random": [str(part) for part in np.random.get_state()],
        "numpy errors": (np.geterr(), np.geterrcall()),
        "numpy print options": np.get_printoptions(),
        "torch.random": torch.get_rng_state().tolist(),
        "torch threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "torch defaults": (torch.get_default_dtype(), torch.get_default_device()),
        "torch modes": (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.mkldnn.enabled,
            torch.is_anomaly_enabled(),
        ),
        "warnings": list(warnings.filters),
        "environment": dict(os.environ),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "folder": os.getcwd(),
        # Without tqdm's thread: it stays for all progress bars of the session.
        "threads": [t for t in threading.enumerate() if type(t).__name__ != "TMonitor"],
        "matplotlib": dict(mpl.rcParams),
        "scikit-learn": sklearn.get_config(),
    }


def _interrupt(record):
    raise KeyboardInterrupt


def interrupted_fit(model, X, y):
    """Run a fit that Ctrl-C ends."""
    with pytest.warns(UserWarning, match="interrupted"):
        clone(model).set_params(callbacks=[_interrupt]).fit(X, y)


def refused_fit(model, X, y):
    """Run a fit that the checks of the input refuse."""
    with pytest.raises(ValueError, match="NaN"):
        clone(model).fit(np.full(X.shape, np.nan), y)


def diverging_fit(model, X, y):
    """Run a fit whose loss becomes infinite."""
    options = {"learning_rate": 1e30, "optimizer": "sgd", "max_iter": 50, "l2_embedding": 10}
    with pytest.raises(ValueError, match="infinite or NaN"):
        clone(model).set_params(**options).fit(X, y)


def streamed(model, X, y):
    """Call partial_fit twice."""
    first = {"classes": np.unique(y)} if hasattr(model, "predict_proba") else {}
    clone(model).partial_fit(X, y, **first).partial_fit(X, y)


def pickled(model, X, y):
    """Pickle and unpickle the model, then use it."""
    pickle.loads(pickle.dumps(model)).predict(X)


def in_blocks(model, X, y):
    """Fit over three blocks, in windows of two."""
    blocks = [(X[start : start + 100], y[start : start + 100]) for start in (0, 100, 200)]
    options = {"early_stopping": True, "validation_fraction": 0.3}
    return clone(model).set_params(**options).fit_blocks(blocks, window_rows=150)


CALLS = {
    "fit": lambda model, X, y: clone(model).fit(X, y),
    "fit without a seed": lambda model, X, y: clone(model).set_params(random_state=None).fit(X, y),
    "fit with validation": lambda model, X, y: clone(model).fit(X, y, X_val=X, y_val=y),
    "fit with progress": lambda model, X, y: clone(model).set_params(verbose=2).fit(X, y),
    "fit from an FM": lambda model, X, y: (
        clone(model)
        .set_params(**({"init": "fm"} if "attention_dim" in model.get_params() else {}))
        .fit(X, y)
    ),
    "interrupted fit": interrupted_fit,
    "refused fit": refused_fit,
    "diverging fit": diverging_fit,
    "partial_fit": streamed,
    "fit_blocks": in_blocks,
    "predict": lambda model, X, y: model.predict(X),
    "score": lambda model, X, y: model.score(X, y),
    "predict_proba": lambda model, X, y: model.predict_proba(X),
    "predict_log_proba": lambda model, X, y: model.predict_log_proba(X),
    "decision_function": lambda model, X, y: model.decision_function(X),
    "pickle": pickled,
    "repr": lambda model, X, y: (repr(model), model._repr_html_()),
    "field_importance": lambda model, X, y: inspection.field_importance(model, X, fields=FIELDS),
    "field_effect": lambda model, X, y: inspection.field_effect(model, X, "a", fields=FIELDS),
    "pair_effect": lambda model, X, y: inspection.pair_effect(model, X, ("a", "b"), fields=FIELDS),
    "interaction_scores": lambda model, X, y: inspection.interaction_scores(model, X).to_frame(),
    "interaction_table": lambda model, X, y: inspection.interaction_table(model, X, fields=FIELDS),
    "pair_importance": lambda model, X, y: inspection.pair_importance(model, X, fields=FIELDS),
    "permutation_pair_importance": lambda model, X, y: inspection.permutation_pair_importance(
        model, X, y, fields=FIELDS, n_repeats=2
    ),
    "AttentionDisplay": lambda model, X, y: (
        inspection.AttentionDisplay.from_estimator(model, X, fields=FIELDS)
        if "attention_dim" in model.get_params()
        else None
    ),
    "FieldEffectDisplay": lambda model, X, y: inspection.FieldEffectDisplay.from_estimator(
        model, X, field="a", fields=FIELDS
    ),
    "PairEffectDisplay": lambda model, X, y: inspection.PairEffectDisplay.from_estimator(
        model, X, pair=("a", "b"), fields=FIELDS
    ),
    "HistoryDisplay": lambda model, X, y: inspection.HistoryDisplay.from_estimator(model),
    "recommend": lambda model, X, y: recommendation.recommend(
        model, X[:9] * (np.arange(20) < 10), X[:9] * (np.arange(20) >= 10), k=2
    ),
    "InteractionDisplay": lambda model, X, y: inspection.InteractionDisplay.from_estimator(
        model, X
    ),
    "PairImportanceDisplay": lambda model, X, y: inspection.PairImportanceDisplay.from_estimator(
        model, X, fields=FIELDS
    ),
}
OF_CLASSIFIERS = {"predict_proba", "predict_log_proba", "decision_function"}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_no_call_changes_it(Estimator, name, one_hot_data):
    if name in OF_CLASSIFIERS and Estimator not in CLASSIFIERS:
        return
    X, y = one_hot_data
    y = target_for(Estimator, y)
    model = Estimator(random_state=0, **SHORT).fit(X, y)
    before = global_state()
    CALLS[name](model, X, y)
    plt.close("all")
    after = global_state()
    assert [part for part in before if before[part] != after[part]] == []


def test_every_public_call_is_among_them():
    """New methods and functions must be added to the list above."""
    methods = {
        name
        for Estimator in ESTIMATORS
        for name in dir(Estimator)
        if name.startswith(("fit", "partial_fit", "predict", "score", "decision"))
    }
    functions = {*inspection.__all__, *recommendation.__all__}
    assert methods | functions <= CALLS.keys()


@contextlib.contextmanager
def torch_default(getter, setter, value):
    """Set a default of torch for a while."""
    before = getter()
    setter(value)
    try:
        yield
    finally:
        setter(before)


SESSIONS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "float64 by default": lambda: torch_default(
        torch.get_default_dtype, torch.set_default_dtype, torch.float64
    ),
    "another device by default": lambda: torch.device("meta"),
    "deterministic algorithms": lambda: torch_default(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms, True
    ),
    "raising NumPy": lambda: np.errstate(all="raise"),
    "assume_finite": lambda: sklearn.config_context(assume_finite=True),
    "pandas output": lambda: sklearn.config_context(transform_output="pandas"),
    "other workers": lambda: joblib.parallel_config("threading", n_jobs=2),
}


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_nothing_of_it_changes_a_result(Estimator, session, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)

    def results():
        model = Estimator(random_state=0, early_stopping=True, **SHORT).fit(X, y)
        predicted = getattr(model, "predict_proba", model.predict)(X)
        importance = inspection.pair_importance(model, X, fields=FIELDS)
        first = {"classes": np.unique(y)} if Estimator in CLASSIFIERS else {}
        stream = Estimator(random_state=0, optimizer="adam").partial_fit(X, y, **first)
        blocks = in_blocks(model, X, y)
        return [
            predicted,
            importance.mean,
            model.embeddings_,
            stream.embeddings_,
            blocks.embeddings_,
            CALLS["recommend"](model, X, y).scores,
        ]

    expected = results()
    with SESSIONS[session]():
        actual = results()
    for one, other in zip(actual, expected):
        np.testing.assert_array_equal(one, other)


def test_a_model_fitted_in_inference_mode_learns_on_outside(one_hot_data):
    X, y = one_hot_data
    with torch.inference_mode():
        model = AFMRegressor(random_state=0, warm_start=True, **SHORT).fit(X, y)
    expected = AFMRegressor(random_state=0, warm_start=True, **SHORT).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(model.fit(X, y).embeddings_, expected.embeddings_)
