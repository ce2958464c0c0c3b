"""Rows of the experiments: for training, for early stopping, and for measuring."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split

from ..datasets import fetch_frappe, fetch_movielens_100k, fetch_movielens_tags


@dataclass
class Rows:
    """One-hot rows in three parts, and the fields and names of their columns."""

    X_train: sparse.csr_array
    y_train: np.ndarray
    X_val: sparse.csr_array  # for early stopping
    y_val: np.ndarray
    X_test: sparse.csr_array  # for the measures
    y_test: np.ndarray
    fields: dict[str, slice]
    feature_names: np.ndarray


def frappe(data_home, part: str) -> Rows:
    """Load the paper's Frappe rows, targets 1 and -1. The measures are taken on `part`."""
    return _in_parts(fetch_frappe, data_home, part)


def movielens_tags(data_home, part: str) -> Rows:
    """Load tags of films by the paper's protocol, targets 1 and -1."""
    return _in_parts(fetch_movielens_tags, data_home, part)


def _in_parts(fetch, data_home, part: str) -> Rows:
    names = ("train", "validation", part)
    train, validation, test = (fetch(data_home=data_home, subset=name) for name in names)
    return Rows(
        train.data,
        train.target,
        validation.data,
        validation.target,
        test.data,
        test.target,
        train.fields,
        train.feature_names,
    )


def movielens_100k(data_home, seed: int) -> Rows:
    """Load MovieLens 100K: target 1 for a rating of 4 or 5; split 80%, 10%, 10% at random."""
    ratings = fetch_movielens_100k(data_home=data_home)
    liked = np.where(ratings.target >= 4, 1, -1)
    X_train, X_rest, y_train, y_rest = train_test_split(
        ratings.data, liked, test_size=0.2, random_state=seed
    )
    halves = train_test_split(X_rest, y_rest, test_size=0.5, random_state=seed)
    X_val, X_test, y_val, y_test = halves
    names = ratings.fields, ratings.feature_names
    return Rows(X_train, y_train, X_val, y_val, X_test, y_test, *names)
