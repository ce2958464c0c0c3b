"""An ONNX graph in the making: its nodes and constants."""

from typing import Any

import numpy as np

# Version 18 of the operators is in onnxruntime since 1.14.
OPSET, ML_OPSET = 18, 3
ML = "ai.onnx.ml"


class Graph:
    """Nodes and constants of a graph. Values go by name."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._known: dict[tuple, str] = {}

    def constant(self, array) -> str:
        """The name of a constant; equal small ones are stored once."""
        from onnx import helper, numpy_helper

        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 else None
        if key in self._known:
            return self._known[key]
        name = f"constant_{len(self.constants)}"
        if array.dtype.kind == "U":
            texts = [text.encode() for text in array.ravel().tolist()]
            self.constants.append(helper.make_tensor(name, 8, array.shape, texts))
        else:
            self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        if key is not None:
            self._known[key] = name
        return name

    def __call__(self, op: str, *inputs: str, domain: str = "", **attributes) -> str:
        """Add a node; returns the name of its output."""
        output = f"{op.lower()}_{len(self.nodes)}"
        self.add(op, inputs, [output], domain=domain, **attributes)
        return output

    def add(self, op: str, inputs, outputs, **attributes) -> None:
        """Add a node that has its outputs' names."""
        from onnx import helper

        self.nodes.append(helper.make_node(op, inputs, outputs, **attributes))

    def name(self, value: str, name: str) -> None:
        """Give a value the name of an output of the graph."""
        self.add("Identity", [value], [name])

    def cast(self, value: str, dtype) -> str:
        """A value in another type."""
        from onnx import helper

        return self("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def ones_like(self, value: str) -> str:
        """As many float64 ones as a value has whole numbers."""
        zeros = self("Mul", self.cast(value, np.float64), self.constant(np.float64(0)))
        return self("Add", zeros, self.constant(np.float64(1)))

    def axes(self, op: str, value: str, *axes: int, **attributes) -> str:
        """Unsqueeze, Squeeze or a reduction along axes."""
        return self(op, value, self.constant(np.array(axes, dtype=np.int64)), **attributes)

    def look_up(self, value: str, keys, places, default: int) -> str:
        """Whole numbers by key, text or whole numbers; `default` for other keys."""
        places = np.asarray(places, dtype=np.int64)
        kind = "keys_strings" if keys and isinstance(keys[0], str) else "keys_int64s"
        table = {kind: keys, "values_int64s": places, "default_int64": default}
        return self("LabelEncoder", value, domain=ML, **table)
