"""What the ranks of a fit have to agree on before it begins."""

import numpy as np

from .._core import ranks
from .checkpoint import settings_of_fit


def refuse_other_fits(estimator, X, y) -> None:
    """Refuse ranks whose settings or columns differ, in a sentence."""
    if ranks.n_ranks() == 1:
        return
    settings = settings_of_fit(estimator)
    del settings["device"]  # ranks of one machine have a device each
    ranks.refuse_other(
        **settings,
        max_iter=estimator.max_iter,
        checkpoint=None if estimator.checkpoint is None else str(estimator.checkpoint),
        warm_start=bool(estimator.warm_start),
        **{
            "number of columns of X": X.shape[1],
            "number of targets": y.shape[1:],
            "fitted attributes": hasattr(estimator, "linear_weights_"),
        },
    )


def seeds_of_first(seeds: np.random.SeedSequence) -> np.random.SeedSequence:
    """The seeds of rank 0, on each rank."""
    if ranks.n_ranks() == 1:
        return seeds
    return np.random.SeedSequence(ranks.of_first(seeds.entropy))


def seeds_of_rank(seeds: np.random.SeedSequence) -> np.random.SeedSequence:
    """Seeds of random numbers that differ by rank; rank 0 has those of a fit of one process."""
    number = ranks.rank()
    return seeds.spawn(number)[-1] if number else seeds
