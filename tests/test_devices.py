"""Estimators on a CUDA device: the loops, what a CPU computes, and the ways back to a CPU."""

import pickle
from contextlib import contextmanager

import numpy as np
import oracle
import pytest
import torch
from conftest import AFMS, CLASSIFIERS, ESTIMATORS, ragged_matrix, target_for
from modelling import (
    LOSSES,
    N_COLUMNS,
    check_gradients,
    check_predictions,
    make_trainer,
    random_values,
    tensors,
    training_data,
)
from scipy import sparse
from sklearn.base import clone

from sklearn_afm import AFMClassifier, AFMRegressor, FMRegressor, inspection
from sklearn_afm._afm import AFM
from sklearn_afm._core.batches.batches import entries
from sklearn_afm._fm import FM
from sklearn_afm.recommendation import recommend

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
MODELS = {"fm": lambda n: FM(4, n), "afm": lambda n: AFM(4, 3, n, scales_rows=False)}
# Rounding of float64, times what some epochs make of it.
CLOSE = {"rtol": 1e-6, "atol": 1e-7}
OPTIONS = {"random_state": 0, "precision": "float64", "embedding_dim": 4, "max_iter": 6}
BY_GRADIENT = {"l2_linear": 0.5, "l2_embedding": 1.0, "crosses": None}


def predictions(model, X):
    return getattr(model, "predict_proba", model.predict)(X)


def both(model):
    """The estimator on a CPU, and on CUDA."""
    return [clone(model).set_params(device=device) for device in ("cpu", "cuda")]


@contextmanager
def any_order():
    """Without torch's deterministic algorithms, which conftest.py asks for."""
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True)


def assert_fits_alike(model, X, y, **fit):
    on_cpu, on_gpu = (one.fit(X, y, **fit) for one in both(model))
    np.testing.assert_allclose(predictions(on_gpu, X), predictions(on_cpu, X), **CLOSE)
    np.testing.assert_allclose(on_gpu.embeddings_, on_cpu.embeddings_, **CLOSE)
    assert on_gpu.best_iter_ == on_cpu.best_iter_
    return on_cpu, on_gpu


@on_cuda
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("real", [True, False])
def test_against_loops(rng, kind, n_outputs, real):
    model = MODELS[kind](n_outputs)
    check_predictions(model, oracle.raw_scores, rng, real, "cuda")
    check_gradients(model, "squared error", oracle.raw_scores, rng, real, "cuda")


@on_cuda
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("options", [{}, {"field_aware": True}])
def test_recommendations_are_close_to_those_of_a_cpu(Estimator, options, one_hot_data):
    if Estimator not in AFMS and options:
        return
    X, y = one_hot_data
    model = Estimator(**OPTIONS, **options, device="cpu").fit(X, target_for(Estimator, y))
    context, items = X[:9] * (np.arange(20) < 10), X[9:20] * (np.arange(20) >= 10)
    expected = recommend(model, context, items, k=11)
    found = recommend(model.set_params(device="cuda"), context, items, k=11)
    np.testing.assert_allclose(found.scores, expected.scores, **CLOSE)


@on_cuda
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("by_gradient", [True, False])
def test_a_fit_is_close_to_that_of_a_cpu(Estimator, by_gradient, one_hot_data):
    X, y = one_hot_data
    model = Estimator(**OPTIONS | (BY_GRADIENT if by_gradient else {}))
    assert_fits_alike(model, X, target_for(Estimator, y))


CASES = {
    "adam": {"optimizer": "adam"},
    "sgd": {"optimizer": "sgd"},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "learning_rate": 0.5},
    "no averaging": {"averaging_decay": 0, "early_stopping": True},
    "scorer": {"early_stopping": True, "scoring": None},
    "frozen": {"freeze": ["embeddings"]},
    "small batches": {"batch_size": 16},
}


@on_cuda
@pytest.mark.parametrize("case", CASES)
def test_settings(case, one_hot_data):
    X, y = one_hot_data
    assert_fits_alike(AFMRegressor(**OPTIONS | BY_GRADIENT | CASES[case]), X, y)


@on_cuda
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("real", [True, False])
def test_ragged_rows_with_weights(Estimator, real, rng):
    X = sparse.csr_array(ragged_matrix(rng, 200, 12, real))
    y = target_for(Estimator, X.sum(axis=1) + rng.normal(size=200))
    weight = rng.uniform(0.5, 2, 200)
    for options in ({}, BY_GRADIENT):
        assert_fits_alike(Estimator(**OPTIONS | options), X, y, sample_weight=weight)


@on_cuda
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_several_outputs(Estimator, one_hot_data):
    X, y = one_hot_data
    target = np.digitize(y, [-1, 1]) if Estimator in CLASSIFIERS else np.column_stack([y, y**2])
    for options in ({}, BY_GRADIENT):
        assert_fits_alike(Estimator(**OPTIONS | options), X, target)


