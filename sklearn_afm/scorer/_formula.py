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
        self._fields, self._key = arrays.get("field_number"), None
        if "cross_key" in arrays:  # and a last key that no search is beyond
            self._key = np.append(arrays["cross_key"], np.iinfo(np.int64).max)
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
        if values is None:  # what a column has with the context is computed once
            distinct, place = np.unique(columns, return_inverse=True)
            place, entries = place.reshape(columns.shape), self._embeddings[distinct]
        else:
            distinct, place = columns.ravel(), np.arange(columns.size).reshape(columns.shape)
            entries = within.entries.reshape(len(distinct), within.entries.shape[2])
        if self._key is not None:
            raw = raw + self._crosses(own) + self._crosses(within)
            of_distinct = self._crosses_with(context[0], context_values, distinct)
            between = of_distinct[place]
            raw = raw + (between if values is None else between * values[:, :, None]).sum(axis=1)
        between = (_pairs_of_rows(t, place) for t in self._between(own.entries[0], entries))
        terms = self._terms(own.products), between, self._terms(within.products)
        scores, logits = zip(*terms)
        scores = _beside(scores, n_rows)
        logits = None if self._context is None else _beside(logits, n_rows)
        one = own.one, np.repeat(columns, context.shape[1], axis=1), within.one
        other = own.other, np.tile(context, (n_rows, width)), within.other
        pairs = Pairs(_beside(one, n_rows), _beside(other, n_rows))
        return raw + self._weighted(scores, logits, pairs)

    def _pairs(self, columns, values) -> "Pairs":
        """The pairs of entries of each row."""
        first, second = pair_positions(columns.shape[1])
        entries, factor = self._embeddings[columns], None
        if values is not None:
            entries = entries * values[:, :, None].astype(entries.dtype)
            factor = values[:, first] * values[:, second]
        products = entries.take(first, axis=1) * entries.take(second, axis=1)
        one, other = columns.take(first, axis=1), columns.take(second, axis=1)
        return Pairs(one, other, factor, entries, products)

    def _terms(self, products) -> tuple:
        """Score (n_rows, n_pairs, n_outputs) and attention logit (n_rows, n_pairs) of pairs."""
        scores = products @ self._projection.T
        if self._context is None:
            return scores, None
        hidden = products @ self.arrays["network_weight"].T
        hidden += self.arrays["network_bias"]
        return scores, np.maximum(hidden, 0, out=hidden) @ self._context

    def _between(self, shared, entries) -> tuple:
        """The same of pairs of each of `entries` (n, k) and each of the context's `shared`.

        p * c, and W * c of Eq. 5, are matrices by themselves: no products of entries are made.
        """
        scores = np.stack([entries @ (shared * p).T for p in self._projection], axis=-1)
        if self._context is None:
            return scores, None
        size = shared.shape[1]
        turned = (shared[:, None] * self.arrays["network_weight"]).reshape(-1, size)
        hidden = (entries @ turned.T).reshape(len(entries), len(shared), len(self._context))
        hidden += self.arrays["network_bias"]
        return scores, np.maximum(hidden, 0, out=hidden) @ self._context

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
        if scores.shape[2] == 1:  # several times as fast
            result = (attention * scores[:, :, 0]).sum(axis=1, keepdims=True)
        else:
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
        row, pair = (self._key[place] == wanted).nonzero()
        added = self.arrays["cross_weights"][place[row, pair]]
        if pairs.factor is not None:
            added = added * pairs.factor[row, pair][:, None]
        result = np.zeros((len(wanted), added.shape[1]))
        np.add.at(result, row, added)
        return result

    def _crosses_with(self, context, context_values, columns) -> np.ndarray:
        """What the crosses of each column with the columns of a context add, (n, n_outputs)."""
        result = np.zeros((len(columns), len(self._projection)))
        for number, column in enumerate(context):
            wanted = column * (self.n_columns + 1) + columns
            place = self._key.searchsorted(wanted)
            (found,) = (self._key[place] == wanted).nonzero()
            weights = self.arrays["cross_weights"][place[found]]
            factor = 1 if context_values is None else context_values[0, number]
            result[found] += weights * factor
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


def _pairs_of_rows(of_distinct, place) -> np.ndarray | None:
    """Terms (n_rows, n_pairs, ...) of rows, from those of distinct entries with the context."""
    if of_distinct is None:
        return None
    found = of_distinct[place]  # (n_rows, width, entries of the context, ...)
    n_rows, width, n_shared, *more = found.shape
    return found.reshape(n_rows, width * n_shared, *more)


def _beside(parts, n_rows: int) -> np.ndarray:
    """Arrays side by side; those of one row are repeated for all."""
    parts = [np.broadcast_to(part, (n_rows, *part.shape[1:])) for part in parts]
    return np.concatenate(parts, axis=1)


@lru_cache(maxsize=64)
def pair_positions(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the two entries of each pair of a row."""
    return np.triu_indices(width, 1)
