"""What all parts of a fit share, made once from the settings and the rows."""

import copy
from dataclasses import dataclass

import numpy as np
import torch

from .._core import ranks
from .._core.batches.fields import number_of_fields
from .._core.capacity import check_memory
from .._core.devices import training_device
from .._core.losses.loss import Loss
from .._core.models.model import Model
from .._core.tensors import computing_dtype, shared_tensor
from .._core.training.data import TrainingData
from .._data.fields import FieldsOfColumns, fields_of_columns
from .._data.prepare import Prepared, prepare
from .._data.rows import Rows
from .._linear.crosses import Crosses
from .._linear.fit import LinearPart
from . import auto
from .agreement import seeds_of_rank
from .progress import Progress

# Fields that a model can have parameters of. Numbers of pairs of fields are their square.
MAX_FIELDS = 1000


@dataclass(frozen=True)
class Setup:
    """What all parts of a fit share."""

    estimator: object  # for its settings
    model: Model
    loss: Loss  # in the model's units
    several_outputs: bool
    median_pairs: float
    prepared: Prepared
    data: TrainingData
    dtype: torch.dtype
    device: torch.device
    n_rows: int  # of all ranks
    batch_size: int  # of this rank
    learning_rate: float
    start_rng: np.random.Generator
    order_rng: np.random.Generator
    mask_generator: torch.Generator
    fields: FieldsOfColumns | None  # None in a pass of a model that needs none
    linear: LinearPart | None = None  # in the model's units
    crosses: Crosses | None = None  # those that apply to X and y as given
    embedding_shift: np.ndarray | None = None  # of embeddings, by the rows for early stopping

    @property
    def array_dtype(self) -> type:
        """The NumPy dtype in which the fit computes."""
        return array_dtype(self.dtype)

    @property
    def loss_unit(self) -> np.ndarray:
        """The unit of each loss term, in that of the target."""
        scale = self.prepared.units.scaling.target_scale**self.loss.target_power
        return scale[: self.prepared.target.shape[1]]

    def sizes(self, values: np.ndarray) -> str:
        """What can make a loss infinite, for messages."""
        largest = float(np.abs(values).max(initial=0))
        return (
            f"learning_rate={self.learning_rate:g}; the largest |x|, each column divided by its "
            f"root mean square, is {largest:g}"
        )


def array_dtype(dtype: torch.dtype) -> type:
    """The NumPy dtype of a torch dtype."""
    return np.float64 if dtype == torch.float64 else np.float32


def make_setup(
    estimator, rows: Rows, seeds, known: Progress | None, *, stream: bool, counts=None
) -> Setup:
    """Choose device and type, bring the rows into the units of the model, seed the random numbers.

    Parameters
    ----------
    estimator : estimator
        It gives the settings, and fitted attributes if the fit goes on.
    rows : Rows
    seeds : SeedSequence
    known : Progress or None
        Of the fit that goes on.
    stream : bool
        Whether the rows are one more batch of a stream.
    counts : Counts or None
        Of all rows, if these are a sample of them.
    """
    n_outputs, several_outputs = estimator._outputs
    loss = estimator._loss
    device = training_device(estimator.device)
    dtype = computing_dtype(estimator.precision, rows.X.data)
    if ranks.any_rank(dtype == torch.float64):
        dtype = torch.float64
    if known is not None and estimator.linear_weights_.dtype == np.float64:
        dtype = torch.float64
    floats_per_column = estimator._make_model(n_outputs, 1.0).floats_per_column
    check_memory(rows.X.shape[1], floats_per_column, dtype)
    start, order, mask = seeds.spawn(3)
    order_rng, mask_generator = _generators(order, mask, known, device)
    column_mean, scaling = _column_mean(estimator, known), None
    if counts is not None and known is None:
        scaling = counts.scaling(rows, column_mean, loss.standardises, n_outputs)
        column_mean = scaling.column_mean
    prepared = prepare(
        rows,
        array_dtype(dtype),
        loss.standardises,
        n_outputs,
        known,
        column_mean=column_mean,
        stream=stream,
        scaling=scaling,
    )
    rows, scale = prepared.rows, prepared.units.scaling.target_scale
    if known is None:
        estimator._learn_loss(rows.target, rows.weight, scale)
    n_rows = int(ranks.sum_over_ranks(len(rows.y)))
    median_pairs = rows.median_pairs() if known is None else estimator.median_pairs_
    product_dtype = torch.bfloat16 if estimator.precision == "bfloat16" else None
    found = None if counts is None else counts.columns.fields
    fields = _fields(estimator, prepared.X, known, stream, found)
    of_model = fields.number if estimator._uses_fields else None
    model = estimator._make_model(n_outputs, median_pairs, of_model, product_dtype)
    check_memory(rows.X.shape[1], model.floats_per_column, dtype)
    return Setup(
        estimator,
        model,
        estimator._loss.in_units_of(scale),
        several_outputs,
        median_pairs,
        prepared,
        _training_data(prepared, device),
        dtype,
        device,
        n_rows,
        auto.batch_size(estimator.batch_size, n_rows, ranks.n_ranks()),
        auto.learning_rate(
            estimator.learning_rate,
            estimator.optimizer,
            estimator.embedding_dim,
            prepared.X,
            estimator._loss.log_link,
        ),
        np.random.default_rng(start),
        order_rng,
        mask_generator,
        fields,
    )


