"""What the doctor looks at in the folders: rights, room, one file system, and whether new files are noticed."""

import asyncio
import contextlib
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from watchfiles import awatch

from faceswapd.cli.looking import Look, aside
from faceswapd.core.checkup import Finding, ok, problem, warning
from faceswapd.core.mounts import How, Way, way_of
from faceswapd.runtime.intake.ground import ground_of
from faceswapd.runtime.intake.inbox import LOOK_SECONDS
from faceswapd.runtime.intake.inotify import limit_of
from faceswapd.settings import InboxSettings, Settings

ANSWER_SECONDS: Final = 15.0
EVENT_SECONDS: Final = 3.0  # for the event of a file that was just written
SKEW_SECONDS: Final = 5.0  # between the clock of this machine and the one of a file system
COUNTED: Final = 200_000  # folders of an inbox; more are not counted
MARK: Final = ".faceswapd-doctor-"  # hidden files are never taken as targets
INOTIFY: Final = Path("/proc/sys/fs/inotify/max_user_watches")


def looks(settings: Settings) -> list[Look]:
    """All that is looked at."""
    ours = {"outbox": settings.outbox, "failed": settings.failed, "state": settings.state}
    ours["scratch"] = settings.scratch_folder
    return [
        Look("faces", ANSWER_SECONDS, partial(aside, partial(_faces, settings))),
        *(Look(f"inbox {one.name}", ANSWER_SECONDS, partial(_inbox, one, settings)) for one in settings.inbox),
        *(Look(name, ANSWER_SECONDS, partial(aside, partial(_written, name, place))) for name, place in ours.items()),
        Look("disk", ANSWER_SECONDS, partial(aside, lambda: list(_disks(settings)))),
        Look("clock", ANSWER_SECONDS, partial(aside, partial(_clock, settings))),
    ]


def _faces(settings: Settings) -> list[Finding]:
    folder = settings.faces
    try:
        people = sum(1 for entry in os.scandir(folder) if not entry.name.startswith("."))
    except FileNotFoundError:
        return [warning("faces", f"{folder} is not there.", f"mkdir -p {shlex.quote(str(folder))}")]
    except OSError as error:
        return [problem("faces", f"{folder} cannot be read: {error.strerror}.", _rights(folder, "rX"))]
    if not people:
        return [warning("faces", f"No face is there yet. Put photos of a person into {folder}/NAME/.")]
    way = way_of(_kind(folder))
    noticed = (
        "New ones are noticed at once." if way.how is How.EVENTS else f"It is listed every {settings.intake.poll:g} s."
    )
    return [ok("faces", f"{people} {'face' if people == 1 else 'faces'} in {folder}. {noticed} {way.why}")]


def _written(about: str, folder: Path) -> list[Finding]:
    """Really write a file there and remove it."""
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not there.is_dir():
        return [problem(about, f"{there} is not a folder. Choose another one in the configuration.")]
    try:
        _try_writing(there)
    except OSError as error:
        what = f"Nothing can be written into {there}" if there == folder else f"{folder} cannot be made in {there}"
        return [problem(about, f"{what}: {error.strerror}.", _rights(there, "rwX"))]
    told = f"{folder} can be written." if there == folder else f"{folder} will be made when it is needed."
    return [ok(about, told)]


def _try_writing(folder: Path) -> float:
    """The time that the file system gave a file, against our clock. Raises OSError."""
    with tempfile.NamedTemporaryFile(prefix=MARK, dir=folder) as file:
        file.write(b"faceswapd looks whether it can write here\n")
        file.flush()
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_mtime - time.time()


async def _inbox(inbox: InboxSettings, settings: Settings) -> list[Finding]:
    about = f"inbox {inbox.name}"
    ground = await aside(lambda: ground_of(inbox.path))
    if ground is not None and ground.read_only:
        return [_read_only(about, inbox, way_of(ground.kinds[0], inbox.watch_how))]
    rights = await aside(lambda: _written(about, inbox.path))
    if not inbox.path.is_dir() or rights[0].command:
        return rights
    return [await _noticed(about, inbox, settings)]


def _read_only(about: str, inbox: InboxSettings, way: Way) -> Finding:
    """Targets can be taken from there, and nothing else be done."""
    told = f"{inbox.path} is on a file system that cannot be written"
    if inbox.afterwards != "keep":
        return problem(about, f'{told}: afterwards = "{inbox.afterwards}" cannot work there. Set it to "keep".')
    return warning(about, f"{told}: no folders for the faces and no texts are made there. {way.why}")


