"""Raw scores of encoded rows: bias, linear part, crosses and interactions (Eq. 3 to 6)."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

# Numbers that the products of pairs take at once.
NUMBERS_AT_ONCE = 1 << 22
# Attention logit of padding: exp of it is 0, also in a row of padding alone, where it is finite.
LOWEST = -1e30

Arrays = dict[str, np.ndarray]


class Formula:
    """Raw scores of rows.

    Encoded rows are columns (n_rows, width) and what stands there (n_rows, width); None if all
    values are 1. Padding is the column `n_columns`, in which all weights are 0.

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
        cross_key : (2 n_crosses,) first * (n_columns + 1) + second, in both orders, ascending; or
            none.
        cross_weights : (2 n_crosses, n_outputs)
    """

    def __init__(self, arrays: Arrays):
        self.arrays = arrays
        self.n_columns = len(arrays["embeddings"]) - 1
        self._embeddings, self._linear = arrays["embeddings"], arrays["linear_weights"]
        self._projection, self._known = arrays["projection"], arrays["known"]
        self._all_known = bool(self._known[:-1].all())
        self._key, self._fields = arrays.get("cross_key"), arrays.get("field_number")
        self._context = arrays.get("network_context")
        self._usual_pairs = arrays.get("usual_pairs")

    def real(self, columns: np.ndarray, values: np.ndarray | None) -> np.ndarray:
        """The columns, those that count for nothing replaced by padding."""
        if not self._all_known:
            columns = np.where(self._known[columns], columns, self.n_columns)
        return columns if values is None else np.where(values != 0, columns, self.n_columns)

    def __call__(self, columns: np.ndarray, values: np.ndarray | None) -> np.ndarray:
        """Raw scores (n_rows, n_outputs)."""
        width = columns.shape[1]
        cost = width * (width - 1) // 2 * (self._embeddings.shape[1] + 2)
        step = max(1, NUMBERS_AT_ONCE // max(1, cost))
        if len(columns) <= step:
            return self._of_rows(columns, values)
        parts = [slice(start, start + step) for start in range(0, len(columns), step)]
        return np.concatenate(
            [self._of_rows(columns[p], None if values is None else values[p]) for p in parts]
        )

    def _of_rows(self, columns, values) -> np.ndarray:
        raw = self._linear_part(columns, values)
        if columns.shape[1] < 2:
            return raw
        pairs = self._pairs(columns, values)
        if self._key is not None:
            raw = raw + self._crosses(pairs)
        return raw + self._weighted(*self._terms(pairs.products), pairs)

    def joined(self, context, context_values, columns, values) -> np.ndarray:
        """Raw scores (n_rows, n_outputs) of rows that have the entries of a context too.

        Parameters
        ----------
        context, context_values : ndarray of shape (1, width); the values may be None
        columns, values : ndarray of shape (n_rows, width); the values may be None
        """
        n_rows, width = columns.shape
        own, within = self._pairs(context, context_values), self._pairs(columns, values)
        raw = self._linear_part(context, context_values) - self.arrays["bias"]
        raw = raw + self._linear_part(columns, values)
        if self._key is not None:
            raw = raw + self._crosses(own) + self._crosses(within)
            raw += self._crosses_between(context[0], context_values, columns, values)
        terms = [
            self._terms(own.products),
            self._between(own, within),
            self._terms(within.products),
        ]
        every_one = own.one, np.repeat(columns, context.shape[1], axis=1), within.one
        every_other = own.other, np.tile(context, (n_rows, width)), within.other
        scores, logits = zip(*terms)
        pairs = Pairs(_beside(every_one, n_rows), _beside(every_other, n_rows))
        logits = None if self._context is None else _beside(logits, n_rows)
        return raw + self._weighted(_beside(scores, n_rows), logits, pairs)

    def _pairs(self, columns, values) -> "Pairs":
        """The pairs of entries of each row."""
        first, second = pair_positions(columns.shape[1])
        entries, factor = self._embeddings[columns], None
        if values is not None:
            entries = entries * values[:, :, None].astype(entries.dtype)
            factor = values[:, first] * values[:, second]
        products = entries[:, first] * entries[:, second]
        return Pairs(columns[:, first], columns[:, second], factor, entries, products)

    def _terms(self, products) -> tuple:
        """Score (n_rows, n_pairs, n_outputs) and attention logit (n_rows, n_pairs) of pairs."""
        scores = products @ self._projection.T
        if self._context is None:
            return scores, None
        hidden = products @ self.arrays["network_weight"].T
        hidden += self.arrays["network_bias"]
        return scores, np.maximum(hidden, 0, out=hidden) @ self._context

    def _between(self, own: "Pairs", within: "Pairs") -> tuple:
        """The same of pairs of an entry of each row and an entry c of the context.

        p * c, and W * c of Eq. 5, are matrices by themselves: no products of entries are made.
        """
        (shared,), entries = own.entries, within.entries
        n_rows, width, size = entries.shape
        n_pairs = width * len(shared)
        flat = entries.reshape(-1, size)
        scores = np.stack([flat @ (shared * p).T for p in self._projection], axis=-1)
        scores = scores.reshape(n_rows, n_pairs, len(self._projection))
        if self._context is None:
            return scores, None
        turned = (shared[:, None] * self.arrays["network_weight"]).reshape(-1, size)
        hidden = (flat @ turned.T).reshape(-1, len(self._context))
        hidden += self.arrays["network_bias"]
        logits = np.maximum(hidden, 0, out=hidden) @ self._context
        return scores, logits.reshape(n_rows, n_pairs)

    def _linear_part(self, columns, values) -> np.ndarray:
        weights = self._linear[columns]
        if values is not None:
            weights = weights * values[:, :, None]
        return self.arrays["bias"] + weights.sum(axis=1)

    def _weighted(self, scores, logits, pairs: "Pairs") -> np.ndarray:
        """Interactions (n_rows, n_outputs) of the scores and attention logits of pairs."""
        if self._fields is not None:
            of_pair = self._fields[pairs.one], self._fields[pairs.other]
            scores = scores * self.arrays["field_weights"][of_pair][:, :, None]
            if logits is not None:
                logits = logits + self.arrays["field_biases"][of_pair]
        if logits is None or not logits.shape[1]:
            return scores.sum(axis=1)
        there = pairs.there(self.n_columns)
        if there is not None:
            logits = np.where(there, logits, LOWEST)
        attention = np.exp(logits - logits.max(axis=1, keepdims=True))
        result = (attention[:, :, None] * scores).sum(axis=1)
        result /= attention.sum(axis=1, keepdims=True)
        if self._usual_pairs is not None:
            n_pairs = scores.shape[1] if there is None else there.sum(axis=1, keepdims=True)
            result = result * (n_pairs / self._usual_pairs)
        return result

    # Crosses: the keys hold both orders of two columns

    def _crosses(self, pairs: "Pairs") -> np.ndarray:
        """What the crosses of each row add, (n_rows, n_outputs)."""
        wanted = pairs.one * (self.n_columns + 1) + pairs.other
        place = self._key.searchsorted(wanted)
        place[place == len(self._key)] = 0
        factor = self._key[place] == wanted
        if pairs.factor is not None:
            factor = factor * pairs.factor
        return (self.arrays["cross_weights"][place] * factor[:, :, None]).sum(axis=1)

    def _crosses_between(self, context, context_values, columns, values) -> np.ndarray:
        """What the crosses of an entry of the context and an entry of each row add."""
        result = np.zeros((len(columns), len(self._projection)))
        ends = self._key.searchsorted(np.stack([context, context + 1]) * (self.n_columns + 1))
        for number, (start, stop) in enumerate(ends.T):
            if start < stop:
                partner = self._key[start:stop] - context[number] * (self.n_columns + 1)
                place = partner.searchsorted(columns)
                place[place == len(partner)] = 0
                factor = (partner[place] == columns).astype(np.float64)
                if values is not None:
                    factor *= values
                if context_values is not None:
                    factor *= context_values[0, number]
                weights = self.arrays["cross_weights"][start:stop][place]
                result += (weights * factor[:, :, None]).sum(axis=1)
        return result


class Pairs(NamedTuple):
    """Pairs of entries of rows; padding is a column too."""

    one: np.ndarray  # (n_rows, n_pairs) columns
    other: np.ndarray
    factor: np.ndarray | None = None  # (n_rows, n_pairs) x_i x_j; None: all are 1
    entries: np.ndarray | None = None  # (n_rows, width, k) v_i x_i
    products: np.ndarray | None = None  # (n_rows, n_pairs, k)

    def there(self, padding: int) -> np.ndarray | None:
        """Which pairs have no padding; None: all."""
        if max(self.one.max(initial=0), self.other.max(initial=0)) < padding:
            return None
        return (self.one < padding) & (self.other < padding)


def _beside(parts, n_rows: int) -> np.ndarray:
    """Arrays side by side; those of one row are repeated for all."""
    parts = [np.broadcast_to(part, (n_rows, *part.shape[1:])) for part in parts]
    return np.concatenate(parts, axis=1)


@lru_cache(maxsize=64)
def pair_positions(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the two entries of each pair of a row."""
    return np.triu_indices(width, 1)