@on_cuda
@pytest.mark.parametrize("Estimator", AFMS)
def test_a_start_from_an_fm(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    assert_fits_alike(Estimator(init="fm", **OPTIONS | BY_GRADIENT), X, y)


@on_cuda
def test_a_fitted_fm_of_another_device_starts_it(one_hot_data):
    X, y = one_hot_data
    options = OPTIONS | BY_GRADIENT
    fm = FMRegressor(warm_start=True, device="cuda", **options).fit(X, y)
    found = [AFMRegressor(device=d, init=fm, **options).fit(X, y) for d in ("cpu", "cuda")]
    np.testing.assert_allclose(found[0].predict(X), found[1].predict(X), **CLOSE)


@on_cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_lower_precision(precision, one_hot_data):
    X, y = one_hot_data
    model = AFMRegressor(**OPTIONS | BY_GRADIENT | {"precision": precision})
    on_cpu, on_gpu = (one.fit(X, y) for one in both(model))
    assert on_gpu.embeddings_.dtype == np.float32
    np.testing.assert_allclose(on_gpu.predict(X), on_cpu.predict(X), atol=0.02)


@on_cuda
@pytest.mark.parametrize("Estimator", ESTIMATORS)
@pytest.mark.parametrize("there", ["cpu", "cuda"])
def test_a_stream_goes_on_elsewhere(Estimator, there, one_hot_data):
    """Fitted on one device, stored, and continued on the other."""
    X, y = one_hot_data
    y = target_for(Estimator, y)
    first = {"classes": np.unique(y)} if Estimator in CLASSIFIERS else {}
    here = "cpu" if there == "cuda" else "cuda"
    options = {"random_state": 0, "precision": "float64", "optimizer": "adam"}
    model = Estimator(device=here, **options).partial_fit(X[:200], y[:200], **first)
    loaded = pickle.loads(pickle.dumps(model)).set_params(device=there)
    for stream in (model, loaded):
        stream.partial_fit(X[200:], y[200:])
    np.testing.assert_allclose(predictions(loaded, X), predictions(model, X), **CLOSE)


@on_cuda
@pytest.mark.parametrize("there", ["cpu", "cuda"])
def test_a_warm_start_goes_on_elsewhere(there, one_hot_data):
    X, y = one_hot_data
    here = "cpu" if there == "cuda" else "cuda"
    model = AFMRegressor(device=here, warm_start=True, **OPTIONS | BY_GRADIENT).fit(X, y)
    loaded = pickle.loads(pickle.dumps(model)).set_params(device=there)
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), **CLOSE)
    np.testing.assert_allclose(loaded.fit(X, y).predict(X), model.fit(X, y).predict(X), **CLOSE)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=on_cuda)])
def test_dropout_masks_start_anew_after_another_kind_of_device(device, one_hot_data):
    """The states of their generators differ in length: that of CUDA has 16 bytes."""
    X, y = one_hot_data
    model = FMRegressor(device=device, random_state=0, dropout=0.5).partial_fit(X, y)
    state = model._progress.mask_state
    vars(model._progress)["mask_state"] = np.zeros(16 if device == "cpu" else 5056, dtype=np.uint8)
    model.partial_fit(X, y)
    assert model._progress.mask_state.shape == state.shape
    assert np.isfinite(model.predict(X)).all()


@on_cuda
def test_a_checkpoint_goes_on(one_hot_data, tmp_path):
    X, y = one_hot_data
    options = OPTIONS | BY_GRADIENT | {"dropout": 0.3, "early_stopping": True}
    expected = AFMRegressor(device="cuda", **options).fit(X, y)
    path = tmp_path / "fit.npz"
    model = AFMRegressor(device="cuda", checkpoint=path, **options)

    def stop(record):
        if record["epoch"] == 3:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        clone(model).set_params(callbacks=[stop]).fit(X, y)
    with pytest.raises(ValueError, match="other values of device"):
        clone(model).set_params(device="cpu").fit(X, y)
    np.testing.assert_allclose(model.fit(X, y).predict(X), expected.predict(X), **CLOSE)


@on_cuda
@pytest.mark.parametrize("Estimator", ESTIMATORS)
def test_explanations_add_up(Estimator, one_hot_data):
    X, y = one_hot_data
    y = target_for(Estimator, y)
    on_cpu, on_gpu = assert_fits_alike(Estimator(**OPTIONS), X, y)
    terms = inspection.interaction_scores(on_gpu, X)
    raw = getattr(on_gpu, "decision_function", on_gpu.predict)(X)
    np.testing.assert_allclose(terms.bias + terms.linear + terms.interaction, raw, **CLOSE)
    fields = np.repeat(list("abcd"), 5)
    found, expected = (
        inspection.pair_importance(model, X, fields=fields).mean for model in (on_gpu, on_cpu)
    )
    np.testing.assert_allclose(found, expected, **CLOSE)


@on_cuda
def test_seeds_alone_leave_rounding(one_hot_data):
    """Without deterministic algorithms, two fits of a seed differ by the order of sums alone."""
    X, y = one_hot_data
    options = OPTIONS | BY_GRADIENT | {"dropout": 0.3, "attention_dropout": 0.2}
    model = AFMRegressor(device="cuda", **options)
    exact = [clone(model).fit(X, y).embeddings_ for _ in range(2)]
    np.testing.assert_array_equal(*exact)
    with any_order():
        found = clone(model).fit(X, y).embeddings_
    np.testing.assert_allclose(found, exact[0], **CLOSE)


@on_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("real", [True, False])
def test_a_step_never_waits_for_the_device(rng, kind, real):
    X = sparse.csr_array(ragged_matrix(rng, 50, N_COLUMNS, real))
    model = MODELS[kind](1)
    parameters = tensors(random_values(rng, model), "cuda")
    trainer = make_trainer(model, LOSSES["squared error"], parameters, 50, 1e-3)
    data = training_data(X, rng.normal(size=(50, 1)), rng.uniform(0.5, 2, 50), "cuda")
    csr = (X.indptr, *entries(X.indptr, X, data.one_hot))
    with any_order():
        trainer._step(data, csr, np.arange(50))
        try:
            torch.cuda.set_sync_debug_mode("error")
            trainer._step(data, csr, np.arange(50))
        finally:
            torch.cuda.set_sync_debug_mode("default")


@on_cuda
def test_auto_is_cuda(one_hot_data):
    X, y = one_hot_data
    model, explicit = (
        AFMClassifier(device=device, **OPTIONS).fit(X, y > 0) for device in ("auto", "cuda")
    )
    np.testing.assert_array_equal(model.embeddings_, explicit.embeddings_)
