"""Files are fetched whole or not at all. If this fails, an error says what to do."""

import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sklearn_afm.datasets import _remote

NOWHERE = "file://localhost/nowhere"


class Quiet(SimpleHTTPRequestHandler):
    """A server of a folder that logs nothing."""

    def log_message(self, *args):
        pass


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """The address of a folder that takes the publisher's place."""
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "rows.txt").write_text("1 2 3\n")
    with zipfile.ZipFile(folder / "set.zip", "w") as archive:
        archive.writestr("set/a", "first")
        archive.writestr("set/b", "second")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_once(origin, tmp_path):
    path = tmp_path / "home" / "set" / "rows.txt"
    assert _remote.cached_file(f"{origin}/rows.txt", path) == path
    assert path.read_text() == "1 2 3\n"
    path.write_text("kept")
    _remote.cached_file(f"{origin}/rows.txt", path)
    assert path.read_text() == "kept"
    assert [found.name for found in path.parent.iterdir()] == ["rows.txt"]


def test_members_are_unpacked_once_and_the_archive_is_not_kept(origin, tmp_path):
    folder = tmp_path / "home" / "set"
    [a] = _remote.cached_members(f"{origin}/set.zip", folder, ["a"])
    assert a.read_text() == "first"
    assert [found.name for found in folder.iterdir()] == ["a"]
    a.write_text("kept")
    a, b = _remote.cached_members(f"{origin}/set.zip", folder, ["a", "b"])
    assert (a.read_text(), b.read_text()) == ("kept", "second")


def test_errors_name_the_address_and_the_path(tmp_path):
    path = tmp_path / "home" / "set" / "rows.txt"
    options = {"n_retries": 0}
    with pytest.raises(OSError, match="could not be fetched") as error:
        _remote.cached_file(f"{NOWHERE}/none.txt", path, **options)
    assert f"{NOWHERE}/none.txt" in str(error.value)
    assert f"put it at {path}" in str(error.value)
    assert isinstance(error.value.__cause__, OSError)
    with pytest.raises(OSError, match="could not be fetched") as error:
        _remote.cached_members(f"{NOWHERE}/none.zip", path.parent, ["a", "b"], **options)
    assert f"{path.parent / 'a'}, {path.parent / 'b'}" in str(error.value)
    assert list(path.parent.iterdir()) == []


def test_failed_downloads_are_tried_again(tmp_path):
    path = tmp_path / "rows.txt"
    with (
        pytest.warns(UserWarning, match="Retry") as warned,
        pytest.raises(OSError, match="could not be fetched"),
    ):
        _remote.cached_file(f"{NOWHERE}/none.txt", path, n_retries=2, delay=0.01)
    assert len(warned) == 2


def test_nothing_is_fetched_where_that_is_not_wanted(origin, tmp_path):
    path = tmp_path / "home" / "rows.txt"
    with pytest.raises(OSError, match=f"{path} is missing"):
        _remote.cached_file(f"{origin}/rows.txt", path, download_if_missing=False)
    with pytest.raises(OSError, match=str(path)):
        _remote.cached_members(
            f"{origin}/set.zip", path.parent, ["rows.txt"], download_if_missing=False
        )
    assert not path.parent.exists()


@pytest.mark.parametrize("content", ["no archive", "an archive without it"])
def test_a_wrong_archive_is_an_os_error_and_leaves_nothing(content, origin, tmp_path):
    folder = tmp_path / "home" / "set"
    address, name = f"{origin}/set.zip", "c"
    if content == "no archive":
        address, name = f"{origin}/rows.txt", "a"
    with pytest.raises(OSError, match="unpack it, so that") as error:
        _remote.cached_members(address, folder, [name])
    assert str(folder / name) in str(error.value)
    assert list(folder.iterdir()) == []


def test_other_content_is_refused(tmp_path):
    path = tmp_path / "abc"
    path.write_text("abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # from FIPS 180-2
    _remote.check_sha256(path, known)
    path.write_text("abd")
    with pytest.raises(OSError, match="SHA256"):
        _remote.check_sha256(path, known)
