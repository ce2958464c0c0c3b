"""Make a constructor, constraints and documentation of parameters that each stand once.

A class declares them as annotated class attributes, as a dataclass does. From these come the
constructor, scikit-learn's constraints and the sections of the docstring.
"""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ._compat import dataclass_transform

# Groups of parameters, in the order in which constructors and docstrings have them.
TUNE, TRAINING, RARELY = "Tune first", "Training", "Rarely changed"
GROUPS = (TUNE, TRAINING, RARELY)


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
    group : str
        One of `GROUPS`.
    """

    default: object
    allowed: list
    kind: str
    doc: str
    place: int | None = None
    group: str = TUNE

    def described(self, name: str) -> str:
        """Its lines of the docstring's section "Parameters"."""
        default = f'"{self.default}"' if isinstance(self.default, str) else repr(self.default)
        default = default.replace("e-0", "e-")
        lines = textwrap.fill(" ".join(self.doc.split()), 92, break_on_hyphens=False)
        return f"{name} : {self.kind}, default={default}\n{textwrap.indent(lines, '    ')}"


def setting(default, allowed, kind, doc, *, place=None, group=TUNE) -> Any:
    """A `Setting`; type checkers take it for a value of the attribute that it is assigned to."""
    return Setting(default, allowed, kind, doc, place, group)


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
            if isinstance(value, Setting) or (name in inherited and not hasattr(value, "__get__"))
        }
        for name in own:
            delattr(cls, name)
        cls._own_settings = own
        cls._parameter_constraints = {n: s.allowed for n, s in settings_of(cls).items()}
        # A subclass with a constructor of its own keeps it.
        if cls.__init__ is object.__init__ or hasattr(cls.__init__, "made_of_settings"):
            cls.__init__ = _constructor(settings_of(cls))


def settings_of(cls) -> dict[str, Setting]:
    """Settings of a class by name: those with a place, then by group, a class's own first."""
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

    def order(item: tuple[str, Setting]) -> tuple[int, int]:
        return item[1].place or len(found), GROUPS.index(item[1].group)

    return dict(sorted(found.items(), key=order))


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
