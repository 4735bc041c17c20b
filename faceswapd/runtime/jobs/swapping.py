"""One staged target, from the part of it that is wanted to its proved output, all in a scratch folder of its own."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from faceswapd import faults
from faceswapd.children.child import ChildId
from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Marks, Proof
from faceswapd.engines.engine import EngineFailure, Output, Person, Progress, Work
from faceswapd.ledger import outcomes
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.jobs.course import COMPLETING, PREPARING, PROVING, Course, Workshop


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's turn: the work with the photos of the face that the person gets."""

    face: str
    work: Work


@dataclass(frozen=True, slots=True)
class Made:
    """A proved output in scratch."""

    path: Path
    proof: Proof
    output: Output
    peak_memory: int | None  # bytes


async def proved(course: Course, shop: Workshop, turns: tuple[Turn, ...]) -> Made:
    """Swap and prove; several persons one after the other, each in what was made of the one before. Raises
    EngineFailure, ChildFailure and OSError."""
    ready = await _ready(course, shop, turns[0].work)
    whole = ready.whole
    outputs: list[Output] = []
    peaks: list[int] = []
    last = ready.work
    for number, turn in enumerate(turns):
        if number:
            last = await _handed_on(course, shop, last, outputs[-1], _Place(number, len(turns)))
            faults.reached("pass done")
        last = _work_of(turn, ready, last, _Place(number, len(turns)))
        outputs.append(await _run(course, turn, last, _Place(number, len(turns))))
        peaks += [] if course.slot.engine.peak_memory is None else [course.slot.engine.peak_memory]
    faults.reached("engine done")
    course.engine_done = True  # the next one may begin at once
    shop.ledger.bell.ring()
    made = _together(outputs)
    await _warn(course, shop, made.warnings)
    await _complete(course, shop, whole, last, made)
    course.report(Progress(PROVING, whole.facts.frames, whole.facts.frames))
    proof = await shop.examiner.verify(whole.target, whole.output, whole.facts)
    if isinstance(proof, Failure):
        raise EngineFailure(proof)
    faults.reached("output proved")
    return Made(whole.output, proof, made, max(peaks, default=None))


@dataclass(frozen=True, slots=True)
class _Place:
    """Which turn of how many."""

    number: int  # from 0
    turns: int

    @property
    def last(self) -> bool:
        return self.number == self.turns - 1

    def progress(self, told: Progress, frames: int) -> Progress:
        """A turn's progress as the job's, which has this many frames for each turn."""
        if self.turns == 1:
            return told
        done = min(frames, round(told.done * frames / told.total)) if told.total else 0
        return Progress(told.phase, self.number * frames + done, self.turns * frames, told.life)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is ready to be swapped."""

    whole: Work  # as it is wanted: with that part of the target, and what the output is held against
    work: Work  # as the engine gets it
    first: int = 0  # the number of its first frame in the target


def _work_of(turn: Turn, ready: _Ready, before: Work, place: _Place) -> Work:
    """A person's turn, in what was made until then."""
    output, person = ready.work.output, turn.work.person
    if not place.last:
        output = output.with_name(f"turn-{place.number + 1}{output.suffix}")
    if person is not None:
        frame = min(max(0, person.frame - ready.first), ready.whole.facts.frames - 1)
        person = Person(frame, person.position, ready.work.target)
    return replace(before, sources=turn.work.sources, output=output, person=person)


async def _run(course: Course, turn: Turn, work: Work, place: _Place) -> Output:
    """Let the engine swap one person."""
    try:
        heard = replace(work, say=course.log.say)
        return await course.slot.engine.run(heard, lambda told: course.report(place.progress(told, work.facts.frames)))
    except EngineFailure as error:
        if place.turns == 1:
            raise
        whose = f" It was the turn of {turn.face}, {place.number + 1} of {place.turns}."
        raise EngineFailure(replace(error.failure, sentence=error.failure.sentence + whose)) from error


