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
from faceswapd.engines.engine import EngineFailure, Output, Progress, Work
from faceswapd.ledger import outcomes
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.course import COMPLETING, PREPARING, PROVING, Course, Workshop


@dataclass(frozen=True, slots=True)
class Made:
    """A proved output in scratch."""

    path: Path
    proof: Proof
    output: Output
    peak_memory: int | None  # bytes


async def proved(course: Course, shop: Workshop, staged: Work) -> Made:
    """Swap and prove. Raises EngineFailure, ChildFailure and OSError."""
    engine = course.slot.engine
    whole, work = await _ready(course, shop, staged)
    made = await engine.run(work, course.report)
    faults.reached("engine done")
    peak = engine.peak_memory  # of this run: the next one may begin at once
    course.engine_done = True
    shop.ledger.bell.ring()
    await _warn(course, shop, made.warnings)
    await _complete(course, shop, whole, work, made)
    course.report(Progress(PROVING, whole.facts.frames, whole.facts.frames))
    proof = await shop.examiner.verify(whole.target, whole.output, whole.facts)
    if isinstance(proof, Failure):
        raise EngineFailure(proof)
    faults.reached("output proved")
    return Made(whole.output, proof, made, peak)


async def know_child(course: Course, ledger: Ledger, child: ChildId | None) -> None:
    """Write down who runs it, when that has changed."""
    if child is not None and child != course.child:
        course.child = child
        await outcomes.child_known(ledger, course.claim.execution, child.pid, child.started)


async def _ready(course: Course, shop: Workshop, staged: Work) -> tuple[Work, Work]:
    """The work as it is wanted and as the engine gets it, and the engine's child: made ready at the same time."""

    async def child() -> None:
        await know_child(course, shop.ledger, await course.slot.engine.start())

    starting = asyncio.create_task(child(), name=f"engine of job {course.claim.job.id}")
    try:
        whole = await _trimmed(course, shop, staged)
        work = await _prepared(course, shop, whole)
        await starting
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)  # one failure is enough to tell
    return whole, work


async def _trimmed(course: Course, shop: Workshop, staged: Work) -> Work:
    """The work with only that part of the target that is wanted."""
    trim = course.claim.job.wish.trim
    if trim is None:
        return staged
    course.report(Progress(PREPARING, 0, staged.facts.frames))
    life = _life(course, PREPARING, staged.facts)
    part = await shop.mender.trim(staged.target, staged.target.parent, staged.facts, trim, life)
    if isinstance(part, Failure):
        raise EngineFailure(part)
    await _warn(course, shop, part.left_out)
    return replace(staged, target=part.path, facts=part.facts)


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
