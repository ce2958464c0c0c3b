"""Constructor parameters that all estimators have, and those of hidden layers."""

import os
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from ._compat import HasMethods, Interval, RealNotInt, StrOptions
from ._core.models.layers import ACTIVATIONS, Layers
from ._core.training.optimizers import OPTIMIZERS
from ._settings import RARELY, TRAINING, HasSettings, setting


class TrainingSettings(HasSettings):
    """What every estimator can be told."""

    embedding_dim: int = setting(
        16,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Length k of each column's embedding.",
        place=1,
    )
    dropout: float = setting(
        0.0,
        [Interval(Real, 0, 1, closed="left")],
        "float in [0, 1)",
        """Share of the pooled k-vector of each row, and of hidden layers where there are some, that
        training sets to 0.""",
    )
    l2_embedding: float | str = setting(
        "auto",
        [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        '"auto" or float',
        """Prior on each column's embedding, in units of observations: the embedding of a level
        that is seen less often than this is shrunk hard. If rows have more than 20 non-zeros in
        the median, m, a number is multiplied by m / 20, since their pairs grow as the square of m.
        "auto" learns a variance for each field and factor by variational inference
        (``l2_embedding_``); it needs ``l2_linear="auto"``. Where that is not possible, it is 10:
        with more than 100 fields, and in a stream (``partial_fit``) that no ``fit`` came before.
        For a model that does not start from an FM, as with hidden layers, it is 1.""",
    )
    l2_linear: float | str = setting(
        "auto",
        [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        '"auto" or float',
        """Prior on each column's linear weight, in units of observations, as ``alpha`` of
        :class:`~sklearn.linear_model.Ridge`. "auto" learns one for each field, on rows that four
        folds hold out in turn (``l2_linear_``). If they are not clearly better than 0.5 (1 in
        regression), as with few rows, that is taken. A stream (``partial_fit``) has what the last
        ``fit`` has learnt. It is 0.5 in other streams, and with more than 1,000 fields or 50
        outputs.""",
    )
    fields: object = setting(
        "auto",
        [StrOptions({"auto"}), "array-like", None],
        '"auto", array-like of shape (n_features,) or None',
        """The field of each column, whose columns share a strength. "auto" finds the fewest runs of
        columns such that no row has two entries in one: in one-hot rows, those of the encoder.
        Fields of one column share a strength. None: all columns share one. Some models have
        parameters for each field; None then means the fields that are found.""",
        group=RARELY,
    )
    crosses: object = setting(
        "auto",
        [StrOptions({"auto"}), "array-like", None],
        '"auto", list of pairs of fields or None',
        """Pairs of one-hot fields that have a weight for each pair of their levels, and a strength.
        "auto" takes those that lower the held-out loss. None: no crosses. Without
        ``l2_linear="auto"`` there are none.""",
    )
    optimizer: str = setting(
        "adagrad",
        [StrOptions(set(OPTIMIZERS))],
        '{"adagrad", "adam", "sgd"}',
        """Optimiser. Each changes only the columns that a batch holds. "adam" is therefore the lazy
        Adam: the moments of a column rest while no batch holds it.""",
        group=TRAINING,
    )
    learning_rate: float | str = setting(
        "auto",
        [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        '"auto" or float',
        """Learning rate. "auto" is 0.8 / sqrt(embedding_dim), or 0.04 / sqrt(embedding_dim) for
        "adam"; for losses of the logarithm of y ("poisson", "gamma") a third of it. If rows have
        more than 10 non-zeros in the mean, m, it is multiplied by 10 / m.""",
        group=TRAINING,
    )
    batch_size: int | str = setting(
        "auto",
        [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        '"auto" or int',
        """Rows per step, on each rank of a data-parallel fit. "auto" is a power of two near
        n_samples / 32, between 64 and 512; ranks share it.""",
        group=TRAINING,
    )
    max_iter: int = setting(
        100,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Epochs at most.",
        group=TRAINING,
    )
    freeze: tuple = setting(
        (),
        ["array-like"],
        "tuple of str",
        "Parts that training leaves as they start: any of {parts}.",
        group=RARELY,
    )
    early_stopping: bool | str = setting(
        "auto",
        [StrOptions({"auto"}), "boolean"],
        '"auto" or bool',
        """Whether to stop if the validation score no longer rises, and to keep the parameters of
        the best epoch. "auto" does so for more than 1,500 rows, or if `X_val` or a splitter
        (`validation_fraction`) is given.""",
        group=TRAINING,
    )
    validation_fraction: Any = setting(
        0.1,
        [
            Interval(RealNotInt, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
            HasMethods(["split", "get_n_splits"]),  # a str has the first alone
            None,
        ],
        "float, int, splitter or None",
        """Share or number of rows set aside for early stopping if `X_val` is not given. A splitter
        of scikit-learn, such as :class:`~sklearn.model_selection.GroupShuffleSplit`, sets aside
        the test rows of its last split (`groups` of ``fit``). None computes the validation score on
        the training rows.""",
        group=TRAINING,
    )
    n_iter_no_change: int = setting(
        10,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Epochs without a better validation score that end training.",
        group=TRAINING,
    )
    tol: float = setting(
        1e-7,
        [Interval(Real, 0, None, closed="left")],
        "float",
        "Rise of the validation score that counts as better.",
        group=RARELY,
    )
    scoring: object = setting(
        "loss",
        [StrOptions({"loss"}), StrOptions(set(get_scorer_names())), callable, None],
        '"loss", str, callable or None',
        """Validation score for early stopping: "loss" is the validation loss; else the name of a
        scorer, a scorer, or None for ``score``.""",
        group=TRAINING,
    )
    averaging_decay: float = setting(
        0.8,
        [Interval(Real, 0, 1, closed="left")],
        "float in [0, 1)",
        """Decay of the running average of the parameters over epochs. This average is validated
        and kept. 0 keeps the parameters themselves.""",
        group=RARELY,
    )
    warm_start: bool = setting(
        False,
        ["boolean"],
        "bool",
        "Whether another ``fit`` goes on from the last one, with the optimiser's state.",
        group=RARELY,
    )
    checkpoint: str | os.PathLike | None = setting(
        None,
        [str, os.PathLike, None],
        "str, path-like or None",
        """A file (.npz) that ``fit`` writes after each epoch. If it exists, a fit with the same
        parameters and data goes on from it, to the result of a fit that never stopped. `max_iter`
        may differ, and `callbacks` see only the new epochs. A fit that ends removes the file. Two
        fits must not share a file, as the candidates of a grid search would.""",
        group=RARELY,
    )
    random_state: object = setting(
        None,
        ["random_state"],
        "int, RandomState instance or None",
        """Seed of start values, order of rows, dropout and validation rows. The same int gives the
        same result, bit for bit, at the same number of threads; on CUDA, if torch is asked for
        deterministic algorithms.""",
        group=TRAINING,
    )
    verbose: int = setting(
        0,
        ["verbose"],
        "int",
        """1 prints the estimator and a line per epoch; in another process, as in a search with
        `n_jobs`, with its name. 2 also shows a progress bar, if tqdm is installed.""",
        group=TRAINING,
    )
    callbacks: list | tuple | None = setting(
        None,
        [list, tuple, None],
        "list of callables or None",
        """Each is called with the record of ``history_`` of each epoch. If one returns True,
        training ends.""",
        group=RARELY,
    )
    precision: str = setting(
        "auto",
        [StrOptions({"auto", "float32", "float64", "bfloat16"})],
        '{"auto", "float32", "float64", "bfloat16"}',
        """"auto" is float32 if it holds the values of X exactly, as it does 0 and 1, and else
        float64. "bfloat16" is {bfloat16}.""",
        group=RARELY,
    )
    device: str = setting(
        "auto",
        [str],
        "str",
        """"cpu", "cuda", ...; "auto" is "cuda" if there is one. A step takes some
        milliseconds on CUDA, however small it is: "cpu" can be faster for small tables, and for
        an FM of small `embedding_dim`. A model fitted on a device predicts on the CPU if that
        device is missing.""",
        group=TRAINING,
    )


class FieldPairSettings(HasSettings):
    """What estimators with numbers for pairs of fields can be told beside."""

    field_lr_multiplier: float = setting(
        1.0,
        [Interval(Real, 0, None, closed="neither")],
        "float",
        "Learning rate of the numbers of pairs of fields, as a multiple of `learning_rate`.",
        group=TRAINING,
    )


class LayerSettings(HasSettings):
    """What estimators with hidden layers can be told beside."""

    hidden_layer_sizes: tuple = setting(
        (64,),
        ["array-like", Interval(Integral, 1, None, closed="left")],
        "tuple of int",
        "Units of each hidden layer, from the bottom. (): none.",
    )
    activation: str = setting(
        "relu",
        [StrOptions(set(ACTIVATIONS))],
        '{"identity", "logistic", "relu", "tanh"}',
        "What a hidden layer makes of its sums.",
        group=RARELY,
    )
    alpha: float = setting(
        1e-4,
        [Interval(Real, 0, None, closed="left")],
        "float",
        "Penalty of the matrices of the hidden layers, beside the mean loss.",
    )
    layer_lr_multiplier: float = setting(
        0.1,
        [Interval(Real, 0, None, closed="neither")],
        "float",
        """Learning rate of the hidden layers and of the weights above them, as a multiple of
        `learning_rate`. A step moves all the weights of a unit at once.""",
        group=TRAINING,
    )

    def _layers(self, input_axis: str, input_power: float = 0.0) -> Layers:
        """The hidden layers above a vector of the model."""
        sizes = self._layer_sizes()
        return Layers(sizes, self.activation, self.dropout, input_axis, input_power)

    def _layer_sizes(self) -> list[int]:
        sizes = np.atleast_1d(np.asarray(self.hidden_layer_sizes))
        if sizes.ndim > 1 or (sizes.size and (sizes.dtype.kind not in "iu" or sizes.min() < 1)):
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} must be integers above 0, one for "
                "each hidden layer."
            )
        return sizes.tolist()
