"""The contract of a model: the parameters that it declares and the scores that it gives.

Everything else is derived from the declaration: which rows of a parameter a batch touches, its
penalty, its learning rate, its unit, what `freeze` names, memory, checkpoints, fitted attributes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from torch import Generator, Tensor

from ..batches.batches import Batch, RowGroup
from ..batches.columns import look_up

Parameters = dict[str, Tensor]


def zeros(shape: tuple[int, ...], rng: np.random.Generator, dtype: type) -> np.ndarray:
    """Start values of 0."""
    return np.zeros(shape)


def constant(value: float) -> Callable:
    """Start values that are all the same."""
    return lambda shape, rng, dtype: np.full(shape, value)


def normal(std: float) -> Callable:
    """Start values from a normal distribution of mean 0, drawn in float64."""
    return lambda shape, rng, dtype: rng.normal(0.0, std, size=shape)


def normal_in_type(std: float) -> Callable:
    """The same, drawn in the type of the fit, for the largest arrays."""

    def start(shape: tuple[int, ...], rng: np.random.Generator, dtype: type) -> np.ndarray:
        values = rng.standard_normal(shape, dtype=dtype)
        values *= std
        return values

    return start


@dataclass(frozen=True)
class Parameter:
    """An array that a model learns.

    Parameters
    ----------
    name : str
        The fitted attribute is ``name_``.
    axes : tuple of str
        "column" (always the first), "output", or the name of a size of the model, such as
        "embedding_dim". In the fitted attribute the axis "output" comes first; it is dropped if
        the model has one output.
    doc : str
        What the attribute is, for the estimator's docstring.
    start : callable (shape, rng, dtype) -> ndarray
        Makes the start values. A parameter with the axis "column" starts at 0 for columns that no
        training row has.
    strength : str or None
        Setting of the estimator that is its penalty: in units of observations if the parameter has
        the axis "column", else beside the mean loss.
    rate : str or None
        Setting of the estimator that multiplies its learning rate.
    part : str
        Its name in `freeze`. Empty: its own name.
    fixed : bool
        It is never trained.
    pairwise : bool
        Products of its rows make interactions, so that its penalty grows with the rows' length.
    target_power : float or None
        It is in the unit of the target to this power. None: 1 with the axis "output", else 0.
    """

    name: str
    axes: tuple[str, ...]
    doc: str
    start: Callable[[tuple[int, ...], np.random.Generator, type], np.ndarray] = zeros
    strength: str | None = None
    rate: str | None = None
    part: str = ""
    fixed: bool = False
    pairwise: bool = False
    target_power: float | None = None

    @property
    def per_column(self) -> bool:
        """Whether it has one row per column of X."""
        return self.axes[0] == "column"

    @property
    def frozen_as(self) -> str:
        """Its name in `freeze`."""
        return self.part or self.name

    @property
    def unit(self) -> float:
        """Power of the target's unit that it is in."""
        return ("output" in self.axes) * 1.0 if self.target_power is None else self.target_power


def field_pairs(name: str, doc: str, start: float = 0.0) -> Parameter:
    """A number for each pair of fields, (n_fields, n_fields)."""
    return Parameter(
        name, ("n_fields", "n_fields"), doc, start=constant(start), rate="field_lr_multiplier"
    )


LINEAR = (
    Parameter("bias", ("output",), "Global bias w0."),
    Parameter("linear_weights", ("column", "output"), "Linear weights w.", strength="l2_linear"),
)


