"""The machine, read; and the gate that follows from it."""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import structlog

from faceswapd.children.child import ChildId
from faceswapd.core.gate import FolderReading, Gate, GpuReading, Reading, judge
from faceswapd.core.job import State
from faceswapd.core.reading_history import Point, ReadingHistory
from faceswapd.core.space import OUTBOX, SCRATCH
from faceswapd.ledger import reports, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.health.vitals import Sensors
from faceswapd.runtime.lookout import Lookout
from faceswapd.settings import Settings

BUSY_SECONDS = 2.0  # between two readings while something waits
IDLE_SECONDS = 30.0
FRESH_SECONDS = 3.0  # a reading older than this starts nothing
ANSWER_SECONDS = 3.0  # a folder that has not answered by then, as on a network that is gone, cannot be used
LEAST_SPAN = 0.2  # seconds over which the use of the processor is measured at least

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Use:
    """Seconds of processor time so far.

    What gives way (niced) is not counted as busy: it makes room for whoever wants it, as our own children do.
    Time that a hypervisor gave to other machines is not counted at all: no program of this one used it.
    """

    total: float
    all: float  # what anybody used, also what gives way
    busy: float
    ours: Mapping[ChildId, float]  # the part of `busy` that is our own, by process

    def ours_since(self, before: "_Use") -> float:
        """What ours used in between. One that has ended takes nothing of what the others used along."""
        return sum(max(0.0, seconds - before.ours.get(one, 0.0)) for one, seconds in self.ours.items())


