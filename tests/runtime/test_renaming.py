"""A rename that never replaces a file."""

import errno
import os
from pathlib import Path

import pytest

from faceswapd.runtime.jobs import renaming
from faceswapd.runtime.jobs.renaming import NoSuchRename, rename_to_new


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"whole")
    try:
        rename_to_new(tmp_path / "file", tmp_path / "tried")
    except NoSuchRename:
        pytest.skip("this system or file system has no such rename")
    return (tmp_path / "tried").rename(tmp_path / "file")


def test_a_file_gets_a_new_name_in_one_step(file: Path) -> None:
    rename_to_new(file, file.with_name("another \udcff"))
    assert file.with_name("another \udcff").read_bytes() == b"whole"
    assert not file.exists()


def test_a_file_that_is_there_is_not_replaced(file: Path) -> None:
    place = file.with_name("place")
    place.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        rename_to_new(file, place)
    assert (file.read_bytes(), place.read_bytes()) == (b"whole", b"somebody's")


def test_what_is_wrong_is_told(file: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rename_to_new(file, file.parent / "nowhere" / "place")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.EPERM])
def test_where_the_file_system_knows_none_it_says_so(file: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(source: bytes, place: bytes) -> int:
        import ctypes

        assert (os.fsdecode(source), os.fsdecode(place)) == (str(file), f"{file}-2")
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(renaming, "_call", lambda: refused)
    with pytest.raises(NoSuchRename):
        rename_to_new(file, Path(f"{file}-2"))
    monkeypatch.setattr(renaming, "_call", lambda: None)
    with pytest.raises(NoSuchRename):
        rename_to_new(file, Path(f"{file}-2"))