async def _noticed(about: str, inbox: InboxSettings, settings: Settings) -> Finding:
    """Write a hidden file and wait for its event, where events are relied on."""
    folder, way = inbox.path, await aside(lambda: way_of(_kind(inbox.path), inbox.watch_how))
    if way.how is How.POLLING:
        return ok(about, f"{folder} can be written, and {_polled(settings, way)}")
    slow = f"It is listed every {min(settings.intake.rescan, LOOK_SECONDS):.0f} s instead."
    if limit := await aside(lambda: _beyond_inotify(about, folder)):
        return limit
    stop = asyncio.Event()
    watching = asyncio.create_task(_first_event(folder, stop), name=f"watch {folder}")
    try:
        async with asyncio.timeout(EVENT_SECONDS):
            while not watching.done():
                await aside(lambda: _try_writing(folder))
                await asyncio.wait([watching], timeout=0.2)  # the watcher may not have begun with the first file
        problems = watching.exception()
    except TimeoutError:
        return warning(about, f"A new file in {folder} made no event. {slow}")
    finally:
        stop.set()
        watching.cancel()
        await asyncio.wait([watching])
    if problems is not None and (reached := limit_of(str(problems))):
        told = f"The system lets us watch no more folders ({reached.setting}): {_polled(settings, way)}"
        return warning(about, told, reached.command)
    if problems is not None:
        return warning(about, f"{folder} cannot be watched: {problems}. {slow}")
    return ok(about, f"{folder} can be written, and new files are noticed at once. {way.why}")


def _polled(settings: Settings, way: Way) -> str:
    return f"it is listed every {settings.intake.poll:g} s. {way.why}"


def _kind(folder: Path) -> str:
    """The kind of file system of a folder; empty where it is not known."""
    ground = ground_of(folder)
    return "" if ground is None else ground.kinds[0]


async def _first_event(folder: Path, stop: asyncio.Event) -> None:
    async for _ in awatch(folder, watch_filter=None, debounce=50, step=50, stop_event=stop, recursive=False):
        return


def _beyond_inotify(about: str, folder: Path) -> Finding | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        most = int(INOTIFY.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    folders = 0
    for _ in os.walk(folder):
        folders += 1
        if folders >= COUNTED:
            break
    if folders < most * 0.9:
        return None
    return warning(
        about,
        f"It has {folders} folders, and the system lets us watch {most}.",
        f"sudo sysctl fs.inotify.max_user_watches={max(524_288, folders * 4)}",
    )


def _disks(settings: Settings) -> Iterator[Finding]:
    least = int(settings.limits.disk_free)
    places = {"outbox": settings.outbox, "scratch": settings.scratch_folder, "state": settings.state}
    by_device: dict[int, list[str]] = {}
    there = {name: existing(folder) for name, folder in places.items()}
    for name, folder in there.items():
        by_device.setdefault(folder.stat().st_dev, []).append(name)
    for names in by_device.values():
        folder = there[names[0]]
        free = shutil.disk_usage(folder).free
        told = f"{free / 1e9:.1f} GB are free for {' and '.join(names)}."
        if least and free < least:
            yield problem("disk", f"{told} Nothing starts below {least / 1e9:.1f} GB (`disk_free`). Make room.")
        elif free < max(2 * least, 5_000_000_000):
            yield warning("disk", f"{told} That is little for videos. Make room.")
        else:
            yield ok("disk", told)
    if there["outbox"].stat().st_dev != there["scratch"].stat().st_dev:
        told = f"{places['scratch']} and {places['outbox']} are on two file systems: each result is copied."
        yield warning("disk", f"{told} Set `scratch` to a folder on the outbox's disk, outside of the outbox.")


def existing(folder: Path) -> Path:
    """The folder, or the one of those above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _clock(settings: Settings) -> list[Finding]:
    for folder in _distinct([*(inbox.path for inbox in settings.inbox), settings.outbox]):
        with contextlib.suppress(OSError):
            skew = _try_writing(folder)
            if abs(skew) > SKEW_SECONDS:
                way = "ahead of" if skew > 0 else "behind"
                told = f"The clock of the file system of {folder} is {abs(skew):.0f} s {way} this machine's."
                return [warning("clock", f"{told} Let both keep the time by the network (NTP).")]
    return [ok("clock", "This machine and its file systems agree on the time.")]


def _distinct(folders: Sequence[Path]) -> Iterator[Path]:
    seen = set()
    for folder in folders:
        with contextlib.suppress(OSError):
            device = folder.stat().st_dev
            if device not in seen:
                seen.add(device)
                yield folder


def _rights(folder: Path, rights: str) -> str:
    """What gives this user the rights."""
    place = shlex.quote(str(folder))
    try:
        ours = folder.stat().st_uid == os.getuid()
    except OSError:
        ours = False
    return f"chmod u+{rights} {place}" if ours else f"sudo chown {os.getuid()} {place}"
