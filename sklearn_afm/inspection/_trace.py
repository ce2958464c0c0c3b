"""Trace encoded columns back to the columns of the table: their fields, and what to call them."""

import warnings
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    StandardScaler,
)

from .._fields.encoder import FieldEncoder
from .._fields.levels import MISSING, RARE
from ._levels import (
    Level,
    levels_of_bins,
    levels_of_categories,
    levels_of_fields,
    levels_of_scaled,
)


@dataclass
class Columns:
    """Encoded columns, and what is known about each."""

    names: np.ndarray  # (n_columns,) as scikit-learn calls them
    fields: np.ndarray  # (n_columns,) name of the input column that it comes from
    labels: np.ndarray  # (n_columns,) as a reader calls them: "colour = red", "age 17 to 25"
    as_given: np.ndarray  # (n_columns,) bool: it holds the values of the input column
    levels: np.ndarray  # (n_columns,) Level in its field, None if it is not known

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, places) -> "Columns":
        return Columns(*(values[places] for values in vars(self).values()))


@dataclass
class Unknown:
    """Columns after a step that does not name them."""

    reason: str | None = None  # None: the columns of the table, before any step
    before: Columns | None = None  # the columns that this step got, if they are known


@dataclass(frozen=True)
class _Place:
    """Names of the steps that lead to a transformer."""

    steps: tuple[str, ...] = ()
    part: str | None = None  # of the innermost ColumnTransformer

    def step(self, name: str) -> "_Place":
        return _Place((*self.steps, name), self.part)

    def part_of(self, name: str) -> "_Place":
        return _Place((*self.steps, name), name)

    def __str__(self):
        return f" (step {' > '.join(self.steps)})" if self.steps else ""


def columns_of(encoder, model) -> Columns:
    """What is known about the model's columns. Warn if a step has lost their names.

    Parameters
    ----------
    encoder : Pipeline or None
        What transforms rows for the model.
    model : estimator
        It is fitted.
    """
    lost: list[str] = []
    found: Columns | Unknown = Unknown()
    if encoder is not None:
        found = _through(encoder, found, _Place(), lost)
    columns = _inputs_of(model, found, _Place(), lost)
    if lost:
        warnings.warn(
            "Names of columns are lost, and explanations use numbers instead. "
            + " ".join(dict.fromkeys(lost))
            + " Or set fields, in the functions that have it: one name for each of the "
            f"{len(columns)} encoded columns.",
            UserWarning,
            stacklevel=4,
        )
    return columns


def _through(transformer, columns, place: _Place, lost: list[str]) -> Columns | Unknown:
    """The output columns of a fitted transformer that gets these columns."""
    if isinstance(transformer, FrozenEstimator):
        transformer = transformer.estimator
    if transformer is None or isinstance(transformer, str):  # "passthrough"
        return columns
    if isinstance(transformer, Pipeline):
        for name, step in transformer.steps:
            columns = _through(step, columns, place.step(name), lost)
        return columns
    if isinstance(transformer, FunctionTransformer) and transformer.func is None:
        return columns
    got = columns
    if isinstance(columns, Columns) or hasattr(transformer, "n_features_in_"):
        got = _inputs_of(transformer, columns, place, lost)
    if isinstance(transformer, ColumnTransformer):
        return _through_columns(transformer, got, place, lost)
    if isinstance(transformer, FeatureUnion):
        return _through_union(transformer, got, place, lost)
    names, reason = _names_out(transformer, got, place)
    if names is None:
        known = got if isinstance(got, Columns) else columns.before
        return Unknown(columns.reason if _is_lost(columns) else reason, known)
    if isinstance(got, Unknown):  # a transformer that names its outputs, but not its inputs
        return _named(names)
    return _outputs(transformer, got, names)


def _is_lost(columns) -> bool:
    return isinstance(columns, Unknown) and columns.reason is not None


def _names_out(transformer, columns, place) -> tuple[np.ndarray | None, str]:
    """Names of a transformer's outputs, or None and why there are none."""
    kind = f"{type(transformer).__name__}{place}"
    if not hasattr(transformer, "get_feature_names_out"):
        if isinstance(transformer, FunctionTransformer):
            return None, (
                f"{kind} gives no names: if its function keeps the columns, set "
                'feature_names_out="one-to-one" and fit again.'
            )
        return None, (
            f"{kind} gives no names: give its class a method get_feature_names_out (if it keeps "
            "the columns, sklearn.base.OneToOneFeatureMixin does) and fit again."
        )
    try:
        names = transformer.get_feature_names_out(
            columns.names if isinstance(columns, Columns) else None
        )
    except Exception as error:  # the method is anybody's
        return None, f"get_feature_names_out of {kind} fails: {error!r:.200}."
    return np.asarray(names, dtype=object), ""


