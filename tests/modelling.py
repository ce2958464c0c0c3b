"""Checks of a model against plain loops, for the test file of each model."""

import numpy as np
import oracle
import torch
from conftest import ragged_matrix
from scipy import sparse

from sklearn_afm._core.batches.batches import Batcher, entries
from sklearn_afm._core.losses.log_loss import BinaryLogLoss, MultinomialLogLoss
from sklearn_afm._core.losses.squared_error import SquaredError
from sklearn_afm._core.models.prediction import parameters_by_feature, predict
from sklearn_afm._core.training.data import TrainingData
from sklearn_afm._core.training.optimizers import SGD
from sklearn_afm._core.training.trainer import Trainer
from sklearn_afm._data.units import Scaling

N_COLUMNS = 9
LOSSES = {
    "squared error": SquaredError(),
    "log loss": BinaryLogLoss(),
    "multinomial": MultinomialLogLoss(3),
}


def random_values(rng, model):
    """Random parameters of a model, of a size that makes attention far from uniform."""
    return {p.name: rng.normal(size=model.shape(p, N_COLUMNS)) for p in model.parameters}


def tensors(params, device="cpu"):
    return {name: torch.tensor(value, device=device) for name, value in params.items()}


def predicted(model, params, X, device="cpu"):
    return predict(model, tensors(params, device), sparse.csr_array(X))


def local_parameters(model, params, X, device="cpu"):
    """The batch of all rows, and the parameters by its features."""
    X = sparse.csr_array(X)
    batcher = Batcher(X.shape[1], lambda width: 1, 10**9)
    batch = batcher.batch(X.indptr, *entries(X.indptr, X, bool((X.data == 1).all())))
    return batch, parameters_by_feature(model, tensors(params, device), batch)


def check_predictions(model, raw_scores, rng, real, device="cpu"):
    """Predictions, training scores and terms of pairs are those of `raw_scores(X, params)`."""
    X = ragged_matrix(rng, 25, N_COLUMNS, real)
    params = random_values(rng, model)
    expected = raw_scores(X, params)
    found = predicted(model, params, X, device)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    batch, local = local_parameters(model, params, X, device)
    for group in batch.groups:
        found = model.raw_scores(local, group, torch.Generator(device)).cpu()
        np.testing.assert_allclose(found, expected[group.rows], rtol=1e-11, atol=1e-11)
        if model.pair_terms is not None and group.features.shape[1] > 1:
            attention, score = model.pair_terms(local, group)
            sums = (attention[:, :, None] * score).sum(1).cpu()
            interactions = model.interactions(local, group).cpu()
            np.testing.assert_allclose(sums, interactions, rtol=1e-11, atol=1e-11)


def strengths_of(model):
    """A strength for each penalty that the model declares."""
    penalised = [p for p in model.parameters if p.strength]
    return {p.name: 0.2 + 0.3 * number for number, p in enumerate(penalised)}


def make_trainer(model, loss, parameters, batch_size, learning_rate=1.0):
    """A trainer by SGD of all parameters."""
    return Trainer(
        model=model,
        loss=loss,
        parameters=parameters,
        trained=list(parameters),
        optimizer=SGD(parameters, dict.fromkeys(parameters, learning_rate), batch_size),
        batch_size=batch_size,
        penalties=strengths_of(model),
        order_rng=np.random.default_rng(0),
        mask_generator=torch.Generator(parameters["bias"].device),
    )


def training_data(X, target, weight, device="cpu"):
    """Rows to learn from."""
    X = sparse.csr_array(X)
    counts = np.bincount(X.indices, np.repeat(weight, np.diff(X.indptr)), minlength=X.shape[1])
    one_hot = bool((X.data == 1).all())
    return TrainingData(X, one_hot, torch.tensor(target, device=device), weight, counts)


def gradients_of(
    model, loss, X, target, weight, params, n_batches=1, learning_rate=1.0, device="cpu"
):
    """What an epoch of SGD takes from the parameters, over the learning rate."""
    parameters = tensors(params, device)
    batch_size = len(weight) // n_batches
    trainer = make_trainer(model, loss, parameters, batch_size, learning_rate)
    trainer.run_epoch(training_data(X, target, weight, device))
    return {
        name: (params[name] - value.cpu().numpy()) / learning_rate
        for name, value in parameters.items()
    }


def objective(model, loss, raw_scores, X, target, weight, params):
    """The function that training minimises."""
    value = weight @ oracle.row_losses(loss, raw_scores(X, params), target)
    ridges = 0.0
    for name, strength in strengths_of(model).items():
        penalty = strength * (params[name] ** 2).sum()
        if name in model.per_column:
            value += penalty
        else:
            ridges += penalty
    return value / weight.sum() + ridges


def numeric_gradients(function, params, step=1e-6):
    result = {}
    for name, value in params.items():
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            shifted = {key: array.copy() for key, array in params.items()}
            shifted[name][index] += step
            above = function(shifted)
            shifted[name][index] -= 2 * step
            gradient[index] = (above - function(shifted)) / (2 * step)
        result[name] = gradient
    return result


def half_absent(rng, model, X):
    """Random parameters; those of columns that no row has are 0, so that no prior pulls at them."""
    params = {name: value / 2 for name, value in random_values(rng, model).items()}
    for name in model.per_column:
        params[name][(X == 0).all(axis=0)] = 0
    return params


def check_gradients(model, loss, raw_scores, rng, real, device="cpu"):
    """A step of SGD follows the gradient of the objective."""
    X = ragged_matrix(rng, 12, N_COLUMNS, real)
    X[3:, 0] = 1.0 if not real else rng.normal(size=9)
    params = half_absent(rng, model, X)
    if loss == "squared error":
        target = rng.normal(size=(12, model.n_outputs))
    else:
        target = rng.integers(0, max(2, model.n_outputs), size=(12, 1)).astype(float)
    weight = rng.uniform(0.5, 2, size=12)
    found = gradients_of(model, LOSSES[loss], X, target, weight, params, device=device)
    expected = numeric_gradients(
        lambda p: objective(model, loss, raw_scores, X, target, weight, p), params
    )
    for name in params:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-8, err_msg=name)


def check_units(model, rng):
    """Parameters that are brought into the unit of the target predict in this unit."""
    X = ragged_matrix(rng, 25, N_COLUMNS)
    params = random_values(rng, model)
    scale = rng.uniform(2, 20, size=model.n_outputs)
    scaling = Scaling(rng.uniform(0.5, 2, size=N_COLUMNS), np.zeros(model.n_outputs), scale)
    folded = scaling.fold_in(params, model.parameters)
    expected = predicted(model, params, X) * scale
    found = predicted(model, folded, X * scaling.column_scale)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    back = scaling.take_out(folded, model.parameters)
    for name, value in params.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-9)
