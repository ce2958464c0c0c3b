"""Files that are fetched from where they are published, once, and kept in `data_home`."""

import os
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.datasets import fetch_file, get_data_home


def folder_of(data_home, name: str) -> Path:
    """Where the files of a data set are; its parent is made if it is missing."""
    return Path(get_data_home(data_home)) / name


def cached_file(url, path: Path, download_if_missing=True, n_retries=3, delay=1.0) -> Path:
    """The path, once its file is there."""
    if not path.exists():
        if not download_if_missing:
            raise OSError(f"{path} is missing, and download_if_missing=False. It comes from {url}.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fetch_file(url, path.parent, path.name, n_retries=n_retries, delay=delay)
        except OSError as error:
            raise OSError(
                f"{url} could not be fetched ({error}). Fetch it elsewhere, and put it at {path}."
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
    """Paths in `folder` of members of an archive, whose own folder has the same name."""
    paths = [folder / name for name in names]
    missing = [path for path in paths if not path.exists()]
    if missing:
        wanted = ", ".join(map(str, missing))
        if not download_if_missing:
            raise OSError(f"Missing, and download_if_missing=False: {wanted}. Source: {url}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The archive is not kept: it holds much that nobody asked for.
            with TemporaryDirectory(dir=folder) as scratch:
                archive = fetch_file(url, scratch, "archive.zip", n_retries=n_retries, delay=delay)
                with zipfile.ZipFile(archive) as file:
                    for path in missing:
                        part = Path(scratch, path.name)
                        part.write_bytes(file.read(f"{folder.name}/{path.name}"))
                        os.replace(part, path)  # others see the whole file or none
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            raise OSError(
                f"{url} could not be fetched ({error}). Fetch it elsewhere, and unpack it so that "
                f"there is: {wanted}."
            ) from error
    return paths


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file with other content."""
    found = sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise OSError(
            f"{path} is not the file that was published: its SHA256 is {found}, not {expected}. "
            "Delete it, so that it is fetched again."
        )
