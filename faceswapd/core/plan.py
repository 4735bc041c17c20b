"""What the scheduler does next: a snapshot in, decisions out."""

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Why a running execution is stopped."""

    CANCEL = "cancel"  # somebody asked
    RELEASE = "release"  # the daemon stops
    STALLED = "stalled"  # no progress
    OVERTIME = "overtime"  # the wall limit


@dataclass(frozen=True, slots=True)
class Ready:
    """A segment that could start now. The snapshot holds them in the order of the queue."""

    segment: int
    job: int
    face: str
    preset: str


@dataclass(frozen=True, slots=True)
class Running:
    """A segment that runs. Times are seconds on the clock of the snapshot's `now`."""

    segment: int
    job: int
    slot: int
    started_at: float
    progressed_at: float
    wall: float  # seconds it may run at most
    cancel_requested: bool
    stopping: bool  # it has been told to stop already


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    no_progress: float
    wall: float  # for a target of unknown length
    wall_per_frame: float

    def wall_for(self, frames: int | None) -> float:
        """How long an execution may run: the basic limit, and more for a long video."""
        return self.wall if not frames else max(self.wall, frames * self.wall_per_frame)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the decisions rest on."""

    now: float
    ready: tuple[Ready, ...]  # by priority, then age; without those of paused inboxes
    running: tuple[Running, ...]
    free_slots: tuple[int, ...]
    paused: bool
    gate_open: bool
    draining: bool
    insist: bool  # a second stop, or the end of the grace
    next_due: float | None  # when the next waiting retry may start
    timeouts: Timeouts


@dataclass(frozen=True, slots=True)
class Start:
    """Claim this segment for this slot."""

    segment: int
    job: int
    slot: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the execution of this segment."""

    segment: int
    why: Why


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing more to do until this time, or until something happens."""

    until: float | None


Decision = Start | Stop | Sleep


def plan(snapshot: Snapshot) -> tuple[Decision, ...]:
    """Decide: first what to stop, then what to start, then how long to sleep."""
    stops = tuple(
        Stop(running.segment, why)
        for running in snapshot.running
        if not running.stopping and (why := _why_stop(running, snapshot)) is not None
    )
    starts: tuple[Start, ...] = ()
    if may_start(snapshot):
        starts = tuple(
            Start(ready.segment, ready.job, slot)
            for ready, slot in zip(snapshot.ready, snapshot.free_slots, strict=False)
        )
    return (*stops, *starts, Sleep(_until(snapshot)))


def may_start(snapshot: Snapshot) -> bool:
    """Whether anything new may start at all."""
    return snapshot.gate_open and not (snapshot.paused or snapshot.draining)


def _why_stop(running: Running, snapshot: Snapshot) -> Why | None:
    if running.cancel_requested:
        return Why.CANCEL
    if snapshot.insist:
        return Why.RELEASE
    if snapshot.now - running.started_at >= running.wall:
        return Why.OVERTIME
    if snapshot.now - running.progressed_at >= snapshot.timeouts.no_progress:
        return Why.STALLED
    return None


def _until(snapshot: Snapshot) -> float | None:
    times = [
        min(running.started_at + running.wall, running.progressed_at + snapshot.timeouts.no_progress)
        for running in snapshot.running
        if not running.stopping
    ]
    if snapshot.next_due is not None and may_start(snapshot):
        times.append(snapshot.next_due)
    return min(times, default=None)
