"""The door to FaceFusion, for one slot: `await engine.run(work, report)`.

Three levels, each falling back to the next by itself: warm (FaceFusion stays loaded in our driver), batch (one
FaceFusion for several jobs, by its own job files), cold (one FaceFusion for each job).
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from faceswapd.children.child import ChildFailure, ChildId
from faceswapd.children.control_group import Groups
from faceswapd.core.failures import Failure, FailureClass
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Kind
from faceswapd.engines.engine import WAITING, EngineFailure, Output, Progress, Report, Work
from faceswapd.engines.facefusion.batch import Batch
from faceswapd.engines.facefusion.hearing import Hearing
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.options import Device
from faceswapd.engines.facefusion.persons import selection
from faceswapd.engines.facefusion.runner import Ran, Runner
from faceswapd.engines.facefusion.site import Order, Site
from faceswapd.engines.facefusion.verdict import Exit, judge, notices

NAME: Final = "facefusion"
GROWTH: Final = 2 << 30  # bytes by which a warm child may grow over what it held after its first job
DRIVER_FAULTS: Final = 2  # in a row, after which the driver is not used any more
RISE_SECONDS: Final = 1800.0  # after which a way that did not work is tried again, when the child has ended anyway
BATCH_ROOM: Final = 20  # jobs that one FaceFusion takes at the batch level


class Level(StrEnum):
    """How FaceFusion is driven."""

    WARM = "warm"
    BATCH = "batch"
    COLD = "cold"


_NEXT: Final = {Level.WARM: Level.BATCH, Level.BATCH: Level.COLD}


@dataclass(frozen=True, slots=True)
class _Span:
    """Pictures of a video that are done in one go; the end is not among them."""

    start: int
    end: int


class FaceFusionEngine:
    """FaceFusion in one slot, on one device."""

    name = NAME
    has_ladder = True

    def __init__(self, site: Site, place: int = 0, level: Level = Level.WARM, *, groups: Groups | None = None) -> None:
        """`place` is which of the site's devices it runs on; there are more slots than devices where somebody asks
        for them."""
        self._site = site
        self._place = place
        self._groups = groups
        self._peak: int | None = None
        self._level = self._wished = level
        self._fell = ""  # why it is driven the slower way
        self._fell_at = 0.0
        self._faults = 0
        self._runner: Runner | None = None
        self._batch = Batch()
        self._first: tuple[ChildId | None, int] = None, 0  # a child, and the bytes that it held after its first job
        self._tail: tuple[str, ...] = ()
        self._turn = asyncio.Lock()  # one work after the other, but at the batch level
        self._changing = asyncio.Lock()  # the child is being started or ended

    @property
    def weaknesses(self) -> frozenset[Weakness]:
        """What this version damages in a target without a word."""
        return self._site.weaknesses

    @property
    def frames_on_disk(self) -> bool:
        """Whether this version takes the frames of every video through the disk."""
        return self._site.frames_on_disk

    @property
    def credit(self) -> str:
        """What did the swap, for the output's own words."""
        return self._site.credit

    @property
    def room(self) -> int:
        """How many runs it takes at the same time."""
        return BATCH_ROOM if self._level is Level.BATCH else 1

    @property
    def ahead(self) -> int:
        """The next work is made ready while FaceFusion is busy, so that it waits for nothing but FaceFusion."""
        return 0 if self._level is Level.BATCH else 1

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why it is driven the slower way."""
        return (self._fell,) if self._fell else ()

    @property
    def level(self) -> Level:
        """How FaceFusion is driven at the moment."""
        return self._level

    @property
    def child(self) -> ChildId | None:
        """The child that runs now or waits."""
        return None if self._runner is None else self._runner.child

    @property
    def tail(self) -> tuple[str, ...]:
        """The last lines that FaceFusion wrote."""
        return self._tail

    @property
    def peak_memory(self) -> int | None:
        """Bytes that the child and all that it started held at most in the last run."""
        return self._peak

    @property
    def _device(self) -> Device:
        return self._site.devices[self._place % len(self._site.devices)]

    async def start(self) -> ChildId:
        """Make the child ready; where the driver does not start, the level falls. Raises EngineFailure."""
        return self.child or await self._ready(await self._site.installation())

    async def _ready(self, installation: Installation) -> ChildId:
        async with self._changing:
            return await self._started(installation)

    async def _started(self, installation: Installation) -> ChildId:
        while True:
            warm = self._level is Level.WARM
            runner = self._runner
            if runner is not None and (runner.installation != installation or runner.warm is not warm):
                self._runner = None
                await runner.retire()
            if self._runner is None:
                self._runner = Runner(installation, warm=warm, groups=self._groups)
            try:
                return await self._runner.start()
            except ChildFailure as error:
                if not warm:
                    raise EngineFailure(error.failure) from error
                self._fall(error.failure)

    async def run(self, work: Work, report: Report) -> Output:
        """Swap. Raises EngineFailure; cancelling stops the child and all that it started."""
        try:
            return await self._take_turn(work, report)
        except EngineFailure as error:
            self._rise(error.failure)
            raise

    async def _take_turn(self, work: Work, report: Report) -> Output:
        order = await self._site.order(work, self._device, report)
        if self._fell and self._runner is None and time.monotonic() - self._fell_at > RISE_SECONDS:
            self._wish_again()  # what was in the way may be gone
        if self._level is Level.BATCH:
            return await self._run(work, order, report)
        if self._turn.locked():
            report(Progress(WAITING, 0, work.facts.frames))
        async with self._turn:
            return await self._run(work, order, report)

    async def _run(self, work: Work, order: Order, report: Report) -> Output:
        seconds, parts, warnings = 0.0, [], []
        spans = list(_spans(work))
        for number, span in enumerate(spans):
            part = work.output if len(spans) == 1 else work.output.with_stem(f"{work.output.stem}-{number}")
            before = 0 if span is None else span.start
            hearing = Hearing(work.facts.kind, report, before, work.facts.frames, work.say)
            told = await self._run_part(work, order, span, part, hearing)
            # The sound comes from the target.
            warnings += [f"{one.sentence} {one.advice}" for one in told if one.category != "audio_lost"]
            seconds += hearing.swapping_seconds
            parts.append(part)
        await self._recycle(work)
        made = tuple(parts) if len(parts) > 1 else ()
        return Output(work.facts.frames, None, seconds, made, tuple(dict.fromkeys(warnings)))

    async def close(self) -> None:
        """End the child."""
        async with self._changing:
            await self._end()

    async def _end(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.end()

    async def _run_part(
        self, work: Work, order: Order, span: _Span | None, part: Path, hearing: Hearing
    ) -> tuple[Failure, ...]:
        """One command line of FaceFusion. A driver that does not work is given up, and the part done the next way."""
        while True:
            await self._ready(order.installation)
            assert self._runner is not None
            level = self._level
            runner = self._runner
            try:
                ran = await self._carry_out(work, order, span, part, hearing)
            finally:  # also of one that stands still, and is stopped
                hearing.transcript.end()
                self._tail = hearing.transcript.tail
            self._peak = runner.peak_memory
            failure = self._failure(work, ran, hearing)
            if failure is None:
                self._faults = 0
                return notices(hearing.transcript)
            if level is Level.COLD or failure.category not in ("child_rubbish", "child_start"):
                raise EngineFailure(failure)
            self._fault(level, failure)
            hearing = hearing.anew()

    async def _carry_out(self, work: Work, order: Order, span: _Span | None, part: Path, hearing: Hearing) -> Ran:
        assert self._runner is not None
        trim = () if span is None else ("--trim-frame-start", str(span.start), "--trim-frame-end", str(span.end))
        own = (*selection(work.person, order.installation), *trim)
        if self._level is Level.BATCH:
            return await self._batch.run(self._in_use, await self._site.job_file(order, work, part, own), hearing)
        scratch = part.parent / f"run-{part.stem}"  # removed with the work's own folder
        try:
            return await self._runner.run(order.command_line(work, part, scratch, own), hearing, order.proved)
        except ChildFailure as error:
            return Ran(None, None, 0.0, died=error.failure)

    async def _in_use(self) -> Runner:
        """The runner with a child that is ready. One that was given up is nobody's: what it started would stay."""
        await self._ready(await self._site.installation())
        assert self._runner is not None
        return self._runner

    def _failure(self, work: Work, ran: Ran, hearing: Hearing) -> Failure | None:
        if ran.died is not None and ran.died.category in ("child_rubbish", "child_start", "out_of_memory"):
            return ran.died
        failure = judge(hearing.transcript, Exit(ran.code, ran.inner, work.facts.kind))
        if ran.died is not None and (failure is None or failure.category == "child_died"):
            return ran.died
        return failure

    def _fault(self, level: Level, failure: Failure) -> None:
        """A way did not work. Several runs at a time may find that out; the first one falls, and the others with it."""
        if level is self._level:
            self._faults += 1
            if self._faults >= DRIVER_FAULTS:
                self._fall(failure)

    def _fall(self, failure: Failure) -> None:
        """Drive FaceFusion the next slower way from the next run on. What runs still ends as it began."""
        below = _NEXT[self._level]
        self._fell = (
            f"FaceFusion is driven the slower way `{below}`, since `{self._level}` does not work: {failure.sentence}"
        )
        self._level, self._faults, self._fell_at = below, 0, time.monotonic()

    def _rise(self, failure: Failure) -> None:
        """Begin again as it was wished where the surroundings are broken: then no way works, and it was not the faster
        one's fault that it did not."""
        if failure.failure_class is FailureClass.ENVIRONMENT and self._level is not self._wished:
            self._wish_again()

    def _wish_again(self) -> None:
        self._level, self._fell, self._faults = self._wished, "", 0

    async def _recycle(self, work: Work) -> None:
        """End a child that has grown, or of a version that keeps what it should let go; the next run starts afresh."""
        if self._runner is None or not self._runner.warm:
            return
        child, held = self._runner.child, self._runner.memory()
        if self._first[0] != child:
            self._first = child, held
        leaky = self._site.keeps_frames and work.facts.kind is Kind.VIDEO
        if leaky or held > self._first[1] + GROWTH:
            runner, self._runner = self._runner, None
            await runner.retire()


def _spans(work: Work) -> Iterator[_Span | None]:
    """What is done in one go; None: all of it."""
    facts, seconds = work.facts, work.rung.part_seconds
    if facts.kind is Kind.IMAGE or seconds is None or not facts.duration or facts.duration <= seconds:
        yield None
        return
    step = max(1, round(seconds * facts.frames / facts.duration))
    for start in range(0, facts.frames, step):
        yield _Span(start, min(start + step, facts.frames))
