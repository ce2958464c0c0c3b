"""Hidden layers, as parameters that a model declares; and batch normalisation."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .model import Parameter, Parameters

ACTIVATIONS = {
    "identity": lambda values: values,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
    "tanh": torch.tanh,
}
# Standard deviation of embeddings below hidden layers at the start. They are larger than those of
# an FM, so that the layers have something to learn from.
LAYERED_STD = 0.1
# Added to variances before they divide.
NORMALISATION_EPS = 1e-5


class Layers:
    """Hidden layers, one above the other: a matrix, a bias, the activation and dropout each.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer, from the bottom.
    activation : str
        One of `ACTIVATIONS`.
    dropout : float
        Share of the units that training sets to 0.
    input_axis : str
        The axis of the model that the first layer takes.
    input_power : float
        Power of the target's unit that the input is in; the first matrix takes it out.

    Attributes
    ----------
    parameters : tuple of Parameter
    axes : dict of str: int
        Sizes that the parameters name, for the model.
    output_axis : str
        The axis of the last layer's output; `input_axis` without layers.
    output_power : float
        Power of the target's unit that the output is in.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        dropout: float,
        input_axis: str,
        input_power: float = 0.0,
    ):
        self._activation = ACTIVATIONS[activation]
        self._dropout = dropout
        self.axes: dict[str, int] = {}
        self.output_axis = input_axis
        self.output_power = 0.0 if len(sizes) else input_power
        self.parameters: tuple[Parameter, ...] = ()
        for number, size in enumerate(sizes, start=1):
            below, self.output_axis = self.output_axis, f"layer_{number}_size"
            self.axes[self.output_axis] = int(size)
            power = 0.0 if number > 1 else -input_power
            self.parameters += layer_parameters(number, self.output_axis, below, power)

    def __call__(
        self, parameters: Parameters, values: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """What the last layer makes of (n_rows, n_inputs). A generator turns dropout on."""
        for number in range(1, len(self.axes) + 1):
            values = self._activation(layer(parameters, number, values))
            if generator is not None and self._dropout:
                values = dropout(values, self._dropout, generator)
        return values


def layer_parameters(
    number: int, output_axis: str, input_axis: str, power: float = 0.0
) -> tuple[Parameter, Parameter]:
    """The matrix and the bias of a layer."""
    return (
        Parameter(
            f"layer_{number}_weights",
            (output_axis, input_axis),
            f"Matrix of hidden layer {number}.",
            start=glorot,
            strength="alpha",
            rate="layer_lr_multiplier",
            part="layers",
            target_power=power,
        ),
        Parameter(
            f"layer_{number}_bias",
            (output_axis,),
            f"Bias of hidden layer {number}.",
            rate="layer_lr_multiplier",
            part="layers",
        ),
    )


def output_weights(name: str, layers: Layers, doc: str) -> Parameter:
    """The matrix from the last layer to the scores. It starts at 0, as what the layers add does."""
    return Parameter(
        name,
        ("output", layers.output_axis),
        doc,
        strength="alpha",
        rate="layer_lr_multiplier",
        target_power=1 - layers.output_power,
    )


def layer(parameters: Parameters, number: int, values: Tensor) -> Tensor:
    """What a layer makes of (n_rows, n_inputs) before its activation."""
    weights, bias = (parameters[f"layer_{number}_{part}"] for part in ("weights", "bias"))
    return F.linear(values, weights, bias)


def glorot(shape: tuple[int, ...], rng: np.random.Generator, dtype: type) -> np.ndarray:
    """Start values by Glorot and Bengio (AISTATS 2010), from a normal distribution."""
    return rng.normal(0.0, np.sqrt(2 / sum(shape)), size=shape)


def dropout(values: Tensor, rate: float, generator: torch.Generator) -> Tensor:
    """Values set to 0 with probability `rate`, the others divided by 1 - rate."""
    # uniform_ and ge_ take a fifth of the time of bernoulli_.
    keep = torch.empty_like(values).uniform_(generator=generator).ge_(rate)
    return values * keep.div_(1 - rate)


def moments(values: Tensor) -> Tensor:
    """1, the values and their squares, (n_rows, 3, n_numbers): their means normalise the values."""
    return torch.stack([torch.ones_like(values), values, values.square()], dim=1)


def normalised(values: Tensor, means: Tensor) -> Tensor:
    """Values less their mean, divided by their standard deviation.

    `means` are those of `moments`. The mean of 1 is below 1 in a running mean that has started from
    0 and has seen few batches: divided by it, the others are without bias (as in Adam).
    """
    seen, mean, square = means
    seen = seen.clamp_min(torch.finfo(seen.dtype).tiny)
    mean = mean / seen
    variance = (square / seen - mean.square()).clamp_min(0)
    return (values - mean) / (variance + NORMALISATION_EPS).sqrt()
