"""Between NumPy arrays and tensors."""

import numpy as np
import torch
from torch import Tensor


def computing_dtype(precision: str, values: np.ndarray) -> torch.dtype:
    """float32 if it holds the values of X exactly, as it does 0 and 1; else float64."""
    if precision == "float64":
        return torch.float64
    if precision == "auto" and values.dtype != np.float32:
        with np.errstate(over="ignore"):
            if (values.astype(np.float32) != values).any():
                return torch.float64
    return torch.float32


def to_tensors(
    arrays: dict[str, np.ndarray], dtype: torch.dtype, device: torch.device
) -> dict[str, Tensor]:
    """Parameters as tensors. On the CPU, those of this type share the arrays' memory."""
    return {
        name: torch.as_tensor(value, dtype=dtype, device=device) for name, value in arrays.items()
    }


def host_arrays(tensors: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Tensors as arrays. Those on the CPU share their memory."""
    return {name: value.cpu().numpy() for name, value in tensors.items()}


def copy_of(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The parameters as they are now."""
    return {name: value.clone() for name, value in parameters.items()}


class _WritableView:
    """The memory of a read-only array, described as writable."""

    def __init__(self, array: np.ndarray):
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
        self._owner = array


def shared_tensor(array: np.ndarray, device: torch.device | str) -> Tensor:
    """A tensor to read from. On the CPU it shares the array's memory.

    torch warns about read-only memory, such as that of a memory-mapped model. Nothing here
    writes to it. A copy to a device has left the array when this returns, but does not wait for
    the device's earlier work.
    """
    if not array.flags.writeable:
        array = np.asarray(_WritableView(array))
    return torch.from_numpy(array).to(device, non_blocking=True)
