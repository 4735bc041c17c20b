"""Whatever lies in an inbox beside them: good files become jobs, and what is not taken says why."""

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import crowds
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import PLAIN, ROOT, Farm

STRANGER = 65534
GOOD = (
    b"new\nline.jpg",
    b"bad\xff\xfe.jpg",
    b"-rf.jpg",
    b"--help.jpg",
    "\u202egnp.exe.jpg".encode(),
    "\U0001f469\u200d\U0001f692.jpg".encode(),
    b"q" * 251 + b".jpg",
    ("\u00e4" * 125).encode() + b"z.jpg",
    b"$(id);'\".jpg",
    b" . .jpg",
    b"%s%n.jpg",
    b"folder \xff/a.jpg",
    b"folder\n/a.jpg",
    b"f" * 255 + b"/a.jpg",
    b"/".join([b"deep"] * 60) + b"/a.jpg",
    b"zz.jpg",
)


@pytest.fixture
def plain_farm(new_farm: NewFarm) -> Farm:
    """A farm whose daemon may do what any user may, and swaps nothing."""
    if ROOT and not PLAIN:
        pytest.skip("setpriv is not here")
    farm = new_farm()
    farm.through = PLAIN
    farm.start()
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the folder of the face")
    farm.ctl("pause")
    return farm


@pytest.fixture
def photos(tmp_path: Path, media: Path) -> Iterator[Path]:
    """Images, no two alike, for ever."""
    folder = tmp_path / "photos"
    made = crowds.make(folder, (media / "photo.jpg").read_bytes(), 0, 40)
    return iter([folder / path for path in made])


def bad(folder: Path, media: Path) -> dict[str, str]:
    """Put everything there that is no target; the beginnings of the words that are said of it, by name."""
    os.mkfifo(folder / "a pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(folder):  # a whole path may be too long
        listening.bind("a socket.mp4")
    (folder / "a loop.mp4").symlink_to("a loop.mp4")
    (folder / "a way up").symlink_to("..")
    (folder / "a locked folder").mkdir(mode=0)
    shutil.copyfile(media / "photo.png", folder / "a locked file.png")
    (folder / "a locked file.png").chmod(0)
    (folder / "an empty file.mp4").touch()
    words = {
        "a pipe.mp4": "It is a pipe",
        "a socket.mp4": "It is a pipe, a socket",
        "a loop.mp4": "It is a link",
        "a way up": "It is a link",
        "a locked folder": "It cannot be read",
        "a locked file.png": "It cannot be read: Permission denied.",
        "an empty file.mp4": "It is empty.",
    }
    if ROOT:
        os.mknod(folder / "a device.mp4", 0o20666, os.makedev(1, 5))  # zeros without end
        words["a device.mp4"] = "It is a pipe, a socket or a device"
    return words


def test_one_bad_entry_hides_no_other(plain_farm: Farm, photos: Iterator[Path], media: Path) -> None:
    farm, folder = plain_farm, plain_farm.inbox / "alice"
    bad_ones = bad(folder, media)
    for name in ("cut.mp4", "text.mp4", "list.mp4"):
        shutil.copyfile(media / name, folder / f"0 {name}")
    good = [folder / os.fsdecode(name) for name in GOOD]
    for target in good:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(next(photos), target)
    jobs = [farm.job_of(target) for target in good]
    assert [job.state for job in jobs] == ["queued"] * len(good)
    assert len({job.id for job in jobs}) == len(good)
    assert {farm.job_of(folder / f"0 {name}.mp4").state for name in ("text", "list")} == {"parked"}
    for name, words in bad_ones.items():
        assert f"It is not taken: {words}" in farm.ctl("explain", str(folder / name))
    assert "a pipe" in farm.ctl("status")
    (folder / "a locked file.png").chmod(0o600)
    assert farm.job_of(folder / "a locked file.png").state == "queued", "the right to read it is all that it needed"
    (folder / "a locked folder").chmod(0o700)
    last = folder / "a locked folder" / "last.jpg"
    shutil.copyfile(next(photos), last)
    assert farm.job_of(last).state == "queued"


@pytest.mark.skipif(not ROOT, reason="only root can make files of others")
def test_a_file_of_another_user_waits_longer_and_is_taken(plain_farm: Farm, photos: Iterator[Path]) -> None:
    """A user is not told who writes to a stranger's file; quiet for long is all that can be seen of it."""
    farm, folder = plain_farm, plain_farm.inbox / "alice"
    theirs, mine = folder / "theirs.jpg", folder / "mine.jpg"
    for target, owner in ((theirs, STRANGER), (mine, 0)):
        shutil.copyfile(next(photos), target)
        os.chown(target, owner, owner)
    farm.until(lambda status: any("cannot be seen here" in one.reason for one in status.arriving), "it is told")
    assert farm.job_of(mine).id < farm.job_of(theirs).id
