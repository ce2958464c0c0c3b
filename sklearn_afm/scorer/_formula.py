"""Raw scores of encoded rows: bias, linear part, crosses and interactions (Eq. 3 to 6)."""

from functools import lru_cache

import numpy as np

# Numbers that the products of pairs take at once.
NUMBERS_AT_ONCE = 1 << 22

Arrays = dict[str, np.ndarray]


class Formula:
    """Raw scores of rows.

    Encoded rows are columns (n_rows, width) and what stands there (n_rows, width). Padding is the
    column `n_columns`, in which all weights are 0.

    Parameters
    ----------
    arrays : dict of ndarray
        bias : (n_outputs,)
        linear_weights : (n_columns + 1, n_outputs)
        embeddings : (n_columns + 1, k)
        projection : (n_outputs, k), p of Eq. 6.
        known : (n_columns + 1,) of bool, False for columns that training never saw, and padding.
        usual_pairs : (), the pairs of a row over this number multiply its interactions; or none.
        network_weight, network_bias, network_context : (t, k), (t,), (t,), of Eq. 5; or none.
        field_number : (n_columns + 1,) of the field of each column; or none.
        field_weights, field_biases : (n_fields, n_fields), of pairs; or none.
        cross_key : (2 n_crosses,) first * n_columns + second, in both orders, ascending; or none.
        cross_weights : (2 n_crosses, n_outputs)
    """

    def __init__(self, arrays: Arrays):
        self.arrays = arrays
        self.n_columns = len(arrays["embeddings"]) - 1
        self._embeddings, self._linear = arrays["embeddings"], arrays["linear_weights"]
        self._projection, self._known = arrays["projection"], arrays["known"]
        self._all_known = bool(self._known[:-1].all())
        self._key = arrays.get("cross_key")
        self._context = arrays.get("network_context")

    def real(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """The columns, those that count for nothing replaced by padding."""
        if self._all_known and values.all():
            return columns
        return np.where(self._known[columns] & (values != 0), columns, self.n_columns)

    def __call__(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Raw scores (n_rows, n_outputs)."""
        width = columns.shape[1]
        cost = width * (width - 1) // 2 * (self._embeddings.shape[1] + 2)
        step = max(1, NUMBERS_AT_ONCE // max(1, cost))
        if len(columns) <= step:
            return self._of_rows(columns, values)
        parts = range(0, len(columns), step)
        return np.concatenate(
            [self._of_rows(columns[i : i + step], values[i : i + step]) for i in parts]
        )

    def _of_rows(self, columns, values) -> np.ndarray:
        raw = self._linear_part(columns, values)
        if columns.shape[1] < 2:
            return raw
        first, second = pair_positions(columns.shape[1])
        one, other = columns[:, first], columns[:, second]
        if self._key is not None:
            raw += self._crosses(one, other, values[:, first] * values[:, second])
        entries = self._embeddings[columns] * values[:, :, None].astype(self._embeddings.dtype)
        products = entries[:, first] * entries[:, second]
        scores = products @ self._projection.T
        logits = None if self._context is None else self._logits(products)
        return raw + self._weighted(logits, scores, one, other)

    def joined(self, context, context_values, columns, values) -> np.ndarray:
        """Raw scores (n_rows, n_outputs) of rows that have the entries of a context too.

        Parameters
        ----------
        context, context_values : ndarray of shape (width,)
        columns, values : ndarray of shape (n_rows, width)
        """
        n_rows, width = columns.shape
        raw = self._linear_part(columns, values)
        raw = raw + (self._linear_part(context[None], context_values[None]) - self.arrays["bias"])
        if self._key is not None:
            raw += self._joined_crosses(context, context_values, columns, values)
        own = self._embeddings[context] * context_values[:, None].astype(self._embeddings.dtype)
        entries = self._embeddings[columns] * values[:, :, None].astype(self._embeddings.dtype)
        flat = entries.reshape(n_rows * width, -1)
        parts = []  # logits and scores of pairs within the context, between, and within the rows
        first, second = pair_positions(len(context))
        products = own[first] * own[second]
        within = context[first], context[second]
        parts.append((products[None], *(np.broadcast_to(c, (n_rows, len(c))) for c in within)))
        first, second = pair_positions(width)
        parts.append((entries[:, first] * entries[:, second], columns[:, first], columns[:, second]))
        scores, logits = [], []
        for products, *_ in parts:
            scores.append(products @ self._projection.T)
            logits.append(None if self._context is None else self._logits(products))
        scores[0] = np.broadcast_to(scores[0], (n_rows, *scores[0].shape[1:]))
        if self._context is not None:
            logits[0] = np.broadcast_to(logits[0], (n_rows, logits[0].shape[1]))
            # W (c * e) of each entry c of the context is a matrix by itself, so that no products
            # of the context and the rows are needed.
            turned = (own[:, None] * self.arrays["network_weight"]).reshape(-1, own.shape[1])
            hidden = (flat @ turned.T).reshape(len(flat) * len(context), -1)
            hidden += self.arrays["network_bias"]
            between = np.maximum(hidden, 0, out=hidden) @ self._context
            logits.append(between.reshape(n_rows, -1))
        between = [flat @ (own * p).T for p in self._projection]
        scores.append(np.stack(between, axis=-1).reshape(n_rows, -1, len(between)))
        one = [parts[0][1], parts[1][1], np.repeat(columns, len(context), axis=1)]
        other = [parts[0][2], parts[1][2], np.tile(context, (n_rows, width))]
        logits = None if self._context is None else np.concatenate(logits, axis=1)
        scores, one, other = (np.concatenate(p, axis=1) for p in (scores, one, other))
        return raw + self._weighted(logits, scores, one, other)

    def _linear_part(self, columns, values) -> np.ndarray:
        linear = np.einsum("rwo,rw->ro", self._linear[columns], values)
        return self.arrays["bias"] + linear

    def _logits(self, products) -> np.ndarray:
        """Attention logit of each pair, before the softmax: (n_rows, n_pairs)."""
        hidden = products @ self.arrays["network_weight"].T
        hidden += self.arrays["network_bias"]
        return np.maximum(hidden, 0, out=hidden) @ self._context

    def _weighted(self, logits, scores, one, other) -> np.ndarray:
        """Interactions (n_rows, n_outputs) of pairs of columns, of their logits and scores."""
        there = None
        if max(one.max(initial=0), other.max(initial=0)) == self.n_columns:
            there = (one < self.n_columns) & (other < self.n_columns)
        fields = self.arrays.get("field_number")
        if fields is not None:
            pair = fields[one], fields[other]
            scores = scores * self.arrays["field_weights"][pair][:, :, None]
            if logits is not None:
                logits = logits + self.arrays["field_biases"][pair]
        if logits is None:
            return scores.sum(axis=1)
        if there is not None:
            logits = np.where(there, logits, -np.inf)
        highest = logits.max(axis=1, keepdims=True)
        attention = np.exp(logits - np.where(np.isfinite(highest), highest, 0))
        total = attention.sum(axis=1)
        result = np.einsum("rp,rpo->ro", attention, scores)
        result /= np.where(total == 0, 1, total)[:, None]  # a row without a pair: 0
        if "usual_pairs" in self.arrays:
            n_pairs = scores.shape[1] if there is None else there.sum(axis=1)[:, None]
            result = result * (n_pairs / self.arrays["usual_pairs"])
        return result

    # Crosses

    def _crosses(self, one, other, factor) -> np.ndarray:
        """What the crosses of each row add, (n_rows, n_outputs)."""
        wanted = one * self.n_columns + other
        wanted[(one == self.n_columns) | (other == self.n_columns)] = -1
        place = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        factor = np.where(self._key[place] == wanted, factor, 0)
        return np.einsum("rp,rpo->ro", factor, self.arrays["cross_weights"][place])

    def _joined_crosses(self, context, context_values, columns, values) -> np.ndarray:
        first, second = pair_positions(len(context))
        result = self._crosses(
            context[None, first],
            context[None, second],
            (context_values[first] * context_values[second])[None],
        )
        first, second = pair_positions(columns.shape[1])
        factor = values[:, first] * values[:, second]
        result = result + self._crosses(columns[:, first], columns[:, second], factor)
        for column, value in zip(context, context_values):
            if column < self.n_columns:
                ends = np.searchsorted(self._key, [column * self.n_columns + (0, self.n_columns)])
                result += value * self._crosses_with(slice(*ends[0]), column, columns, values)
        return result

    def _crosses_with(self, part: slice, column, columns, values) -> np.ndarray:
        """What crosses with one column add. `part` are its keys."""
        if part.start == part.stop:
            return np.zeros(1)
        partner = self._key[part] - column * self.n_columns
        place = np.minimum(np.searchsorted(partner, columns), len(partner) - 1)
        factor = np.where(partner[place] == columns, values, 0)
        return np.einsum("rw,rwo->ro", factor, self.arrays["cross_weights"][part][place])


@lru_cache(maxsize=64)
def pair_positions(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the two entries of each pair of a row."""
    return np.triu_indices(width, 1)
