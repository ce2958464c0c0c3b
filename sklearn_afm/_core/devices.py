"""The device on which to compute."""

import torch


def training_device(device: str) -> torch.device:
    """The device that was asked for; ValueError if this machine does not have it."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        result = torch.device(device)
        torch.empty(0, device=result)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"device={device!r} cannot be used on this machine ({str(error).splitlines()[0]}). "
            'Use device="auto" or "cpu".'
        ) from error
    return result


def prediction_device(device: str) -> torch.device:
    """The device that was asked for, or the CPU if this machine does not have it."""
    try:
        return training_device(device)
    except ValueError:
        return torch.device("cpu")
