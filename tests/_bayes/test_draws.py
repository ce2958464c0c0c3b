"""Which sweeps are kept, and what the draws predict."""

import numpy as np
import pytest
from conftest import ragged_matrix
from oracle import raw_scores

from sklearn_afm._bayes.draws import Draws, sample
from sklearn_afm._bayes.likelihoods import NormalNoise
from sklearn_afm._bayes.sampler import Sampler
from sklearn_afm._data.checks import canonical_csr
from sklearn_afm._data.units import Scaling


def random_draws(rng, n_draws, n_columns, k=3):
    return Draws(
        rng.normal(size=n_draws),
        rng.normal(size=(n_draws, n_columns)).astype(np.float32),
        rng.normal(size=(n_draws, n_columns, k)).astype(np.float32),
    )


@pytest.mark.parametrize("n_rows", [2, 40])  # fewer entries than columns, and more
def test_scores_of_draws_by_loops(rng, n_rows):
    dense, draws = ragged_matrix(rng, 40, 9)[-n_rows:], random_draws(rng, 4, 9)
    for draw, score in enumerate(draws.scores(canonical_csr(dense))):
        parameters = {
            "bias": draws.bias[draw : draw + 1],
            "linear_weights": draws.linear_weights[draw][:, None].astype(np.float64),
            "embeddings": draws.embeddings[draw].astype(np.float64),
            "projection": np.ones((1, 3)),
        }
        np.testing.assert_allclose(
            score, raw_scores(dense, parameters)[:, 0], rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize(
    ("n_sweeps", "n_burn_in", "n_draws", "kept"),
    [(10, 2, 4, [4, 6, 8, 10]), (7, 2, 3, [3, 5, 7]), (5, 3, 100, [4, 5]), (1, 0, 1, [1])],
)
def test_kept_sweeps_are_spread_evenly_and_have_the_units_of_the_rows(
    rng, n_sweeps, n_burn_in, n_draws, kept
):
    dense = ragged_matrix(rng, 20, 4)
    scaling = Scaling(np.array([1.0, 2, 4, 8]), np.array([3.0]), np.array([9.0]))

    def new_sampler():
        noise = NormalNoise(np.arange(20.0), np.ones(20), np.arange(20))
        field, start = np.arange(4), np.random.default_rng(1)
        return Sampler(canonical_csr(dense / scaling.column_scale), field, noise, np.ones(3), start)

    draws, noise_std = sample(new_sampler(), scaling, n_sweeps, n_burn_in, n_draws)
    same, states = new_sampler(), []
    for _ in range(n_sweeps):
        same.sweep()
        score = same.likelihood.target - same._residual
        states.append((3 + 9 * score, 9 / np.sqrt(same.likelihood.precision)))
    scores = list(draws.scores(canonical_csr(dense)))
    assert len(scores) == len(kept)
    for number, sweep in enumerate(kept):
        score, std = states[sweep - 1]
        np.testing.assert_allclose(scores[number], score, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(noise_std[number], std)
