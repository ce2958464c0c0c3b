"""The best items for each of many contexts."""

from ._recommend import recommend

__all__ = ["recommend"]