class Model:
    """A bias, a linear part, and the interactions that a subclass gives.

    Parameters
    ----------
    n_outputs : int
    own : tuple of Parameter
        Parameters of the interactions. Their axes other than "column" and "output" are attributes
        of the model.

    Attributes
    ----------
    descriptions : dict of str: str
        What the attributes that `describe` gives are, for the estimator's docstring.
    fm : Model or None
        The FM that a fit of this model can start from (`init`).
    statistics : tuple of str
        Parameters that are means over rows, of what `row_statistics` gives. In training they are
        those of the batch, and gradients go through them. A running mean is kept for prediction.
    renews_factors : bool
        Whether embeddings from which an FM learnt nothing can learn something here. They then start
        small, not from the FM's 0.
    weighs_pairs : bool
        Whether `pair_terms` gives an attention other than 1.
    """

    descriptions: dict[str, str] = {}
    fm: "Model | None" = None
    renews_factors = False
    statistics: tuple[str, ...] = ()
    weighs_pairs = False
    # pair_terms(parameters, group) -> attention (n_rows, n_pairs), score (n_rows, n_pairs,
    # n_outputs). None: the model's predictions are no sums over pairs.
    pair_terms: Callable[[Parameters, RowGroup], tuple[Tensor, Tensor]] | None = None
    # pair_formula(arrays) -> what exported formulas need beside embeddings and projection, under
    # the names of `scorer.Formula`. None: the model cannot be exported.
    pair_formula: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] | None = None

    def __init__(self, n_outputs: int, own: tuple[Parameter, ...]):
        self.n_outputs = n_outputs
        self.parameters = (*LINEAR, *own)

    def row_cost(self, width: int) -> int:
        """Numbers in memory that a row of this many entries needs."""
        raise NotImplementedError

    def training_cost(self, width: int) -> int:
        """The same in training, where a model may compute less than all of a row."""
        return self.row_cost(width)

    def interactions(
        self, parameters: Parameters, group: RowGroup, generator: Generator | None = None
    ) -> Tensor:
        """Interactions of a group of rows, (n_rows, n_outputs), differentiable.

        Parameters with the axis "column" have one row per feature, times x_i. A generator turns
        dropout on.
        """
        raise NotImplementedError

    def row_statistics(self, parameters: Parameters, group: RowGroup) -> Parameters:
        """What each of `statistics` is the mean of, (n_rows, *its shape), differentiable."""
        return {}

    def scorer(self, parameters: Parameters, n_columns: int, one_hot: bool) -> "Scorer":
        """What computes the interactions of a matrix's rows for prediction; may be faster."""
        return Scorer(self)

    def joiner(self, parameters: Parameters) -> "Joiner | None":
        """What computes the interactions of joined rows, if that is faster; one output.

        It is asked only if the model has `pair_terms`. None: the rows are built.
        """
        return None

    def describe(
        self, parameters: Parameters, X: Any, one_hot: bool
    ) -> tuple[dict[str, float], str]:
        """Fitted attributes that describe training rows, and a line of them for `verbose`."""
        return {}, ""

    # Derived

    def shape(self, parameter: Parameter, n_columns: int) -> tuple[int, ...]:
        """The shape of a parameter."""
        sizes = {"column": n_columns, "output": self.n_outputs}
        return tuple(
            sizes[axis] if axis in sizes else getattr(self, axis) for axis in parameter.axes
        )

    @property
    def parts(self) -> list[str]:
        """What `freeze` can name."""
        return list(dict.fromkeys(parameter.frozen_as for parameter in self.parameters))

    @cached_property  # each step of training asks for it several times
    def per_column(self) -> frozenset[str]:
        """Names of the parameters that have one row per column."""
        return frozenset(p.name for p in self.parameters if p.per_column)

    @property
    def floats_per_column(self) -> int:
        """Floats that the parameters have for each column of X."""
        per_column = [p for p in self.parameters if p.per_column]
        return sum(int(np.prod(self.shape(p, 1))) for p in per_column)

    def raw_scores(
        self, parameters: Parameters, group: RowGroup, generator: Generator | None = None
    ) -> Tensor:
        """Raw scores of a group of rows: (n_rows, n_outputs)."""
        interactions = self.interactions(parameters, group, generator)
        linear = look_up(parameters["linear_weights"], group).sum(1)
        return parameters["bias"] + linear + interactions


class Scorer:
    """The interactions of rows, as in training but without dropout."""

    def __init__(self, model: Model):
        self._model = model
        self.row_cost = model.row_cost

    def __call__(self, parameters: Parameters, group: RowGroup, columns: np.ndarray) -> Tensor:
        """Interactions (n_rows, n_outputs); `columns` are those of the batch."""
        return self._model.interactions(parameters, group)


class Joiner:
    """The interactions of joined rows: each row of one batch with each row of another.

    A joined row has the entries of both. No column is in both batches.
    """

    def side(self, parameters: Parameters, batch: Batch) -> Any:
        """What is needed of the rows of a batch; parameters have one row per feature."""
        raise NotImplementedError

    def __call__(self, first: Any, second: Any) -> Tensor | None:
        """Interactions (n_first, n_second) of two sides. None: the rows have to be built."""
        raise NotImplementedError
