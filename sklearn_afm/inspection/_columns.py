"""Opens an estimator or Pipeline: the model, its rows, names of its columns, their fields.

A *field* is a group of columns, such as the levels of one categorical column.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder
from sklearn.utils.validation import check_is_fitted

from .. import _input

# A matrix over pairs of so many fields takes 32 MB.
MAX_FIELDS = 2000


@dataclass
class Fields:
    """Names of the fields, and the field of each column."""

    names: np.ndarray  # (n_fields,) of str
    of_column: np.ndarray  # (n_columns,) positions in names

    def __len__(self) -> int:
        return len(self.names)


def take_apart(estimator):
    """The transforming part of a Pipeline (None without one), and the fitted model."""
    encoder, model = None, estimator
    if isinstance(estimator, Pipeline):
        encoder = estimator[:-1] if len(estimator) > 1 else None
        model = estimator[-1]
    if not hasattr(model, "embedding_dim"):
        raise TypeError(
            "What is explained is a fitted FM or AFM estimator, or a Pipeline whose last step is "
            f"one (of a search, best_estimator_); got {type(model).__name__}."
        )
    check_is_fitted(model)
    return encoder, model


def encoded_rows(encoder, model, X):
    """X as the model sees it, as canonical CSR."""
    return _input.check_rows(model, X if encoder is None else encoder.transform(X))


def column_names(encoder, model) -> np.ndarray:
    """Names of the model's columns: its own, else the encoder's, else x0, x1, ..."""
    if hasattr(model, "feature_names_in_"):
        return np.asarray(model.feature_names_in_, dtype=object)
    try:
        return np.asarray(encoder.get_feature_names_out(), dtype=object)
    except AttributeError:  # no encoder, or a step of it that gives no names
        return _numbered_names(model.n_features_in_)


def find_fields(encoder, model, fields) -> Fields:
    """The fields that a caller's `fields` means: see `pair_importance`."""
    n_columns = model.n_features_in_
    if fields is None or (isinstance(fields, str) and fields == "auto"):
        names = column_names(encoder, model)
        if fields is not None and encoder is not None:
            names = _encoder_fields(encoder, names)
        found = _by_name(names)
    elif isinstance(fields, str):
        raise ValueError(f'fields={fields!r} is no choice: give "auto", None, a list or a dict.')
    elif isinstance(fields, Mapping):
        found = _by_columns(fields, n_columns)
    elif len(fields) and all(_is_group(group) for group in fields):
        groups = {f"field {number}": group for number, group in enumerate(fields)}
        found = _by_columns(groups, n_columns)
    elif len(fields) == n_columns:
        found = _by_name(fields)
    else:
        raise ValueError(
            f"fields names {len(fields)} columns, but the model has {n_columns}: give one name a "
            "column (of the encoded X), or a list or dict of column slices."
        )
    if len(found) > MAX_FIELDS:
        raise ValueError(
            f"There are {len(found)} fields, which makes {len(found) ** 2:,} pairs; at most "
            f"{MAX_FIELDS} fields are taken. Give fields= as one name a column, or as a dict of "
            "column slices; or list single pairs with interaction_scores."
        )
    return found


def _numbered_names(n_columns):
    return np.array([f"x{number}" for number in range(n_columns)], dtype=object)


def _is_group(group):
    return isinstance(group, slice) or (np.ndim(group) == 1 and not isinstance(group, str))


def _by_name(names) -> Fields:
    """Columns of the same name are one field."""
    names = [str(name) for name in names]
    number = {name: position for position, name in enumerate(dict.fromkeys(names))}
    return Fields(np.array(list(number), dtype=object), np.array([number[name] for name in names]))


def _by_columns(groups: Mapping, n_columns: int) -> Fields:
    """Each group of columns is a field; each column belongs to one."""
    of_column = np.full(n_columns, -1)
    for number, (name, columns) in enumerate(groups.items()):
        try:
            columns = np.arange(n_columns)[columns]
        except IndexError as error:
            raise ValueError(
                f"Field {name!r}: {error}; the model has {n_columns} columns."
            ) from error
        if (of_column[columns] >= 0).any():
            raise ValueError(f"Field {name!r} has columns that another field has too.")
        of_column[columns] = number
    if (of_column < 0).any():
        missing = np.flatnonzero(of_column < 0)
        raise ValueError(
            f"{len(missing)} columns belong to no field, the first is column {missing[0]}; "
            f"each of the model's {n_columns} columns needs one."
        )
    return Fields(np.array([str(name) for name in groups], dtype=object), of_column)


# Fields from what an encoder has learnt


def _encoder_fields(encoder, own_names):
    """Name of the input column that each encoded one comes from; else its own name."""
    names = getattr(encoder, "feature_names_in_", None)
    try:
        if names is None:
            names = _numbered_names(encoder.n_features_in_)
        names = np.asarray(names, dtype=object)
        return _through(encoder, names, names)[1]
    except AttributeError:  # a step gives no names of its outputs
        return own_names


def _through(transformer, names, fields):
    """Names and fields of a fitted transformer's outputs, from those of its inputs."""
    if isinstance(transformer, Pipeline):
        for _, step in transformer.steps:
            names, fields = _through(step, names, fields)
        return names, fields
    if transformer is None or isinstance(transformer, str):  # "passthrough"
        return names, fields
    new_names = transformer.get_feature_names_out(names)
    if isinstance(transformer, OneHotEncoder):
        return new_names, np.repeat(fields, _one_hot_widths(transformer))
    if isinstance(transformer, KBinsDiscretizer) and transformer.encode != "ordinal":
        return new_names, np.repeat(fields, transformer.n_bins_.astype(int))
    if isinstance(transformer, ColumnTransformer):
        new_fields = np.empty(len(new_names), dtype=object)
        for name, part, columns in transformer.transformers_:
            outputs = transformer.output_indices_[name]
            if outputs.stop > outputs.start:
                inputs = _positions(columns, names)
                new_fields[outputs] = _through(part, names[inputs], fields[inputs])[1]
        return new_names, new_fields
    # A column that keeps its name (scaled, imputed, selected) keeps its field.
    field_of = dict(zip(names, fields))
    return new_names, np.array([field_of.get(name, name) for name in new_names], dtype=object)


def _one_hot_widths(encoder: OneHotEncoder) -> list[int]:
    """Number of columns that each input column has become."""
    n_inputs = len(encoder.categories_)
    infrequent = getattr(encoder, "infrequent_categories_", [None] * n_inputs)
    dropped = [None] * n_inputs if encoder.drop_idx_ is None else encoder.drop_idx_
    return [
        len(levels) - (0 if rare is None else len(rare) - 1) - (drop is not None)
        for levels, rare, drop in zip(encoder.categories_, infrequent, dropped)
    ]


def _positions(columns, names) -> np.ndarray:
    """Positions of a ColumnTransformer's columns: names, numbers, a slice or a mask."""
    position_of = {name: position for position, name in enumerate(names)}
    if isinstance(columns, slice):
        ends = [position_of.get(end, end) for end in (columns.start, columns.stop)]
        if isinstance(columns.stop, str):  # a slice of names holds its end
            ends[1] += 1
        return np.arange(len(names))[slice(*ends, columns.step)]
    columns = np.atleast_1d(np.asarray(columns if np.isscalar(columns) else list(columns)))
    if columns.dtype.kind in "iub":
        return np.arange(len(names))[columns]
    return np.array([position_of[name] for name in columns])
