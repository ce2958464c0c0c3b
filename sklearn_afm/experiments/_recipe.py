"""The systems of the experiments, and the settings of each: recipes."""

from dataclasses import dataclass, field

import numpy as np

from .. import (
    AFMClassifier,
    AFMRegressor,
    BayesianFMClassifier,
    BayesianFMRegressor,
    FMClassifier,
    FMRegressor,
)
from .. import baselines as b


@dataclass(frozen=True)
class System:
    """A model of a table: its estimators, what makes them this model, and what a search varies."""

    regression: type
    classification: type
    own: dict = field(default_factory=dict)
    varies: tuple[str, ...] = ()


_DEEP = {"hidden_layer_sizes": (256, 128, 64)}
_LAYERS = ("alpha", "layer_lr_multiplier")
SYSTEMS = {
    # Small steps, nearly as libFM's, which takes one for each row.
    "LibFM, SGD": System(
        FMRegressor, FMClassifier, {"optimizer": "sgd", "batch_size": 64}, ("rate",)
    ),
    "FM": System(FMRegressor, FMClassifier),
    "HOFM": System(b.HOFMRegressor, b.HOFMClassifier),
    "FFM": System(b.FFMRegressor, b.FFMClassifier),
    "FwFM": System(b.FwFMRegressor, b.FwFMClassifier, {}, ("field_lr_multiplier",)),
    "NFM": System(b.NFMRegressor, b.NFMClassifier, {"hidden_layer_sizes": (64,)}, _LAYERS),
    "Wide&Deep": System(b.WideAndDeepRegressor, b.WideAndDeepClassifier, _DEEP, _LAYERS),
    # Five residual units of two layers each.
    "DeepCross": System(
        b.DeepCrossRegressor,
        b.DeepCrossClassifier,
        {"hidden_layer_sizes": (64,) * 5},
        _LAYERS,
    ),
    "DeepFM": System(b.DeepFMRegressor, b.DeepFMClassifier, _DEEP, _LAYERS),
    "AFM": System(AFMRegressor, AFMClassifier, {"row_scaling": None}, ("l2_attention",)),
    "AFM, by fields": System(
        AFMRegressor,
        AFMClassifier,
        {"row_scaling": None, "field_aware": True},
        ("l2_attention", "field_lr_multiplier"),
    ),
    "AFM, deep": System(
        AFMRegressor,
        AFMClassifier,
        {"row_scaling": None, "hidden_layer_sizes": (64,)},
        ("l2_attention", *_LAYERS),
    ),
}
# It has nothing to search for, no epochs, and no rows for early stopping.
SAMPLERS = {
    "LibFM, Gibbs sampling": System(BayesianFMRegressor, BayesianFMClassifier, {"max_iter": 200})
}
COMMON = {"l2_linear": 0.5, "batch_size": 512, "max_iter": 40, "n_iter_no_change": 4}
# An AFM's p starts at the number of pairs. So its embeddings are smaller than an FM's, and the same
# l2_embedding has less effect on them.
FM_RECIPE = {"dropout": 0.1, "l2_embedding": 2.0}
AFM_RECIPE = {"dropout": 0.5, "l2_embedding": 5.0}
RECIPES = {
    ("AFM", "regression"): AFM_RECIPE,
    ("AFM", "classification"): AFM_RECIPE
    | {"dropout": 0.6, "l2_attention": 0.0, "l2_linear": 1.0, "attention_lr_multiplier": 1.0},
    ("FM", "regression"): FM_RECIPE,
    ("FM", "classification"): FM_RECIPE,
}
# The best of the draws that were compared, for regression at k = 64. They serve both tasks.
_WITH_LAYERS = {
    "dropout": 0.3,
    "l2_embedding": 1.0,
    "l2_linear": 0.5,
    "alpha": 1e-5,
    "layer_lr_multiplier": 0.1,
}
FOUND = {
    "LibFM, SGD": {"dropout": 0.0, "l2_embedding": 10.0, "l2_linear": 1.0, "rate": 0.8},
    "HOFM": {"dropout": 0.1, "l2_embedding": 2.0, "l2_linear": 0.5},
    "FFM": {"dropout": 0.1, "l2_embedding": 2.0, "l2_linear": 0.5},
    "FwFM": {"dropout": 0.3, "l2_embedding": 5.0, "l2_linear": 2.0, "field_lr_multiplier": 1.0},
    "NFM": _WITH_LAYERS,
    "Wide&Deep": _WITH_LAYERS | {"alpha": 0.0, "layer_lr_multiplier": 0.03},
    "DeepCross": {
        "dropout": 0.1,
        "l2_embedding": 10.0,
        "l2_linear": 2.0,
        "alpha": 0.0,
        "layer_lr_multiplier": 0.1,
    },
    "DeepFM": _WITH_LAYERS,
    "AFM, by fields": {
        "dropout": 0.5,
        "l2_embedding": 5.0,
        "l2_linear": 1.0,
        "field_lr_multiplier": 1.0,
    },
    "AFM, deep": {
        "dropout": 0.7,
        "l2_embedding": 1.0,
        "l2_linear": 0.5,
        "l2_attention": 1e-3,
        "alpha": 0.0,
        "layer_lr_multiplier": 0.1,
    },
}
# Values that a search draws from. "rate" is the learning rate times the root of k.
CHOICES = {
    "dropout": (0.0, 0.1, 0.3, 0.5, 0.7),
    "l2_embedding": (1.0, 2.0, 5.0, 10.0),
    "l2_linear": (0.5, 1.0, 2.0),
    "rate": (0.1, 0.2, 0.4, 0.8),
    "l2_attention": (0.0, 1e-4, 1e-3),
    "alpha": (0.0, 1e-5, 1e-4, 1e-3),
    "layer_lr_multiplier": (0.03, 0.1, 0.3),
    "field_lr_multiplier": (0.1, 0.3, 1.0),
}
N_DRAWS = 12
# Values that the paper's figures vary; the paper's own values if it lists them.
DROPOUTS = [round(0.1 * step, 1) for step in range(10)]
L2_ATTENTIONS = [0.0, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1]
ATTENTION_DIMS = [1, 4, 16, 64, 256]


def estimator(model: str, task: str, embedding_dim: int, seed: int, **changes):
    """Make an estimator by its recipe. As in the paper, attention_dim equals embedding_dim."""
    sizes = {"embedding_dim": embedding_dim, "random_state": seed}
    if model in SAMPLERS:
        sampler = SAMPLERS[model]
        return getattr(sampler, task)(**sampler.own | sizes)
    system = SYSTEMS[model]
    recipe = FOUND.get(model) or RECIPES[model, task]
    settings = COMMON | system.own | recipe | sizes | changes
    if model.startswith("AFM"):
        settings.setdefault("attention_dim", embedding_dim)
    if "rate" in settings:
        settings["learning_rate"] = settings.pop("rate") / np.sqrt(embedding_dim)
    return getattr(system, task)(**settings)


def draws(model: str) -> list[dict]:
    """The settings that a search for a recipe compares: random ones, the same for both tasks."""
    rng = np.random.default_rng(0)
    names = ("dropout", "l2_embedding", "l2_linear", *SYSTEMS[model].varies)
    return [{name: rng.choice(CHOICES[name]).item() for name in names} for _ in range(N_DRAWS)]
