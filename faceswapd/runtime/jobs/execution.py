"""One claimed segment, from its scratch folder to its record in the ledger."""

import asyncio
import contextlib
import os
import random
import shutil
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import structlog

from faceswapd import faults
from faceswapd.children.child import ChildFailure
from faceswapd.children.shield import to_the_end
from faceswapd.core import eta
from faceswapd.core.failures import Failure
from faceswapd.core.job import IllegalTransition
from faceswapd.core.ladder import bucket
from faceswapd.core.ladder import rung as ladder_rung
from faceswapd.core.plan import Timeouts, Why
from faceswapd.core.presets import PresetSpec
from faceswapd.core.retry import GiveUp, after_failure
from faceswapd.core.target import Facts
from faceswapd.core.wish import Pass
from faceswapd.engines.engine import DOWNLOADING, EngineFailure, Person, Progress, Work
from faceswapd.ledger import outcomes, rungs
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Ran, Spent
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime import notes
from faceswapd.runtime.jobs import outbox, whereabouts
from faceswapd.runtime.jobs.course import PUBLISHING, Course, Slot, Workshop
from faceswapd.runtime.jobs.swapping import Made, Turn, know_child, proved

FULL_BYTES = 1_000_000  # a disk with less free space is full: the last bit of a file did not fit
PROGRESS_SECONDS = 1.0  # the ledger hears of progress at most this often

log = structlog.get_logger(__name__)


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


async def _made(course: Course, shop: Workshop, scratch: Path) -> Made | Failure:
    """Swap and prove."""
    pump = asyncio.create_task(_pump(course, shop.ledger), name=f"progress of job {course.claim.job.id}")
    try:
        return await _swap(course, shop, scratch)
    except (EngineFailure, ChildFailure) as error:
        return await asyncio.to_thread(_or_full_disk, error.failure, scratch)
    except OSError as error:
        return outbox.failure_of(error, scratch)
    except Exception as error:
        log.exception("an error of faceswapd itself", job=course.claim.job.id)
        return Failure("unknown", f"An error of faceswapd itself: {error!r}."[:300])
    finally:
        pump.cancel()


def _or_full_disk(failure: Failure, scratch: Path) -> Failure:
    """The failure itself; or a full disk, where an engine that does not say why it failed had no space left. FaceFusion
    calls that a video that cannot be merged, and leaves an image that is cut off."""
    if failure.category not in _LIKE_A_FULL_DISK:
        return failure
    try:
        free = shutil.disk_usage(scratch).free
    except OSError:
        return failure
    return Failure("disk_full", f"The disk was full: {failure.sentence}") if free < FULL_BYTES else failure


_LIKE_A_FULL_DISK = frozenset(
    {"encode_failed", "extract_failed", "image_failed", "output_place", "nothing_made", "output_damaged"}
)


async def _swap(course: Course, shop: Workshop, scratch: Path) -> Made:
    """Raises EngineFailure, ChildFailure and OSError. Whatever goes wrong with a target that was replaced meanwhile
    does so for that reason."""
    before = None
    try:
        before = await whereabouts.find(course, shop)
        made = await proved(course, shop, await _staged(course, shop, scratch))
    except (EngineFailure, ChildFailure):
        now = await asyncio.to_thread(whereabouts.looks, course.claim.job.target)
        if (now is None or await _faceless(course, shop)) and await shop.has_gone(course.claim.job.inbox):
            course.stop(Why.AWAY)
            await asyncio.sleep(0)  # where the stop comes
        if before is None or now in (before, None):
            raise
        if await whereabouts.is_as_taken(course, shop):  # it was copied over itself: what was read was in pieces
            course.stop(Why.COPIED)
            await asyncio.sleep(0)
    else:
        now = await asyncio.to_thread(whereabouts.looks, course.claim.job.target)
        if now in (before, None) or await whereabouts.is_as_taken(course, shop):
            return made
    raise EngineFailure(Failure("target_changed", "The target was replaced while it was swapped."))


