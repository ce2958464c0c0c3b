"""Scorer: a fitted pipeline as NumPy arrays."""

from collections.abc import Mapping, Sequence

import numpy as np

from ._fields import Field
from ._files import write
from ._formula import Formula
from ._links import averaged, predictions


class Scorer:
    """Predictions of a fitted pipeline, by NumPy alone.

    :func:`sklearn_afm.export.to_scorer` makes one, and :func:`load_scorer` reads one from a file.
    To import this module takes neither torch nor scikit-learn.

    A row is a dict of the values of the frame's columns. None, NaN and the like are missing values.
    A value of another kind than in training is refused, as the pipeline does.

    Attributes
    ----------
    columns : list of str
        Names of the values of a row.
    classes_ : ndarray of shape (n_classes,)
        The labels; of a classifier only.

    See Also
    --------
    sklearn_afm.export.to_scorer : Makes a Scorer of a fitted pipeline.
    sklearn_afm.export.to_onnx : The pipeline as an ONNX graph, for other languages.

    Notes
    -----
    The arithmetic is that of the pipeline, in the type of the fitted arrays (float32, unless
    ``precision="float64"``), and in another order: predictions differ by rounding.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> from sklearn_afm.export import to_scorer
    >>> frame = pd.DataFrame({"colour": ["red", "blue"] * 50, "size": [1, 1, 2, 2] * 25})
    >>> y = ["yes", "no", "no", "yes"] * 25
    >>> model = make_field_pipeline(AFMClassifier(random_state=0)).fit(frame, y)
    >>> scorer = to_scorer(model)
    >>> print(scorer.predict({"colour": "red", "size": 1}))
    yes
    >>> scorer.predict([{"colour": "red", "size": 2}, {"colour": "blue", "size": None}]).shape
    (2,)
    """

    def __init__(self, fields, arrays, link, several, classes=None):
        self._fields, self._formula, self._link = fields, Formula(arrays), link
        self._several = several  # outputs, so that predictions have an axis for them
        self.columns = [field.name for field in fields]
        if classes is not None:
            self.classes_ = classes
        needed = arrays.get("unseen_number")
        self._n_needed = 0 if needed is None else len(arrays["unseen_mean"])
        self._centred = arrays.get("centred_columns", np.empty(0, dtype=np.int64)).tolist()

    def __repr__(self):
        return f"Scorer({len(self.columns)} columns, {self._formula.n_columns} levels)"

    def predict(self, rows):
        """Predict the target, or the most probable class, of rows.

        Parameters
        ----------
        rows : dict or list of dict
            The values of one row, or of several rows.

        Returns
        -------
        y : float or label, or ndarray of shape (n_rows,) or (n_rows, n_outputs)
            Of one dict, its prediction.

        Raises
        ------
        TypeError
            If a value is of another kind than in training.
        ValueError
            If a row lacks a column or has one more, a number is infinite, or a prediction is.
        """
        raw = self._raw_scores(rows)
        if hasattr(self, "classes_"):
            codes = raw.argmax(axis=1) if self._several else (raw[:, 0] > 0).astype(np.intp)
            result = self.classes_[codes]
        else:
            result = _finite(predictions(self._link, raw))
            result = result if self._several else result[:, 0]
        return _of_one(rows, result)

    def predict_proba(self, rows):
        """Probability of each class.

        Parameters
        ----------
        rows : dict or list of dict
            The values of one row, or of several rows.

        Returns
        -------
        probabilities : ndarray of shape (n_classes,) or (n_rows, n_classes)
            Columns in the order of `classes_`. Of one dict, its probabilities.

        Raises
        ------
        AttributeError
            If the pipeline ends in no classifier.
        TypeError, ValueError
            As ``predict`` does.
        """
        if not hasattr(self, "classes_"):
            raise AttributeError("This scorer predicts no classes. Use predict.")
        return _of_one(rows, predictions(self._link, self._raw_scores(rows)))

    def score_items(self, context, items):
        """Scores of many items for one context.

        What a row of the context and an item has of the context alone is computed once.

        Parameters
        ----------
        context : dict
            The values that all rows share.
        items : list of dict
            The other values of each row.

        Returns
        -------
        scores : ndarray of shape (n_items,)
            What ``predict`` gives; of a classifier of two classes, the logit of ``classes_[1]``.

        Raises
        ------
        ValueError
            If there are several scores a row, an item has a value of the context, or an item lacks
            a value.
        TypeError
            If a value is of another kind than in training.
        """
        if self._several:
            raise ValueError("There are several scores a row: items have no order.")
        if not isinstance(context, Mapping):
            raise TypeError(f"context must be a dict, and is a {type(context).__name__}.")
        shared = [field for field in self._fields if field.name in context]
        others = [field for field in self._fields if field.name not in context]
        if len(shared) < len(context):
            unknown = sorted(set(context) - set(self.columns), key=str)
            raise ValueError(f"context has values that training had not: {unknown}.")
        check_rows(items, others)
        if self._centred:  # what is subtracted is subtracted once
            return self._score(self._raw_scores([{**context, **item} for item in items]))
        own_columns, own_values = self._encoded([context], shared)
        columns, values = self._encoded(items, others)
        raw = self._formula.joined(own_columns, own_values, columns, values)
        every = np.hstack([np.tile(own_columns, (len(columns), 1)), columns])
        return self._score(self._over_unseen(raw, every))

    def save(self, file):
        """Write the scorer to a file.

        Parameters
        ----------
        file : str, path or binary file
            The file is a zip archive of NumPy arrays and a JSON text. Nothing in it is code.
        """
        options = {"link": self._link, "several": self._several}
        write(file, self._fields, self._formula.arrays, options, getattr(self, "classes_", None))

    def _score(self, raw) -> np.ndarray:
        is_logit = hasattr(self, "classes_")
        return _finite(raw if is_logit else predictions(self._link, _finite(raw)))[:, 0]

    def _raw_scores(self, rows) -> np.ndarray:
        """Raw scores (n_rows, n_outputs)."""
        rows = [rows] if isinstance(rows, Mapping) else rows
        check_rows(rows, self._fields)
        columns, values = self._encoded(rows, self._fields)
        return _finite(self._over_unseen(self._formula(columns, values), columns))

    def _encoded(self, rows, fields) -> tuple[np.ndarray, np.ndarray | None]:
        """Columns (n_rows, width) of rows, and values there (None: all 1).

        What counts for nothing is padding.
        """
        if not self._centred and all(field.has_one_column for field in fields):
            of_one = [(field.name, field.column) for field in fields]
            found = [[column(row[name]) for name, column in of_one] for row in rows]
            values = None
        else:
            found, values = self._entries(rows, fields)
        columns = np.array(found, dtype=np.int64).reshape(len(rows), -1 if found else 0)
        columns[columns < 0] = self._formula.n_columns
        return self._formula.real(columns, values), values

    def _entries(self, rows, fields) -> tuple[list[list[int]], np.ndarray]:
        """The same for rows that may have several columns a field, or other values than 1."""
        columns: list[list[int]] = []
        values: list[list[float]] = []
        for row in rows:
            of_row: tuple[list[int], list[float]] = [], []
            for field in fields:
                field.add(row[field.name], *of_row)
            if self._centred:
                self._centre(*of_row)
            columns.append(of_row[0])
            values.append(of_row[1])
        width = max(map(len, columns), default=0)
        for own_columns, own_values in zip(columns, values):
            own_columns += [-1] * (width - len(own_columns))
            own_values += [1.0] * (width - len(own_values))
        return columns, np.array(values, dtype=np.float64).reshape(len(rows), width)

    def _centre(self, columns: list, values: list) -> None:
        """Subtract the mean of each centred column, which may stand at 0 in the row."""
        for column, mean in zip(self._centred, self._formula.arrays["centred_means"].tolist()):
            if column not in columns:
                columns.append(column)
                values.append(0.0)
            place = columns.index(column)
            shifted = values[place] - mean
            # As the estimator does: a value that is the mean is 0, whatever rounding leaves.
            is_mean = abs(shifted) <= 16 * np.finfo(np.float64).eps * abs(mean)
            values[place] = 0.0 if is_mean else shifted

    def _over_unseen(self, raw, columns) -> np.ndarray:
        """Raw scores, averaged over the levels of fields that a row lacks."""
        if not self._n_needed:
            return raw
        arrays = self._formula.arrays
        number = arrays["unseen_number"][columns]  # n_needed for columns of other fields
        # As the estimator counts, which goes by the number of entries.
        short = (number < self._n_needed).sum(axis=1) < self._n_needed
        if not short.any():
            return raw
        has = np.zeros((len(raw), self._n_needed + 1), dtype=bool)
        has[np.arange(len(raw))[:, None], number] = True
        lacks = ~has[:, :-1]
        lacks, result = lacks[short], raw.copy()
        mean, variance = (lacks @ arrays[f"unseen_{name}"] for name in ("mean", "variance"))
        result[short] = averaged(self._link, raw[short] + mean, variance)
        return result


