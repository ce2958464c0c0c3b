"""The file from which a fit goes on."""

import dataclasses
import hashlib
import json
import os
import time
import zipfile
from dataclasses import asdict
from numbers import Real
from pathlib import Path

import numpy as np
import torch

from .._attributes import parameters_of
from .._core import ranks
from .._core.devices import training_device
from .._core.training.data import Epoch
from .._core.training.run import RunState
from .._data.rows import Rows

FORMAT = 2
# Parameters of the estimator that may change between the parts of a fit.
_FREE = {"callbacks", "checkpoint", "max_iter", "random_state", "verbose", "warm_start"}
# Known only once the seeds are, which may be those of the file: the split of a splitter.
_SPLIT = "validation_fraction (its split)"
_TENSORS = ("parameters", "optimizer", "average", "best")
_PLAIN = ("best_iter", "best_score", "history", "order_rng")
# Between two writes inside an epoch.
SECONDS = 60.0


class Checkpoint:
    """The checkpoint file of one fit.

    A zip archive of arrays (.npz): tensors under "parameters/embeddings" and so on, and the
    rest as JSON text. Reading it runs no code. Rank 0 reads and writes it for all ranks.

    Parameters
    ----------
    path : str or path-like
    fingerprint : dict of str
        What the fit depends on. A file with another fingerprint is refused.

    Raises
    ------
    ValueError
        If there is no such folder, or the file is not a whole checkpoint of this fit.
    """

    def __init__(self, path, fingerprint: dict[str, str]):
        self._path = Path(path)
        self._unfinished = self._path.with_name(self._path.name + ".tmp")
        self._fingerprint = fingerprint
        self._entropy = self._stage = self._state = self._split = None
        self._written = time.monotonic()
        loaded = None
        if ranks.rank() == 0:
            if not self._path.parent.is_dir():
                raise ValueError(
                    f"checkpoint={str(self._path)!r}: there is no folder "
                    f"{str(self._path.parent)!r}. Create it, or give another path."
                )
            loaded = self._load() if self._path.exists() else None
        loaded = ranks.of_first(loaded)
        if loaded is not None:
            self._entropy, self._stage, self._state, self._split = loaded
            self._state = _of_rank(self._state)

    @property
    def stage(self) -> str | None:
        """The stage in which the file was written; None if there is no file."""
        return self._stage

    def seeds(self, fresh: np.random.SeedSequence) -> np.random.SeedSequence:
        """The seeds of the fit that wrote the file; the fresh ones if there is no file."""
        if self._entropy is None:
            self._entropy = np.asarray(fresh.entropy).tolist()
        return np.random.SeedSequence(self._entropy)

    def check_split(self, train: np.ndarray, aside: np.ndarray) -> None:
        """Refuse a file whose fit had other rows to train on, or to validate on."""
        split = digest(train, aside)
        if self._stage is not None and split != self._split:
            raise self._refused(f"is of a fit with other values of {_SPLIT}")
        self._fingerprint[_SPLIT] = split

    def take_state(self, stage: str) -> RunState | None:
        """The state from which this stage goes on; None at the second call."""
        if stage != self._stage:
            return None
        state, self._state = self._state, None
        return state

    def save(self, stage: str, state: RunState) -> None:
        """Write the state, inside an epoch at times. The file at the path is always a whole one."""
        if state.epoch is not None and time.monotonic() < self._written + SECONDS:
            return
        state = _of_all_ranks(state)
        if ranks.rank():
            return
        about = {
            "format": FORMAT,
            "fingerprint": self._fingerprint,
            "entropy": self._entropy,
            "stage": stage,
            **{name: getattr(state, name) for name in _PLAIN},
            "epoch": state.epoch and asdict(state.epoch),
        }
        arrays = {
            f"{part}/{name}": value.cpu().numpy()
            for part in _TENSORS
            for name, value in (getattr(state, part) or {}).items()
        }
        arrays["mask_generator"] = state.mask_generator.numpy()
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
        try:
            with open(self._unfinished, "wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(self._unfinished, self._path)
        except BaseException:
            self._unfinished.unlink(missing_ok=True)
            raise
        self._written = time.monotonic()

    def remove(self) -> None:
        """Delete the file, and the unfinished file of a killed process."""
        if ranks.rank():
            return
        self._path.unlink(missing_ok=True)
        self._unfinished.unlink(missing_ok=True)

    def _load(self):
        arrays, about = self._read()
        if about["format"] != FORMAT:
            raise self._refused(f"has format {about['format']}, not {FORMAT}")
        saved = about["fingerprint"]
        split = saved.pop(_SPLIT, None)
        names = sorted(saved.keys() | self._fingerprint.keys())
        other = [name for name in names if saved.get(name) != self._fingerprint.get(name)]
        if other:
            raise self._refused(f"is of a fit with other values of {', '.join(other)}")
        mask_generator = torch.from_numpy(arrays.pop("mask_generator"))
        tensors = {part: {} for part in _TENSORS}
        for key, array in arrays.items():
            part, _, name = key.partition("/")
            tensors[part][name] = torch.from_numpy(array)
        tensors = {part: found or None for part, found in tensors.items()}
        tensors["optimizer"] = tensors["optimizer"] or {}  # SGD has none
        plain = {name: about[name] for name in _PLAIN}
        epoch = Epoch(**about["epoch"]) if about.get("epoch") else None
        state = RunState(**tensors, **plain, mask_generator=mask_generator, epoch=epoch)
        return about["entropy"], about["stage"], state, split

    def _read(self):
        """All arrays, and what the JSON text says."""
        with open(self._path, "rb") as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    broken = archive.testzip()
                if broken is not None:
                    raise ValueError(f"{broken} has changed since it was written")
                file.seek(0)
                with np.load(file, allow_pickle=False) as npz:
                    arrays = {name: npz[name] for name in npz.files}
                about = json.loads(arrays.pop("about").tobytes())
                about["fingerprint"], about["format"], arrays["mask_generator"]
                return arrays, about
            except MemoryError:
                raise
            except Exception as error:  # of the dozen kinds that damage to an archive can raise
                reason = f"is not a whole checkpoint ({type(error).__name__}: {error})"
                raise self._refused(reason) from error

    def _refused(self, reason) -> ValueError:
        return ValueError(
            f"checkpoint={str(self._path)!r} {reason}. Delete the file to start afresh, or give "
            "another path."
        )


def _of_all_ranks(state: RunState) -> RunState:
    """The state with the random numbers of all ranks, in their order; all else is the same."""
    if ranks.n_ranks() == 1:
        return state
    parts = ranks.gather((state.order_rng, state.mask_generator.cpu()))
    order, masks = zip(*parts)
    return dataclasses.replace(state, order_rng=list(order), mask_generator=torch.stack(masks))


def _of_rank(state: RunState) -> RunState:
    """The state with the random numbers of this rank."""
    if ranks.n_ranks() == 1:
        return state
    number = ranks.rank()
    order, masks = state.order_rng[number], state.mask_generator[number].clone()
    return dataclasses.replace(state, order_rng=order, mask_generator=masks)


def settings_of_fit(estimator) -> dict[str, str]:
    """What the result of a fit depends on beside its rows, by names that tell a user what differs.

    Parameters that are functions or objects count by name.
    """
    result = {"class": type(estimator).__name__}
    for name, value in estimator.get_params(deep=False).items():
        if name not in _FREE:  # the order of names to freeze says nothing
            result[name] = _described(sorted(value) if name == "freeze" else value)
    result["device"] = str(training_device(estimator.device))
    seed = estimator.random_state
    # The seeds drawn for None, or from a generator, are in the file.
    result["random_state"] = str(int(seed)) if isinstance(seed, Real) else type(seed).__name__
    init = getattr(estimator, "init", None)
    if hasattr(init, "embeddings_"):
        arrays = parameters_of(init) | (init._progress.optimizer or {})
        result["init"] = digest(*(arrays[name] for name in sorted(arrays)))
    return result


def fingerprint(estimator, data: dict[str, str]) -> dict[str, str]:
    """What the result of a fit depends on, by names that tell a user what differs.

    `data` has the digests of the rows.
    """
    result = settings_of_fit(estimator)
    result["classes"] = str(np.asarray(getattr(estimator, "classes_", ())).tolist())
    result |= data
    if ranks.n_ranks() > 1:
        of_ranks = ranks.gather(result)
        result = {name: " ".join(part[name] for part in of_ranks) for name in result}
        result["number of ranks"] = str(len(of_ranks))
    return result


def digests(rows: Rows | None, title: str = "{}") -> dict[str, str]:
    """Digests of rows, by names that tell a user what differs."""
    if rows is None:
        return {}
    X = rows.X
    return {
        title.format("X"): digest(np.array(X.shape), X.indptr, X.indices, X.data),
        title.format("y"): digest(rows.target),
        title.format("sample_weight"): digest(rows.weight),
    }


def _described(value) -> str:
    if value is None or isinstance(value, (str, bool, np.bool_)):
        return str(value)
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, slice):
        return repr(value)
    if isinstance(value, dict):
        return str(sorted((str(key), _described(item)) for key, item in value.items()))
    if callable(value) or hasattr(value, "get_params") or hasattr(value, "get_n_splits"):
        return getattr(value, "__qualname__", type(value).__name__)
    return str([str(item) for item in value])


def digest(*arrays) -> str:
    """A digest of arrays."""
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        array = np.ascontiguousarray(array)
        state.update(f"{array.dtype.str}{array.shape}".encode())
        state.update(array)
    return state.hexdigest()
