"""Constructor parameters of the estimators: each stands once, with all that is said of it.

A class declares them as annotated class attributes, as a dataclass does. From these come the
constructor, scikit-learn's constraints and the sections of the docstring.
"""

import inspect
import os
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral, Real

from sklearn.metrics import get_scorer_names

from ._compat import Interval, RealNotInt, StrOptions, dataclass_transform
from ._core.training.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Setting:
    """A constructor parameter.

    Parameters
    ----------
    default : object
    allowed : list
        Constraints, as scikit-learn checks them before a fit.
    kind : str
        What the docstring calls its type.
    doc : str
        What it does.
    place : int or None
        Its place among the parameters that can be given without a name.
    """

    default: object
    allowed: list
    kind: str
    doc: str
    place: int | None = None

    def described(self, name: str) -> str:
        """Its lines of the docstring's section "Parameters"."""
        default = f'"{self.default}"' if isinstance(self.default, str) else repr(self.default)
        default = default.replace("e-0", "e-")
        lines = textwrap.fill(" ".join(self.doc.split()), 92, break_on_hyphens=False)
        return f"{name} : {self.kind}, default={default}\n{textwrap.indent(lines, '    ')}"


def setting(default, allowed, kind, doc, *, place=None):
    """A `Setting`, to be assigned to a class attribute."""
    return Setting(default, allowed, kind, doc, place)


@dataclass_transform(kw_only_default=True, field_specifiers=(setting,))
class HasSettings:
    """Makes the constructor of its subclasses from their settings.

    A class attribute that is a `Setting` declares one. Another value under the name of a setting
    that the class inherits is its default in this class.
    """

    _own_settings: dict = {}
    _parameter_constraints: dict = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        inherited = settings_of(cls)
        own = {
            name: value
            for name, value in vars(cls).items()
            if isinstance(value, Setting) or name in inherited
        }
        for name in own:
            delattr(cls, name)
        cls._own_settings = own
        cls._parameter_constraints = {n: s.allowed for n, s in settings_of(cls).items()}
        # A subclass with a constructor of its own keeps it.
        if cls.__init__ is object.__init__ or hasattr(cls.__init__, "made_of_settings"):
            cls.__init__ = _constructor(settings_of(cls))


def settings_of(cls) -> dict[str, Setting]:
    """Settings of a class by name: those with a place, then its own, then inherited ones."""
    found: dict[str, Setting] = {}
    changed: dict[str, object] = {}
    for base in cls.__mro__:
        for name, value in vars(base).get("_own_settings", {}).items():
            if isinstance(value, Setting):
                found.setdefault(name, value)
            else:
                changed.setdefault(name, value)
    found = {
        name: replace(value, default=changed[name]) if name in changed else value
        for name, value in found.items()
    }
    return dict(sorted(found.items(), key=lambda item: item[1].place or len(found)))


