"""register_converters: skl2onnx converts the estimators, which take dense one-hot rows there."""

import numpy as np

from .. import _afm, _fm, _ranking
from ..baselines import FwFMClassifier, FwFMRegressor
from ._graph import ML, ML_OPSET, OPSET, Graph
from ._graph_formula import FormulaGraph
from ._to_scorer import arrays_of, classes_of, link_of

_CLASSIFIERS = (_afm.AFMClassifier, _fm.FMClassifier, FwFMClassifier)
_OTHERS = (
    _afm.AFMRegressor,
    _fm.FMRegressor,
    FwFMRegressor,
    _ranking.AFMRanker,
    _ranking.FMRanker,
)


def register_converters():
    """Let ``skl2onnx.to_onnx`` convert AFM, FM and FwFM estimators.

    Rows are dense there, so that this is for small one-hots, behind an encoder that skl2onnx knows.
    A frame with many levels is converted by :func:`to_onnx`. It needs ``skl2onnx``.

    Examples
    --------
    >>> import numpy as np
    >>> from skl2onnx import to_onnx
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import OneHotEncoder
    >>> from sklearn_afm import FMRegressor
    >>> from sklearn_afm.export import register_converters
    >>> register_converters()
    >>> X = np.array([["red", "round"], ["blue", "flat"]] * 50, dtype=object)
    >>> model = make_pipeline(OneHotEncoder(), FMRegressor(random_state=0)).fit(X, [1.0, 2.0] * 50)
    >>> [value.name for value in to_onnx(model, X[:1], target_opset=18).graph.output]
    ['variable']
    """
    from skl2onnx import update_registered_converter

    options = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True]}
    options |= {"raw_scores": [True, False]}
    for Estimator in _CLASSIFIERS:
        alias = f"SklearnAfm{Estimator.__name__}"
        update_registered_converter(
            Estimator, alias, _set_outputs_of_classifier, _convert, options=options
        )
    for Estimator in _OTHERS:
        update_registered_converter(
            Estimator, f"SklearnAfm{Estimator.__name__}", _set_outputs, _convert
        )


def _set_outputs(operator) -> None:
    operator.outputs[0].type = _number_type(operator)([None, np.size(operator.raw_operator.bias_)])


def _set_outputs_of_classifier(operator) -> None:
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    classes = classes_of(operator.raw_operator)
    label = StringTensorType if classes.dtype.kind == "U" else Int64TensorType
    operator.outputs[0].type = label([None])
    operator.outputs[1].type = _number_type(operator)([None, len(classes)])


def _number_type(operator):
    """The type of numbers that skl2onnx expects: double for doubles, else float."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    is_double = isinstance(operator.inputs[0].type, DoubleTensorType)
    return DoubleTensorType if is_double else FloatTensorType


def _convert(scope, operator, container) -> None:
    from skl2onnx.common.data_types import DoubleTensorType

    estimator, graph = operator.raw_operator, Graph()
    link, formula = link_of(estimator), FormulaGraph(graph, arrays_of(estimator), None)
    raw = formula.raw(*_entries(graph, operator.inputs[0].full_name), link)
    predictions = formula.predictions(raw, link)
    names = [output.full_name for output in operator.outputs]
    is_double = isinstance(operator.outputs[-1].type, DoubleTensorType)
    dtype = np.float64 if is_double else np.float32
    if hasattr(estimator, "classes_"):
        if container.get_options(estimator, {"raw_scores": False})["raw_scores"]:
            both = link == "logit"
            predictions = graph("Concat", graph("Neg", raw), raw, axis=1) if both else raw
        classes = classes_of(estimator)
        classes = classes if classes.dtype.kind == "U" else classes.astype(np.int64)
        label = graph("Gather", graph.constant(classes), formula.codes(raw, link), axis=0)
        graph.name(label, names[0])
    graph.name(graph.cast(predictions, dtype), names[-1])
    _move(graph, scope, container, {operator.inputs[0].full_name, *names})


def _entries(graph: Graph, dense: str) -> tuple[str, str]:
    """Columns (n_rows, width) and values of the non-zero entries of dense rows."""
    values = graph.cast(dense, np.float64)
    zero = graph("Equal", values, graph.constant(np.float64(0)))
    there = graph.cast(graph("Not", zero), np.float32)
    length = graph.cast(graph.axes("ReduceSum", there, 1, keepdims=0), np.int64)
    one = graph.constant(np.array([1]))
    width = graph.axes("ReduceMax", graph("Concat", length, one, axis=0), 0, keepdims=1)
    output = f"columns_{len(graph.nodes)}"
    graph.add("TopK", [there, width], [f"found_{len(graph.nodes)}", output])
    return output, graph("GatherElements", values, output, axis=1)


def _move(graph: Graph, scope, container, outer: set[str]) -> None:
    """Move nodes and constants into the graph of skl2onnx, under names that are free there."""
    from onnx import helper, numpy_helper

    names = {name: name for name in outer} | {"": ""}

    def renamed(name: str) -> str:
        if name not in names:
            names[name] = scope.get_unique_variable_name(f"afm_{name}")
        return names[name]

    for constant in graph.constants:
        content = numpy_helper.to_array(constant).ravel().tolist()
        container.add_initializer(
            renamed(constant.name), constant.data_type, list(constant.dims), content
        )
    for node in graph.nodes:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        container.add_node(
            node.op_type,
            [renamed(name) for name in node.input],
            [renamed(name) for name in node.output],
            op_domain=node.domain,
            op_version=ML_OPSET if node.domain == ML else OPSET,
            name=scope.get_unique_operator_name(f"Afm{node.op_type}"),
            **attributes,
        )
