"""Fetch files once from where they are published, and keep them in `data_home`."""

import os
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.datasets import fetch_file, get_data_home


def folder_of(data_home, name: str) -> Path:
    """Return the folder of a data set's files. Make its parent folder if it is missing."""
    return Path(get_data_home(data_home)) / name


def cached_file(url, path: Path, download_if_missing=True, n_retries=3, delay=1.0) -> Path:
    """Return the path. Fetch its file first if it is missing."""
    if not path.exists():
        if not download_if_missing:
            raise OSError(f"{path} is missing, and download_if_missing=False. Its source is {url}.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fetch_file(url, path.parent, path.name, n_retries=n_retries, delay=delay)
        except OSError as error:
            raise OSError(
                f"{url} could not be fetched ({error}). Download it by other means, and put it at "
                f"{path}."
            ) from error
    return path


def cached_members(
    url,
    folder: Path,
    names: Iterable[str],
    download_if_missing=True,
    n_retries=3,
    delay=1.0,
) -> list[Path]:
    """Return paths in `folder` of files of a zip archive. Fetch it first if one is missing.

    In the archive, the files are in a folder of the same name as `folder`.
    """
    paths = [folder / name for name in names]
    missing = [path for path in paths if not path.exists()]
    if missing:
        wanted = ", ".join(map(str, missing))
        if not download_if_missing:
            raise OSError(f"Missing, and download_if_missing=False: {wanted}. Source: {url}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The archive is not kept: most of its files are not needed.
            with TemporaryDirectory(dir=folder) as scratch:
                archive = fetch_file(url, scratch, "archive.zip", n_retries=n_retries, delay=delay)
                with zipfile.ZipFile(archive) as file:
                    for path in missing:
                        part = Path(scratch, path.name)
                        part.write_bytes(file.read(f"{folder.name}/{path.name}"))
                        os.replace(part, path)  # other processes see the whole file or none
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise OSError(
                f"{url} could not be fetched ({error}). Download it by other means, and unpack it, "
                f"so that these files exist: {wanted}."
            ) from error
    return paths


def check_sha256(path: Path, expected: str) -> None:
    """Raise OSError if the file has another SHA256."""
    found = sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise OSError(
            f"{path} is not the file that was published: its SHA256 is {found}, not {expected}. "
            "Delete it, and it is fetched again."
        )
