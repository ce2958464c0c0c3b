"""Copy fitted models into public implementations, and compare predictions.

    bash tests/benchmarks/speed/make_peers.sh
    PYTHONPATH=. build/peers/bin/python tests/benchmarks/same_weights.py

Each model is fitted on generated rows without crosses. The peer of the same kind gets its weights.
Prints the largest difference between raw scores of 500 rows, beside their standard deviation. Ends
with an error if one is above 1e-5 of it.
"""

import sys
from itertools import pairwise

import numpy as np
import requests
import torch
from sklearn.preprocessing import OneHotEncoder

from sklearn_afm import FMRegressor
from sklearn_afm.baselines import (
    DeepFMRegressor,
    FFMRegressor,
    HOFMRegressor,
    NFMRegressor,
    WideAndDeepRegressor,
)

requests.get = None  # when imported, DeepCTR-Torch would ask the package index for a newer version
np.long = np.int64  # NumPy removed this name, but torchfm uses it

from deepctr_torch.inputs import SparseFeat  # noqa: E402
from deepctr_torch.models import NFM, WDL, DeepFM  # noqa: E402
from fuxictr.pytorch.layers import InteractionMachine  # noqa: E402
from torchfm.model.dfm import DeepFactorizationMachineModel  # noqa: E402
from torchfm.model.ffm import FieldAwareFactorizationMachineModel  # noqa: E402
from torchfm.model.fm import FactorizationMachineModel  # noqa: E402
from torchfm.model.nfm import NeuralFactorizationMachineModel  # noqa: E402
from torchfm.model.wd import WideAndDeepModel  # noqa: E402

K, SIZES, LEVELS = 8, (12, 6), [7, 5, 9, 4]
LARGEST = 1e-5


def rows():
    """Level numbers of each field, as one-hot rows, and a target with interactions."""
    rng = np.random.default_rng(0)
    levels = np.stack([rng.integers(0, n, size=500) for n in LEVELS], axis=1)
    levels[: max(LEVELS)] = np.stack([np.arange(max(LEVELS)) % n for n in LEVELS], axis=1)
    X = OneHotEncoder().fit_transform(levels).astype(np.float32)
    effects = rng.normal(size=(7, 5, 9, 4))
    return levels, X, effects[tuple(levels.T)]


def tensor(array):
    """A float tensor."""
    return torch.tensor(np.asarray(array), dtype=torch.float32)


def copied(module, values):
    """Copy arrays into parameters of a module, by name; each must exist and have this shape."""
    own = module.state_dict()
    for name, array in values.items():
        assert own[name].shape == tensor(array).shape, (name, own[name].shape, np.shape(array))
        own[name].copy_(tensor(array))
    return module.eval()


def of_torchfm(model, module, *, deep="projection_", embeddings=None):
    """A module of torchfm with the weights of a fitted model."""
    values = {"linear.fc.weight": model.linear_weights_[:, None], "linear.bias": [model.bias_]}
    if embeddings is None:
        values["embedding.embedding.weight"] = model.embeddings_
    values |= embeddings or {}
    if any(name.startswith("mlp.") for name in module.state_dict()):
        # A layer is a matrix, a normalisation that is made to do nothing, ReLU and dropout.
        for number, size in enumerate(SIZES):
            place = f"mlp.mlp.{4 * number}"
            values[f"{place}.weight"] = getattr(model, f"layer_{number + 1}_weights_")
            values[f"{place}.bias"] = getattr(model, f"layer_{number + 1}_bias_")
            values[f"mlp.mlp.{4 * number + 1}.weight"] = np.full(size, np.sqrt(1 + 1e-5))
        values[f"mlp.mlp.{4 * len(SIZES)}.weight"] = getattr(model, deep)[None]
        values[f"mlp.mlp.{4 * len(SIZES)}.bias"] = [0.0]
    if hasattr(model, "pooled_moments_"):
        seen, mean, square = model.pooled_moments_
        values["fm.1.running_mean"] = mean / seen
        values["fm.1.running_var"] = square / seen - (mean / seen) ** 2
    return copied(module, values)


def torchfm_scores(module, levels):
    """Raw scores: torchfm's modules end in a sigmoid."""
    return torch.logit(module(torch.from_numpy(levels)).double())


def of_deepctr(model, make, *, deep="projection_"):
    """A model of DeepCTR-Torch with the weights of a fitted model."""
    fields = [SparseFeat(f"f{i}", n, embedding_dim=K) for i, n in enumerate(LEVELS)]
    module, values = make(fields), {"out.bias": [model.bias_]}
    starts = np.cumsum([0, *LEVELS])
    for i, (start, stop) in enumerate(pairwise(starts)):
        linear = model.linear_weights_[start:stop, None]
        values[f"linear_model.embedding_dict.f{i}.weight"] = linear
        values[f"embedding_dict.f{i}.weight"] = model.embeddings_[start:stop]
    if deep is not None:
        for number in range(len(SIZES)):
            values[f"dnn.linears.{number}.weight"] = getattr(model, f"layer_{number + 1}_weights_")
            values[f"dnn.linears.{number}.bias"] = getattr(model, f"layer_{number + 1}_bias_")
        values["dnn_linear.weight"] = getattr(model, deep)[None]
    return copied(module, values)