def _of_one(rows, result):
    if not isinstance(rows, Mapping):
        return result
    return result[0].item() if result.ndim == 1 else result[0]  # JSON knows no NumPy scalars


def _finite(raw) -> np.ndarray:
    if not np.isfinite(raw).all():
        finite = np.isfinite(raw).all(axis=1)
        raise ValueError(
            f"The prediction is infinite or NaN for {np.count_nonzero(~finite)} of {len(raw)} "
            f"rows, first for row {finite.argmin()}."
        )
    return raw


def check_rows(rows, fields: list[Field]) -> None:
    """Raise an error if rows are not a list of dicts of the fields' values."""
    if isinstance(rows, (str, bytes)) or not isinstance(rows, Sequence):
        raise TypeError(
            f"rows must be a dict, or a list of dicts, and are a {type(rows).__name__}. Of a "
            'frame, give frame.to_dict("records").'
        )
    names = {field.name for field in fields}
    for number, row in enumerate(rows):
        if (type(row) is not dict and not isinstance(row, Mapping)) or row.keys() != names:
            _refuse_names(number, row, names)


def _refuse_names(number: int, row, names: set[str]):
    if not isinstance(row, Mapping):
        raise TypeError(f"Row {number} must be a dict, and is a {type(row).__name__}.")
    lacking, more = sorted(names - row.keys()), sorted(row.keys() - names, key=str)
    raise ValueError(
        f"Row {number} lacks the values {lacking[:20]} and has {more[:20]} besides. It must have "
        f"{sorted(names)[:20]}. Give None for a missing value."
    )