class Readings:
    """Reads the machine, often while something waits and seldom otherwise, and keeps the gate."""

    def __init__(self, settings: Settings, ledger: Ledger, children: Callable[[], Sequence[int]], beats: Beats) -> None:
        self._limits = settings.gate_limits()
        folders = {OUTBOX: settings.outbox, SCRATCH: settings.scratch_folder, "state folder": settings.state}
        self._folders = tuple(_FolderLook(name, path) for name, path in folders.items())
        self._outbox_disk = mount_of(settings.outbox)
        self._gpus = Lookout(_gpus)
        self._ledger = ledger
        self._children = children
        self._beats = beats
        self._use = _use(())
        self.latest: Reading | None = None
        self._read_at = -math.inf  # on the steady clock
        self._sensors = Sensors()
        self._cpu_of_all = 0.0  # per cent of all cores, at the last reading
        self.gate = Gate()
        self.gate_since = time.time()  # since when it is open, or closed
        self.history = ReadingHistory()

    def outbox_mounted(self) -> bool:
        """Whether the disk that the outbox was on at the start is still there."""
        return self._outbox_disk.is_mount()

    async def run(self, waiting: Callable[[], bool], pace: Callable[[], float] = lambda: 0.0) -> None:
        """Read for ever; `waiting` says whether anything waits for the gate, `pace` how many frames a second are made
        now."""
        while True:
            await self.refresh()
            await self._remember(pace)
            ends = time.monotonic() + (BUSY_SECONDS if waiting() or not self.gate.open else IDLE_SECONDS)
            while (left := ends - time.monotonic()) > 0:
                self._beats.beat("readings")
                await asyncio.sleep(min(left, BUSY_SECONDS))
                if waiting():
                    break

    async def fresh(self) -> Gate:
        """The gate by a reading that is no older than FRESH_SECONDS."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            await self.refresh()
        return self.gate

    async def refresh(self) -> None:
        """Read the machine and judge."""
        pids = tuple(self._children())
        self._read_at = time.monotonic()
        self.latest = await asyncio.to_thread(self._read, pids)
        before, self.gate = self.gate, judge(self.latest, self._limits, self.gate)
        if {held.key for held in before.held} != {held.key for held in self.gate.held}:
            log.info("gate", open=self.gate.open, why=self.gate.why)
            if before.open != self.gate.open:
                self.gate_since = time.time()
            await standing.gate(self._ledger, self.gate.why, time.time())

    async def _remember(self, pace: Callable[[], float]) -> None:
        """Keep what was read last, once a minute."""
        reading = self.latest
        if reading is None or not self.history.due(reading.at):
            return
        vitals = reading.vitals
        free = [folder.free for folder in reading.folders if folder.free is not None]
        self.history.note(
            Point(
                at=reading.at,
                cpu_percent=None if vitals is None else vitals.cpu_percent,
                cpu_percent_of_others=reading.cpu_percent,
                load_per_core=reading.load_per_core,
                memory_free=reading.memory_free,
                swap_used=None if vitals is None else vitals.swap_used,
                disk_free=min(free, default=None),
                gpu_free=min((gpu.free for gpu in reading.gpus), default=None),
                temperature=None if vitals is None else vitals.temperature,
                frames_per_second=pace(),
                queued=(await reports.counts(self._ledger))[State.QUEUED].jobs,
            )
        )

    def _read(self, pids: Sequence[int]) -> Reading:
        gpus = self._gpus.begin() if self._limits.gpu_free else None
        for folder in self._folders:
            folder.begin()
        deadline = time.monotonic() + ANSWER_SECONDS
        others = self._cpu_percent(pids)
        return Reading(
            at=time.time(),
            cpu_percent=others,
            load_per_core=os.getloadavg()[0] / (os.cpu_count() or 1),
            memory_free=psutil.virtual_memory().available,
            folders=tuple(folder.reading(deadline) for folder in self._folders),
            gpus=() if gpus is None else self._gpu_readings(deadline),
            vitals=self._sensors.read(self._cpu_of_all),
        )

    def _gpu_readings(self, deadline: float) -> tuple[GpuReading, ...]:
        """The GPUs; those of before where the driver does not answer."""
        try:
            return self._gpus.wait(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return () if self.latest is None else self.latest.gpus

    def _cpu_percent(self, pids: Sequence[int]) -> float:
        """What others use, in per cent of all cores, since the last reading."""
        before, now = self._use, _use(pids)
        span = now.total - before.total
        if span < LEAST_SPAN:  # too short to say anything
            return 0.0 if self.latest is None else self.latest.cpu_percent
        self._use = now
        self._cpu_of_all = max(0.0, min(100.0, 100 * (now.all - before.all) / span))
        others = now.busy - before.busy - now.ours_since(before)
        return max(0.0, min(100.0, 100 * others / span))


def _use(pids: Sequence[int]) -> _Use:
    times = psutil.cpu_times()
    busy = times.user + times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
    total = busy + times.nice + times.idle + getattr(times, "iowait", 0.0)
    return _Use(total, busy + times.nice, busy, _ours(pids))


def _ours(pids: Sequence[int]) -> dict[ChildId, float]:
    """Busy time of our own process, of these, and of what they started."""
    family = [psutil.Process()]
    for pid in pids:
        with contextlib.suppress(psutil.Error):  # it is gone
            child = psutil.Process(pid)
            family += [child, *child.children(recursive=True)]
    used: dict[ChildId, float] = {}
    for one in family:
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            busy = times.system + (0.0 if one.nice() > 0 else times.user)
            used[ChildId(one.pid, one.create_time())] = busy
    return used


class _FolderLook:
    """One folder, which may be on a network that is gone."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path
        mount = mount_of(path)
        self._lookout = Lookout(lambda: _folder(name, path, mount))

    def begin(self) -> None:
        self._lookout.begin()

    def reading(self, deadline: float) -> FolderReading:
        try:
            return self._lookout.wait(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return FolderReading(self._name, str(self._path), None, "does not answer")


def _folder(name: str, path: Path, mount: Path) -> FolderReading:
    """Space and rights of a folder, which is made if it is missing; but never below a disk that is not there."""
    if not mount.is_mount():
        return FolderReading(name, str(path), None, f"lies on a disk that is not mounted at {mount} any more")
    try:
        path.mkdir(parents=True, exist_ok=True)
        free, device = psutil.disk_usage(str(path)).free, path.stat().st_dev
    except FileExistsError:
        return FolderReading(name, str(path), None, "is a file and no folder")
    except OSError as error:
        return FolderReading(name, str(path), None, f"cannot be used: {error.strerror}")
    problem = None if os.access(path, os.W_OK | os.X_OK) else "is not writable for this user"
    return FolderReading(name, str(path), free, problem, device, _size(path) if name == SCRATCH else 0)


def mount_of(path: Path) -> Path:
    """Where the disk that holds a path, or will hold it, is mounted."""
    path = Path(os.path.realpath(path))
    return next(place for place in (path, *path.parents) if place.is_mount() or place == place.parent)


def _size(folder: Path) -> int:
    """Bytes that the files below a folder take on the disk. What vanishes meanwhile counts no more."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_blocks * 512  # noqa: PTH118  ten thousand frames
    return total


def _gpu(driver: Any, number: int, handle: object) -> GpuReading:
    """One GPU. Some, and parts of one, tell their memory and not how busy they are."""
    memory = driver.nvmlDeviceGetMemoryInfo(handle)
    busy = None
    with contextlib.suppress(driver.NVMLError):
        busy = float(driver.nvmlDeviceGetUtilizationRates(handle).gpu)
    return GpuReading(f"GPU {number}", int(memory.free), int(memory.total), busy)


def _gpus() -> tuple[GpuReading, ...]:
    """NVIDIA memory, where nvidia-ml-py and a driver are installed."""
    try:
        import pynvml
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
        try:
            handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
            return tuple(_gpu(pynvml, number, handle) for number, handle in enumerate(handles))
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return ()
