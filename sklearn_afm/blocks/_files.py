"""Files that a source reads."""

import os
from collections.abc import Iterable
from pathlib import Path


def files_of(path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a folder (and of folders in it), a file, or a list of files.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not isinstance(path, (str, os.PathLike)) and isinstance(path, Iterable):
        files = [Path(each) for each in path]
    elif Path(path).is_dir():
        found = Path(path).rglob("*")
        # Names that begin with a dot or underscore are no data, by a custom of Spark and Hive.
        files = sorted(f for f in found if f.suffix in suffixes and f.name[0] not in "._")
    else:
        files = [Path(path)]
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        raise FileNotFoundError(
            f"There is no file {missing[0]}." if missing else f"{path} has no {suffixes[0]} files."
        )
    return files
