"""Settings of the experiments: recipes. An experiment changes only the settings it is about."""

from .. import AFMClassifier, AFMRegressor, FMClassifier, FMRegressor

CLASSES = {
    ("AFM", "regression"): AFMRegressor,
    ("AFM", "classification"): AFMClassifier,
    ("FM", "regression"): FMRegressor,
    ("FM", "classification"): FMClassifier,
}
COMMON = {"l2_linear": 0.5, "batch_size": 512, "max_iter": 40, "n_iter_no_change": 4}
# An AFM's p starts at the number of pairs. So its embeddings are smaller than an FM's, and the same
# l2_embedding has less effect on them.
FM_RECIPE = COMMON | {"dropout": 0.1, "l2_embedding": 2.0}
AFM_RECIPE = COMMON | {"dropout": 0.5, "l2_embedding": 5.0, "row_scaling": None}
RECIPES = {
    ("AFM", "regression"): AFM_RECIPE,
    ("AFM", "classification"): AFM_RECIPE
    | {"dropout": 0.6, "l2_attention": 0.0, "l2_linear": 1.0, "attention_rate": 1.0},
    ("FM", "regression"): FM_RECIPE,
    ("FM", "classification"): FM_RECIPE,
}
# Values that the paper's figures vary; the paper's own values if it lists them.
DROPOUTS = [round(0.1 * step, 1) for step in range(10)]
L2_ATTENTIONS = [0.0, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1]
ATTENTION_DIMS = [1, 4, 16, 64, 256]


def estimator(model: str, task: str, embedding_dim: int, seed: int, **changes):
    """Make an estimator by its recipe. As in the paper, attention_dim equals embedding_dim."""
    recipe = RECIPES[model, task] | {"embedding_dim": embedding_dim, "random_state": seed}
    if model == "AFM":
        recipe["attention_dim"] = embedding_dim
    return CLASSES[model, task](**recipe | changes)
