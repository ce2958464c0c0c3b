"""A fit on the workers of a Dask cluster: the workers that hold rows are the ranks."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from uuid import uuid4

import distributed
import numpy as np
import pandas as pd
import psutil
import torch
from dask import delayed
from distributed import Client, Event, Future, MultiLock
from distributed.comm import get_address_host
from scipy import sparse

from ..exceptions import RankError
from ._collections import partitions_of

_POLL = 2.0  # seconds between looks at which workers are alive
_GRACE = 20.0  # seconds that ranks have to end after one has failed
# Where the ranks of a fit find one another: on the worker of rank 0, by the name of the fit.
_stores: dict[str, torch.distributed.TCPStore] = {}


def train(client: Client, estimator, rows: Sequence, validation: Sequence | None):
    """A fitted copy of an estimator, and the warnings of its fit.

    Parameters
    ----------
    client : distributed.Client
    estimator : estimator
        One that knows nothing of Dask.
    rows : (X, y) or (X, y, sample_weight)
        Dask collections with partitions of the same rows.
    validation : like rows, or None
        Rows for early stopping.
    """
    shares = _shares(client, rows)
    addresses = list(shares)
    of_validation = _dealt(client, validation, len(addresses)) if validation else None
    if len(addresses) > 1 and any(address.startswith("inproc") for address in addresses):
        raise ValueError(
            "The cluster's workers are threads of one process, and each rank of a fit needs a "
            "process of its own. Start it with processes=True, or with one worker."
        )
    with MultiLock(addresses, client=client):  # two fits that wait for each other never end
        return _train(client, estimator, shares, of_validation)


def _shares(client: Client, rows: Sequence) -> dict[str, list[Future]]:
    """The partitions that have rows, by the address of a worker that holds them."""
    parts = _parts(client, rows, "X")
    held = client.who_has(parts)
    shares: dict[str, list[Future]] = {}
    for part in parts:
        address = min(held[part.key], key=lambda one: (len(shares.get(one, [])), one))
        shares.setdefault(address, []).append(part)
    return dict(sorted(shares.items()))


def _dealt(client: Client, rows: Sequence, n_ranks: int) -> list[list[Future]]:
    """Validation partitions for each rank."""
    parts = _parts(client, rows, "X_val")
    if len(parts) < n_ranks:
        raise ValueError(
            f"X_val has rows in {len(parts)} partitions, and {n_ranks} workers train. Each needs "
            "one: split X_val into more (repartition, rechunk)."
        )
    return [parts[rank::n_ranks] for rank in range(n_ranks)]


def _parts(client: Client, rows: Sequence, name: str) -> list[Future]:
    """Tuples (X, y) or (X, y, sample_weight) of the partitions that have rows, on workers."""
    columns = [partitions_of(collection, optimize_graph=True) for collection in rows]
    sizes = {len(partitions) for partitions in columns}
    if len(sizes) > 1:
        raise ValueError(
            f"{name}, its targets and weights have {[len(c) for c in columns]} partitions. They "
            "need the same ones: take them from one collection, or repartition them."
        )
    parts = client.compute([delayed(_part, pure=False)(*partition) for partition in zip(*columns)])
    n_rows = client.gather(client.map(_n_rows, parts, pure=False))
    found = [part for part, n in zip(parts, n_rows) if n]
    if not found:
        raise ValueError(f"{name} has no rows.")
    return found


def _part(*arrays) -> tuple:
    sizes = [array.shape[0] for array in arrays]
    if len(set(sizes)) > 1:
        raise ValueError(f"A partition has {sizes} rows in X, y and their weights.")
    return arrays


def _n_rows(part: tuple) -> int:
    return part[0].shape[0]


def _train(client, estimator, shares, of_validation):
    name, addresses = f"sklearn_afm-{uuid4().hex}", list(shares)
    first, n_ranks = addresses[0], len(addresses)
    stop, place, futures = Event(name, client=client), None, []
    if n_ranks > 1:
        host = get_address_host(first)
        port = client.run(_open_store, name, host, n_ranks, workers=[first])[first]
        place = host, port
    try:
        for rank, (address, parts) in enumerate(shares.items()):
            validation = of_validation and of_validation[rank]
            arguments = estimator, parts, validation, rank, n_ranks, place, name
            futures.append(client.submit(_fit_rank, *arguments, workers=[address], pure=False))
        _wait(client, futures, addresses)
        return futures[0].result()
    except KeyboardInterrupt:
        stop.set()
        with suppress(TimeoutError):
            distributed.wait(futures, timeout=_GRACE)
        raise
    finally:
        client.cancel(futures)
        if place is not None and first in client.nthreads():
            client.run(_close_store, name, workers=[first])


def _wait(client: Client, futures: list[Future], addresses: list[str]) -> None:
    """Wait for all ranks; raise the error that ended them."""
    waited, lost = 0.0, set()
    while any(not future.done() for future in futures) and waited < _GRACE:
        try:
            distributed.wait(futures, timeout=_POLL)
        except (TimeoutError, CancelledError):
            lost |= set(addresses) - set(client.nthreads())
        if lost or any(future.status in ("error", "cancelled") for future in futures):
            waited += _POLL
    errors = [future.exception() for future in futures if future.status == "error"]
    causes = [error for error in errors if not isinstance(error, RankError)]
    if lost and not causes:
        raise RankError(
            f"Worker {', '.join(sorted(lost))} was lost in the fit: it has died or was killed, "
            "perhaps because it was out of memory. The fit has ended on all workers, and nothing "
            "was learnt. Call fit again: the scheduler computes the lost partitions again."
        )
    for error in causes or errors:
        raise error
    if any(not future.done() or future.status != "finished" for future in futures):
        raise RankError("The fit was cancelled on a worker, or has lost it. Call fit again.")


# On the workers


def _open_store(name: str, host: str, n_ranks: int) -> int:
    store = torch.distributed.TCPStore(host, 0, n_ranks, is_master=True, wait_for_workers=False)
    _stores[name] = store
    return store.port


def _close_store(name: str) -> None:
    _stores.pop(name, None)


def _fit_rank(estimator, parts, validation, rank, n_ranks, place, name):
    """Fit on the rows of this worker; what rank 0 returns counts."""
    estimator.callbacks = [*(estimator.callbacks or []), _Stop(name)]
    with _threads(), _group(rank, n_ranks, place):
        X, y, *weight = _joined(parts)
        rows_val = _joined(validation) if validation else []
        others = [*(weight or [None]), *rows_val, *[None] * (3 - len(rows_val))]
        fitted, notices = estimator._trained(X, y, *others)
    fitted.callbacks = estimator.callbacks[:-1] or None
    return (fitted, notices) if rank == 0 else None


class _Stop:
    """A callback that ends training once the client has been interrupted."""

    def __init__(self, name: str):
        self.event = Event(name)

    def __call__(self, record: dict) -> bool:
        return self.event.is_set()


def _joined(parts: Sequence[tuple]) -> list:
    """The rows of several partitions as one."""
    return [_concatenated(arrays) for arrays in zip(*parts)]


def _concatenated(arrays: Sequence):
    if len(arrays) == 1:
        return arrays[0]
    if hasattr(arrays[0], "iloc"):
        return pd.concat(arrays)
    if sparse.issparse(arrays[0]):
        return sparse.vstack(arrays, format="csr")
    return np.concatenate(arrays)


@contextmanager
def _threads() -> Iterator[None]:
    """Train with as many threads as the worker has; Dask starts workers with one for NumPy."""
    before = torch.get_num_threads()
    torch.set_num_threads(distributed.get_worker().state.nthreads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _group(rank: int, n_ranks: int, place: tuple[str, int] | None) -> Iterator[None]:
    """The process group of the fit; none for one rank."""
    if place is None:
        yield
        return
    store = torch.distributed.TCPStore(*place, n_ranks, is_master=False)
    with _interface(get_address_host(distributed.get_worker().address)):
        torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=n_ranks)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


@contextmanager
def _interface(host: str) -> Iterator[None]:
    """Have gloo use the network interface that the worker uses, unless it is told another."""
    name = "GLOO_SOCKET_IFNAME"
    found = [
        interface
        for interface, addresses in psutil.net_if_addrs().items()
        if any(address.address == host for address in addresses)
    ]
    if name in os.environ or not found:
        yield
        return
    os.environ[name] = found[0]
    try:
        yield
    finally:
        del os.environ[name]
