"""Take an estimator or Pipeline apart: its model, rows, column names and fields.

A *field* is a group of columns that encode one input variable. An example is the one-hot columns
of one categorical variable.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._attributes import model_of, parameters_of
from .._data.checks import check_rows
from ._levels import Level, bare_name
from ._trace import columns_of

# With this many fields, one matrix of fields by fields takes 32 MB.
MAX_FIELDS = 2000


@dataclass
class Fields:
    """Names of the fields, and the field that each column belongs to."""

    names: np.ndarray  # (n_fields,) of str
    of_column: np.ndarray  # (n_columns,) positions in names

    def __len__(self) -> int:
        return len(self.names)


def take_apart(estimator):
    """Return the transforming steps of a Pipeline (None if there are none) and the fitted model."""
    encoder, model = None, _unwrapped(estimator)
    if isinstance(model, Pipeline):
        # Samplers, such as imbalanced-learn's, change the training rows but not the prediction.
        steps = [step for step in model.steps[:-1] if _has_part_in_prediction(step[1])]
        encoder = Pipeline(steps) if steps else None
        model = _unwrapped(model.steps[-1][1])
    if not hasattr(model, "_make_model"):
        raise TypeError(
            "estimator must be a fitted FM or AFM estimator, a Pipeline whose last step is one, "
            "a fitted search (refit=True) over one of these, or one of these in a "
            f"FrozenEstimator; got {type(model).__name__}."
        )
    check_is_fitted(model)
    if model_of(model).pair_terms is None:
        raise TypeError(
            f"The predictions of {type(model).__name__} are no sums over pairs. They cannot be "
            "explained pair by pair."
        )
    return encoder, model


def _unwrapped(estimator):
    """Return the best estimator of a fitted search, the one in a FrozenEstimator, or itself."""
    if hasattr(estimator, "best_estimator_"):
        return _unwrapped(estimator.best_estimator_)
    return _unwrapped(estimator.estimator) if isinstance(estimator, FrozenEstimator) else estimator


def _has_part_in_prediction(step) -> bool:
    return step is None or isinstance(step, str) or hasattr(step, "transform")


def encoded_rows(encoder, model, X):
    """Return X as the model receives it, as a canonical CSR matrix."""
    X = X if encoder is None else encoder.transform(X)
    arrays = parameters_of(model)
    return check_rows(model, X, [arrays[name] for name in model_of(model).per_column])


def column_names(encoder, model) -> np.ndarray:
    """Return what a reader calls the model's columns: "colour = red", else x0, x1, ..."""
    return columns_of(encoder, model).labels


def find_fields(encoder, model, fields) -> Fields:
    """Return the fields that the parameter `fields` describes; see `pair_importance`."""
    n_columns = model.n_features_in_
    if fields is None:
        found = Fields(_told_apart(column_names(encoder, model)), np.arange(n_columns))
    elif isinstance(fields, str) and fields == "auto":
        found = _by_name(columns_of(encoder, model).fields)
    elif isinstance(fields, str):
        raise ValueError(f'fields={fields!r} must be "auto", None, a list or a dict.')
    elif isinstance(fields, Mapping):
        found = _by_columns(fields, n_columns)
    elif len(fields) and all(_is_group(group) for group in fields):
        groups = {f"field {number}": group for number, group in enumerate(fields)}
        found = _by_columns(groups, n_columns)
    elif len(fields) == n_columns:
        found = _by_name(fields)
    else:
        raise ValueError(
            f"fields has {len(fields)} names, but the model has {n_columns} columns. Give one name "
            "per column of the encoded X, or a list or dict of column slices."
        )
    if len(found) > MAX_FIELDS:
        raise ValueError(
            f"There are {len(found)} fields, which makes {len(found) ** 2:,} pairs; at most "
            f"{MAX_FIELDS} fields are allowed. If the model is a step of a Pipeline, give the "
            "Pipeline: its fields are the columns of the frame. Else group columns into fewer "
            "fields: set fields to one name per column, or to a dict of column slices. Or list "
            "single pairs with interaction_scores."
        )
    return found


def find_levels(encoder, model, fields: Fields) -> list[Level]:
    """Return what each column stands for within its field.

    If an encoder does not say so, or a field has columns that come from several, their names do.
    """
    columns = columns_of(encoder, model)
    n_sources = [
        len(set(columns.fields[fields.of_column == field])) for field in range(len(fields))
    ]
    return [
        Level(bare_name(str(label), fields.names[field]))
        if level is None or n_sources[field] > 1
        else level
        for label, field, level in zip(columns.labels, fields.of_column, columns.levels)
    ]


def _told_apart(names) -> np.ndarray:
    """Return the names, each with its position if another column has the same name."""
    count = Counter(names)
    told = [f"{name} ({at})" if count[name] > 1 else str(name) for at, name in enumerate(names)]
    return np.array(told, dtype=object)


def _is_group(group):
    return isinstance(group, slice) or (np.ndim(group) == 1 and not isinstance(group, str))


def _by_name(names) -> Fields:
    """Make one field of all columns that have the same name."""
    names = [str(name) for name in names]
    number = {name: position for position, name in enumerate(dict.fromkeys(names))}
    return Fields(np.array(list(number), dtype=object), np.array([number[name] for name in names]))


def _by_columns(groups: Mapping, n_columns: int) -> Fields:
    """Make one field of each group of columns. Each column must be in exactly one group."""
    of_column = np.full(n_columns, -1)
    for number, (name, columns) in enumerate(groups.items()):
        try:
            columns = np.arange(n_columns)[columns]
        except IndexError as error:
            raise ValueError(
                f"Field {name!r}: {error}. The model has {n_columns} columns."
            ) from error
        if (of_column[columns] >= 0).any():
            raise ValueError(f"Field {name!r} has columns that also belong to another field.")
        of_column[columns] = number
    if (of_column < 0).any():
        missing = np.flatnonzero(of_column < 0)
        raise ValueError(
            f"{len(missing)} columns belong to no field; the first is column {missing[0]}. "
            f"Each of the model's {n_columns} columns must belong to a field."
        )
    return Fields(np.array([str(name) for name in groups], dtype=object), of_column)