def _outputs(transformer, columns: Columns, names: np.ndarray) -> Columns:
    """The output columns of a transformer with these names, from its input columns."""
    if isinstance(transformer, FieldEncoder):
        widths = [field.stop - field.start for field in transformer.fields_]
        fields = np.repeat([field.name for field in transformer.fields_], widths).astype(object)
        return _of_levels(names, fields, fields, levels_of_fields(transformer))
    if isinstance(transformer, OneHotEncoder):
        return _one_hot(transformer, columns, names)
    if isinstance(transformer, KBinsDiscretizer) and transformer.encode != "ordinal":
        return _bins(transformer, columns, names)
    if hasattr(transformer, "get_support"):
        return replace(columns[transformer.get_support(indices=True)], names=names)
    # A column that keeps its name (after scaling or imputing) keeps its field.
    place = {name: at for at, name in enumerate(columns.names)}
    kept = np.array([place.get(name, -1) for name in names], dtype=np.int64)
    only = _only_field(columns)  # then all outputs come from this field
    found = _named(names) if only is None else _numbered_in(only, names)
    found.fields[kept >= 0] = columns.fields[kept[kept >= 0]]
    found.labels[kept >= 0] = columns.labels[kept[kept >= 0]]
    found.levels[kept >= 0] = columns.levels[kept[kept >= 0]]
    if isinstance(transformer, StandardScaler):
        units = levels_of_scaled(transformer, columns.fields)
        found.levels[columns.as_given] = units[columns.as_given]
    if isinstance(transformer, SimpleImputer):
        found.as_given[kept >= 0] = columns.as_given[kept[kept >= 0]]
    return found


def _one_hot(encoder: OneHotEncoder, columns: Columns, names) -> Columns:
    source = np.repeat(np.arange(len(columns)), _one_hot_widths(encoder))
    levels = levels_of_categories(columns.names[source], names)
    found = _of_levels(names, columns.fields[source], columns.labels[source], levels)
    # Else the level cannot be read from the name.
    return found if encoder.feature_name_combiner == "concat" else replace(found, labels=names)


def _bins(discretizer: KBinsDiscretizer, columns: Columns, names) -> Columns:
    source = np.repeat(np.arange(len(columns)), discretizer.n_bins_.astype(int))
    levels = levels_of_bins(discretizer)
    for at in np.flatnonzero(~columns.as_given[source]):
        # Its edges are in another unit than the table's.
        number = int(levels[at].place)
        levels[at] = Level(f"bin {number + 1} of {(source == source[at]).sum()}", number)
    return _of_levels(names, columns.fields[source], columns.labels[source], levels, " ")


def _of_levels(names, fields, inputs, levels, between: str = " = ") -> Columns:
    """Columns that are a level of an input each: "colour = red", "age 17 to 25", "age missing"."""
    labels = names.copy()
    for at, (name, level) in enumerate(zip(inputs, levels)):
        if level.unit is not None:  # a number
            labels[at] = name
        else:
            is_word = level.name in (MISSING, RARE) or level.name.startswith("near ")
            is_bin = level.ends is not None and level.ends[0] < level.ends[1]
            labels[at] = f"{name}{' ' if is_word or is_bin else between}{level.name}"
    return Columns(names, fields, labels, np.zeros(len(names), dtype=bool), levels)


def _one_hot_widths(encoder: OneHotEncoder) -> list[int]:
    """Return the number of output columns that the encoder makes of each input column."""
    n_inputs = len(encoder.categories_)
    infrequent = getattr(encoder, "infrequent_categories_", [None] * n_inputs)
    dropped = [None] * n_inputs if encoder.drop_idx_ is None else encoder.drop_idx_
    return [
        len(levels) - (0 if rare is None else len(rare) - 1) - (drop is not None)
        for levels, rare, drop in zip(encoder.categories_, infrequent, dropped)
    ]


# What a transformer gets


