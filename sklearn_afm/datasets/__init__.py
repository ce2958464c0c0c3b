"""Data sets of the AFM paper, similar ones, and generated ones."""

from ._frappe import fetch_frappe
from ._interactions import make_interactions
from ._movielens_100k import fetch_movielens_100k
from ._movielens_tags import fetch_movielens_tags
from ._negatives import sample_negatives

__all__ = [
    "fetch_frappe",
    "fetch_movielens_100k",
    "fetch_movielens_tags",
    "make_interactions",
    "sample_negatives",
]
