"""Models whose hidden layers see a row's embeddings side by side, one for each field."""

import numpy as np
from torch import Tensor

from ..batches.batches import RowGroup
from ..batches.fields import number_of_fields, sums_by_field
from .layers import LAYERED_STD
from .model import Model, Parameter, Parameters, normal_in_type


class StackedModel(Model):
    """Embeddings, and the vector of a row: those of its fields side by side.

    Entries of one field count by the sum of their embeddings; a field without an entry is zeros.
    A subclass adds its own parameters and gives `interactions`.

    Parameters
    ----------
    embedding_dim, n_outputs : int
    fields : ndarray of shape (n_columns,) or None
        The number of each column's field.
    """

    def __init__(
        self,
        embedding_dim: int,
        n_outputs: int,
        fields: np.ndarray | None,
        own: tuple[Parameter, ...] = (),
    ):
        self.embedding_dim = embedding_dim
        self.fields = fields
        embeddings = Parameter(
            "embeddings",
            ("column", "embedding_dim"),
            "Embeddings v; 0 for columns without a training row.",
            start=normal_in_type(LAYERED_STD),
            strength="l2_embedding",
        )
        super().__init__(n_outputs, (embeddings, *own))
        self.stacked_size = number_of_fields(fields) * embedding_dim  # numbers of a row's vector

    def row_cost(self, width: int) -> int:
        """Floats per row: its entries, its vector, and what the layers make of it."""
        return width * self.embedding_dim + 2 * self.stacked_size

    def stacked(self, parameters: Parameters, group: RowGroup) -> Tensor:
        """The vector of each row of a group: (n_rows, n_fields k)."""
        assert self.fields is not None
        return sums_by_field(parameters["embeddings"], self.fields, group).flatten(1)
