"""FieldEncoder: a frame as one-hot rows, a field for each column."""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import Interval, StrOptions, check_feature_names_in, fit_context
from .._documentation import DocumentationLink
from . import checks, dates
from .assembly import assembled
from .checks import PLURAL
from .columns import CATEGORY, DATE, DAY, LIST, NUMBER, Column, of_numbers, split
from .levels import LevelField, ListField
from .numbers import NumberField
from .tables import columns_of


class Field(NamedTuple):
    """A field of the encoded rows: its name, its columns [start, stop), and its kind."""

    name: str
    start: int
    stop: int
    kind: str


class FieldEncoder(DocumentationLink, TransformerMixin, BaseEstimator):
    """Encode a frame as sparse one-hot rows, one field per column.

    Each column of the frame becomes a field: a group of columns of the result, of which a row has
    one entry (a date becomes several fields, a list several entries).

    - *Categories* (text, bool, categorical): one column per level, the most frequent first.
    - *Numbers*: one column per bin. Half of the edges lie at quantiles of the rows, half at
      quantiles of the distinct values. A column of at most `n_bins` distinct values has a column
      for each value, and a new value counts as the nearest. Integers are numbers, however few
      values they have, unless `categorical_features` names them.
    - *Dates*: month, weekday, hour (if not all are midnight) and day, a field each.
    - *Lists* of levels, and text with a delimiter: several entries. A missing entry of a list
      counts for nothing.

    Missing values are a level of their own if training has any. A column without any value in
    training has that level alone: later values have no entry.

    Parameters
    ----------
    categorical_features : array-like of str or int, default=()
        Names or positions of columns of numbers that are categories.
    numbers : {"bins", "linear", "standard"}, default="bins"
        How numbers are encoded. "linear": a row has entries for the two knots beside its number,
        with weights that sum to 1. "standard": one column, (x - mean) / standard deviation.
    n_bins : int, default=64
        Bins, or knots, of a column of numbers at most. Fewer may be better if there are few rows.
    min_frequency : int, default=1
        Levels of fewer training rows share the level "rare".
    handle_unknown : {"ignore", "rare"}, default="ignore"
        "ignore" leaves out levels that training has not seen: the row has no entry in that field.
        "rare" takes them for the level "rare", if the field has one.
    delimiters : dict of str: str or None, default=None
        Delimiter of each column of delimited text, as in ``{"genre": "|"}``.
    shared_weight : bool, default=False
        Whether the n entries of a list have the value 1 / sqrt(n) each, instead of 1.

    Attributes
    ----------
    fields_ : list of Field
        Name, first column, end of columns (``start``, ``stop``) and kind of each field.
    n_features_in_ : int
        Columns of the frame.
    feature_names_in_ : ndarray of shape (n_columns,)
        Their names, if all are text.

    See Also
    --------
    sklearn.preprocessing.OneHotEncoder : For categories alone.
    make_field_pipeline : This encoder and an estimator in a Pipeline.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import FieldEncoder
    >>> frame = pd.DataFrame({"colour": ["red", "blue", "red", None], "size": [1.5, 2.0, 2.0, 7.0]})
    >>> encoder = FieldEncoder().fit(frame)
    >>> encoder.get_feature_names_out().tolist()  # doctest: +NORMALIZE_WHITESPACE
    ['colour = red', 'colour = blue', 'colour missing', 'size = 1.5', 'size = 2', 'size = 7']
    >>> encoder.transform(frame).toarray()[0]
    array([1., 0., 0., 1., 0., 0.], dtype=float32)
    """

    _parameter_constraints: dict = {
        "categorical_features": ["array-like"],
        "numbers": [StrOptions({"bins", "linear", "standard"})],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "handle_unknown": [StrOptions({"ignore", "rare"})],
        "delimiters": [dict, None],
        "shared_weight": ["boolean"],
    }

    def __init__(
        self,
        *,
        categorical_features=(),
        numbers="bins",
        n_bins=64,
        min_frequency=1,
        handle_unknown="ignore",
        delimiters=None,
        shared_weight=False,
    ):
        self.categorical_features = categorical_features
        self.numbers = numbers
        self.n_bins = n_bins
        self.min_frequency = min_frequency
        self.handle_unknown = handle_unknown
        self.delimiters = delimiters
        self.shared_weight = shared_weight

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn levels and edges.

        Parameters
        ----------
        X : pandas or polars DataFrame, or array-like of shape (n_samples, n_columns)
            The frame.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        ValueError
            If a column mixes kinds, such as text and numbers, has infinite numbers or dates outside
            of the years 1 to 9999, or if names are given twice, or `categorical_features` or
            `delimiters` name no column, or one of another kind.
        TypeError
            If X is sparse or masked, or a column holds what is no level, such as dicts.
        """
        return self._fit([X])

    @fit_context(prefer_skip_nested_validation=True)
    def fit_frames(self, frames):
        """Learn levels and edges from frames that come one after the other.

        The result is that of ``fit`` on all their rows, except for numbers of which there are more
        than 524,288: their edges are learnt from a part that is drawn evenly. Levels are counted;
        they must fit into memory.

        Parameters
        ----------
        frames : iterable of frames
            Parts of the rows, as for ``fit``. What a column holds is known by the first that has
            it.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        ValueError
            As in ``fit``; or if there is no frame, or a column has its first value, or its first
            date with an hour, in a later frame than the first.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn_afm import FieldEncoder
        >>> frames = [pd.DataFrame({"colour": [a, b]}) for a, b in ["rb", "rp"]]
        >>> FieldEncoder().fit_frames(frames).get_feature_names_out().tolist()
        ['colour = r', 'colour = b', 'colour = p']
        """
        return self._fit(frames)

    def _fit(self, frames):
        encoders: list = []
        for number, X in enumerate(frames):
            columns = self._columns(X, reset=not number)
            if not number:
                self._learn_kinds(columns)
            else:
                self._check_later(columns, number)
            parts = [
                part
                for position, column in enumerate(columns)
                for part in self._parts(position, self._of_known_kind(position, column))
            ]
            encoders = encoders or [self._field(part) for part in parts]
            for encoder, part in zip(encoders, parts):
                encoder.count(part)
        if not encoders:
            raise ValueError("There are no frames to learn from.")
        self._encoders = [encoder.learn() for encoder in encoders]
        checks.check_field_names([encoder.name for encoder in self._encoders])
        ends = np.cumsum([len(encoder) for encoder in self._encoders])
        self.fields_ = [
            Field(encoder.name, int(end) - len(encoder), int(end), encoder.kind)
            for encoder, end in zip(self._encoders, ends)
        ]
        return self

    def _learn_kinds(self, columns: list[Column]) -> None:
        """Learn what the columns hold."""
        # A column without a value has no kind.
        self._kinds = [None if c.missing.all() else c.kind for c in columns]
        columns = [self._of_known_kind(*numbered) for numbered in enumerate(columns)]
        self._as_categories = checks.categories(
            columns, self.categorical_features, self.delimiters or {}
        )
        checks.warn_of_text_dates(columns, self._as_categories, self.delimiters or {})
        self._hours = [c.kind == DATE and dates.has_hours(c) for c in columns]

    def _check_later(self, columns: list[Column], number: int) -> None:
        """Refuse a column that turns out to be another than the first frame told."""
        for position, column in enumerate(columns):
            what = None
            if self._kinds[position] is None and not column.missing.all():
                what = "a value"
            elif column.kind == DATE and not self._hours[position] and dates.has_hours(column):
                what = "a date with an hour"
            if what is not None:
                raise ValueError(
                    f"Column {column.name!r} has {what} in frame {number}, and none in frame 0, "
                    "which tells what it holds. Put a frame first that has one."
                )

    def transform(self, X):
        """Encode rows.

        Parameters
        ----------
        X : pandas or polars DataFrame, or array-like of shape (n_samples, n_columns)
            Rows with the columns of the training frame.

        Returns
        -------
        rows : csr_array of shape (n_samples, n_levels), float32 (float64 if numbers are not "bins")
            A row has one entry in each field, or none for an unknown level.

        Raises
        ------
        ValueError
            If the columns are not those of training, or a column has changed its kind.
        """
        check_is_fitted(self)
        columns = self._columns(X, reset=False)
        parts = [
            part
            for position, column in enumerate(columns)
            for part in self._parts(position, self._of_known_kind(position, column))
        ]
        dtype = np.float32 if self.numbers == "bins" and not self.shared_weight else np.float64
        return assembled(self._encoders, parts, len(columns[0]), dtype)

    def inverse_transform(self, X):
        """The values that encoded rows stand for.

        Parameters
        ----------
        X : sparse matrix or array-like of shape (n_samples, n_levels)
            Encoded rows.

        Returns
        -------
        values : ndarray of shape (n_samples, n_columns), object
            Levels; the middle of a bin; the first second of a day's hour for dates; lists. None
            stands for missing and for a field without an entry.
        """
        check_is_fitted(self)
        X = sparse.csr_array(X)
        if X.shape[1] != self.fields_[-1].stop:
            raise ValueError(
                f"X has {X.shape[1]} columns, but {self.fields_[-1].stop} are encoded."
            )
        decoded = [
            encoder.decode(X[:, field.start : field.stop].tocsr())
            for encoder, field in zip(self._encoders, self.fields_)
        ]
        result = np.empty((X.shape[0], self.n_features_in_), dtype=object)
        place = 0
        for position, kind in enumerate(self._kinds):
            if kind == DATE:
                place += 3 + self._hours[position]
                days = decoded[place - 1]
                result[:, position] = [None if np.isnan(d) else _date(d) for d in days]
            else:
                values = decoded[place]
                if values.dtype != object:
                    values = np.where(np.isnan(values), None, values.astype(object))
                result[:, position] = values
                place += 1
        return result

    def get_feature_names_out(self, input_features=None):
        """Names of the encoded columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the frame's columns, which must be those of training.

        Returns
        -------
        names : ndarray of shape (n_levels,), object
            Such as "colour = red", "age 17 to 25" and "age missing".
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features)
        names = [name for encoder in self._encoders for name in encoder.names()]
        return np.array(names, dtype=object)

    # What comes in

    def _columns(self, X, *, reset) -> list[Column]:
        columns = columns_of(X)
        if not columns:
            shape = getattr(X, "shape", (len(X), 0))
            raise ValueError(
                f"Found array with 0 feature(s) (shape={shape}) while a minimum of 1 is required."
            )
        if not len(columns[0]):
            raise ValueError(
                f"Found array with 0 sample(s) (shape=(0, {len(columns)})) while a minimum of 1 is "
                "required."
            )
        if reset:
            checks.check_names(columns)
        if not hasattr(X, "shape") or getattr(getattr(X, "dtype", None), "names", None):
            X = np.empty((len(columns[0]), len(columns)))
        validate_data(self, X, reset=reset, skip_check_array=True)
        names = [column.name for column in columns]
        if reset:
            self._names = names
        checks.check_order(names, self._names)
        return columns

    def _of_known_kind(self, position: int, column: Column) -> Column:
        """The column, refused if it has another kind than in training."""
        kind = self._kinds[position]
        if column.kind == kind:
            return column
        if kind is None:
            empty = np.full(len(column), None, dtype=object)
            return Column(column.name, CATEGORY, empty, column.missing)
        if column.missing.all():
            empty = {DATE: np.datetime64("NaT"), NUMBER: np.nan}.get(kind)
            dtype = {DATE: "datetime64[s]", NUMBER: np.float64}.get(kind, object)
            return Column(column.name, kind, np.full(len(column), empty, dtype), column.missing)
        raise ValueError(
            f"Column {column.name!r} held {PLURAL[kind]} in fit, and holds {PLURAL[column.kind]} "
            "now. Convert it to what it was."
        )

    def _parts(self, position: int, column: Column) -> list[Column]:
        """The columns that become fields: the column itself, its levels, or parts of its dates."""
        if column.kind == DATE:
            return dates.parts_of(column, self._hours[position])
        if position in self._as_categories and column.kind == NUMBER:
            return [of_numbers(column)]
        delimiter = (self.delimiters or {}).get(column.name)
        if delimiter is not None and column.kind == CATEGORY:
            return [split(column, delimiter)]
        return [column]

    def _field(self, column: Column):
        """An encoder for a column."""
        rare_unknown = self.handle_unknown == "rare"
        if column.kind in (NUMBER, DAY):
            field = dates.DayField if column.kind == DAY else NumberField
            return field(column.name, self.n_bins, self.numbers)
        if column.kind == LIST:
            return ListField(column.name, self.min_frequency, rare_unknown, self.shared_weight)
        return LevelField(column.name, self.min_frequency, rare_unknown)


def _date(days: float) -> np.datetime64:
    return dates.EPOCH + np.timedelta64(round(days * 86_400), "s")
