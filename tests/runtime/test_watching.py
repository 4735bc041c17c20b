"""On real folders. Every wait is for the watcher's own wake."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faceswapd.runtime.watching import Watcher

SECONDS = 10.0


class Wakes:
    """A watcher that runs, and its wakes."""

    def __init__(self, *folders: Path) -> None:
        self.event = asyncio.Event()
        self.watcher = Watcher(folders, self.event.set)

    async def after(self, file: Path) -> None:
        """Make a file until a wake tells of it: the watcher may not have begun yet."""
        async with asyncio.timeout(SECONDS):
            for number in range(1000):
                self.event.clear()
                await asyncio.to_thread(file.with_name(f"{file.name}-{number}").touch)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.event.wait(), 0.3)
                    return

    async def next(self) -> None:
        async with asyncio.timeout(SECONDS):
            await self.event.wait()
        self.event.clear()


@pytest.fixture
async def wakes(tmp_path: Path) -> AsyncIterator[Wakes]:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "faces").mkdir()
    made = Wakes(tmp_path / "inbox", tmp_path / "faces")
    running = asyncio.create_task(made.watcher.run())
    await made.after(tmp_path / "inbox" / "first")
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_is_made_in_any_of_the_folders_wakes(wakes: Wakes, tmp_path: Path) -> None:
    assert wakes.watcher.working
    await wakes.after(tmp_path / "faces" / "photo")
    (tmp_path / "inbox" / "alice").mkdir()
    await wakes.after(tmp_path / "inbox" / "alice" / "clip")


async def test_a_folder_that_was_removed_and_made_anew_at_once_is_seen_again(wakes: Wakes, tmp_path: Path) -> None:
    """The new one often has the inode of the old one."""
    wakes.event.clear()
    shutil.rmtree(tmp_path / "inbox")
    (tmp_path / "inbox").mkdir()
    await wakes.next()
    wakes.watcher.check()
    await wakes.after(tmp_path / "inbox" / "clip")


async def test_a_folder_that_comes_back_later_is_seen_again(wakes: Wakes, tmp_path: Path) -> None:
    wakes.event.clear()
    shutil.rmtree(tmp_path / "inbox")
    await wakes.next()
    wakes.watcher.check()
    await wakes.after(tmp_path / "faces" / "photo")  # the other one is still watched
    (tmp_path / "inbox").mkdir()
    wakes.watcher.check()
    await wakes.after(tmp_path / "inbox" / "clip")


async def test_a_name_that_is_not_utf8_does_not_end_it(
    wakes: Wakes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wakes.event.clear()
    (tmp_path / "inbox" / os.fsdecode(b"bad-\xff.mp4")).touch()
    await wakes.next()
    await wakes.after(tmp_path / "inbox" / "clip")
    capfd.readouterr()  # what the library's own panic says


async def test_without_any_folder_it_waits_until_there_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    wakes = Wakes(folder)
    running = asyncio.create_task(wakes.watcher.run())
    await asyncio.wait([running], timeout=0.01)
    before = wakes.watcher.working
    folder.mkdir()
    wakes.watcher.check()
    await wakes.after(folder / "clip")
    assert (before, wakes.watcher.working) == (False, True)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