async def _faceless(course: Course, shop: Workshop) -> bool:
    """Whether a photo of one of the job's faces is missing, or all are."""
    cast = await asyncio.to_thread(_cast, shop, course.claim.job)
    return not all(part.photos for part in cast) or not all(
        [await asyncio.to_thread(os.path.lexists, photo) for part in cast for photo in part.photos]
    )


async def _staged(course: Course, shop: Workshop, scratch: Path) -> tuple[Turn, ...]:
    """The work in a scratch folder of its own, one for each person, if all that it needs is still there."""
    job = course.claim.job
    cast = await asyncio.to_thread(_cast, shop, job)
    preset = shop.settings.preset_spec(job.preset)
    missing = next((part.face for part in cast if not part.photos), None)
    failure = None
    if missing is not None:
        failure = Failure("no_source_face", f"The face '{missing}' has no photos.")
    elif preset is None:
        failure = Failure("preset_unknown", f"There is no preset '{job.preset}' any more.")
    if preset is None or failure is not None:
        assert failure is not None
        raise EngineFailure(failure)
    course.rung = await rung_of(shop, course.slot, job.preset, job.facts, job.rung)
    return await asyncio.to_thread(_laid_out, job, preset, cast, scratch, course.rung)


@dataclass(frozen=True, slots=True)
class _Part:
    """Whose face is given, and to whom; None: to whom the engine takes by itself."""

    face: str
    photos: tuple[Path, ...]
    whom: Pass | None


def _cast(shop: Workshop, job: JobRecord) -> tuple[_Part, ...]:
    """Who plays whom. Blocks."""
    if job.wish.passes:
        return tuple(_Part(one.face, shop.photos(one.face, None), one) for one in job.wish.passes)
    return (_Part(job.face or "", shop.photos(job.face or "", job.bundle), None),)


async def rung_of(shop: Workshop, slot: Slot, preset: str, facts: Facts | None, own: int) -> int:
    """Where on the resource ladder work runs: as high as its own failures, or those of its like, have brought it."""
    if not slot.engine.has_ladder or facts is None:
        return 0
    return max(own, await rungs.known(shop.ledger, _size(slot, preset, facts), time.time()))


def _size(slot: Slot, preset: str, facts: Facts) -> rungs.Size:
    return rungs.Size(slot.device, preset, bucket(facts.width, facts.height))


def _laid_out(
    job: JobRecord, preset: PresetSpec, cast: tuple[_Part, ...], scratch: Path, rung: int
) -> tuple[Turn, ...]:
    """A scratch folder of its own, in which every name is harmless and no path was ever used before."""
    assert job.facts is not None
    outbox.remove_scratch(scratch)
    scratch.mkdir(parents=True, mode=0o700)
    staged = scratch / f"target{Path(job.target).suffix.lower()}"
    staged.symlink_to(job.target)
    numbers = count(1)
    turns = []
    for part in cast:
        sources = []
        for photo in part.photos:
            source = scratch / f"source-{next(numbers)}{photo.suffix.lower()}"
            source.symlink_to(photo)
            sources.append(source)
        work = Work(
            sources=tuple(sources),
            target=staged,
            output=scratch / f"output{staged.suffix}",
            preset=preset.base,
            facts=job.facts,
            options=tuple({**dict(preset.options), **dict(job.options)}.items()),
            rung=ladder_rung(rung),
            person=None if part.whom is None else Person(part.whom.frame, part.whom.position, staged),
        )
        turns.append(Turn(part.face, work))
    faults.reached("scratch made")
    return tuple(turns)


async def _pump(course: Course, ledger: Ledger) -> None:
    """Tell the ledger how far it is and who runs it, once a second, when there is something new."""
    told = course.latest
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        if not course.engine_done:
            await know_child(course, ledger, course.slot.engine.child)
        if course.latest is not None and course.latest != told:
            told = course.latest
            await outcomes.progress(ledger, course.claim.job.segment, course.fraction, told.phase)


