"""Who still writes to a file, and that such a file is not taken."""

import asyncio
import contextlib
import fcntl
import os
import socket
import threading
from pathlib import Path

import psutil
import pytest

from faceswapd.core.job import State
from faceswapd.runtime.intake import inbox as inbox_module
from faceswapd.runtime.intake.writers import Writer, writer_of
from tests.runtime.test_inbox import Doorway
from tests.runtime.workplace import Workplace

LEASES = hasattr(fcntl, "F_SETLEASE")
pytestmark = pytest.mark.skipif(not LEASES, reason="this system does not tell who writes to a file")


@pytest.fixture
def door(place: Workplace) -> Doorway:
    return Doorway(place)


@pytest.mark.parametrize("mode", ["wb", "ab", "r+b"])
def test_somebody_writes_until_it_is_closed(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    with path.open(mode):
        assert writer_of(str(path)) is Writer.SOMEBODY
    assert writer_of(str(path)) is Writer.NOBODY
    with path.open("rb"):  # a reader is no writer
        assert writer_of(str(path)) is Writer.NOBODY


def test_a_look_leaves_nothing_behind_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    before = path.stat()
    descriptors = psutil.Process().num_fds()
    for _ in range(100):
        assert writer_of(str(path)) is Writer.NOBODY
    assert path.stat() == before
    with path.open("r+b") as file:
        assert fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_UNLCK
    assert psutil.Process().num_fds() == descriptors


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path):  # a whole path may be too long
        listening.bind("s")
        for name in ("pipe.mp4", "link.mp4", "s", "gone.mp4"):
            assert writer_of(str(tmp_path / name)) is Writer.UNKNOWN


async def test_a_file_that_is_open_elsewhere_is_not_taken_however_long_it_is_quiet(door: Doorway) -> None:
    target = door.drop("alice/clip.mp4", "first half")
    other = door.drop("alice/other.mp4")
    with target.open("a", encoding="utf-8") as file:
        jobs = await door.look()
        assert [job.target for job in jobs] == [str(other)], "it holds up no other"
        assert door.arriving[str(target)] == "It is still open in another program."
        file.write(", second half")

    async def taken() -> bool:
        return len(await door.jobs()) == 2

    await door.until(taken)
    job = (await door.jobs())[0]
    assert (job.state, job.target) == (State.QUEUED, str(target))
    assert job.facts is not None
    assert job.facts.size == target.stat().st_size
    assert str(target) not in door.arriving


async def test_what_is_opened_for_writing_while_it_is_read_waits(door: Doorway, tmp_path: Path) -> None:
    """What was read is whole, and about to change."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    target = door.drop("alice/clip.mp4", f"wait for {pipe}")
    looking = asyncio.create_task(door.inbox.look())
    told = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)  # now it is being read
    with target.open("r+", encoding="utf-8") as file:
        os.close(told)
        await looking
        assert await door.jobs() == []
        await door.inbox.look()
        assert door.arriving == {str(target): "It is still open in another program."}
        file.write("something else!")

    async def taken() -> bool:
        return bool(await door.jobs())

    await door.until(taken)
    assert [job.state for job in await door.jobs()] == [State.QUEUED]


async def test_a_file_on_a_disk_that_hangs_holds_up_no_other(door: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def hanging(path: str) -> Writer:
        if "stuck" in path:
            answers.wait()
        return writer_of(path)

    monkeypatch.setattr(inbox_module, "WRITER_SECONDS", 0.05)
    monkeypatch.setattr(inbox_module, "writer_of", hanging)
    first = door.drop("first.mp4")
    stuck = [door.drop(f"stuck-{number}.mp4") for number in range(3)]
    jobs = await door.look()
    answers.set()
    assert [job.target for job in jobs] == [str(first)]
    assert door.arriving == {str(path): "Its disk does not answer." for path in stuck}


def test_a_file_that_may_not_be_read_is_told_from_one_that_is_quiet(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    assert writer_of(str(path)) is Writer.FORBIDDEN
