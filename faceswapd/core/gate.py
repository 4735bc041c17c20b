"""May something new start? The gate compares a reading of the machine with the limits.

A closed gate holds new starts; what runs goes on. It closes when a limit is passed, and opens again only
when the reading is better than the limit by a margin, so that it does not flutter.
"""

from dataclasses import dataclass
from typing import Final

from faceswapd.core.vitals import Vitals

CPU_MARGIN = 10.0  # per cent that the others' use must fall under the limit; never more than half of the limit
LOAD_MARGIN = 0.25  # of the limit
SPACE_MARGIN = 0.10  # of the limit, for memory and disk


@dataclass(frozen=True, slots=True)
class FolderReading:
    """One folder that the daemon writes to."""

    name: str  # what it is to the user: outbox, scratch, ledger
    path: str
    free: int | None  # bytes for us; None: it cannot be read
    problem: str | None = None  # not there, or not writable: a sentence without its full stop
    device: int | None = None  # the disk's number, as the system counts them
    used: int = 0  # bytes that lie in it; of the scratch folder only


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU's memory."""

    name: str
    free: int  # bytes
    total: int = 0  # bytes
    busy_percent: float | None = None  # None: it does not tell


@dataclass(frozen=True, slots=True)
class Reading:
    """The machine at one moment."""

    at: float  # seconds since 1970
    cpu_percent: float  # of all cores, used by everybody but our own children
    load_per_core: float  # the 1-minute load average; our own children count in it
    memory_free: int  # bytes that programs can still have without swapping
    folders: tuple[FolderReading, ...] = ()
    gpus: tuple[GpuReading, ...] = ()
    vitals: Vitals | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What must be left of the machine. A limit of 0 is off."""

    cpu_percent: float
    load_per_core: float
    memory_free: int
    disk_free: int
    gpu_free: int


NO_LIMITS: Final = Limits(0.0, 0.0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Held:
    """One reason why the gate is closed."""

    key: str  # which limit, for the hysteresis: cpu, load, memory, folder:/path, gpu:name
    reason: str  # one sentence
    reading: str
    limit: str


@dataclass(frozen=True, slots=True)
class Gate:
    """Open when `held` is empty."""

    held: tuple[Held, ...] = ()

    @property
    def open(self) -> bool:
        """Whether something new may start."""
        return not self.held

    @property
    def why(self) -> str | None:
        """All reasons as one text; None when open."""
        return " ".join(held.reason for held in self.held) or None


def judge(reading: Reading, limits: Limits, previous: Gate) -> Gate:
    """The gate after a reading, given the gate before it."""
    closed = {held.key for held in previous.held}
    return Gate(tuple(held for held in _checks(reading, limits, closed) if held is not None))


def _checks(reading: Reading, limits: Limits, closed: set[str]) -> list[Held | None]:
    return [
        _cpu(reading.cpu_percent, limits.cpu_percent, "cpu" in closed),
        _load(reading.load_per_core, limits.load_per_core, "load" in closed),
        _space("memory", "The memory", reading.memory_free, limits.memory_free, closed),
        *(_folder(folder, limits.disk_free, closed) for folder in reading.folders),
        *(
            _space(f"gpu:{gpu.name}", f"The memory of {gpu.name}", gpu.free, limits.gpu_free, closed)
            for gpu in reading.gpus
        ),
    ]


def _cpu(percent: float, limit: float, closed: bool) -> Held | None:  # noqa: FBT001
    if not limit or percent <= (max(limit - CPU_MARGIN, limit / 2) if closed else limit):
        return None
    return Held("cpu", "Other programs use the processor.", f"{percent:.0f} %", f"{limit:.0f} %")


def _load(load: float, limit: float, closed: bool) -> Held | None:  # noqa: FBT001
    if not limit or load <= (limit * (1 - LOAD_MARGIN) if closed else limit):
        return None
    return Held("load", "The machine's load is high.", f"{load:.1f} a core", f"{limit:.1f} a core")


def _space(key: str, what: str, free: int, limit: int, closed: set[str]) -> Held | None:
    if not limit or free >= (limit * (1 + SPACE_MARGIN) if key in closed else limit):
        return None
    return Held(key, f"{what} is nearly full.", f"{size_text(free)} free", f"{size_text(limit)} free")


def _folder(folder: FolderReading, limit: int, closed: set[str]) -> Held | None:
    key = f"folder:{folder.path}"
    if folder.problem is not None:
        return Held(key, f"The {folder.name} {folder.problem}: {folder.path}.", folder.problem, "writable")
    return _space(key, f"The disk of the {folder.name}", folder.free or 0, limit, closed)


def size_text(size: float) -> str:
    """Bytes for people: 512 MB, 3.2 GB."""
    for unit in ("B", "KB", "MB"):
        if size < 999.5:  # what is more rounds to 1000
            return f"{size:.1f} {unit}" if size < 9.95 and unit != "B" else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