def _inputs_of(estimator, columns, place: _Place, lost: list[str]) -> Columns:
    """The input columns of a fitted transformer or model: by its own names if it has them."""
    own = getattr(estimator, "feature_names_in_", None)
    own = None if own is None else np.asarray(own, dtype=object)
    n_columns = getattr(estimator, "n_features_in_", len(own) if own is not None else None)
    if isinstance(columns, Columns):
        if n_columns is None or n_columns == len(columns):
            return columns if own is None else replace(columns, names=own)
        columns = Unknown(
            f"A step before {type(estimator).__name__}{place} names {len(columns)} columns, but "
            f"makes {n_columns}."
        )
    if own is not None:
        found = _named(own)
        found.as_given[:] = columns.reason is None
        if columns.before is not None:  # columns that kept their names
            place_of = {name: at for at, name in enumerate(columns.before.names)}
            for at, name in enumerate(own):
                if name in place_of:
                    found.fields[at] = columns.before.fields[place_of[name]]
                    found.labels[at] = columns.before.labels[place_of[name]]
                    found.levels[at] = columns.before.levels[place_of[name]]
        return found
    only = None if columns.before is None else _only_field(columns.before)
    if only is not None:
        return _numbered_in(only, _numbered(only, n_columns))
    if columns.reason is not None:
        lost.append(columns.reason)
    found = _named(_numbered(place.part, n_columns))
    found.as_given[:] = columns.reason is None
    return found


def _numbered(name: str | None, n_columns: int) -> np.ndarray:
    """x0, x1, ... or NAME_0, NAME_1, ..."""
    start = "x" if name is None else f"{name}_"
    return np.array([f"{start}{number}" for number in range(n_columns)], dtype=object)


def _named(names: np.ndarray) -> Columns:
    """Columns that are a field each."""
    return _without_levels(names, names.copy(), names.copy())


def _without_levels(names, fields, labels) -> Columns:
    none = np.zeros(len(names), dtype=bool)
    return Columns(names, fields, labels, none, np.full(len(names), None, dtype=object))


def _only_field(columns: Columns) -> str | None:
    """The field that all columns belong to, if they belong to one."""
    fields = set(columns.fields)
    return fields.pop() if len(fields) == 1 else None


def _numbered_in(field: str, names: np.ndarray) -> Columns:
    """Columns of one field: "title" if there is one, else "title = NAME"."""
    labels = [name if str(name).startswith(field) else f"{field} = {name}" for name in names]
    labels = [field] if len(names) == 1 else labels
    fields = np.full(len(names), field, dtype=object)
    return _without_levels(names, fields, np.array(labels, dtype=object))


# Transformers side by side


def _through_columns(transformer: ColumnTransformer, columns: Columns, place, lost) -> Columns:
    parts = []
    for name, part, chosen in transformer.transformers_:
        outputs = transformer.output_indices_[name]
        width = outputs.stop - outputs.start
        if width:
            got = columns[_positions(chosen, columns.names)]
            found = _through(part, got, place.part_of(name), lost)
            parts.append((name, outputs, _of_width(found, width, name, lost)))
    parts.sort(key=lambda part: part[1].start)
    joined = _side_by_side([(name, found) for name, _, found in parts], columns)
    return _renamed(transformer, columns, joined)


def _through_union(transformer: FeatureUnion, columns: Columns, place, lost) -> Columns | Unknown:
    parts = []
    for name, part in transformer.transformer_list:
        if part != "drop":
            found = _through(part, columns, place.part_of(name), lost)
            if isinstance(found, Unknown):  # then its width is unknown, and where the others begin
                return found
            parts.append((name, found))
    return _renamed(transformer, columns, _side_by_side(parts, columns))


def _of_width(found: Columns | Unknown, width: int, name: str, lost: list[str]) -> Columns:
    """The output columns of a part; numbered in its name if they are unknown."""
    if isinstance(found, Columns) and len(found) == width:
        return found
    if isinstance(found, Columns):
        found = Unknown(f"Step {name} names {len(found)} columns, but makes {width}.")
    only = None if found.before is None else _only_field(found.before)
    if only is not None:
        return _numbered_in(only, _numbered(only, width))
    lost.append(found.reason)
    return _named(_numbered(name, width))


def _side_by_side(parts: list[tuple[str, Columns]], inputs: Columns) -> Columns:
    """The columns of all parts. A name that parts made up gets the part's name if another has it.

    Two parts with a PCA both make "pca0", which are different fields.
    """
    known = set(inputs.fields)
    count = Counter(field for _, found in parts for field in set(found.fields) - known)
    for name, found in parts:
        for at, field in enumerate(found.fields):
            if count[field] > 1:
                found.fields[at] = f"{name} {field}"
                found.labels[at] = f"{name} {found.labels[at]}"
    arrays = zip(*(vars(found).values() for _, found in parts))
    return Columns(*(np.concatenate(values) for values in arrays))


def _renamed(transformer, inputs: Columns, outputs: Columns) -> Columns:
    """The columns under the names that the transformer gives them: it may add prefixes."""
    names, _ = _names_out(transformer, inputs, "")
    if names is None or len(names) != len(outputs):  # a part gives no names
        return outputs
    return replace(outputs, names=names)


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
