"""One claimed segment, from its scratch folder to its record in the ledger."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from faceswapd.children.child import ChildFailure
from faceswapd.children.shield import to_the_end
from faceswapd.core.failures import Failure
from faceswapd.core.job import IllegalTransition
from faceswapd.core.plan import Why
from faceswapd.core.retry import GiveUp, after_failure
from faceswapd.core.target import Facts, Proof
from faceswapd.engines.engine import Engine, EngineFailure, Output, Progress, Work
from faceswapd.ledger import admission, outcomes
from faceswapd.ledger.claims import Claim
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Ran, Spent
from faceswapd.media.examiner import Examiner
from faceswapd.runtime import notes, outbox
from faceswapd.settings import Settings

PROVING, PUBLISHING = FINISHING = ("proving", "publishing")  # phases after the engine's own
PROGRESS_SECONDS = 1.0  # the ledger hears of progress at most this often

log = structlog.get_logger(__name__)

Photos = Callable[[str, str | None], tuple[Path, ...]]


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
    started_at: float = field(default_factory=time.monotonic)
    progressed_at: float = field(default_factory=time.monotonic)
    latest: Progress | None = None
    why: Why | None = None  # it has been told to stop
    task: asyncio.Task[None] | None = None

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return 0.0 if self.latest is None or not self.latest.total else self.latest.done / self.latest.total

    def report(self, progress: Progress) -> None:
        """Hear of progress; a repeated report of the same frame is none."""
        if progress != self.latest:
            self.latest = progress
            self.progressed_at = time.monotonic()

    def quiet(self, now: float) -> float:
        """Seconds without progress. None is expected while the output is proved and published: the examiner limits
        itself, and the disk takes its time."""
        return 0.0 if self.latest is not None and self.latest.phase in FINISHING else now - self.progressed_at

    def stop(self, why: Why) -> None:
        """End it for a reason; the first reason counts."""
        if self.why is None and self.task is not None:
            self.why = why
            self.task.cancel()


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every execution works with."""

    settings: Settings
    ledger: Ledger
    examiner: Examiner
    photos: Photos


async def execute(course: Course, shop: Workshop) -> None:
    """Run a claimed segment to its record. Raises nothing but a cancel that nobody gave a reason for."""
    job = course.claim.job
    ran = Ran(course.claim.execution, job.segment, job.id)
    scratch = shop.settings.scratch_folder / f"execution-{ran.execution}"
    told = log.bind(job=job.id, attempt=job.attempt, slot=course.slot.number)
    told.info("started", target=ascii(job.relative), face=job.face, preset=job.preset)
    try:
        made = await _made(course, shop, scratch)
        if isinstance(made, Failure):
            await to_the_end(_record_failure(course, shop, ran, made))
        else:
            # From here on a cancel comes too late: what is proved is put into place and recorded.
            await to_the_end(_publish(course, shop, ran, made))
    except asyncio.CancelledError:
        await to_the_end(_record_stop(course, shop, ran))
        if course.why is None:
            raise
        told.info("stopped", why=str(course.why))
    finally:
        await to_the_end(asyncio.to_thread(outbox.remove_scratch, scratch))


@dataclass(frozen=True, slots=True)
class _Made:
    """A proved output in scratch."""

    path: Path
    proof: Proof
    output: Output


async def _made(course: Course, shop: Workshop, scratch: Path) -> _Made | Failure:
    """Swap and prove."""
    pump = asyncio.create_task(_pump(course, shop.ledger), name=f"progress of job {course.claim.job.id}")
    try:
        return await _swap(course, shop, scratch)
    except (EngineFailure, ChildFailure) as error:
        return error.failure
    except OSError as error:
        return outbox.failure_of(error, scratch)
    except Exception as error:
        log.exception("an error of faceswapd itself", job=course.claim.job.id)
        return Failure("unknown", f"An error of faceswapd itself: {error!r}."[:300])
    finally:
        pump.cancel()


