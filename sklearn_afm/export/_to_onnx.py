"""to_onnx: a fitted pipeline as an ONNX model."""

from collections.abc import Mapping

import numpy as np

from .._fields.objects import is_missing
from ..scorer import Scorer
from ..scorer._fields import DateField, Field, LevelField, ListField
from ..scorer._scorer import check_rows
from ._graph import ML, ML_OPSET, OPSET, Graph
from ._graph_fields import MISSING, NO_LEVEL, FieldGraph, dtype_of, missing_input, missing_value
from ._graph_formula import FormulaGraph
from ._to_scorer import to_scorer

# ONNX files of this version are read by onnxruntime since 1.18.
IR_VERSION = 10
_LARGEST = 2**31 - 1  # bytes of a file


def to_onnx(pipeline):
    """A fitted pipeline as an ONNX model: encoder and estimator in one graph.

    The graph looks columns up and gathers their embeddings; it makes no dense one-hot rows, so
    that a million levels are no more than their table. It needs ``sklearn_afm[onnx]``.

    Each column of the frame is an input of shape (n_rows, 1), under its name:

    - text is a string, and ``""`` is missing; if training had that as a level, ``"\\0"`` is;
    - numbers and durations (in seconds) are float64, and NaN is missing;
    - bools, and whole numbers that are categories, are int64, and the smallest int64 is missing;
      other numbers that are categories are float64;
    - dates are int64, seconds since 1970 in local time, and the smallest int64 is missing;
    - lists have the shape (n_rows, width), filled up with what is missing above. If training had
      missing lists, a further input "NAME missing" of bools says which are.

    :func:`onnx_inputs` makes them of rows. The graph refuses no value: an infinite number counts as
    beyond the last edge.

    Parameters
    ----------
    pipeline : Pipeline or Scorer
        As for :func:`to_scorer`, or what it returns.

    Returns
    -------
    model : onnx.ModelProto
        Its outputs are "label" (n_rows,) and "probabilities" (n_rows, n_classes) of a classifier,
        "prediction" (n_rows, n_outputs) of others. ``model.SerializeToString()`` is the file.

    Raises
    ------
    TypeError
        If the pipeline has other steps, or a model that cannot be exported.
    ValueError
        If a column has levels of text and others that are not, or the file were above 2 GiB, which
        ONNX does not allow.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import AFMClassifier, make_field_pipeline
    >>> from sklearn_afm.export import to_onnx
    >>> frame = pd.DataFrame({"colour": ["red", "blue"] * 50, "size": [1, 1, 2, 2] * 25})
    >>> y = ["yes", "no", "no", "yes"] * 25
    >>> model = to_onnx(make_field_pipeline(AFMClassifier(random_state=0)).fit(frame, y))
    >>> [value.name for value in model.graph.input], [value.name for value in model.graph.output]
    (['colour', 'size'], ['label', 'probabilities'])
    """
    from onnx import helper

    scorer = _scorer(pipeline)
    arrays, graph = scorer._formula.arrays, Graph()
    width = sum(map(_width_of, scorer._fields)) if _is_rectangular(scorer._fields) else None
    formula = FormulaGraph(graph, arrays, width)
    columns, values = _encoded(graph, scorer._fields, formula.padding, "centred_columns" in arrays)
    raw = formula.raw(columns, values, scorer._link)
    predictions = formula.predictions(raw, scorer._link)
    kind = helper.np_dtype_to_tensor_dtype(formula.dtype)
    if hasattr(scorer, "classes_"):
        codes, classes = formula.codes(raw, scorer._link), scorer.classes_
        graph.name(graph("Gather", graph.constant(classes), codes, axis=0), "label")
        graph.name(predictions, "probabilities")
        label = 8 if classes.dtype.kind == "U" else helper.np_dtype_to_tensor_dtype(classes.dtype)
        outputs = [
            helper.make_tensor_value_info("label", label, ["n_rows"]),
            helper.make_tensor_value_info("probabilities", kind, ["n_rows", len(classes)]),
        ]
    else:
        graph.name(predictions, "prediction")
        shape = ["n_rows", arrays["bias"].size]
        outputs = [helper.make_tensor_value_info("prediction", kind, shape)]
    made = helper.make_graph(
        graph.nodes, "sklearn_afm", _inputs(scorer._fields), outputs, graph.constants
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
    if model.ByteSize() > _LARGEST:
        raise ValueError(
            f"The file would have {model.ByteSize() / 2**30:.1f} GiB, and ONNX allows 2. Let rare "
            "levels share a column (min_frequency of FieldEncoder), or use to_scorer."
        )
    return model


def onnx_inputs(pipeline, rows):
    """The inputs of the ONNX model of a pipeline, from rows as dicts.

    Parameters
    ----------
    pipeline : Pipeline or Scorer
        What :func:`to_onnx` was given.
    rows : dict or list of dict
        The values of one row, or of several rows. Of a frame: ``frame.to_dict("records")``.

    Returns
    -------
    inputs : dict of str: ndarray
        What ``onnxruntime.InferenceSession.run`` takes.

    Raises
    ------
    TypeError, ValueError
        If the scorer would refuse a row.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_afm import FMRegressor, make_field_pipeline
    >>> from sklearn_afm.export import onnx_inputs
    >>> frame = pd.DataFrame({"colour": ["red", "blue"] * 50})
    >>> model = make_field_pipeline(FMRegressor(random_state=0)).fit(frame, [1.0, 2.0] * 50)
    >>> onnx_inputs(model, [{"colour": "red"}, {"colour": None}])
    {'colour': array([['red'],
           ['']], dtype=object)}
    """
    scorer = _scorer(pipeline)
    rows = [rows] if isinstance(rows, Mapping) else rows
    check_rows(rows, scorer._fields)
    scorer._encoded(rows, scorer._fields)  # refuses the values that the scorer refuses
    inputs = {}
    for field in scorer._fields:
        values = [row[field.name] for row in rows]
        if isinstance(field, ListField):
            inputs |= _list_inputs(field, values)
        else:
            converted = [[_converted(field, value)] for value in values]
            inputs[field.name] = np.array(converted, dtype=dtype_of(field)).reshape(-1, 1)
    return inputs


def _scorer(pipeline) -> Scorer:
    return pipeline if isinstance(pipeline, Scorer) else to_scorer(pipeline)


def _encoded(graph: Graph, fields: list[Field], padding: int, needs_values: bool) -> tuple:
    """Columns of all fields side by side, and values there (None: all 1)."""
    encoder = FieldGraph(graph, padding)
    entries = [encoder.entries(field) for field in fields]
    columns = graph("Concat", *(found for found, _ in entries), axis=1)
    if not needs_values and all(values is None for _, values in entries):
        return columns, None
    every = [graph.ones_like(found) if values is None else values for found, values in entries]
    return columns, graph("Concat", *every, axis=1)


def _is_rectangular(fields: list[Field]) -> bool:
    return not any(isinstance(field, ListField) for field in fields)


def _width_of(field: Field) -> int:
    if isinstance(field, DateField):
        return 2 + (field.hour is not None) + _width_of(field.day)
    knots = getattr(field, "method", "") == "linear" and len(field.edges) > 1
    return 2 if knots else 1


def _inputs(fields: list[Field]) -> list:
    from onnx import helper

    inputs = []
    for field in fields:
        dtype = dtype_of(field)
        kind = 8 if dtype is object else helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        is_list = isinstance(field, ListField)
        shape = ["n_rows", f"width of {field.name}" if is_list else 1]
        inputs.append(helper.make_tensor_value_info(field.name, kind, shape))
        if is_list and field.missing >= 0:
            inputs.append(helper.make_tensor_value_info(missing_input(field), 9, ["n_rows", 1]))
    return inputs


def _converted(field: Field, value):
    """A value that the scorer accepts, as the field's input has it."""
    if isinstance(field, DateField):
        seconds = field.seconds(value)
        return MISSING if seconds is None else seconds
    if isinstance(field, LevelField):
        return _level(field, value)
    number = field.number(value)
    return np.nan if number is None else number


def _level(field: LevelField, value):
    dtype = dtype_of(field)
    if is_missing(value):
        return missing_value(field)
    if dtype is object:
        return str(value)
    if dtype is np.float64:
        return float(value)
    return int(value) if value == int(value) and abs(int(value)) < 2**63 else NO_LEVEL


def _list_inputs(field: ListField, values: list) -> dict:
    missing = [is_missing(value) for value in values]
    lists = [[] if m else field.levels_of(value) for value, m in zip(values, missing)]
    width = max([1, *map(len, lists)])
    filling = missing_value(field)
    filled = [
        [_level(field, level) for level in found] + [filling] * (width - len(found))
        for found in lists
    ]
    inputs = {field.name: np.array(filled, dtype=dtype_of(field)).reshape(-1, width)}
    if field.missing >= 0:
        inputs[missing_input(field)] = np.array(missing).reshape(-1, 1)
    return inputs
