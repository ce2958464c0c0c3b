"""What a fit that goes on needs beside the fitted attributes."""

from dataclasses import dataclass

import numpy as np

from .._data.prepare import Units


@dataclass(frozen=True)
class Progress(Units):
    """The units of a fit, and the state of its optimiser and random numbers."""

    optimizer: dict[str, np.ndarray] | None = None
    order_rng: np.random.Generator | None = None
    mask_state: np.ndarray | None = None
    linear_bias: np.ndarray | None = None  # what the linear part has of the bias, in y's unit

    def units_alone(self) -> "Progress":
        """Only what says what the fitted attributes mean: no second copy of the parameters."""
        return Progress(
            self.scaling, self.column_weight, self.weight_unit, linear_bias=self.linear_bias
        )