async def _swap(course: Course, shop: Workshop, scratch: Path) -> _Made | Failure:
    job, engine = course.claim.job, course.slot.engine
    assert job.facts is not None
    before = await asyncio.to_thread(_still_there, job.target)
    known = await admission.sightings_of(shop.ledger, [job.target])
    if before is None:
        return Failure("target_missing", "The target is no longer in the inbox.")
    if known and (known[0].signature.size, known[0].signature.modified) != before:
        return Failure("target_changed", "The target was replaced by another file of the same name.")
    photos = await asyncio.to_thread(shop.photos, job.face or "", job.bundle)
    if not photos:
        return Failure("no_source_face", f"The face '{job.face}' has no photos.")
    work = await asyncio.to_thread(_staged, job.target, photos, job.preset, job.facts, scratch)
    child = await engine.start()
    if child is not None:
        await outcomes.child_known(shop.ledger, course.claim.execution, child.pid, child.started)
    output = await engine.run(work, course.report)
    course.report(Progress(PROVING, job.facts.frames, job.facts.frames))
    proof = await shop.examiner.verify(work.target, work.output, job.facts)
    if isinstance(proof, Failure):
        return proof
    if await asyncio.to_thread(_still_there, job.target) not in (before, None):
        return Failure("target_changed", "The target was replaced while it was swapped.")
    return _Made(work.output, proof, output)


def _staged(target: str, photos: tuple[Path, ...], preset: str, facts: Facts, scratch: Path) -> Work:
    """A scratch folder of its own, in which every name is harmless and no path was ever used before."""
    outbox.remove_scratch(scratch)
    scratch.mkdir(parents=True, mode=0o700)
    staged = scratch / f"target{Path(target).suffix.lower()}"
    staged.symlink_to(target)
    sources = []
    for number, photo in enumerate(photos, start=1):
        source = scratch / f"source-{number}{photo.suffix.lower()}"
        source.symlink_to(photo)
        sources.append(source)
    return Work(tuple(sources), staged, scratch / f"output{staged.suffix}", preset, facts)


def _still_there(target: str) -> tuple[int, int] | None:
    """Size and time of a file; None when it is gone."""
    try:
        status = os.lstat(target)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


async def _pump(course: Course, ledger: Ledger) -> None:
    """Tell the ledger how far it is, once a second, when there is something new."""
    told = course.latest
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        if course.latest is not None and course.latest != told:
            told = course.latest
            await outcomes.progress(ledger, course.claim.job.segment, course.fraction, told.phase)


async def _publish(course: Course, shop: Workshop, ran: Ran, made: _Made) -> None:
    job = course.claim.job
    course.report(Progress(PUBLISHING, made.proof.frames, made.proof.frames))

    async def announce(place: Path) -> None:
        await outcomes.publishing(shop.ledger, ran.execution, str(place), made.proof.content)

    try:
        place = await outbox.publish(made.path, outbox.place_for(shop.settings, job), shop.settings, announce)
    except EngineFailure as error:
        await _record_failure(course, shop, ran, error.failure)
        return
    spent = Spent(made.output.frames, made.output.seconds)
    await outcomes.succeed(shop.ledger, ran, str(place), made.proof.content, time.time(), spent)
    await asyncio.to_thread(notes.remove, notes.error_note(shop.settings.failed, job.relative))
    problem = await outbox.settle_target(shop.ledger, job, shop.settings)
    if problem is not None:
        log.warning(problem, job=job.id)
    log.info("succeeded", job=job.id, output=ascii(str(place)), frames=made.output.frames, faces=made.output.faces)


async def _record_failure(course: Course, shop: Workshop, ran: Ran, failure: Failure) -> None:
    """What core.retry makes of a failure, in the ledger and beside the files."""
    job = course.claim.job
    verdict = after_failure(failure, job.attempt, shop.settings.retry_policy(), random.random())  # noqa: S311
    spent = Spent(log="\n".join(course.slot.engine.tail) or None)
    await outcomes.failed(shop.ledger, ran, failure, verdict, time.time(), spent)
    if isinstance(verdict, GiveUp):
        await asyncio.to_thread(notes.write_error_note, shop.settings.failed, job.relative, verdict.failure, job.id)
    log.warning("failed", job=job.id, category=failure.category, sentence=failure.sentence, verdict=repr(verdict))


async def _record_stop(course: Course, shop: Workshop, ran: Ran) -> None:
    """Why it was stopped says what becomes of it. What had ended already stays as it is."""
    with contextlib.suppress(IllegalTransition):
        match course.why:
            case Why.CANCEL:
                await outcomes.cancelled(shop.ledger, ran, time.time())
            case Why.STALLED:
                seconds = shop.settings.timeouts.no_progress
                sentence = f"There was no progress for {seconds:.0f} seconds."
                await _record_failure(course, shop, ran, Failure("stalled", sentence))
            case Why.OVERTIME:
                sentence = f"It was not done after {course.wall:.0f} seconds, the limit for its length."
                await _record_failure(course, shop, ran, Failure("overtime", sentence))
            case _:
                await outcomes.released(shop.ledger, ran, time.time(), crashed=False)
