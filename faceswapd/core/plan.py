"""What the scheduler does next: a snapshot in, decisions out."""

from dataclasses import dataclass, replace
from enum import StrEnum

from faceswapd.core.space import NOTHING, Need, Room, lack
from faceswapd.core.target import Facts
from faceswapd.core.wish import NOTHING as NO_WISH
from faceswapd.core.wish import Wish


class Why(StrEnum):
    """Why a running execution is stopped."""

    CANCEL = "cancel"  # somebody asked
    RELEASE = "release"  # the daemon stops
    AWAY = "away"  # the disk of its target is not there
    COPIED = "copied"  # its target was copied over itself: the same content, written anew
    STALLED = "stalled"  # no progress
    OVERTIME = "overtime"  # the wall limit


@dataclass(frozen=True, slots=True)
class Ready:
    """A segment that could start now. The snapshot holds them in the order of the queue."""

    segment: int
    job: int
    face: str
    preset: str
    priority: int = 0
    passed: int = 0  # how often one that stood behind it was started first
    facts: Facts | None = None
    rung: int = 0  # of the resource ladder
    need: Need = NOTHING  # space on the disks
    wish: Wish = NO_WISH  # what is asked of it


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot with room, and what its child is warm for: the last face and preset; None for a cold one."""

    number: int
    face: str | None = None
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A segment that runs. Times are seconds on the clock of the snapshot's `now`."""

    segment: int
    job: int
    slot: int
    started_at: float
    progressed_at: float
    quiet: float  # seconds without progress that it is given, in the phase in which it is
    wall: float  # seconds it may run at most
    cancel_requested: bool
    stopping: bool  # it has been told to stop already


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds."""

    first_output: float  # from the start to the first sign of life
    no_progress: float  # without a new frame
    download: float  # while a model is fetched and nothing arrives
    wall: float  # for a target of unknown length
    wall_per_frame: float
    wall_factor: float  # how many times as long as past executions say

    def wall_for(self, frames: int | None, predicted: float | None = None) -> float:
        """How long an execution may run: the basic limit, and more for a long video. Where past executions say how
        long it takes, a multiple of that is the limit."""
        if predicted is not None:
            return max(self.wall, predicted * self.wall_factor)
        return self.wall if not frames else max(self.wall, frames * self.wall_per_frame)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the decisions rest on."""

    now: float
    ready: tuple[Ready, ...]  # by priority, then age; without those of paused inboxes
    running: tuple[Running, ...]
    free_slots: tuple[FreeSlot, ...]
    paused: bool
    gate_open: bool
    draining: bool
    insist: bool  # a second stop, or the end of the grace
    next_due: float | None  # when the next waiting retry may start
    allowance: int | None = None  # how many may start while the breaker holds the queue; None: it does not
    probe_at: float | None = None  # when the breaker lets one job try
    patience: int = 20  # how often a segment is passed by others: they suit a warm slot better, or need less space
    room: Room | None = None  # on the disks; None: not known, and nobody waits for it


@dataclass(frozen=True, slots=True)
class Start:
    """Claim this segment for this slot."""

    segment: int
    job: int
    slot: int
    passes: tuple[int, ...] = ()  # segments that stood before it and still wait
    need: Need = NOTHING  # what is kept for it on the disks


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
    starts = _starts(snapshot) if may_start(snapshot) else ()
    return (*stops, *starts, Sleep(_until(snapshot)))


def may_start(snapshot: Snapshot) -> bool:
    """Whether anything new may start at all."""
    return snapshot.gate_open and not (snapshot.paused or snapshot.draining)


def short_of_space(snapshot: Snapshot) -> dict[int, str]:
    """By job, why those that wait for space on a disk do so."""
    if snapshot.room is None:
        return {}
    why = {one.job: lack(one.need, snapshot.room.left) for one in snapshot.ready}
    return {job: sentence for job, sentence in why.items() if sentence is not None}


def _starts(snapshot: Snapshot) -> tuple[Start, ...]:
    """Who starts where. A warm slot takes what suits it best of those that it may; the others take the head.

    What finds too little space on the disks waits, and smaller ones may start before it. One that would be passed more
    often than `patience` allows ends the search, and nobody passes a higher priority that could start: so the order of
    the queue bends, and never breaks.
    """
    waiting = list(snapshot.ready)
    passed = {one.segment: one.passed for one in waiting}
    chosen: list[tuple[Ready, FreeSlot]] = []
    room = snapshot.room
    slots = sorted(snapshot.free_slots, key=lambda slot: slot.preset is None)  # warm ones choose first
    for slot in slots if snapshot.allowance is None else slots[: snapshot.allowance]:
        index = _best(waiting, slot, passed, snapshot.patience, room)
        if index is None:
            break
        for one in waiting[:index]:
            passed[one.segment] += 1
        one = waiting.pop(index)
        chosen.append((one, slot))
        room = None if room is None else replace(room, left=room.left - one.need)
    order = {one.segment: number for number, one in enumerate(snapshot.ready)}
    return tuple(
        Start(
            one.segment,
            one.job,
            slot.number,
            tuple(left.segment for left in waiting if order[left.segment] < order[one.segment]),
            one.need,
        )
        for one, slot in chosen
    )


def _best(waiting: list[Ready], slot: FreeSlot, passed: dict[int, int], patience: int, room: Room | None) -> int | None:
    """The place of the one that suits the slot best, among those that it may take; None where it may take none."""
    best, likeness, priority = None, -1, None
    for index, one in enumerate(waiting):
        if priority is not None and one.priority != priority:
            break
        fits = room is None or one.need.fits(room.left)
        if fits:
            priority = one.priority
            like = 0 if slot.preset != one.preset else 1 + (slot.face == one.face)
            if like > likeness:
                best, likeness = index, like
        elif room is not None and not one.need.fits(room.whole):
            continue  # even an empty machine has too little space for it: nobody waits for that
        if likeness == _ALIKE or passed[one.segment] >= patience:
            break
    return best


_ALIKE = 2  # the same preset and the same face


def _why_stop(running: Running, snapshot: Snapshot) -> Why | None:
    if running.cancel_requested:
        return Why.CANCEL
    if snapshot.insist:
        return Why.RELEASE
    if snapshot.now - running.started_at >= running.wall:
        return Why.OVERTIME
    if snapshot.now - running.progressed_at >= running.quiet:
        return Why.STALLED
    return None


def _until(snapshot: Snapshot) -> float | None:
    times = [
        min(running.started_at + running.wall, running.progressed_at + running.quiet)
        for running in snapshot.running
        if not running.stopping
    ]
    if snapshot.next_due is not None and may_start(snapshot):
        times.append(snapshot.next_due)
    if snapshot.probe_at is not None and may_start(snapshot):
        times.append(snapshot.probe_at)
    return min(times, default=None)