def deepctr_scores(module, levels):
    """Raw scores of the regression task."""
    return module(torch.from_numpy(levels).float())[:, 0]


class HOFMOfFuxiCTR(torch.nn.Module):
    """The linear part of a fitted model, and FuxiCTR's sums over sets of up to 4 fields."""

    def __init__(self, model):
        super().__init__()
        self.starts = torch.tensor(np.cumsum([0, *LEVELS[:-1]]))
        self.bias, self.weights = float(model.bias_), tensor(model.linear_weights_)
        self.embeddings = tensor(model.embeddings_)
        self.machine = InteractionMachine(K, order=4, batch_norm=False)
        weights = [np.zeros(K), model.projection_, model.projection_3_, model.projection_4_]
        copied(self.machine, {"fc.weight": np.concatenate(weights)[None], "fc.bias": [0.0]})

    def forward(self, levels):
        """Raw scores."""
        columns = levels + self.starts
        linear = self.bias + self.weights[columns].sum(1)
        return linear + self.machine(self.embeddings[columns])[:, 0]


def hofm_scores(module, levels):
    """Raw scores."""
    return module(torch.from_numpy(levels))


def pairs_of_models(X, y):
    """Name, fitted model, peer with its weights, and what computes the peer's raw scores."""

    def fitted(Estimator, **options):
        if "hidden_layer_sizes" in Estimator().get_params():
            options["hidden_layer_sizes"] = SIZES
        shared = {"embedding_dim": K, "crosses": None, "random_state": 0, "max_iter": 60}
        return Estimator(**shared | {"l2_embedding": 0.01, "l2_linear": 0.5} | options).fit(X, y)

    fm = fitted(FMRegressor)
    dfm = fitted(DeepFMRegressor)
    wd = fitted(WideAndDeepRegressor)
    nfm, plain_nfm = fitted(NFMRegressor), fitted(NFMRegressor, batch_norm=False)
    ffm = fitted(FFMRegressor)
    hofm = fitted(HOFMRegressor, order=4, shared_embeddings=True)
    of_fields = ffm.embeddings_.reshape(len(ffm.embeddings_), -1, K)
    ffm_tables = {
        f"ffm.embeddings.{field}.weight": of_fields[:, field] for field in range(len(LEVELS))
    }
    layers = {"mlp_dims": SIZES}
    with_torchfm = [
        ("FM", fm, FactorizationMachineModel(LEVELS, K), {}),
        ("FFM", ffm, FieldAwareFactorizationMachineModel(LEVELS, K), {"embeddings": ffm_tables}),
        ("NFM", nfm, NeuralFactorizationMachineModel(LEVELS, K, dropouts=(0, 0), **layers), {}),
        ("Wide & Deep", wd, WideAndDeepModel(LEVELS, K, dropout=0, **layers), {}),
        ("DeepFM", dfm, DeepFactorizationMachineModel(LEVELS, K, dropout=0, **layers),
         {"deep": "deep_projection_"}),
    ]  # fmt: skip
    for name, model, module, options in with_torchfm:
        yield f"{name}, torchfm", model, of_torchfm(model, module, **options), torchfm_scores
    yield "HOFM, FuxiCTR", hofm, HOFMOfFuxiCTR(hofm), hofm_scores
    options = {"task": "regression", "dnn_hidden_units": SIZES}
    with_deepctr = [
        ("FM", fm, lambda f: DeepFM(f, f, task="regression", dnn_hidden_units=()), None),
        ("NFM", plain_nfm, lambda f: NFM(f, f, **options), "projection_"),
        ("Wide & Deep", wd, lambda f: WDL(f, f, **options), "projection_"),
        ("DeepFM", dfm, lambda f: DeepFM(f, f, **options), "deep_projection_"),
    ]
    for name, model, make, deep in with_deepctr:
        module = of_deepctr(model, make, deep=deep)
        yield f"{name}, DeepCTR-Torch", model, module, deepctr_scores


@torch.no_grad()
def main():
    """Compare all, and say how far they are apart."""
    levels, X, y = rows()
    worst = 0.0
    compared = list(pairs_of_models(X, y))
    for name, model, module, scores in compared:
        expected, found = model.predict(X), scores(module, levels).numpy()
        difference = np.abs(found - expected).max()
        worst = max(worst, difference / expected.std())
        print(f"{name:28} {difference:.1e} of {expected.std():.3f}")
    return 0 if worst < LARGEST else f"a difference of {worst:.1e} standard deviations"


if __name__ == "__main__":
    sys.exit(main())
