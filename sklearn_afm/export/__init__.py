"""Fitted pipelines as files for services: a scorer of NumPy arrays, and an ONNX graph."""

from ._skl2onnx import register_converters
from ._to_onnx import onnx_inputs, to_onnx
from ._to_scorer import to_scorer

__all__ = ["onnx_inputs", "register_converters", "to_onnx", "to_scorer"]
