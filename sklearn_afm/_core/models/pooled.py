"""Models that pool the pairs of a row into one k-vector, from which p makes the scores."""

import numpy as np
import torch
from torch import Tensor

from ..batches.batches import RowGroup
from ..pairs.pairs import pair_positions_on
from .model import Model, Parameter, Parameters

EMBEDDING_STD = 0.01


class PooledModel(Model):
    """Interactions p^T (pooled k-vector of the row's pairs), as in Eq. 6.

    A subclass gives `row_cost` and `pool`. It gives `pair_terms` too if the pooled vector is a sum
    over pairs.

    Parameters
    ----------
    embedding_dim, n_outputs : int
    dropout : float
        Share of the pooled vector that training sets to 0.
    projection_size : float
        What p starts at.
    fixed_projection : bool
        p stays as it starts. The embeddings then carry the target's unit.
    """

    def __init__(
        self,
        embedding_dim: int,
        n_outputs: int,
        dropout: float = 0.0,
        projection_size: float = 1.0,
        fixed_projection: bool = False,
    ):
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.projection_size = projection_size
        embeddings = Parameter(
            "embeddings",
            ("column", "embedding_dim"),
            "Embeddings v; 0 for columns without a training row.",
            start=_start_embeddings,
            strength="l2_embedding",
            pairwise=True,
            target_power=0.5 if fixed_projection else 0,
        )
        projection = Parameter(
            "projection",
            ("output", "embedding_dim"),
            self.projection_doc,
            start=self._start_projection,
            fixed=fixed_projection,
            target_power=0 if fixed_projection else 1,
        )
        super().__init__(n_outputs, (embeddings, projection))

    projection_doc = "Prediction weights p."

    def pool(
        self, parameters: Parameters, group: RowGroup, generator: torch.Generator | None = None
    ) -> Tensor:
        """The pooled vectors of a group of rows, (n_rows, embedding_dim), differentiable."""
        raise NotImplementedError

    def interactions(
        self, parameters: Parameters, group: RowGroup, generator: torch.Generator | None = None
    ) -> Tensor:
        """Interactions (n_rows, n_outputs)."""
        pooled = self.pool(parameters, group, generator)
        if generator is not None and self.dropout:
            pooled = dropout(pooled, self.dropout, generator)
        return pooled @ parameters["projection"].T

    def start_from_fm(self, arrays: dict[str, np.ndarray], target_unit: float) -> dict:
        """Start values that predict what an FM predicts, from the parameters of that FM.

        If p = 1 in the FM, its embeddings carry the target's unit. Here p carries it.
        """
        projection = next(p for p in self.parameters if p.name == "projection")
        if projection.fixed:
            return arrays
        return arrays | {
            "embeddings": arrays["embeddings"] / np.sqrt(target_unit),
            "projection": arrays["projection"] * (target_unit * self.projection_size),
        }

    def _start_projection(
        self, shape: tuple[int, ...], rng: np.random.Generator, dtype: type
    ) -> np.ndarray:
        """p of the given size.

        Several outputs start with random signs. If they started alike, the gradients of the classes
        on the embeddings would cancel, since they sum to zero.
        """
        if self.n_outputs == 1:
            return np.full(shape, self.projection_size, dtype=np.float64)
        return self.projection_size * rng.choice([-1.0, 1.0], size=shape)


def _start_embeddings(shape: tuple[int, ...], rng: np.random.Generator, dtype: type) -> np.ndarray:
    """v ~ N(0, 0.01^2)."""
    embeddings = rng.standard_normal(shape, dtype=dtype)
    embeddings *= EMBEDDING_STD
    return embeddings


def dropout(values: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Values set to 0 with probability `rate`, the others divided by 1 - rate."""
    # uniform_ and ge_ take a fifth of the time of bernoulli_.
    keep = torch.empty_like(values).uniform_(generator=generator).ge_(rate)
    return values * keep.div_(1 - rate)


def products_of_pairs(left: Tensor, right: Tensor, projection: Tensor) -> Tensor:
    """p . (left_i * right_j) of the pairs i > j of each row: (n_rows, n_pairs, n_outputs).

    `left` and `right` are (n_rows, width, k), as `look_up` gives them.
    """
    later, earlier = pair_positions_on(left.device, left.shape[1])
    turned = right.transpose(1, 2)
    return torch.stack([torch.bmm(left * p, turned)[:, later, earlier] for p in projection], dim=-1)
