"""Data sets of the AFM paper, similar ones, a small one to start with, and generated ones."""

from ._flights import load_flights
from ._frappe import fetch_frappe
from ._interactions import make_interactions
from ._movielens_100k import fetch_movielens_100k
from ._movielens_tags import fetch_movielens_tags
from ._negatives import sample_negatives

__all__ = [
    "fetch_frappe",
    "fetch_movielens_100k",
    "fetch_movielens_tags",
    "load_flights",
    "make_interactions",
    "sample_negatives",
]
