"""On real folders. Every wait is for the watcher's own wake."""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.core.footing import Footing
from faceswapd.core.mounts import How
from faceswapd.runtime.intake.ground import Ground, ground_of
from faceswapd.runtime.intake.inotify import limit_of
from faceswapd.runtime.intake.watching import LIMIT_SECONDS, Watch

SECONDS = 10.0
NFS = Footing("/nas", "nfs4", "nas:/export", "/", "0:30", 0)


class Wakes:
    """A watch that runs, and its wakes."""

    def __init__(self, folder: Path, wish: How | None = None) -> None:
        self.folder = folder
        self.event = asyncio.Event()
        self.watch = Watch(folder, wish, 5.0, self.event.set)

    def look(self) -> None:
        """As the inbox does after each listing."""
        self.watch.listed(ground_of(self.folder), 0.001)

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


@contextlib.asynccontextmanager
async def running(watch: Watch) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.run())
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
async def wakes(tmp_path: Path) -> AsyncIterator[Wakes]:
    (tmp_path / "inbox").mkdir()
    made = Wakes(tmp_path / "inbox")
    made.look()
    async with running(made.watch):
        await made.after(tmp_path / "inbox" / "first")
        yield made


async def test_what_is_made_at_any_depth_wakes(wakes: Wakes, tmp_path: Path) -> None:
    assert wakes.watch.working
    assert wakes.watch.due() is None
    await wakes.after(tmp_path / "inbox" / "clip")
    (tmp_path / "inbox" / "alice").mkdir()
    await wakes.after(tmp_path / "inbox" / "alice" / "clip")


async def test_a_folder_that_was_removed_and_made_anew_at_once_is_seen_again(wakes: Wakes, tmp_path: Path) -> None:
    """The new one often has the inode of the old one."""
    wakes.event.clear()
    shutil.rmtree(tmp_path / "inbox")
    (tmp_path / "inbox").mkdir()
    await wakes.next()
    wakes.look()
    await wakes.after(tmp_path / "inbox" / "clip")


async def test_a_folder_that_comes_back_later_is_seen_again(wakes: Wakes, tmp_path: Path) -> None:
    wakes.event.clear()
    shutil.rmtree(tmp_path / "inbox")
    await wakes.next()
    wakes.look()
    (tmp_path / "inbox").mkdir()
    wakes.look()
    await wakes.after(tmp_path / "inbox" / "clip")


async def test_a_folder_in_the_place_of_another_is_seen(wakes: Wakes, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "inbox").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "inbox")
    wakes.look()
    await wakes.after(tmp_path / "inbox" / "clip")
    wakes.event.clear()
    (tmp_path / "old" / "clip").touch()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wakes.event.wait(), 0.6)


async def test_a_name_that_is_not_utf8_does_not_end_it(
    wakes: Wakes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wakes.event.clear()
    (tmp_path / "inbox" / os.fsdecode(b"bad-\xff.mp4")).touch()
    await wakes.next()
    await wakes.after(tmp_path / "inbox" / "clip")
    capfd.readouterr()  # what the library's own panic says


async def test_a_name_that_is_not_utf8_blinds_no_other_folder(
    wakes: Wakes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    other = Wakes(tmp_path / "other")
    other.look()
    async with running(other.watch):
        await other.after(tmp_path / "other" / "first")
        (tmp_path / "inbox" / os.fsdecode(b"bad-\xff.mp4")).touch()
        await wakes.next()
        assert other.watch.working
        other.event.clear()
        (tmp_path / "other" / "only-once").touch()
        await other.next()
    capfd.readouterr()


async def test_without_its_folder_it_waits_until_there_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    wakes = Wakes(folder)
    wakes.look()
    async with running(wakes.watch):
        assert not wakes.watch.working
        folder.mkdir()
        wakes.look()
        await wakes.after(folder / "clip")
        assert wakes.watch.working


def how(wakes: Wakes) -> How:
    return wakes.watch.way.how


def on_the_network(folder: Path) -> Ground:
    ground = ground_of(folder)
    assert ground is not None
    return replace(ground, footings=(NFS,))


async def test_a_folder_on_a_network_is_listed_every_few_seconds(tmp_path: Path) -> None:
    watch = Watch(tmp_path, None, 5.0, lambda: None)
    watch.listed(on_the_network(tmp_path), 0.01)
    assert (watch.way.how, watch.way.kind) == (How.POLLING, "nfs4")
    due = watch.due()
    assert due is not None
    assert 4.5 < due - time.monotonic() <= 5.0
    assert watch.rests_until() < time.monotonic() + 0.1


async def test_what_is_slow_to_list_is_listed_for_a_tenth_of_the_time(tmp_path: Path) -> None:
    watch = Watch(tmp_path, None, 5.0, lambda: None)
    watch.listed(on_the_network(tmp_path), 2.0)
    rests = watch.rests_until()
    assert 17.5 < rests - time.monotonic() <= 18.0
    assert watch.due() == rests
    watch.hurry()
    assert watch.rests_until() <= time.monotonic()


async def test_a_local_folder_never_rests(tmp_path: Path) -> None:
    watch = Watch(tmp_path, None, 5.0, lambda: None)
    watch.listed(ground_of(tmp_path), 2.0)
    assert (watch.due(), watch.rests_until()) == (None, 0.0)


async def test_the_way_is_chosen_anew_when_something_else_is_mounted(wakes: Wakes, tmp_path: Path) -> None:
    assert how(wakes) is How.EVENTS
    wakes.watch.listed(on_the_network(wakes.folder), 0.01)
    while wakes.watch.working:  # its end wakes, too
        await wakes.next()
    assert how(wakes) is How.POLLING
    wakes.look()
    await wakes.after(tmp_path / "inbox" / "clip")
    assert how(wakes) is How.EVENTS


@pytest.mark.parametrize("wish", list(How))
async def test_the_configuration_chooses(tmp_path: Path, wish: How) -> None:
    wakes = Wakes(tmp_path, wish)
    wakes.look()
    assert wakes.watch.way.how is wish
    assert (wakes.watch.due() is None) == (wish is How.EVENTS)


def test_the_limits_of_the_system_are_known_by_what_the_library_says() -> None:
    for words, setting in (
        ('OS file watch limit reached. about ["/x/6"]', "fs.inotify.max_user_watches"),
        ("Error creating recommended watcher: Too many open files (os error 24)", "fs.inotify.max_user_instances"),
    ):
        told = limit_of(words)
        assert told is not None
        assert told.setting == setting
        assert told.command.startswith(f"sudo sysctl {setting}=")
    assert limit_of("No such file or directory") is None
    assert LIMIT_SECONDS <= 600
