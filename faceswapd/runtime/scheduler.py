"""Carries out what core.plan decides. The only place where executions are started and stopped."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from faceswapd.core import plan as planning
from faceswapd.core.job import IllegalTransition
from faceswapd.core.plan import Running, Sleep, Snapshot, Start, Stop
from faceswapd.engines.engine import EngineFailure
from faceswapd.ledger import claims, standing
from faceswapd.ledger.claims import Runner
from faceswapd.runtime.beats import Beats
from faceswapd.runtime.execution import Course, Slot, Workshop, execute
from faceswapd.runtime.readings import Readings

BEAT_SECONDS = 5.0
HELD_SECONDS = 2.0  # between two looks at a closed gate

log = structlog.get_logger(__name__)


class Scheduler:
    """Runs until it has drained."""

    def __init__(self, shop: Workshop, slots: Sequence[Slot], readings: Readings, beats: Beats, boot: str) -> None:
        self._shop = shop
        self._ledger = shop.ledger
        self._slots = tuple(slots)
        self._readings = readings
        self._beats = beats
        self._boot = boot
        self._timeouts = shop.settings.plan_timeouts()
        self._insist_at: float | None = None
        self.draining = False
        self.waiting = False  # something is ready and waits for the gate
        self.courses: dict[int, Course] = {}  # by segment
        self._idle_since = {slot.number: time.monotonic() for slot in self._slots}

    def drain(self) -> None:
        """Start nothing new; what runs may go on for the grace. A second call ends it at once."""
        now = time.monotonic()
        self._insist_at = now if self.draining else now + self._shop.settings.grace
        self.draining = True
        self._ledger.bell.ring()

    async def run(self) -> None:
        """Decide and act, at every change, until drained."""
        async with asyncio.TaskGroup() as group:
            while True:
                rung = self._ledger.bell.count
                snapshot = await self._snapshot()
                sleep = BEAT_SECONDS
                for decision in planning.plan(snapshot):
                    match decision:
                        case Start():
                            await self._start(decision, group)
                        case Stop(segment, why):
                            self.courses[segment].stop(why)
                        case Sleep(until):
                            sleep = self._seconds_until(until)
                if self.draining and not self.courses:
                    break
                await self._close_idle()
                self._beats.beat("scheduler")
                await self._ledger.bell.after(rung, sleep)
        for slot in self._slots:
            await slot.engine.close()

    def _seconds_until(self, until: float | None) -> float:
        seconds = BEAT_SECONDS if until is None else max(0.0, min(BEAT_SECONDS, until - time.time()))
        if self._insist_at is not None:
            seconds = min(seconds, max(0.0, self._insist_at - time.monotonic()))
        return min(seconds, HELD_SECONDS) if self.waiting else seconds

    async def _snapshot(self) -> Snapshot:
        now = time.time()
        await claims.wake_due(self._ledger, now)
        pauses = await standing.pauses(self._ledger)
        free = tuple(slot.number for slot in self._slots if slot.number not in self._busy())
        # A segment whose last course is still clearing up is no candidate yet, and hides none behind it.
        queue = await claims.queue(self._ledger, pauses.inboxes, max(1, len(free)) + len(self.courses))
        ready = tuple(one for one in queue.ready if one.segment not in self.courses)
        may_start = bool(ready and free) and not (pauses.daemon or self.draining)
        gate = await self._readings.fresh() if may_start else self._readings.gate
        self.waiting = may_start and not gate.open
        return Snapshot(
            now=now,
            ready=ready,
            running=tuple(self._running(course, queue.cancels, now) for course in self.courses.values()),
            free_slots=free,
            paused=pauses.daemon,
            gate_open=gate.open,
            draining=self.draining,
            insist=self._insist_at is not None and time.monotonic() >= self._insist_at,
            next_due=queue.next_due,
            timeouts=self._timeouts,
        )

    def _busy(self) -> set[int]:
        return {course.slot.number for course in self.courses.values()}

    def _running(self, course: Course, cancels: frozenset[int], now: float) -> Running:
        """A course on the snapshot's clock. Spans are taken from the steady clock, which no clock change moves."""
        steady = time.monotonic()
        segment = course.claim.job.segment
        return Running(
            segment=segment,
            job=course.claim.job.id,
            slot=course.slot.number,
            started_at=now - (steady - course.started_at),
            progressed_at=now - course.quiet(steady),
            wall=course.wall,
            cancel_requested=segment in cancels,
            stopping=course.why is not None,
        )

    async def _start(self, start: Start, group: asyncio.TaskGroup) -> None:
        slot = next(slot for slot in self._slots if slot.number == start.slot)
        try:
            runner = Runner(self._boot, slot.number, slot.engine.name, slot.device)
            claim = await claims.claim(self._ledger, start.segment, runner, time.time())
        except IllegalTransition:
            return  # cancelled in between; the next snapshot knows
        facts = claim.job.facts
        course = Course(claim, slot, self._timeouts.wall_for(None if facts is None else facts.frames))
        self.courses[start.segment] = course
        course.task = group.create_task(self._run(course), name=f"job {claim.job.id}")

    async def _run(self, course: Course) -> None:
        try:
            await execute(course, self._shop)
        finally:
            del self.courses[course.claim.job.segment]
            self._idle_since[course.slot.number] = time.monotonic()
            self._ledger.bell.ring()

    async def _close_idle(self) -> None:
        """End warm children that have had nothing to do for long."""
        busy = self._busy()
        for slot in self._slots:
            idle = time.monotonic() - self._idle_since[slot.number]
            if slot.number not in busy and slot.engine.child is not None and idle > self._shop.settings.engine.idle:
                try:
                    await slot.engine.close()
                except EngineFailure as error:
                    log.warning("the engine did not end", why=str(error))