def _generators(order, mask, known: Progress | None, device):
    """What draws the order of rows and the dropout masks: other ones on each rank."""
    goes_on = known is not None and known.order_rng is not None
    if goes_on and ranks.rank():  # rank 0 goes on with these
        drawn = copy.deepcopy(known.order_rng).integers(2**32, size=4)
        order, mask = np.random.SeedSequence([ranks.rank(), *drawn.tolist()]).spawn(2)
        goes_on = False
    mask_generator = torch.Generator(device)
    mask_generator.manual_seed(int(seeds_of_rank(mask).generate_state(1, np.uint64)[0] >> 1))
    if not goes_on:
        return np.random.default_rng(seeds_of_rank(order)), mask_generator
    # Generators of another kind of device have other states. After one, masks start anew.
    if known.mask_state.shape == tuple(mask_generator.get_state().shape):
        mask_generator.set_state(shared_tensor(known.mask_state, "cpu"))
    return copy.deepcopy(known.order_rng), mask_generator  # if this call fails, it has not moved


def _fields(
    estimator, X, known: Progress | None, stream: bool, found=None
) -> FieldsOfColumns | None:
    """The fields of the columns; a model that needs them keeps those of its first fit.

    `found` finds them, if X is a sample.
    """
    asked, uses_fields = estimator.fields, estimator._uses_fields
    if stream and not uses_fields:
        return None
    label = estimator.fields_ if uses_fields and known is not None else None
    is_given = asked is not None and not isinstance(asked, str)
    if label is not None and is_given and not np.array_equal(asked, label):
        raise ValueError(
            "fields has changed, but this estimator has parameters for each field. A fit that goes "
            "on from the fitted attributes cannot change them: give the former fields, or fit a "
            "clone (sklearn.base.clone) from the start."
        )
    if label is None and found is not None and not is_given:
        label = found()
    fields = fields_of_columns(asked, X, label)
    n_fields = number_of_fields(fields.number)
    if uses_fields and n_fields > MAX_FIELDS:
        raise ValueError(
            f"X has {n_fields} fields, and {type(estimator).__name__} has parameters for each of "
            f"them; it takes up to {MAX_FIELDS}. Give fields: one label per column, the same for "
            "columns that belong together."
        )
    estimator.fields_ = fields.label
    return fields


def _column_mean(estimator, known: Progress | None):
    """What is subtracted from each column: as before, if the fit goes on from another."""
    if known is not None:
        return estimator.column_mean_
    init = getattr(estimator, "init", None)
    return init.column_mean_ if hasattr(init, "column_mean_") else "rows"


def _training_data(prepared: Prepared, device: torch.device) -> TrainingData:
    weight = prepared.rows.weight
    return TrainingData(
        prepared.X,
        prepared.one_hot,
        torch.from_numpy(prepared.target).to(device),
        None if (weight == 1).all() else weight,
        prepared.units.column_weight,
    )
