"""Where models that were stored by version 0.1.0.dev0 look for `Progress`."""

from ._fit.progress import Progress

__all__ = ["Progress"]
