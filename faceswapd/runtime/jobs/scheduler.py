"""Carries out what core.plan decides. The only place where executions are started and stopped."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from faceswapd.children.shield import beating
from faceswapd.core import eta, ladder
from faceswapd.core import plan as planning
from faceswapd.core.breaker import CLOSED, after_failure, after_success
from faceswapd.core.job import IllegalTransition
from faceswapd.core.plan import FreeSlot, Ready, Running, Sleep, Snapshot, Start, Stop
from faceswapd.core.space import Making, Room, need_of, one_disk, room_of
from faceswapd.core.wish import frames_of
from faceswapd.engines.engine import EngineFailure
from faceswapd.ledger import claims, reports, standing
from faceswapd.ledger.claims import Queue, Runner
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime.health.beats import BEAT_SECONDS, Beats
from faceswapd.runtime.health.readings import Readings
from faceswapd.runtime.jobs.course import Course, Slot, Workshop
from faceswapd.runtime.jobs.execution import execute, rung_of

LOOKAHEAD = 64  # jobs among which a warm slot chooses
BESIDE = 3  # works of a slot that may be completed and published while its engine goes on
LOGS_KEPT = 32  # ended executions whose log is still known
CLOCK_STEP = 1.0  # seconds that the time of day may lose without having been set
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
        self.waiting = False  # something is ready and waits for the gate, or for space
        self.short: Mapping[int, str] = {}  # by job, why one waits for space
        self.courses: dict[int, Course] = {}  # by segment
        self.breaker = CLOSED
        self._ended: dict[int, Course] = {}  # by job, the last ones
        self._clock: float | None = None  # what the time of day is ahead of the steady clock
        self._passed: dict[int, int] = {}  # by segment, how often another one was started first
        self._warm: dict[int, FreeSlot] = {}  # by slot, what its child did last
        self._idle_since = {slot.number: time.monotonic() for slot in self._slots}

    def drain(self) -> None:
        """Start nothing new; what runs may go on for the grace. A second call ends it at once."""
        now = time.monotonic()
        self._insist_at = now if self.draining else now + self._shop.settings.grace
        self.draining = True
        self._ledger.bell.ring()

    def course_of(self, job: int) -> Course | None:
        """How the last execution of a job goes or went, as far as this life of the daemon still knows."""
        running = next((one for one in self.courses.values() if one.claim.job.id == job), None)
        return running or self._ended.get(job)

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
            await self._alive(slot.engine.close())

    async def _alive(self, ending: Coroutine[Any, Any, None]) -> None:
        """Wait for a child's end, which limits itself."""
        await beating(ending, lambda: self._beats.beat("scheduler"), BEAT_SECONDS)

    def _seconds_until(self, until: float | None) -> float:
        seconds = BEAT_SECONDS if until is None else max(0.0, min(BEAT_SECONDS, until - time.time()))
        if self._insist_at is not None:
            seconds = min(seconds, max(0.0, self._insist_at - time.monotonic()))
        return min(seconds, HELD_SECONDS) if self.waiting else seconds

    async def _snapshot(self) -> Snapshot:
        now, steady = time.time(), time.monotonic()
        await self._wake_waiting(now, steady)
        pauses = await standing.pauses(self._ledger)
        free = tuple(self._free_slots())
        # A segment whose last course is still clearing up is no candidate yet, and hides none behind it.
        resting = pauses.inboxes | self._shop.away()
        queue = await claims.queue(self._ledger, resting, max(1, len(free), LOOKAHEAD) + len(self.courses))
        self._passed = {one.segment: self._passed[one.segment] for one in queue.ready if one.segment in self._passed}
        may_start = not (pauses.daemon or self.draining) and bool(free) and any(self._candidates(queue))
        gate = await self._readings.fresh() if may_start else self._readings.gate
        making, room = self._making(), self._room()
        rungs: dict[tuple[str, str], int] = {}  # by preset and resolution, so that each is asked for once
        ready = tuple([await self._with_need(one, making, rungs) for one in self._candidates(queue)])
        snapshot = Snapshot(
            now=now,
            ready=ready,
            running=tuple(self._running(course, queue.cancels, now) for course in self.courses.values()),
            free_slots=free,
            paused=pauses.daemon,
            gate_open=gate.open,
            draining=self.draining,
            insist=self._insist_at is not None and time.monotonic() >= self._insist_at,
            next_due=queue.next_due,
            allowance=self.breaker.allowance(steady, len(self.courses)),
            probe_at=None if self.breaker.failure is None or self.courses else now + self.breaker.probe_at - steady,
            patience=self._shop.settings.engine.patience,
            room=room,
        )
        self.short = planning.short_of_space(snapshot)
        self.waiting = may_start and (not gate.open or bool(self.short))
        return snapshot

    def _candidates(self, queue: Queue) -> Iterator[Ready]:
        return (one for one in queue.ready if one.segment not in self.courses)

    async def _with_need(self, one: Ready, making: Making, rungs: dict[tuple[str, str], int]) -> Ready:
        """One that waits, with what it has seen and what it will need."""
        rung, slot = one.rung, self._slots[0]
        if slot.engine.has_ladder and one.facts is not None:
            key = (one.preset, ladder.bucket(one.facts.width, one.facts.height))
            if key not in rungs:
                rungs[key] = await rung_of(self._shop, slot, one.preset, one.facts, 0)
            rung = max(rung, rungs[key])
        on_disk = slot.engine.frames_on_disk or ladder.rung(rung).disk
        need = need_of(one.facts, making, one.wish, frames_on_disk=on_disk)
        return replace(one, passed=self._passed.get(one.segment, 0), need=need)

    def _making(self) -> Making:
        """How the engine, which all slots share, makes its outputs."""
        engine, latest = self._slots[0].engine, self._readings.latest
        copies = latest is not None and not one_disk(latest.folders)
        return Making(bool(engine.weaknesses), engine.credit is not None, copies)

    def _room(self) -> Room | None:
        """What is left on the disks beside what runs; None before the first reading."""
        latest = self._readings.latest
        if latest is None:
            return None
        limit = int(self._shop.settings.limits.disk_free)
        return room_of(latest.folders, limit, (course.need for course in self.courses.values()))

    async def _wake_waiting(self, now: float, steady: float) -> None:
        """What was to wait until now. Where the clock was set back, no retry waits for the old time to come again."""
        set_back = self._clock is None or now - steady < self._clock - CLOCK_STEP
        self._clock = now - steady
        if set_back:
            await claims.wake_overdue(self._ledger, now + self._shop.settings.retry.longest)
        await claims.wake_due(self._ledger, now)

    def _free_slots(self) -> Iterator[FreeSlot]:
        """Each slot as often as its engine has room, with what its child is warm for. Where the next work may be made
        ready ahead, one whose engine is done counts no more, and a few may be completed beside it."""
        used: Counter[int] = Counter(course.slot.number for course in self.courses.values())
        engaged = Counter(course.slot.number for course in self.courses.values() if not course.engine_done)
        for slot in self._slots:
            warm = self._warm.get(slot.number) if slot.engine.child is not None else None
            ahead = slot.engine.ahead
            free = slot.engine.room + ahead - (engaged if ahead else used)[slot.number]
            for _ in range(min(free, slot.engine.room + ahead + BESIDE - used[slot.number])):
                yield FreeSlot(slot.number) if warm is None else warm

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
            quiet=course.quiet_limit(self._timeouts),
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
        for segment in start.passes:
            self._passed[segment] = self._passed.get(segment, 0) + 1
        self._warm[slot.number] = FreeSlot(slot.number, claim.job.face, claim.job.preset)
        speed = await self._speed(claim.job, slot)
        whole = 0 if claim.job.facts is None else claim.job.facts.frames  # a part of it is found by reading all
        frames = max(whole, frames_of(claim.job.facts, claim.job.wish))
        wall = self._timeouts.wall_for(frames, eta.whole(frames, speed))
        course = Course(claim, slot, wall, speed, need=start.need)
        self.courses[start.segment] = course
        course.task = group.create_task(self._run(course), name=f"job {claim.job.id}")

    async def _speed(self, job: JobRecord, slot: Slot) -> eta.Speed | None:
        """What its like took before."""
        past = await reports.past(self._ledger, slot.engine.name)
        return eta.learn(past).get(eta.Sort(job.kind, job.preset))

    async def _run(self, course: Course) -> None:
        try:
            await execute(course, self._shop)
            await self._look_at_breaker(course)
        finally:
            del self.courses[course.claim.job.segment]
            self._ended.pop(course.claim.job.id, None)
            self._ended[course.claim.job.id] = course
            if len(self._ended) > LOGS_KEPT:
                del self._ended[next(iter(self._ended))]
            self._idle_since[course.slot.number] = time.monotonic()
            self._ledger.bell.ring()

    async def _look_at_breaker(self, course: Course) -> None:
        """Hold the queue, or let it go on, by how an execution ended."""
        before, now = self.breaker, time.monotonic()
        if course.succeeded:
            self.breaker = after_success(before)
        elif course.failure is not None:
            seconds = now - course.started_at
            policy = self._shop.settings.retry_policy()
            self.breaker = after_failure(before, course.failure, course.claim.job.id, seconds, now, policy)
        why, was = self.breaker.failure, before.failure
        if (why is None) != (was is None):
            log.warning("breaker", open=why is not None, why=None if why is None else why.sentence)
            await standing.breaker(self._ledger, None if why is None else why.sentence, time.time())

    async def _close_idle(self) -> None:
        """End warm children that have had nothing to do for long."""
        busy = self._busy()
        for slot in self._slots:
            idle = time.monotonic() - self._idle_since[slot.number]
            if slot.number not in busy and slot.engine.child is not None and idle > self._shop.settings.engine.idle:
                try:
                    await self._alive(slot.engine.close())
                except EngineFailure as error:
                    log.warning("the engine did not end", why=str(error))
