"""Predictions in an ONNX graph, from encoded rows: what `scorer.Formula` computes."""

import numpy as np

from ._graph import Graph

# Attention logit of pairs with padding, as in `scorer.Formula`.
_LOWEST = -1e30


class FormulaGraph:
    """The part of a graph that computes raw scores and predictions.

    Parameters
    ----------
    graph : Graph
    arrays : dict of ndarray
        As `scorer.Formula` takes them.
    width : int or None
        Entries of each row. None: known when the graph runs.
    """

    def __init__(self, graph: Graph, arrays: dict[str, np.ndarray], width: int | None):
        self._graph, self._arrays, self._width = graph, arrays, width
        self.dtype = arrays["embeddings"].dtype
        self.padding = len(arrays["embeddings"]) - 1

    def raw(self, columns: str, values: str | None, link: str) -> str:
        """Raw scores (n_rows, n_outputs), averaged over levels of fields that a row lacks."""
        graph, arrays = self._graph, self._arrays
        if values is not None:
            if "centred_columns" in arrays:
                columns, values = self._centred(columns, values)
            is_zero = graph("Equal", values, graph.constant(np.float64(0)))
            columns = graph("Where", is_zero, self._padding, columns)
            values = graph.cast(values, self.dtype)
        known = arrays["known"]
        if not known[:-1].all():
            is_known = graph("Gather", graph.constant(known), columns, axis=0)
            columns = graph("Where", is_known, columns, self._padding)
        raw = self._linear_part(columns, values)
        if self._width is None or self._width > 1:
            raw = graph("Add", raw, self._interactions(columns, values))
        return self._over_unseen(raw, columns, link) if "unseen_mean" in arrays else raw

    def predictions(self, raw: str, link: str) -> str:
        """Predictions, or the probabilities of all classes, of raw scores."""
        graph = self._graph
        if link == "identity":
            return raw
        if link == "log":
            return graph("Exp", raw)
        if link == "logit":
            negative = graph("Neg", raw)
            return graph("Sigmoid", graph("Concat", negative, raw, axis=1))
        return graph("Softmax", raw, axis=1)

    def codes(self, raw: str, link: str) -> str:
        """The number of the most probable class, (n_rows,)."""
        graph = self._graph
        if link == "softmax":
            return graph("ArgMax", raw, axis=1, keepdims=0)
        positive = graph("Greater", raw, self._constant(0))
        return graph.axes("Squeeze", graph.cast(positive, np.int64), 1)

    @property
    def _padding(self) -> str:
        return self._graph.constant(np.int64(self.padding))

    def _constant(self, array) -> str:
        """A constant in the type of the fitted arrays."""
        return self._graph.constant(np.asarray(array, dtype=self.dtype))

    def _linear_part(self, columns: str, values: str | None) -> str:
        graph = self._graph
        weights = self._constant(self._arrays["linear_weights"])
        linear = graph("Gather", weights, columns, axis=0)  # (n_rows, width, n_outputs)
        if values is not None:
            linear = graph("Mul", linear, graph.axes("Unsqueeze", values, 2))
        total = graph.axes("ReduceSum", linear, 1, keepdims=0)
        return graph("Add", total, self._constant(self._arrays["bias"]))

    def _interactions(self, columns: str, values: str | None) -> str:
        """Interactions and crosses, (n_rows, n_outputs)."""
        graph, arrays = self._graph, self._arrays
        first, second = self._pair_positions(columns)
        one, other = (graph("Gather", columns, place, axis=1) for place in (first, second))
        entries = graph("Gather", self._constant(arrays["embeddings"]), columns, axis=0)
        factor = None
        if values is not None:
            entries = graph("Mul", entries, graph.axes("Unsqueeze", values, 2))
            of_pair = [graph("Gather", values, place, axis=1) for place in (first, second)]
            factor = graph("Mul", *of_pair)
        members = [graph("Gather", entries, place, axis=1) for place in (first, second)]
        products = graph("Mul", *members)  # (n_rows, n_pairs, k)
        scores = graph("MatMul", products, self._constant(arrays["projection"].T))
        logits = self._logits(products) if "network_weight" in arrays else None
        if "field_number" in arrays:
            scores, logits = self._by_field(scores, logits, one, other)
        result = self._weighted(scores, logits, one, other)
        if "cross_key" in arrays:
            result = graph("Add", result, self._crosses(one, other, factor))
        return result

    def _pair_positions(self, columns: str) -> tuple[str, str]:
        """Positions of the two entries of each pair of a row."""
        graph = self._graph
        if self._width is not None:
            first, second = np.triu_indices(self._width, 1)
            return graph.constant(first), graph.constant(second)
        width = graph("Gather", graph("Shape", columns), graph.constant(np.array([1])), axis=0)
        square = graph("Concat", width, width, axis=0)
        ones = graph("Expand", graph.constant(np.int32(1)), square)
        above = graph("Trilu", ones, graph.constant(np.array(1, dtype=np.int64)), upper=1)
        places = graph("NonZero", above)  # (2, n_pairs)
        first, second = (
            graph("Gather", places, graph.constant(np.int64(row)), axis=0) for row in (0, 1)
        )
        return first, second

    def _logits(self, products: str) -> str:
        """Attention logit of each pair, (n_rows, n_pairs)."""
        graph, arrays = self._graph, self._arrays
        hidden = graph("MatMul", products, self._constant(arrays["network_weight"].T))
        hidden = graph("Relu", graph("Add", hidden, self._constant(arrays["network_bias"])))
        context = self._constant(arrays["network_context"][:, None])
        return graph.axes("Squeeze", graph("MatMul", hidden, context), 2)

    def _by_field(self, scores: str, logits: str | None, one: str, other: str) -> tuple:
        """Scores times the weight, and logits plus the bias, of each pair of fields."""
        graph, arrays = self._graph, self._arrays
        number = graph.constant(arrays["field_number"])
        fields = [graph("Gather", number, column, axis=0) for column in (one, other)]
        n_fields = graph.constant(np.int64(len(arrays["field_weights"])))
        pair = graph("Add", graph("Mul", fields[0], n_fields), fields[1])
        weights = self._constant(arrays["field_weights"].ravel())
        weight = graph("Gather", weights, pair, axis=0)
        scores = graph("Mul", scores, graph.axes("Unsqueeze", weight, 2))
        if logits is not None:
            biases = self._constant(arrays["field_biases"].ravel())
            logits = graph("Add", logits, graph("Gather", biases, pair, axis=0))
        return scores, logits

    def _weighted(self, scores: str, logits: str | None, one: str, other: str) -> str:
        graph, arrays = self._graph, self._arrays
        if logits is None:
            return graph.axes("ReduceSum", scores, 1, keepdims=0)
        there = graph("Less", graph("Max", one, other), self._padding)
        logits = graph("Where", there, logits, self._constant(_LOWEST))
        attention = graph.axes("Unsqueeze", graph("Softmax", logits, axis=1), 2)
        result = graph.axes("ReduceSum", graph("Mul", attention, scores), 1, keepdims=0)
        if "usual_pairs" in arrays:
            n_pairs = graph.axes("ReduceSum", graph.cast(there, self.dtype), 1, keepdims=1)
            share = graph("Div", n_pairs, self._constant(arrays["usual_pairs"]))
            result = graph("Mul", result, share)
        return result

    def _crosses(self, one: str, other: str, factor: str | None) -> str:
        """What the crosses of each row add, (n_rows, n_outputs)."""
        graph, key = self._graph, self._arrays["cross_key"]
        width = self.padding + 1
        first, second = np.divmod(key, width)
        once = first < second  # the arrays have both orders
        weights = self._arrays["cross_weights"][once]
        weights = np.concatenate([weights, np.zeros((1, weights.shape[1]))])
        low, high = graph("Min", one, other), graph("Max", one, other)
        wanted = graph("Add", graph("Mul", low, graph.constant(np.int64(width))), high)
        places = np.arange(len(weights) - 1)
        place = graph.look_up(wanted, key[once].tolist(), places, len(weights) - 1)
        found = graph("Gather", self._constant(weights), place, axis=0)
        if factor is not None:
            found = graph("Mul", found, graph.axes("Unsqueeze", factor, 2))
        return graph.axes("ReduceSum", found, 1, keepdims=0)

    def _centred(self, columns: str, values: str) -> tuple[str, str]:
        """Rows less the mean of each centred column, which may stand at 0 in a row."""
        graph, arrays = self._graph, self._arrays
        centred = arrays["centred_columns"].astype(np.int64)
        mean = graph.constant(arrays["centred_means"].astype(np.float64)[None])
        each = graph.constant(centred[None, None])
        here = graph("Equal", graph.axes("Unsqueeze", columns, 2), each)
        zero = graph.constant(np.float64(0))
        of_column = graph("Where", here, graph.axes("Unsqueeze", values, 2), zero)
        shifted = graph("Sub", graph.axes("ReduceSum", of_column, 1, keepdims=0), mean)
        rounding = 16 * np.finfo(np.float64).eps * np.abs(arrays["centred_means"])[None]
        is_mean = graph("LessOrEqual", graph("Abs", shifted), graph.constant(rounding))
        shifted = graph("Where", is_mean, zero, shifted)
        any_here = graph.axes("ReduceMax", graph.cast(here, np.int32), 2, keepdims=0)
        columns = graph("Where", graph.cast(any_here, np.bool_), self._padding, columns)
        zeros = graph.cast(graph("Mul", shifted, zero), np.int64)
        appended = graph("Add", zeros, graph.constant(centred[None]))
        columns = graph("Concat", columns, appended, axis=1)
        if self._width is not None:
            self._width += len(centred)
        return columns, graph("Concat", values, shifted, axis=1)

    def _over_unseen(self, raw: str, columns: str, link: str) -> str:
        graph, arrays = self._graph, self._arrays
        number = graph("Gather", graph.constant(arrays["unseen_number"]), columns, axis=0)
        each = graph.constant(np.arange(len(arrays["unseen_mean"]))[None, None])
        here = graph("Equal", graph.axes("Unsqueeze", number, 2), each)
        has = graph.axes("ReduceMax", graph.cast(here, np.int32), 1, keepdims=0)
        lacks = graph("Sub", self._constant(1), graph.cast(has, self.dtype))
        mean, variance = (
            graph("MatMul", lacks, self._constant(arrays[f"unseen_{name}"]))
            for name in ("mean", "variance")
        )
        averaged = self._averaged(graph("Add", raw, mean), variance, link)
        # As the estimator counts: by the number of entries in these fields.
        n_needed = graph.constant(np.int64(len(arrays["unseen_mean"])))
        counts = graph.cast(graph("Less", number, n_needed), np.int64)
        n_entries = graph.axes("ReduceSum", counts, 1, keepdims=1)
        return graph("Where", graph("Less", n_entries, n_needed), averaged, raw)

    def _averaged(self, raw: str, variance: str, link: str) -> str:
        """Raw scores whose predictions are the mean of those of raw scores with this variance."""
        graph = self._graph
        if link == "identity":
            return raw
        if link == "log":
            return graph("Add", raw, graph("Mul", variance, self._constant(0.5)))
        scale = np.pi / 8
        if link == "softmax":
            n_classes = self._arrays["unseen_mean"].shape[1]
            scale *= 2 * n_classes / (n_classes - 1)
            variance = graph.axes("ReduceMean", variance, 1, keepdims=1)
        spread = graph("Mul", variance, self._constant(scale))
        return graph("Div", raw, graph("Sqrt", graph("Add", spread, self._constant(1))))
