"""The order of a fit on checked rows: units, start values, training, fitted attributes."""

import copy
import dataclasses
import functools
import inspect
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import check_scoring

from . import _attributes, _input, _scaling
from ._core.losses import LOSSES
from ._core.model import TABLES, FactorizationModel, attention_spread
from ._core.optimizers import OPTIMIZERS
from ._core.parameters import (
    ATTENTION,
    EMBEDDING_STD,
    copy_of,
    start_embeddings,
    to_tensors,
)
from ._core.pooling import AttentionPooling, SumPooling
from ._core.trainer import (
    NonFiniteLossError,
    NoScoreError,
    Penalties,
    RunState,
    Schedule,
    Trainer,
    TrainingData,
    run,
)
from ._reporting import Reporter
from ._scaling import Scaling
from ._start import arrays_of_fm, cold_arrays
from .exceptions import VanishedInteractionsWarning

FREEZABLE = ("bias", "linear_weights", "embeddings", "projection", "attention")

# Rates for short rows, as multiples of 1 / sqrt(embedding_dim).
_AUTO_RATE = {"adagrad": 0.8, "adam": 0.04, "sgd": 0.8}
# Entries of a short row, and how much longer than usual a column's rows are to get their own rate.
_SHORT_ROW, _FAR_LONGER = 10, 4

# Training rows by which the evenness of the attention is told.
_ROWS_SHOWN = 500

# Entries of a row up to which `l2_embedding` is taken as it is given.
_USUAL_ENTRIES = 20


@dataclass
class Rows:
    """Checked rows."""

    X: object  # canonical CSR
    y: np.ndarray  # as given
    target: np.ndarray  # (n_rows, n_targets), encoded
    sample_weight: np.ndarray  # as given, for scorers
    weight: np.ndarray  # in the objective: positive, times the weight of the class

    def part(self, index) -> "Rows":
        """The rows at these positions."""
        return Rows(*(getattr(self, field.name)[index] for field in dataclasses.fields(self)))

    def weight_unit(self) -> float:
        """What weights are divided by: their mean if it is below 1, so that none count rows."""
        return min(1.0, float(self.weight.mean()))

    def prepared(self, column_mean, weight_unit: float) -> "Rows":
        """The rows as the model learns them: columns centred, weights in units of rows."""
        weight = self.weight
        if weight_unit != 1:
            even = weight.min() == weight.max() and weight_unit == self.weight_unit()
            weight = np.ones_like(weight) if even else weight / weight_unit
        return dataclasses.replace(self, X=_scaling.centered(self.X, column_mean), weight=weight)

    def entry_weight(self) -> np.ndarray:
        """Each stored entry's row weight."""
        return np.repeat(self.weight, np.diff(self.X.indptr))

    def median_length(self) -> int:
        """Weighted median of the number of entries in a row.

        Unlike the mean it stays what it is where a few rows are very long.
        """
        length = np.diff(self.X.indptr)
        total = np.cumsum(np.bincount(length, self.weight))
        return int(np.searchsorted(total, total[-1] / 2))

    def median_pairs(self) -> float:
        """Weighted median of the number of pairs in a row, at least 1."""
        length = self.median_length()
        return max(1.0, length * (length - 1) / 2)


@dataclass
class Progress:
    """What a continued fit needs beside the fitted attributes."""

    scaling: Scaling
    column_weight: np.ndarray  # summed weight of the rows that held each column
    optimizer: dict[str, np.ndarray] | None = None
    order_rng: np.random.Generator | None = None
    mask_state: np.ndarray | None = None
    weight_unit: float = 1.0


# In a session under torch.no_grad or torch.inference_mode nothing would be learnt.
@torch.inference_mode(False)
def fit_rows(
    estimator, rows: Rows, validation: Rows | None, seeds, continued: bool, checkpoint
) -> None:
    """Train for up to `max_iter` epochs and set the fitted attributes."""
    fitting = _Fitting(estimator, rows, seeds, continued, accumulate=False, checkpoint=checkpoint)
    arrays = fitting.starting_arrays(validation)
    interrupted = fitting.train(arrays, validation)
    if not estimator.warm_start:
        # Only what says what the attributes mean stays: no second copy of the tables.
        progress = estimator._progress
        estimator._progress = Progress(
            progress.scaling, progress.column_weight, weight_unit=progress.weight_unit
        )
    if interrupted:
        _warn_of_interrupt(estimator, stacklevel=7)
    elif checkpoint is not None:
        checkpoint.remove()


