import contextlib
import os
import socket
from pathlib import Path

import pytest

from faceswapd.runtime.intake.ground import ground_of
from faceswapd.runtime.intake.listing import list_folder, signature_of, survey


def test_it_tells_files_and_folders_at_every_depth(tmp_path: Path) -> None:
    deep = tmp_path / "alice" / "holiday"
    deep.mkdir(parents=True)
    (tmp_path / "clip.mp4").write_bytes(b"12345")
    (deep / "one.jpg").touch()
    listing = list_folder(tmp_path)
    assert listing.problem is None
    assert {found.parts for found in listing.files.values()} == {("clip.mp4",), ("alice", "holiday", "one.jpg")}
    assert listing.folders == {("alice",), ("alice", "holiday")}
    path = str(tmp_path / "clip.mp4")
    assert listing.files[path].signature == signature_of(path)
    assert listing.files[path].signature.size == 5


def test_litter_and_hidden_folders_are_not_there(tmp_path: Path) -> None:
    for name in (".hidden.mp4", "half.mp4.part", "Thumbs.db", ".stfolder/clip.mp4", "@eaDir/clip.mp4"):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.touch()
    listing = list_folder(tmp_path)
    assert (listing.files, listing.folders, listing.skipped) == ({}, set(), {})


def test_what_is_no_file_is_skipped_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "inbox" / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "inbox" / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path / "inbox"):  # a path may be too long
        listening.bind("socket.mp4")
        listing = list_folder(tmp_path / "inbox")
    reasons = {Path(path).name: reason.split(".")[0] for path, reason in listing.skipped.items()}
    assert reasons == {
        "out": "It is a link",
        "loop": "It is a link",
        "pipe.mp4": "It is a pipe, a socket or a device, and no file",
        "socket.mp4": "It is a pipe, a socket or a device, and no file",
    }
    assert (listing.files, listing.folders) == ({}, set())


def test_names_keep_their_bytes(tmp_path: Path) -> None:
    names = [b"not-utf8-\xff.mp4", b"new\nline.mp4", b"-rf.mp4", "…☃.mp4".encode(), b"x" * 251 + b".mp4"]
    for name in names:
        (tmp_path / os.fsdecode(name)).touch()
    listing = list_folder(tmp_path)
    assert {os.fsencode(found.parts[0]) for found in listing.files.values()} == set(names)


def test_a_folder_that_cannot_be_listed_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert list_folder(tmp_path / "none").problem == "is not there"
    assert list_folder(tmp_path / "file").problem == "is not a folder"
    assert list_folder(tmp_path / ("x" * 300)).problem == "cannot be read: File name too long"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_rights_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "clip.mp4").touch()
    listing = list_folder(tmp_path)
    assert list(listing.skipped.values()) == [
        "It cannot be read: Permission denied. Give the daemon's user the right to."
    ]
    assert len(listing.files) == 1


def test_what_lies_in_a_folder_that_cannot_be_read_is_not_gone(tmp_path: Path) -> None:
    """A path that is too long for the system is one that even the superuser cannot read."""
    (tmp_path / "clip.mp4").touch()
    deep, handle = str(tmp_path), os.open(tmp_path, os.O_RDONLY)
    while len(os.fsencode(deep)) < 4096:
        os.mkdir("d" * 200, dir_fd=handle)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        deep, handle = f"{deep}/{'d' * 200}", inner
    os.close(handle)
    listing = list_folder(tmp_path)
    assert listing.unread == {deep}
    assert "File name too long" in listing.skipped[deep]
    assert not listing.lacks(f"{deep}/clip.mp4")
    assert not listing.lacks(str(tmp_path / "clip.mp4"))
    assert listing.lacks(str(tmp_path / "other.mp4"))
    assert listing.lacks(f"{deep}-other/clip.mp4")


def test_a_folder_that_is_listed_twice_stands_on_the_same_ground(tmp_path: Path) -> None:
    one, two = survey(tmp_path), survey(tmp_path)
    assert one.listing.problem is None
    assert one.ground == two.ground == ground_of(tmp_path)
    assert ground_of(tmp_path / "none") is None
    assert survey(tmp_path / "none").ground is None


def test_the_signature_of_what_is_gone_is_none(tmp_path: Path) -> None:
    assert signature_of(str(tmp_path / "none")) is None