async def _publish(course: Course, shop: Workshop, ran: Ran, made: Made) -> None:
    job = course.claim.job
    course.report(Progress(PUBLISHING, made.proof.frames, made.proof.frames))

    async def announce(place: Path) -> None:
        await outcomes.publishing(shop.ledger, ran.execution, str(place), made.proof.content)

    try:
        if not await asyncio.to_thread(shop.mounted):
            raise EngineFailure(Failure("not_writable", "The disk of the outbox is not mounted any more."))
        place = await outbox.publish(made.path, outbox.place_for(shop.settings, job), shop.settings, announce)
    except EngineFailure as error:
        await _record_failure(course, shop, ran, error.failure)
        return
    spent = Spent(made.output.frames, made.output.seconds, made.peak_memory)
    await outcomes.succeed(shop.ledger, ran, str(place), made.proof.content, time.time(), spent)
    await asyncio.to_thread(notes.remove_error_note, shop.settings.failed, job.relative, job.id)
    problem = await outbox.settle_target(shop.ledger, job, shop.settings)
    if problem is not None:
        log.warning(problem, job=job.id)
        await outcomes.remark(shop.ledger, job.id, "warning", problem, time.time())
    course.succeeded = True
    if course.slot.engine.has_ladder and job.facts is not None:
        await rungs.keep(shop.ledger, _size(course.slot, job.preset, job.facts), course.rung, time.time())
    _look_at_speed(course, shop, spent)
    log.info("succeeded", job=job.id, output=ascii(str(place)), frames=made.output.frames, faces=made.output.faces)


def _look_at_speed(course: Course, shop: Workshop, spent: Spent) -> None:
    """Say it when a device is suddenly much slower than it was: as a rule it is no longer used."""
    job, speed = course.claim.job, course.speed
    slow = course.rung == 0 and eta.is_slow(spent.frames or 0, spent.seconds or 0.0, speed)
    key = f"slow {course.slot.number}"
    if not slow:
        shop.notice(key, None)
        return
    assert speed is not None
    assert spent.frames
    assert spent.seconds
    sentence = (
        f"Job {job.id} ran at {spent.frames / spent.seconds:.1f} frames/s on {course.slot.device}, and the ones before "
        f"at {1 / speed.per_frame:.1f}: the device may have fallen back to the processor. "
        "`faceswapd doctor` looks at it."
    )
    log.warning("slow", job=job.id, sentence=sentence)
    shop.notice(key, sentence)


async def _record_failure(course: Course, shop: Workshop, ran: Ran, failure: Failure) -> None:
    """What core.retry makes of a failure, in the ledger and beside the files."""
    job = course.claim.job
    course.failure = failure
    rung = course.rung if course.slot.engine.has_ladder else None
    verdict = after_failure(failure, job.attempt, shop.settings.retry_policy(), random.random(), rung)  # noqa: S311
    engine = course.slot.engine
    spent = Spent(peak_memory=engine.peak_memory, log="\n".join(engine.tail) or None)
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
                await _record_failure(course, shop, ran, _stalled(course, shop.settings.plan_timeouts()))
            case Why.OVERTIME:
                sentence = f"It was not done after {course.wall:.0f} seconds, the limit for its length."
                await _record_failure(course, shop, ran, Failure("overtime", sentence))
            case Why.AWAY:
                await outcomes.released(shop.ledger, ran, time.time(), crashed=False, why="its inbox is away")
            case Why.COPIED:
                why = "its target was copied over itself meanwhile"
                await outcomes.released(shop.ledger, ran, time.time(), crashed=False, why=why)
            case _:
                await outcomes.released(shop.ledger, ran, time.time(), crashed=False)


def _stalled(course: Course, timeouts: Timeouts) -> Failure:
    """What stood still, and for how long."""
    seconds = course.quiet_limit(timeouts)
    if course.latest is None:
        return Failure("slow_start", f"The engine gave no sign of life for {seconds:.0f} seconds.")
    if course.latest.phase == DOWNLOADING:
        return Failure("download_stalled", f"Nothing of a model arrived for {seconds:.0f} seconds.")
    return Failure("stalled", f"There was no progress for {seconds:.0f} seconds.")