def _constructor(settings: dict[str, Setting]) -> Callable:
    """An `__init__` that stores its arguments and does nothing else."""
    kinds = inspect.Parameter
    parameters = [kinds("self", kinds.POSITIONAL_OR_KEYWORD)]
    parameters += [
        kinds(
            name,
            kinds.KEYWORD_ONLY if setting.place is None else kinds.POSITIONAL_OR_KEYWORD,
            default=setting.default,
        )
        for name, setting in settings.items()
    ]
    signature = inspect.Signature(parameters)

    def __init__(self, *args, **kwargs):
        try:
            given = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        given.apply_defaults()
        for name in settings:
            setattr(self, name, given.arguments[name])

    __init__.__signature__ = signature
    __init__.made_of_settings = True
    return __init__


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
        "Share of the pooled k-vector of each row that training sets to 0.",
    )
    l2_embedding: float = setting(
        10.0,
        [Interval(Real, 0, None, closed="left")],
        "float",
        """Prior on each column's embedding, in units of observations: the embedding of a level
        that is seen less often than this is shrunk hard. If rows have more than 20 non-zeros in
        the median, m, it is multiplied by m / 20, since their pairs grow as the square of m.""",
    )
    l2_linear: float = setting(
        0.5,
        [Interval(Real, 0, None, closed="left")],
        "float",
        """Prior on each column's linear weight, in units of observations, as ``alpha`` of
        :class:`~sklearn.linear_model.Ridge`.""",
    )
    optimizer: str = setting(
        "adagrad",
        [StrOptions(set(OPTIMIZERS))],
        '{"adagrad", "adam", "sgd"}',
        """Optimiser. Each changes only the columns that a batch holds. "adam" is therefore the lazy
        Adam: the moments of a column rest while no batch holds it.""",
    )
    learning_rate: float | str = setting(
        "auto",
        [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        '"auto" or float',
        """Learning rate. "auto" is 0.8 / sqrt(embedding_dim), or 0.04 / sqrt(embedding_dim) for
        "adam". If rows have more than 10 non-zeros in the mean, m, it is multiplied by 10 / m.""",
    )
    batch_size: int | str = setting(
        "auto",
        [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        '"auto" or int',
        'Rows per step. "auto" is a power of two near n_samples / 32, between 64 and 512.',
    )
    max_iter: int = setting(
        100,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Epochs at most.",
    )
    freeze: tuple = setting(
        (),
        ["array-like"],
        "tuple of str",
        "Parts that training leaves as they start: any of {parts}.",
    )
    early_stopping: bool | str = setting(
        "auto",
        [StrOptions({"auto"}), "boolean"],
        '"auto" or bool',
        """Whether to stop if the validation score no longer rises, and to keep the parameters of
        the best epoch. "auto" does so for more than 1,500 rows, or if `X_val` is given.""",
    )
    validation_fraction: float | int | None = setting(
        0.1,
        [
            Interval(RealNotInt, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "float, int or None",
        """Share or number of rows set aside for early stopping if `X_val` is not given. None
        computes the validation score on the training rows.""",
    )
    n_iter_no_change: int = setting(
        10,
        [Interval(Integral, 1, None, closed="left")],
        "int",
        "Epochs without a better validation score that end training.",
    )
    tol: float = setting(
        1e-7,
        [Interval(Real, 0, None, closed="left")],
        "float",
        "Rise of the validation score that counts as better.",
    )
    scoring: object = setting(
        "loss",
        [StrOptions({"loss"}), StrOptions(set(get_scorer_names())), callable, None],
        '"loss", str, callable or None',
        """Validation score for early stopping: "loss" is the validation loss; else the name of a
        scorer, a scorer, or None for ``score``.""",
    )
    weight_averaging: float = setting(
        0.8,
        [Interval(Real, 0, 1, closed="left")],
        "float in [0, 1)",
        """Decay of the running average of the parameters over epochs. This average is validated
        and kept. 0 keeps the parameters themselves.""",
    )
    warm_start: bool = setting(
        False,
        ["boolean"],
        "bool",
        "Whether another ``fit`` goes on from the last one, with the optimiser's state.",
    )
    checkpoint: str | os.PathLike | None = setting(
        None,
        [str, os.PathLike, None],
        "str, path-like or None",
        """A file (.npz) that ``fit`` writes after each epoch. If it exists, a fit with the same
        parameters and data goes on from it, to the result of a fit that never stopped. `max_iter`
        may differ, and `callbacks` see only the new epochs. A fit that ends removes the file. Two
        fits must not share a file, as the candidates of a grid search would.""",
    )
    random_state: object = setting(
        None,
        ["random_state"],
        "int, RandomState instance or None",
        """Seed of start values, order of rows, dropout and validation rows. The same int gives the
        same result, bit for bit, at the same number of threads.""",
    )
    verbose: int = setting(
        0,
        ["verbose"],
        "int",
        "1 prints a line per epoch. 2 also shows a progress bar, if tqdm is installed.",
    )
    callbacks: list | tuple | None = setting(
        None,
        [list, tuple, None],
        "list of callables or None",
        """Each is called with the record of ``history_`` of each epoch. If one returns True,
        training ends.""",
    )
    precision: str = setting(
        "auto",
        [StrOptions({"auto", "float32", "float64", "bfloat16"})],
        '{"auto", "float32", "float64", "bfloat16"}',
        """"auto" is float32 if it holds the values of X exactly, as it does 0 and 1, and else
        float64. "bfloat16" is {bfloat16}.""",
    )
    device: str = setting(
        "auto",
        [str],
        "str",
        """"cpu", "cuda", ...; "auto" is "cuda" if there is one. A model fitted on a device
        predicts on the CPU if that device is missing.""",
    )
