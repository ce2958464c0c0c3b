"""Ranks: the processes of torch.distributed's group that share a fit.

Outside of `together`, and without a group, there is one rank: its own values come back, at no cost.

Every exchange begins with a header of one size from every rank. It says what the exchange is about,
so that ranks that have drifted apart stop instead of waiting for ever. A rank that has failed
sends such a header too, whatever the others are about to exchange: they raise its message.
"""

import pickle
import signal
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..exceptions import RankError

_GOES_ON, _INTERRUPTED, _FAILED = range(3)
_HEAD = struct.Struct("<B8sqq")  # status, kind of exchange, size of its arrays, bytes that follow
_HEADER_BYTES = 512
# What is this small needs no exchange of its own: the header has room for it.
_SMALL = _HEADER_BYTES - _HEAD.size


class _Group:
    """The default group of torch.distributed."""

    def __init__(self) -> None:
        distributed = torch.distributed
        self.size, self.rank = distributed.get_world_size(), distributed.get_rank()
        self.interrupted = False  # by Ctrl-C, and the others do not know it yet
        # As in "cpu:gloo,cuda:nccl".
        backends = distributed.get_backend_config().split(",")
        self._devices = [backend.split(":")[0] for backend in backends]

    def all_gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all ranks, which have one shape."""
        sent = self._carried(tensor)
        received = [torch.empty_like(sent) for _ in range(self.size)]
        self._do(torch.distributed.all_gather, received, sent)
        return [other.to(tensor.device) for other in received]

    def all_reduce(self, tensor: Tensor, op: str) -> Tensor:
        """The sum or the maximum of the tensors of all ranks."""
        result = self._carried(tensor)
        self._do(torch.distributed.all_reduce, result, getattr(torch.distributed.ReduceOp, op))
        return result.to(tensor.device)

    def _carried(self, tensor: Tensor) -> Tensor:
        """The tensor where the group's backend can take it from."""
        if tensor.device.type in self._devices:
            return tensor.contiguous()
        return tensor.to("cpu" if "cpu" in self._devices else self._devices[0])

    def _do(self, collective: Callable, *arguments: Any) -> None:
        try:
            collective(*arguments)
        except RuntimeError as error:  # torch's own errors are of this kind
            raise _known(
                RankError(
                    f"Rank {self.rank} of {self.size} has lost another rank, so that its fit has "
                    f"ended: {error}. A process has died or was killed, or it has not answered for "
                    "longer than the timeout of torch.distributed.init_process_group. Start all "
                    "ranks again; with `checkpoint` they go on from the last whole epoch."
                )
            ) from error


_current: ContextVar[_Group | None] = ContextVar("group", default=None)


@contextmanager
def together() -> Iterator[None]:
    """What all ranks do in step, if there is a group of several: it ends on all of them or on none.

    An error of one rank ends the others with a RankError. Ctrl-C on one rank is a KeyboardInterrupt
    on all of them, at the next exchange.
    """
    if _size_of_group() == 1:
        yield
        return
    group = _Group()
    token = _current.set(group)
    handler = _note_interrupts(group)
    try:
        yield
        _meet("end")
    except BaseException as error:
        tell(error)
        raise
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        _current.reset(token)


def refuse_group(name: str, or_else: str = "") -> None:
    """Refuse a method that has no part in a group, where there is one of several ranks."""
    if _size_of_group() > 1:
        raise ValueError(
            f"{name} is not data-parallel, and a process group of {_size_of_group()} ranks is "
            f"initialised. Call it in a process without a group{or_else}."
        )


def _size_of_group() -> int:
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return 1
    return distributed.get_world_size()


def n_ranks() -> int:
    """How many ranks take part."""
    group = _current.get()
    return 1 if group is None else group.size


def rank() -> int:
    """The number of this one."""
    group = _current.get()
    return 0 if group is None else group.rank


def sum_over_ranks(values: Any) -> Any:
    """The sum of the ranks' numbers or arrays of one shape, as float64; the same bits on each."""
    return values if n_ranks() == 1 else _reduced("sum", values, np.sum)


