"""Scorers as files: a zip archive of NumPy arrays and a JSON text. Nothing in it is code."""

import json
from contextlib import nullcontext

import numpy as np

from ._fields import DateField, Field, LevelField, ListField, NumberField

FORMAT = "sklearn_afm scorer"
VERSION = 1
KINDS = {kind.__name__: kind for kind in (DateField, LevelField, ListField, NumberField)}


def write(file, fields: list[Field], arrays: dict, options: dict, classes) -> None:
    """Write what a scorer is made of."""
    described = {
        "format": FORMAT,
        "version": VERSION,
        "fields": [_described(field) for field in fields],
        "options": options,
    }
    text = np.frombuffer(json.dumps(described).encode(), dtype=np.uint8)
    stored = {f"array {name}": array for name, array in arrays.items()}
    if classes is not None:
        stored["classes"] = classes
    with _opened(file, "wb") as stream:  # of a path, np.savez would change the name
        np.savez(stream, description=text, **stored)


def read(file) -> tuple[list[Field], dict, dict, np.ndarray | None]:
    """Fields, arrays, options and classes of a scorer.

    Raises
    ------
    ValueError
        If the file is no scorer, is damaged or cut off, or is of a later release.
    """
    with _opened(file, "rb") as stream:
        try:
            # NumPy refuses Python objects, and zip checks each array's sum.
            with np.load(stream, allow_pickle=False) as archive:
                stored = {name: archive[name] for name in archive.files}
            described = json.loads(stored.pop("description").tobytes())
            is_known = (described["format"], described["version"]) == (FORMAT, VERSION)
            options = described["options"] if is_known else {}
            fields = [_field(settings) for settings in described["fields"]] if is_known else []
        except Exception as error:
            raise ValueError(
                f"{file!r} is no scorer, or is damaged or cut off ({error}). Scorer.save writes "
                "one."
            ) from error
    if not is_known:
        raise ValueError(
            f"{file!r} has the format {described['format']!r}, version {described['version']!r}. "
            f"This release of sklearn_afm reads {FORMAT!r}, version {VERSION}: take the release "
            "that wrote the file, or write it anew."
        )
    classes = stored.pop("classes", None)
    arrays = {name.removeprefix("array "): array for name, array in stored.items()}
    return fields, arrays, options, classes


def _opened(file, mode: str):
    """A path as an open file; an open file as it is."""
    return nullcontext(file) if hasattr(file, "seek") else open(file, mode)


def _described(field: Field | None):
    """A field as JSON can hold it."""
    if field is None:
        return None
    settings = {
        name: _described(value) if isinstance(value, Field) else value
        for name, value in field.settings().items()
    }
    return {"kind": type(field).__name__, **settings}


def _field(described) -> Field | None:
    """The inverse of `_described`."""
    if described is None:
        return None
    settings = {
        name: _field(value) if isinstance(value, dict) else value
        for name, value in described.items()
        if name != "kind"
    }
    return KINDS[described["kind"]](**settings)
