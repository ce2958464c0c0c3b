"""Fitted pipelines as files for services: a scorer of NumPy arrays, and an ONNX graph."""

from ._to_scorer import to_scorer

__all__ = ["to_scorer"]