def sum_each(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """`sum_over_ranks` of several arrays in one exchange."""
    if n_ranks() == 1:
        return list(arrays)
    sums = sum_over_ranks(np.concatenate([array.ravel() for array in arrays]))
    parts = np.split(sums, np.cumsum([array.size for array in arrays])[:-1])
    return [part.reshape(array.shape) for part, array in zip(parts, arrays)]


def max_over_ranks(values: Any) -> Any:
    """The largest of the ranks' numbers; of arrays, each entry's."""
    return values if n_ranks() == 1 else _reduced("max", values, np.max)


def any_rank(value: bool) -> bool:
    """Whether it is true on any rank."""
    return bool(max_over_ranks(bool(value)))


def every_rank(value: bool) -> bool:
    """Whether it is true on every rank."""
    return not any_rank(not value)


def gather(value: Any) -> list:
    """The values of all ranks, in their order."""
    if n_ranks() == 1:
        return [value]
    data = pickle.dumps(value)
    met = _meet("gather", len(data), data if len(data) <= _SMALL else b"")
    sizes = [size for size, _ in met]
    if max(sizes) <= _SMALL:
        return [pickle.loads(small) for _, small in met]
    parts = gather_rows([torch.frombuffer(bytearray(data), dtype=torch.uint8)[:, None]], sizes)
    return [pickle.loads(part.numpy().tobytes()) for part in parts]


def of_first(value: Any) -> Any:
    """The value of rank 0."""
    return gather(value if rank() == 0 else None)[0]


def union(keys: np.ndarray) -> np.ndarray:
    """The distinct keys of all ranks, sorted."""
    keys = np.unique(keys)
    return keys if n_ranks() == 1 else np.unique(np.concatenate(gather(keys)))


def refuse_other(**values: Any) -> None:
    """Refuse values that are not the same on all ranks, by name."""
    for number, other in enumerate(gather(values)):
        differing = [name for name, value in values.items() if other[name] != value]
        if differing:
            name = differing[0]
            raise ValueError(
                f"All ranks of a fit need the same {name}; rank {rank()} has {values[name]}, "
                f"rank {number} has {other[name]}."
            )


def gather_numbers(kind: str, *numbers: float) -> np.ndarray:
    """The numbers of all ranks, (n_ranks, n_numbers).

    `gather_rows` and `add_up` may follow, if all ranks call them.
    """
    met = _meet(kind, len(numbers), np.array(numbers, dtype=np.float64).tobytes())
    return np.array([np.frombuffer(small) for _, small in met])


def gather_rows(parts: Sequence[Tensor], n_rows: Sequence[int]) -> list[Tensor]:
    """The rows of all ranks, (n_rows of the rank, n_numbers); they travel padded to the most.

    `parts` are the columns of this rank's rows.
    """
    widths = [part.shape[1] for part in parts]
    padded = parts[0].new_zeros(max(n_rows), sum(widths))
    for place, part in zip(padded[: len(parts[0])].split(widths, dim=1), parts):
        place.copy_(part)
    return [rows[:n] for rows, n in zip(_of_several().all_gather(padded), n_rows)]


def add_up(tensor: Tensor) -> Tensor:
    """The sum of the ranks' tensors."""
    return _of_several().all_reduce(tensor, "SUM")


def tell(error: BaseException) -> None:
    """Tell the other ranks in their next exchange why this one ends, unless they know."""
    group = _current.get()
    if group is None or getattr(error, "known_to_all_ranks", False):
        return
    _known(error)
    status = _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _FAILED
    text = f"{type(error).__name__}: {error}".encode()[:_SMALL]
    with suppress(RankError):  # of several errors, the first one counts
        _headers(group, status, "end", 0, text)


def _reduced(kind: str, values: Any, of_parts: Callable) -> Any:
    array = np.asarray(values, dtype=np.float64)
    is_small = array.nbytes <= _SMALL
    met = _meet(kind, array.size, array.tobytes() if is_small else b"")
    if any(size != array.size for size, _ in met):
        raise _known(
            RankError(f"Ranks have arrays of different sizes: {[size for size, _ in met]}.")
        )
    if is_small:
        result = of_parts([np.frombuffer(small) for _, small in met], axis=0)
    else:
        tensor = torch.from_numpy(array.flatten())
        result = _of_several().all_reduce(tensor, kind.upper()).numpy()
    return result.reshape(array.shape)[()]


def _meet(kind: str, size: int = 0, small: bytes = b"") -> list[tuple[int, bytes]]:
    """Exchange headers; the size and the few bytes that each rank sends."""
    group = _of_several()
    status = _INTERRUPTED if group.interrupted else _GOES_ON
    group.interrupted = False
    headers = _headers(group, status, kind, size, small)
    for number, (status, _, _, text) in enumerate(headers):
        if status == _FAILED:
            raise _known(
                RankError(
                    f"Rank {number} of {group.size} has failed, so that the fit has ended on all "
                    f"ranks: {text.decode(errors='replace')}"
                )
            )
    if any(status == _INTERRUPTED for status, *_ in headers):
        raise _known(KeyboardInterrupt())
    kinds = [other for _, other, _, _ in headers]
    if len(set(kinds)) > 1:
        raise _known(
            RankError(
                f"Ranks are at different points of their fits ({', '.join(kinds)}). All ranks have "
                "to make the same calls, with the same settings."
            )
        )
    return [(size, small) for _, _, size, small in headers]


def _headers(group: _Group, status: int, kind: str, size: int, small: bytes) -> list[tuple]:
    data = _HEAD.pack(status, kind.encode(), size, len(small)) + small
    sent = torch.frombuffer(bytearray(data.ljust(_HEADER_BYTES, b"\0")), dtype=torch.uint8)
    result = []
    for header in group.all_gather(sent):
        data = header.numpy().tobytes()
        status, name, size, length = _HEAD.unpack_from(data)
        small = data[_HEAD.size : _HEAD.size + length]
        result.append((status, name.rstrip(b"\0").decode(), size, small))
    return result


def _of_several() -> _Group:
    group = _current.get()
    assert group is not None
    return group


def _known(error: BaseException) -> Any:
    """The error, marked as one that all ranks know of."""
    error.known_to_all_ranks = True  # type: ignore[attr-defined]
    return error


def _note_interrupts(group: _Group) -> Any:
    """Have Ctrl-C wait for the next exchange; the handler to set again, None if there is none.

    Within an exchange it would leave the ranks out of step. A second Ctrl-C acts at once.
    """
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or handler is not signal.default_int_handler:
        return None

    def note(number: int, frame: Any) -> None:
        group.interrupted = True
        signal.signal(signal.SIGINT, handler)

    signal.signal(signal.SIGINT, note)
    return handler
