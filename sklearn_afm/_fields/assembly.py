"""The encoded columns of all fields, side by side as CSR."""

import numpy as np
from scipy import sparse

from .levels import ListField


def assembled(encoders, parts, n_rows: int, dtype) -> sparse.csr_array:
    """The encoded columns side by side."""
    blocks, together = [], []
    for encoder, part in zip(encoders, parts):
        if isinstance(encoder, ListField):
            blocks += _one_block(together, n_rows, dtype)
            blocks.append(encoder.encode(part).astype(dtype))
            together = []
        else:
            together.append((encoder, part))
    blocks += _one_block(together, n_rows, dtype)
    return blocks[0] if len(blocks) == 1 else sparse.csr_array(sparse.hstack(blocks, format="csr"))


def _one_block(fields, n_rows: int, dtype) -> list[sparse.csr_array]:
    """CSR of neighbouring fields that have a fixed number of entries at most."""
    if not fields:
        return []
    n_entries = sum(encoder.entries_per_row for encoder, _ in fields)
    columns = np.empty((n_rows, n_entries), dtype=np.int32)
    values = None
    start = at = 0
    for encoder, part in fields:
        codes, value = encoder.encode(part)
        here = slice(at, at + codes.shape[1])
        np.add(codes, start, out=columns[:, here], where=codes >= 0)
        columns[:, here][codes < 0] = -1
        if value is not None:
            if values is None:
                values = np.ones(columns.shape, dtype=dtype)
            values[:, here] = value
            columns[:, here][value == 0] = -1
        start, at = start + len(encoder), here.stop
    there = columns >= 0
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1, dtype=np.int32))])
    data = np.ones(indptr[-1], dtype=dtype) if values is None else values[there]
    return [sparse.csr_array((data, columns[there], indptr), shape=(n_rows, start))]
