"""How an execution goes: what the scheduler watches, and what every execution works with."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from faceswapd.children.child import ChildId
from faceswapd.core.eta import Speed
from faceswapd.core.failures import Failure
from faceswapd.core.plan import Timeouts, Why
from faceswapd.core.running_log import RunningLog
from faceswapd.core.space import NOTHING, Need
from faceswapd.engines.engine import DOWNLOADING, WAITING, Engine, Progress
from faceswapd.ledger.claims import Claim
from faceswapd.ledger.connection import Ledger
from faceswapd.media.examiner import Examiner
from faceswapd.media.mender import Mender
from faceswapd.settings import Settings

PREPARING, COMPLETING = "preparing", "completing"  # phases before and after the engine's own
PROVING, PUBLISHING = FINISHING = ("proving", "publishing")  # phases that are not timed

Photos = Callable[[str, str | None], tuple[Path, ...]]
Notice = Callable[[str, str | None], None]  # by a key; None takes it back


@dataclass(slots=True)
class Slot:
    """Room for one execution at a time."""

    number: int
    device: str
    engine: Engine


@dataclass(slots=True)
class Course:
    """How an execution goes, as the scheduler sees it. Times are on the monotonic clock."""

    claim: Claim
    slot: Slot
    wall: float
    speed: Speed | None = None  # of its like, as far as it is known
    rung: int = 0  # of the resource ladder
    need: Need = NOTHING  # space on the disks that is kept for it
    child: ChildId | None = None  # who runs it, as the ledger knows
    started_at: float = field(default_factory=time.monotonic)
    progressed_at: float = field(default_factory=time.monotonic)
    latest: Progress | None = None
    failure: Failure | None = None  # why it failed
    succeeded: bool = False
    engine_done: bool = False  # what is left is done beside the engine, which may take the next
    why: Why | None = None  # it has been told to stop
    task: asyncio.Task[None] | None = None
    log: RunningLog = field(default_factory=RunningLog)  # what the engine says, and each phase

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return 0.0 if self.latest is None or not self.latest.total else self.latest.done / self.latest.total

    def report(self, progress: Progress) -> None:
        """Hear of progress; a repeated report of the same frame is none."""
        if progress != self.latest:
            if self.latest is None or progress.phase != self.latest.phase:
                self.log.say(f"-- {progress.phase}")
            self.latest = progress
            self.progressed_at = time.monotonic()
            if progress.phase == WAITING:
                self.started_at = self.progressed_at  # its time begins with its turn

    def alive(self) -> None:
        """What is waited for limits itself: it is no standstill."""
        self.progressed_at = time.monotonic()

    def quiet(self, now: float) -> float:
        """Seconds without progress. None is expected while the output is proved and published: the examiner limits
        itself, and the disk takes its time."""
        return 0.0 if self.latest is not None and self.latest.phase in FINISHING else now - self.progressed_at

    def quiet_limit(self, timeouts: Timeouts) -> float:
        """Seconds without progress that it is given now."""
        if self.latest is None:
            return timeouts.first_output
        return timeouts.download if self.latest.phase == DOWNLOADING else timeouts.no_progress

    def stop(self, why: Why) -> None:
        """End it for a reason; the first reason counts."""
        if self.why is None and self.task is not None:
            self.why = why
            self.task.cancel()


async def _never(_inbox: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every execution works with."""

    settings: Settings
    ledger: Ledger
    examiner: Examiner
    mender: Mender
    photos: Photos
    notice: Notice  # tells the user something about the whole daemon
    mounted: Callable[[], bool] = lambda: True  # whether the outbox's disk is there
    away: Callable[[], frozenset[str]] = frozenset  # inboxes of which nobody knows now what they hold
    has_gone: Callable[[str], Awaitable[bool]] = _never  # whether an inbox is away this moment
