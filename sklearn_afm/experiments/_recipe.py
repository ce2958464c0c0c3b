"""The settings of the experiments: a recipe, of which an experiment changes what it is about."""

from .. import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

CLASSES = {
    ("AFM", "regression"): AFMRegressor,
    ("AFM", "classification"): AFMClassifier,
    ("FM", "regression"): FMRegressor,
    ("FM", "classification"): FMClassifier,
}
RECIPE = {
    "dropout": 0.5,
    "l2_embedding": 5.0,
    "l2_linear": 0.5,
    "batch_size": 512,
    "max_iter": 40,
    "n_iter_no_change": 4,
}
# An AFM's p starts at the number of pairs, so that its embeddings are smaller than an FM's, and
# the same prior weighs less on them.
FM_RECIPE = RECIPE | {"dropout": 0.1, "l2_embedding": 2.0}
# What the paper's figures vary, and its grids where it names them.
DROPOUTS = [round(0.1 * step, 1) for step in range(10)]
L2_ATTENTIONS = [0.0, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1]
ATTENTION_DIMS = [1, 4, 16, 64, 256]


def estimator(model: str, task: str, embedding_dim: int, seed: int, **changes):
    """An estimator with its recipe; attention as wide as the embeddings, as in the paper."""
    if model == "AFM":
        recipe = RECIPE | {"embedding_dim": embedding_dim, "attention_dim": embedding_dim}
    else:
        recipe = FM_RECIPE | {"embedding_dim": embedding_dim}
    return CLASSES[model, task](**recipe | {"random_state": seed} | changes)
