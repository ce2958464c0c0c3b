"""Where models that were stored by version 0.1.0.dev0 look for `Scaling`."""

from ._data.units import Scaling

__all__ = ["Scaling"]
