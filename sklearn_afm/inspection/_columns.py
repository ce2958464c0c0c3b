"""Take an estimator or Pipeline apart: its model, rows, column names and fields.

A *field* is a group of columns that encode one input variable. An example is the one-hot columns
of one categorical variable.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from .._attributes import model_of, parameters_of
from .._data.checks import check_rows
from .._fields.encoder import FieldEncoder
from ._levels import (
    Level,
    bare_name,
    levels_of_bins,
    levels_of_categories,
    levels_of_fields,
    levels_of_scaled,
)

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
    if not hasattr(model, "embedding_dim"):
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
    """Return the names of the model's columns: its own, else the encoder's, else x0, x1, ..."""
    if hasattr(model, "feature_names_in_"):
        return np.asarray(model.feature_names_in_, dtype=object)
    try:
        return np.asarray(encoder.get_feature_names_out(), dtype=object)
    except AttributeError:  # no encoder, or one of its steps gives no names
        own_names = _numbered_names(model.n_features_in_)
        return own_names if encoder is None else _trace(encoder, own_names)[0]


def find_fields(encoder, model, fields) -> Fields:
    """Return the fields that the parameter `fields` describes; see `pair_importance`."""
    n_columns = model.n_features_in_
    if fields is None or (isinstance(fields, str) and fields == "auto"):
        names = column_names(encoder, model)
        if fields is not None and encoder is not None:
            names = _trace(encoder, names)[1]
        found = _by_name(names)
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
            f"{MAX_FIELDS} fields are allowed. Group columns into fewer fields: set fields to one "
            "name per column, or to a dict of column slices. Or list single pairs with "
            "interaction_scores."
        )
    return found


def find_levels(encoder, model, fields: Fields) -> list[Level]:
    """Return what each column stands for within its field.

    If an encoder does not say so, or a field has columns that come from several, their names do.
    """
    names = column_names(encoder, model)
    _, sources, levels = (None, names, [None] * len(names))
    if encoder is not None:
        _, sources, levels = _trace(encoder, names)
    n_sources = [len(set(sources[fields.of_column == field])) for field in range(len(fields))]
    return [
        Level(bare_name(str(name), fields.names[field]))
        if level is None or n_sources[field] > 1
        else level
        for name, field, level in zip(names, fields.of_column, levels)
    ]


def _numbered_names(n_columns):
    return np.array([f"x{number}" for number in range(n_columns)], dtype=object)


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


# Fields of a fitted encoder


def _trace(encoder, own_names):
    """Return each encoded column's name, the input column that it comes from, and its level.

    If these are unknown, `own_names` is returned for the first two, and None as each level.
    """
    try:
        found = _through(encoder, None, None, None)
    except AttributeError:  # an encoder without names of its inputs or outputs
        found = (None, None, None)
    return (own_names, own_names, _no_levels(own_names)) if found[0] is None else found


def _through(transformer, names, fields, levels):
    """Return names, fields and levels of a fitted transformer's output columns.

    `names`, `fields` and `levels` are those of its input columns. None means that the names are
    unknown, for example after a FunctionTransformer that gives no names. A level may be None.
    """
    if isinstance(transformer, Pipeline):
        for _, step in transformer.steps:
            names, fields, levels = _through(step, names, fields, levels)
        return names, fields, levels
    if transformer is None or isinstance(transformer, str):  # "passthrough"
        return names, fields, levels
    if names is None:
        names = fields = _input_names(transformer)
        levels = _no_levels(names)
    if isinstance(transformer, ColumnTransformer):
        return _through_columns(transformer, names, fields, levels)
    if not hasattr(transformer, "get_feature_names_out"):
        return None, None, None
    new_names = transformer.get_feature_names_out(names)
    if isinstance(transformer, OneHotEncoder):
        widths = _one_hot_widths(transformer)
        new_levels = levels_of_categories(np.repeat(names, widths), new_names)
        return new_names, np.repeat(fields, widths), new_levels
    if isinstance(transformer, FieldEncoder):
        widths = [field.stop - field.start for field in transformer.fields_]
        sources = [field.name for field in transformer.fields_]
        return new_names, np.repeat(sources, widths), levels_of_fields(transformer)
    if isinstance(transformer, KBinsDiscretizer) and transformer.encode != "ordinal":
        widths = transformer.n_bins_.astype(int)
        return new_names, np.repeat(fields, widths), levels_of_bins(transformer)
    if isinstance(transformer, StandardScaler):
        unknown = np.array([level is None for level in levels])
        levels = np.where(unknown, levels_of_scaled(transformer, fields), levels)
    # A column that keeps its name (after scaling, imputing or selecting) keeps its field.
    field_of, level_of = dict(zip(names, fields)), dict(zip(names, levels))
    new_fields = np.array([field_of.get(name, name) for name in new_names], dtype=object)
    new_levels = np.array([level_of.get(name) for name in new_names], dtype=object)
    return new_names, new_fields, new_levels


def _no_levels(names) -> np.ndarray:
    return np.full(len(names), None, dtype=object)


def _input_names(transformer) -> np.ndarray:
    """Return the column names that a transformer was fitted with; x0, x1, ... if it had none."""
    names = getattr(transformer, "feature_names_in_", None)
    if names is None:
        names = _numbered_names(transformer.n_features_in_)
    return np.asarray(names, dtype=object)


def _through_columns(transformer: ColumnTransformer, names, fields, levels):
    n_outputs = max(part.stop for part in transformer.output_indices_.values())
    new_names, new_fields, new_levels = np.full((3, n_outputs), None, dtype=object)
    for name, part, columns in transformer.transformers_:
        outputs = transformer.output_indices_[name]
        if outputs.stop == outputs.start:
            continue
        inputs = _positions(columns, names)
        found = _through(part, names[inputs], fields[inputs], levels[inputs])
        if found[0] is None:
            unnamed = [f"{name}_{number}" for number in range(outputs.stop - outputs.start)]
            found = unnamed, unnamed, None
        new_names[outputs], new_fields[outputs], new_levels[outputs] = found
    with suppress(AttributeError):  # a part gives no names
        # Unlike the parts, the ColumnTransformer adds their names as prefixes if it is set to.
        new_names = np.asarray(transformer.get_feature_names_out(names), dtype=object)
    return new_names, new_fields, new_levels


def _one_hot_widths(encoder: OneHotEncoder) -> list[int]:
    """Return the number of output columns that the encoder makes of each input column."""
    n_inputs = len(encoder.categories_)
    infrequent = getattr(encoder, "infrequent_categories_", [None] * n_inputs)
    dropped = [None] * n_inputs if encoder.drop_idx_ is None else encoder.drop_idx_
    return [
        len(levels) - (0 if rare is None else len(rare) - 1) - (drop is not None)
        for levels, rare, drop in zip(encoder.categories_, infrequent, dropped)
    ]


def _positions(columns, names) -> np.ndarray:
    """Return the positions of `columns`, given as names, numbers, a slice or a mask."""
    position_of = {name: position for position, name in enumerate(names)}
    if isinstance(columns, slice):
        ends = [position_of.get(end, end) for end in (columns.start, columns.stop)]
        if isinstance(columns.stop, str):  # a slice of names includes its end
            ends[1] += 1
        return np.arange(len(names))[slice(*ends, columns.step)]
    columns = np.atleast_1d(np.asarray(columns if np.isscalar(columns) else list(columns)))
    if columns.dtype.kind in "iub":
        return np.arange(len(names))[columns]
    return np.array([position_of[name] for name in columns])
