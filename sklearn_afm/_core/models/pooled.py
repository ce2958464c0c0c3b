"""Models that pool the pairs of a row into one k-vector, from which p makes the scores."""

import numpy as np
import torch
from torch import Tensor

from ..batches.batches import RowGroup
from ..pairs.pairs import pair_positions_on
from .layers import LAYERED_STD, Layers, dropout, output_weights
from .model import Model, Parameter, Parameters, normal_in_type

EMBEDDING_STD = 0.01


class PooledModel(Model):
    """Interactions p^T (pooled k-vector of the row's pairs), as in Eq. 6.

    A subclass gives `row_cost` and `pool`. It gives `pair_terms` too if the pooled vector is a sum
    over pairs. Hidden layers may stand between the pooled vector and p. The interactions are then
    no sums over pairs, and start at 0.

    Parameters
    ----------
    embedding_dim, n_outputs : int
    dropout : float
        Share of the pooled vector that training sets to 0.
    projection_size : float
        What p starts at; with `layers`, what the pooled vector is multiplied by instead.
    fixed_projection : bool
        p stays as it starts. The embeddings then carry the target's unit.
    layers : Layers or None
        What stands above the pooled vector; p is then learnt. None: nothing.
    embedding_axis : str
        The second axis of the embeddings.
    """

    projection_doc = "Prediction weights p."

    def __init__(
        self,
        embedding_dim: int,
        n_outputs: int,
        dropout: float = 0.0,
        projection_size: float = 1.0,
        fixed_projection: bool = False,
        layers: Layers | None = None,
        embedding_axis: str = "embedding_dim",
    ):
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.projection_size = projection_size
        self.layers = layers
        embeddings = Parameter(
            "embeddings",
            ("column", embedding_axis),
            "Embeddings v; 0 for columns without a training row.",
            start=normal_in_type(EMBEDDING_STD if layers is None else LAYERED_STD),
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
        own: tuple[Parameter, ...] = (embeddings, projection)
        if layers is not None:
            vars(self).update(layers.axes)
            self.pair_terms = None
            weights = output_weights("projection", layers, self.projection_doc)
            own = (embeddings, *layers.parameters, weights)
        super().__init__(n_outputs, own)

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
        if self.layers is not None:
            # Else what an AFM gives them is so small that they hardly learn.
            pooled = self.layers(parameters, pooled * self.projection_size, generator)
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


def products_of_pairs(left: Tensor, right: Tensor, projection: Tensor) -> Tensor:
    """p . (left_i * right_j) of the pairs i > j of each row: (n_rows, n_pairs, n_outputs).

    `left` and `right` are (n_rows, width, k), as `look_up` gives them.
    """
    later, earlier = pair_positions_on(left.device, left.shape[1])
    turned = right.transpose(1, 2)
    return torch.stack([torch.bmm(left * p, turned)[:, later, earlier] for p in projection], dim=-1)