async def _handed_on(course: Course, shop: Workshop, work: Work, made: Output, place: _Place) -> Work:
    """The work with what the engine made of the person before as its target. The sound waits for the end."""
    output = work.output
    if course.slot.engine.credit is not None:
        output = work.output.with_name(f"pass-{place.number}{work.output.suffix}")
        frames, parts = work.facts.frames, made.parts or (work.output,)

        def life(done: int, _total: int) -> None:
            course.report(Progress(COMPLETING, place.number * frames, place.turns * frames, done))

        finished = await shop.mender.finish(work.target, work.target, parts, output, work.facts, None, life)
        if isinstance(finished, Failure):
            raise EngineFailure(finished)
        await asyncio.to_thread(_remove, parts)
    if place.number > 1:  # of the first turn it is the target itself
        await asyncio.to_thread(_remove, (work.target,))
    return replace(work, target=output)


def _remove(paths: tuple[Path, ...]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _together(outputs: list[Output]) -> Output:
    """What all turns were, all in all."""
    counts = [one.faces for one in outputs if one.faces is not None]
    return Output(
        frames=sum(one.frames for one in outputs),
        faces=sum(counts) if len(counts) == len(outputs) else None,
        seconds=sum(one.seconds for one in outputs),
        parts=outputs[-1].parts,
        warnings=tuple(dict.fromkeys(warning for one in outputs for warning in one.warnings)),
    )


async def know_child(course: Course, ledger: Ledger, child: ChildId | None) -> None:
    """Write down who runs it, when that has changed."""
    if child is not None and child != course.child:
        course.child = child
        await outcomes.child_known(ledger, course.claim.execution, child.pid, child.started)


async def _ready(course: Course, shop: Workshop, staged: Work) -> _Ready:
    """The work as it is wanted and as the engine gets it, and the engine's child: made ready at the same time."""

    async def child() -> None:
        await know_child(course, shop.ledger, await course.slot.engine.start())

    starting = asyncio.create_task(child(), name=f"engine of job {course.claim.job.id}")
    try:
        whole, first = await _trimmed(course, shop, staged)
        work = await _prepared(course, shop, whole)
        await starting
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)  # one failure is enough to tell
    return _Ready(whole, work, first)


async def _trimmed(course: Course, shop: Workshop, staged: Work) -> tuple[Work, int]:
    """The work with only that part of the target that is wanted, and the number of its first frame."""
    trim = course.claim.job.wish.trim
    if trim is None:
        return staged, 0
    course.report(Progress(PREPARING, 0, staged.facts.frames))
    life = _life(course, PREPARING, staged.facts)
    part = await shop.mender.trim(staged.target, staged.target.parent, staged.facts, trim, life)
    if isinstance(part, Failure):
        raise EngineFailure(part)
    await _warn(course, shop, part.left_out)
    return replace(staged, target=part.path, facts=part.facts), part.first


async def _prepared(course: Course, shop: Workshop, whole: Work) -> Work:
    """The work with a target that the engine can bear."""
    engine, job = course.slot.engine, course.claim.job
    if not engine.weaknesses:
        return whole
    course.report(Progress(PREPARING, 0, whole.facts.frames))
    life = _life(course, PREPARING, whole.facts)
    prepared = await shop.mender.prepare(whole.target, whole.target.parent, whole.facts, engine.weaknesses, life)
    if isinstance(prepared, Failure):
        raise EngineFailure(prepared)
    if prepared.mended:
        await outcomes.remark(shop.ledger, job.id, "mended", " ".join(prepared.mended), time.time())
    return replace(whole, target=prepared.path, output=whole.target.parent / f"made{prepared.path.suffix}")


async def _complete(course: Course, shop: Workshop, whole: Work, work: Work, made: Output) -> None:
    """What the engine made becomes the output, with all that belongs to the target beside its pictures."""
    credit = course.slot.engine.credit
    if credit is None:
        return
    finished = await shop.mender.finish(
        whole.target,
        work.target,
        made.parts or (work.output,),
        whole.output,
        whole.facts,
        Marks(f"Face swapped with {credit} by faceswapd."),
        _life(course, COMPLETING, whole.facts),
    )
    if isinstance(finished, Failure):
        raise EngineFailure(finished)
    await _warn(course, shop, (*finished.left_out, *filter(None, (finished.unmarked,))))


async def _warn(course: Course, shop: Workshop, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        await outcomes.remark(shop.ledger, course.claim.job.id, "warning", sentence, time.time())


def _life(course: Course, phase: str, facts: Facts) -> Callable[[int, int], None]:
    """Reports a phase that moves no frame of the swap, only shows life."""
    done = 0 if phase == PREPARING else facts.frames
    return lambda life, _total: course.report(Progress(phase, done, facts.frames, life))
