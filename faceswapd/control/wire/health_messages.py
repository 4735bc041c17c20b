"""What GET /api/health says. Times, sizes and progress as in `messages`."""

from collections.abc import Sequence
from typing import NamedTuple

from faceswapd.control.wire.messages import Held


class GateHealth(NamedTuple):
    """Whether the machine has room for something new."""

    open: bool
    why: Sequence[Held]
    since: float  # open, or closed


class BreakerHealth(NamedTuple):
    """Whether the surroundings are broken, so that the queue is held."""

    held: bool
    category: str | None = None
    why: str | None = None  # one sentence
    advice: str | None = None
    since: float | None = None
    next_try_in: float | None = None  # seconds until one job may try whether all is mended
    tries: int = 0  # that failed


class PauseHealth(NamedTuple):
    """What somebody has paused."""

    daemon: bool
    since: float | None  # of the daemon's pause
    inboxes: Sequence[str]


class FolderHealth(NamedTuple):
    """A folder that the daemon writes to."""

    name: str
    path: str
    free: int | None  # bytes; None: it cannot be read
    wanted: int  # bytes that must be free; 0: any
    problem: str | None = None  # one sentence


class GpuHealth(NamedTuple):
    """A GPU that is watched, since `limits.gpu_free` is set."""

    name: str
    free: int  # bytes
    total: int  # bytes
    busy_percent: float | None


class ReadingHealth(NamedTuple):
    """The machine as it was read last. None: it does not tell."""

    at: float
    cpu_percent: float | None  # of all cores, used by everybody
    cpu_percent_of_others: float  # by everybody but our own children: this is what the limit is for
    load_per_core: float
    memory_free: int
    memory: int | None
    swap_used: int | None
    swap: int | None
    temperature: float | None  # degrees Celsius of the hottest sensor
    on_battery: bool | None
    battery_percent: float | None
    folders: Sequence[FolderHealth]
    gpus: Sequence[GpuHealth]


class LimitsHealth(NamedTuple):
    """What the readings are compared with; 0: that limit is off."""

    cpu_percent: float
    load_per_core: float
    memory_free: int
    disk_free: int
    gpu_free: int


class SlotHealth(NamedTuple):
    """Room for one execution at a time; an engine may make the next one ready beside it."""

    number: int
    engine: str
    device: str
    level: str | None  # how FaceFusion is driven
    jobs: Sequence[int]  # that are under way there
    child: int | None = None  # the process that is warm, or at work


class EngineHealth(NamedTuple):
    """What swaps."""

    name: str
    version: str | None  # in its own words; None: it is built in
    why: str  # why this one, one sentence


class LedgerHealth(NamedTuple):
    """The record of all jobs."""

    path: str
    size: int  # bytes, with the part that is written ahead
    full: bool  # its disk: nothing can be written
    busy: float  # seconds that the longest piece of work under way has taken


class Moment(NamedTuple):
    """One minute of the last day. None: it was not known."""

    at: float
    cpu_percent: float | None = None
    cpu_percent_of_others: float | None = None
    load_per_core: float | None = None
    memory_free: float | None = None
    swap_used: float | None = None
    disk_free: float | None = None  # on the fullest of our disks
    gpu_free: float | None = None  # on the fullest GPU
    temperature: float | None = None
    frames_per_second: float | None = None  # of all that ran
    queued: float | None = None  # jobs


class Health(NamedTuple):
    """GET /api/health: why something starts or does not, and how the machine is."""

    now: float
    state: str  # running, paused, held, draining
    why: str | None
    gate: GateHealth
    breaker: BreakerHealth
    pause: PauseHealth
    beats: dict[str, float]  # seconds since each loop last showed that it lives
    silent: Sequence[str]  # the loops that have not for too long
    reading: ReadingHealth | None  # None: before the first one
    limits: LimitsHealth
    slots: Sequence[SlotHealth]
    engine: EngineHealth
    ledger: LedgerHealth
    history: Sequence[Moment] = ()  # oldest first, one a minute at most