@torch.inference_mode(False)
def pass_rows(estimator, rows: Rows, seeds, continued: bool) -> None:
    """Train for one pass and set the fitted attributes."""
    fitting = _Fitting(estimator, rows, seeds, continued, accumulate=True)
    arrays = fitting.starting_arrays(None)
    if fitting.train(arrays, None, one_pass=True):
        _warn_of_interrupt(estimator, stacklevel=7)


def _warn_of_interrupt(estimator, stacklevel):
    warnings.warn(
        f"Training was interrupted after {estimator.n_iter_} epochs; the estimator keeps what it "
        "has learnt so far.",
        stacklevel=stacklevel,
    )


class _Fitting:
    """One call of fit or partial_fit."""

    def __init__(
        self, estimator, rows: Rows, seeds, continued: bool, accumulate: bool, checkpoint=None
    ):
        self.estimator = estimator
        self.continued = continued
        self.checkpoint = checkpoint
        self.n_outputs, self.several_outputs = estimator._outputs
        self.device = _input.training_device(estimator.device)
        self.dtype = _input.computing_dtype(estimator.precision, rows.X)
        if continued and estimator.embeddings_.dtype == np.float64:
            self.dtype = torch.float64
        _input.check_table_size(
            rows.X.shape[1], estimator.embedding_dim + self.n_outputs, self.dtype
        )
        start, order, mask = seeds.spawn(3)
        self.start_rng = np.random.default_rng(start)
        self.mask_generator = torch.Generator(self.device)
        self.mask_generator.manual_seed(int(mask.generate_state(1, np.uint64)[0] >> 1))
        self.column_mean = self._column_mean(rows)
        # The calls of a stream have one unit, that of the first.
        first_call = not (continued and accumulate)
        weight_unit = rows.weight_unit() if first_call else estimator._progress.weight_unit
        self.rows = rows = rows.prepared(self.column_mean, weight_unit)
        self.progress = self._advance(rows, accumulate)
        self.progress.weight_unit = weight_unit
        if self.progress.order_rng is None:
            self.progress.order_rng = np.random.default_rng(order)
        else:
            self.mask_generator.set_state(_input.shared_tensor(self.progress.mask_state, "cpu"))
        self.frozen = self._frozen()
        self.batch_size = _batch_size(estimator.batch_size, len(rows.y))
        self.data = self._training_data(rows)

    # What is known before training

    def _column_mean(self, rows):
        """What is subtracted from each column: as before, where the fit goes on from another."""
        if self.continued:
            return self.estimator.column_mean_
        init = getattr(self.estimator, "init", None)
        if hasattr(init, "column_mean_"):
            return init.column_mean_
        return _scaling.column_means(rows.X, rows.weight)

    def _advance(self, rows, accumulate) -> Progress:
        """Count the columns of these rows, and give new ones their scale."""
        entry_weight = rows.entry_weight()
        counts = np.bincount(rows.X.indices, entry_weight, minlength=rows.X.shape[1])
        scales = _scaling.column_scales(rows.X, entry_weight)
        if not self.continued:
            self.new_columns = np.flatnonzero(counts)
            moments = self.estimator._target_moments(rows.target, rows.weight)
            return Progress(Scaling(scales, *moments, self.column_mean), counts)
        old = self.estimator._progress
        seen = old.column_weight > 0
        self.new_columns = np.flatnonzero(~seen & (counts > 0))
        scaling = Scaling(
            np.where(seen, old.scaling.column_scale, scales),
            old.scaling.target_mean,
            old.scaling.target_scale,
            self.column_mean,
        )
        counts = counts + old.column_weight if accumulate else counts
        order_rng = copy.deepcopy(old.order_rng)  # if this call fails, the old one has not moved
        return Progress(scaling, counts, old.optimizer, order_rng, old.mask_state)

    def _frozen(self) -> frozenset[str]:
        names = set(self.estimator.freeze)
        unknown = names - set(FREEZABLE)
        if unknown:
            raise ValueError(
                f"freeze names parts that do not exist: {sorted(unknown)}; "
                f"it takes any of {list(FREEZABLE)}."
            )
        if "attention" in names:
            names |= set(ATTENTION)
        if self._fixed_projection:
            names.add("projection")
        return frozenset(names)

    @property
    def _fixed_projection(self) -> bool:
        return self.estimator._has_fixed_projection(self.n_outputs)

    def _training_data(self, rows) -> TrainingData:
        X, one_hot = self._scaled(rows.X)
        weight = None if (rows.weight == 1).all() else rows.weight
        target = self._scaled_target(rows)
        return TrainingData(X, one_hot, target, weight, self.progress.column_weight)

    def _scaled(self, X):
        """Centred X in the model's units, and whether all its values are 1."""
        one_hot = bool((X.data == 1).all()) and not self.progress.scaling.scales_columns
        if one_hot:
            return X, True
        # What overflows makes the loss infinite, and that ends the fit.
        with np.errstate(over="ignore"):
            values = self.progress.scaling.scaled_values(X)
            values = values.astype(self._array_dtype)
        return type(X)((values, X.indices, X.indptr), shape=X.shape), False

    def _scaled_target(self, rows) -> torch.Tensor:
        """Targets in the model's units; labels have none."""
        target, scaling = rows.target, self.progress.scaling
        if self.estimator._loss_name == "squared":
            with np.errstate(over="ignore"):
                target = (target - scaling.target_mean) / scaling.target_scale
        result = self._tensor(target)
        if not result.isfinite().all():
            raise ValueError(
                f"y lies up to {np.abs(target).max():g} standard deviations from the mean of the "
                f"targets that set its unit: too far for {self.dtype}. Scale these targets alike."
            )
        return result

    @property
    def _array_dtype(self):
        return np.float64 if self.dtype == torch.float64 else np.float32

    def _tensor(self, array):
        return torch.tensor(array, dtype=self.dtype, device=self.device)

    # Start values

    def starting_arrays(self, validation) -> dict[str, np.ndarray]:
        """Start values in the model's units, in arrays of their own that training may change."""
        estimator, rows = self.estimator, self.rows
        k = estimator.embedding_dim
        scaling = self.progress.scaling
        if self.continued:
            arrays = _attributes.parameters_of(estimator)
            arrays = scaling.take_out(arrays, self._fixed_projection)
        else:
            size = estimator._start_projection_size(rows.median_pairs())
            arrays = cold_arrays(estimator, rows, size, self.start_rng)
            if isinstance(estimator.init, str) and not self._goes_on_from("main"):
                arrays |= self._pretrained(rows, validation, size)
            elif estimator.init is not None and not isinstance(estimator.init, str):
                arrays |= arrays_of_fm(estimator, estimator.init, scaling, size)
                self.progress.optimizer = estimator.init._progress.optimizer
            arrays |= estimator._start_own_parameters(self.start_rng)
        dtype = self._array_dtype
        arrays = {name: np.array(value, dtype=dtype) for name, value in arrays.items()}
        embeddings = arrays["embeddings"]
        new = self.new_columns[~embeddings[self.new_columns].any(axis=1)]
        embeddings[new] = start_embeddings(len(new), k, dtype, self.start_rng)
        return arrays

    def _pretrained(self, rows, validation, projection_size):
        """The FM of the same size, fitted on the same rows."""
        arrays = cold_arrays(self.estimator, rows, 1.0, self.start_rng)
        dtype = self._array_dtype
        arrays["embeddings"] = arrays["embeddings"].astype(dtype)
        arrays["embeddings"][self.new_columns] = start_embeddings(
            len(self.new_columns), self.estimator.embedding_dim, dtype, self.start_rng
        )
        # `freeze` speaks of the AFM's training; the FM learns all but its p = 1.
        frozen = frozenset({"projection"} if self.n_outputs == 1 else ())
        parameters = to_tensors(arrays, self.dtype, self.device)
        trainer = self._trainer(parameters, SumPooling(self.estimator.embedding_dim), frozen)
        reporter = self._reporter("FM")
        monitor = self._monitor_loss(trainer, validation)
        state, interrupted = self._run(trainer, monitor, reporter, stage="FM")
        if interrupted:  # there is no AFM yet
            raise KeyboardInterrupt
        self.progress.optimizer = _host_arrays(state.optimizer)
        arrays = _host_arrays(state.result)
        return arrays | {"projection": arrays["projection"] * projection_size}

    # Training

    def train(self, arrays, validation, one_pass=False) -> bool:
        """Train from these start values and set the fitted attributes.

        Returns whether Ctrl-C ended it, after at least one epoch.
        """
        estimator = self.estimator
        parameters = to_tensors(arrays, self.dtype, self.device)
        product_dtype = torch.bfloat16 if estimator.precision == "bfloat16" else None
        pooling = estimator._make_pooling(estimator.embedding_dim, product_dtype)
        trainer = self._trainer(parameters, pooling, self.frozen)
        self._restore_optimizer(trainer.optimizer)
        reporter = self._reporter()
        if one_pass:
            schedule = {"max_iter": 1, "averaging": 0.0}
            state, interrupted = self._run(trainer, None, reporter, **schedule)
        else:
            monitor = self._monitor(trainer, validation)
            state, interrupted = self._run(trainer, monitor, reporter, stage="main")
        self._set_attributes(estimator, state.result)
        if not one_pass:
            self._warn_if_vanished(state.result["embeddings"], stacklevel=8)
        if isinstance(pooling, AttentionPooling):
            spread = self._attention_spread(pooling, state.result)
            estimator.attention_spread_ = spread
            if not one_pass:
                reporter.on_attention(spread)
        n_before = getattr(estimator, "n_iter_", 0) if self.continued else 0
        for record in state.history:
            record["epoch"] += n_before
        before = estimator.history_ if self.continued else []
        estimator.history_ = before + state.history
        estimator.n_iter_ = n_before + len(state.history)
        estimator.best_iter_ = n_before + (state.best_iter or len(state.history))
        self.progress.optimizer = _host_arrays(state.optimizer)
        self.progress.order_rng.bit_generator.state = state.order_rng
        self.progress.mask_state = state.mask_generator.numpy()
        estimator._progress = self.progress
        return interrupted

    def _attention_spread(self, pooling, parameters) -> float:
        """How uneven the attention is on some training rows, evenly chosen."""
        n_rows = self.data.X.shape[0]
        shown = np.unique(np.linspace(0, n_rows - 1, min(n_rows, _ROWS_SHOWN)).astype(int))
        return attention_spread(pooling, parameters, self.data.X[shown], self.data.one_hot)

    def _warn_if_vanished(self, embeddings, stacklevel):
        """Say so where the prior has left no interaction; embeddings in the model's units."""
        has_pairs = bool((np.diff(self.data.X.indptr) > 1).any())
        if not has_pairs or "embeddings" in self.frozen:
            return
        if max(map(abs, embeddings.aminmax())) < EMBEDDING_STD / 10:
            strength = self.estimator.l2_embedding
            warnings.warn(
                f"All embeddings have vanished: with l2_embedding={strength:g} and "
                f"{len(self.rows.y)} rows no interaction is left, and the model is linear. If you "
                f"expect interactions, lower l2_embedding (say to {strength / 10:g}) and compare "
                "on rows that were held out.",
                VanishedInteractionsWarning,
                stacklevel=stacklevel,
            )

    def _goes_on_from(self, stage) -> bool:
        return self.checkpoint is not None and self.checkpoint.stage == stage

    def _trainer(self, parameters, pooling, frozen) -> Trainer:
        estimator = self.estimator
        rate = estimator.learning_rate
        if rate == "auto":
            # A step of size r in every coordinate moves the score of a row of m entries by
            # m r and m^2 r^2 k / 2: so the rate that a model bears falls with m and sqrt(k).
            rate = _AUTO_RATE[estimator.optimizer] / np.sqrt(estimator.embedding_dim)
            rate *= min(1.0, _SHORT_ROW / max(1.0, self.data.X.nnz / self.data.X.shape[0]))
        trained = {name: value for name, value in parameters.items() if name not in frozen}
        self.learning_rate = float(rate)
        rates = dict.fromkeys(trained, self.learning_rate)
        if estimator.learning_rate == "auto":
            rates |= self._rates_of_columns(trained)
        attention = [name for name in ATTENTION if name in trained]
        if attention:  # an FM has none, and no rate of it
            rates |= dict.fromkeys(attention, self.learning_rate * self._attention_rate())
        return Trainer(
            model=FactorizationModel(pooling, estimator.dropout),
            loss=estimator._loss_name,
            parameters=parameters,
            optimizer=OPTIMIZERS[estimator.optimizer](trained, rates, self.batch_size),
            batch_size=self.batch_size,
            penalties=Penalties(
                getattr(estimator, "l2_attention", 0.0),
                estimator.l2_embedding * self._crowding(),
                estimator.l2_linear,
            ),
            frozen=frozen,
            order_rng=self.progress.order_rng,
            mask_generator=self.mask_generator,
        )

    def _rates_of_columns(self, trained) -> dict[str, torch.Tensor]:
        """Rates of tables, a column, if a few rows are far longer than the others; else none."""
        X = self.data.X
        length = np.diff(X.indptr).astype(np.float64)
        count = np.bincount(X.indices, minlength=X.shape[1])
        total = np.bincount(X.indices, np.repeat(length, np.diff(X.indptr)), X.shape[1])
        mean = np.divide(total, count, where=count > 0, out=np.zeros(X.shape[1]))
        usual = max(_SHORT_ROW, length.mean())
        if not len(mean) or mean.max() <= _FAR_LONGER * usual:
            return {}
        rates = self._tensor(self.learning_rate * np.minimum(1, usual / np.maximum(mean, 1)))
        return {name: rates[:, None] for name in TABLES if name in trained}

    def _crowding(self) -> float:
        """What the prior on embeddings is multiplied by where rows are long."""
        # A row has m^2 / 2 pairs and m linear terms: at one strength, the prior of rows of 200
        # entries would allow the interactions as much as the linear part.
        return max(1.0, self.rows.median_length() / _USUAL_ENTRIES)

    def _attention_rate(self) -> float:
        if self.estimator.attention_rate != "auto":
            return self.estimator.attention_rate
        # Attention to few pairs multiplies what these have learnt, by heart where rows are few.
        column_weight = self.data.column_weight
        rows = column_weight.sum() / max(1, np.count_nonzero(column_weight))
        return float(np.clip(rows / 1000, 0.1, 1))

    def _restore_optimizer(self, optimizer):
        saved = self.progress.optimizer or {}
        for name, value in optimizer.state.items():
            if name in saved and saved[name].shape == tuple(value.shape):
                value.copy_(_input.shared_tensor(saved[name], "cpu"))

    def _run(self, trainer, monitor, reporter, stage=None, **schedule) -> tuple[RunState, bool]:
        """Train; a stage with a name goes on from the checkpoint and writes to it."""
        estimator = self.estimator
        checkpointed = {}
        if self.checkpoint is not None and stage is not None:
            checkpointed = {
                "start": self.checkpoint.take_state(stage),
                "on_state": functools.partial(self.checkpoint.save, stage),
            }
        callbacks = estimator.callbacks or ()

        def on_epoch(record):
            reporter.on_epoch(record)
            # All are called, whatever the first ones answer. What a callback happens to return,
            # such as the length of a line that it wrote, does not end training.
            answers = [callback(record) for callback in callbacks]
            return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)

        options = {
            "max_iter": estimator.max_iter,
            "averaging": estimator.weight_averaging,
            "n_iter_no_change": estimator.n_iter_no_change,
            "tol": estimator.tol,
            "keep_optimizer": estimator.warm_start,
        }
        try:
            return run(
                trainer,
                self.data,
                Schedule(loss_unit=self._loss_unit(), **options | schedule),
                monitor=monitor,
                on_step=reporter.on_step,
                on_epoch=on_epoch,
                **checkpointed,
            )
        except NonFiniteLossError as error:
            raise ValueError(
                f"The training loss became infinite or NaN in epoch {error.epoch} "
                f"({self._sizes(self.data.X.data)}). Lower learning_rate, clip outliers "
                "in X, or raise l2_embedding and l2_linear."
            ) from error
        except NoScoreError as error:
            raise ValueError(
                f"The validation score was NaN in each of {error.n_epochs} epochs, so that none is "
                f"the best: scoring={estimator.scoring!r} has no value on the validation rows, "
                "as the area under the ROC curve where all rows are of one class. Give X_val and "
                "y_val, a larger validation_fraction, or another scoring."
            ) from error
        finally:
            reporter.close()

    def _sizes(self, values) -> str:
        """What a loss may owe it to that it is not finite."""
        largest = float(np.abs(values).max(initial=0))
        return (
            f"learning_rate={self.learning_rate:g}; the largest |x|, each column divided by its "
            f"root mean square, is {largest:g}"
        )

    def _reporter(self, title="") -> Reporter:
        estimator = self.estimator
        return Reporter(estimator.verbose, self.data.X.shape[0], estimator.max_iter, title)

    def _loss_unit(self):
        return torch.from_numpy(np.square(self.progress.scaling.target_scale))[: self._n_terms]

    @property
    def _n_terms(self):
        return self.data.target.shape[1]

    # Validation

    def _monitor(self, trainer, validation):
        """What looks at the parameters after each epoch; None without validation rows."""
        scoring = self.estimator.scoring
        if validation is None or scoring == "loss":
            return self._monitor_loss(trainer, validation)
        losses = self._monitor_loss(trainer, validation)
        scorer = check_scoring(self.estimator, scoring)
        weighted = not (validation.sample_weight == 1).all() and _takes_weights(scorer)
        options = {"sample_weight": validation.sample_weight} if weighted else {}

        def monitor(parameters):
            entries, _ = losses(parameters)
            scored = copy.copy(self.estimator)
            # The rows that it is shown have no names.
            vars(scored).pop("feature_names_in_", None)
            self._set_attributes(scored, copy_of(parameters))
            score = float(scorer(scored, validation.X, validation.y, **options))
            return entries | {"validation_score": score}, score

        return monitor

    def _monitor_loss(self, trainer, validation):
        if validation is None:
            return None
        tables = (trainer.parameters[name].cpu().numpy() for name in TABLES)
        X = _scaling.centered(validation.X, self.column_mean)
        X, _ = self._scaled(_input.known_entries(X, **dict(zip(TABLES, tables))))
        target = self._scaled_target(validation).cpu()
        weight = _input.shared_tensor(validation.weight, "cpu")
        unit = self._loss_unit()

        def monitor(parameters):
            raw = torch.from_numpy(trainer.model.predict(parameters, X))
            terms = LOSSES[self.estimator._loss_name](raw, target).double() * unit
            loss = float((weight @ terms).mean() / weight.sum())
            if not np.isfinite(loss):
                raise ValueError(
                    f"The validation loss became infinite or NaN ({self._sizes(X.data)}). "
                    "Clip outliers in the validation rows, or lower learning_rate."
                )
            return {"validation_loss": loss}, -loss

        return monitor

    def _set_attributes(self, estimator, parameters):
        arrays = _host_arrays(parameters)
        dtype = arrays["embeddings"].dtype
        with np.errstate(over="ignore", invalid="ignore"):
            arrays = self.progress.scaling.fold_in(arrays, self._fixed_projection)
            arrays = {name: value.astype(dtype, copy=False) for name, value in arrays.items()}
        infinite = [name for name, value in arrays.items() if not np.isfinite(value).all()]
        if infinite:
            raise ValueError(
                f"Fitted parameters are too large for {dtype} or NaN: {', '.join(infinite)} "
                f"({self._sizes(self.data.X.data)}). Lower learning_rate, bring y and the columns "
                'of X to sizes near 1, or set precision="float64".'
            )
        _attributes.set_attributes(estimator, arrays, self.several_outputs)
        estimator.column_mean_ = self.column_mean


def _takes_weights(scorer) -> bool:
    """Whether a scorer, or the metric behind it, has a parameter sample_weight."""
    try:
        parameters = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters
    except (TypeError, ValueError):  # compiled functions need not tell
        return False
    kinds = [parameter.kind for parameter in parameters.values()]
    return "sample_weight" in parameters or inspect.Parameter.VAR_KEYWORD in kinds


def _host_arrays(tensors) -> dict[str, np.ndarray]:
    return {name: value.cpu().numpy() for name, value in tensors.items()}


def _batch_size(batch_size, n_rows: int) -> int:
    if batch_size != "auto":
        return batch_size
    # Small sets get enough steps an epoch, large ones enough rows to share pairs.
    return int(np.clip(2 ** int(np.log2(max(1, n_rows / 32))), 64, 512))
