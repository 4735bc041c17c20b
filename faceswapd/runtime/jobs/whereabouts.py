"""Where the target of a claimed job lies, and whether it still is what was taken: else another copy of it does."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from faceswapd.children.shield import beating
from faceswapd.core.failures import Failure
from faceswapd.core.intake import Signature, kept
from faceswapd.core.target import Facts
from faceswapd.engines.engine import EngineFailure
from faceswapd.ledger import submission
from faceswapd.ledger.admission import Place
from faceswapd.ledger.records import JobRecord
from faceswapd.ledger.submission import Copy
from faceswapd.runtime.health.beats import BEAT_SECONDS
from faceswapd.runtime.intake.listing import signature_of
from faceswapd.runtime.jobs.course import Course, Workshop
from faceswapd.settings import Settings

Looks = tuple[int, int]  # size in bytes and time, which change when a file's content does

MISSING: Final = "target_missing"
CHANGED: Final = "target_changed"


def looks(target: str) -> Looks | None:
    """What a file looks like; None when it is gone."""
    try:
        status = os.lstat(target)
    except OSError:
        return None
    return status.st_size, kept(status.st_mtime_ns)


async def find(course: Course, shop: Workshop) -> Looks:
    """The looks of the target. Where it is gone, or is another file by now, the job goes over to a copy of it that was
    dropped or submitted as well. Raises EngineFailure where there is none, and ChildFailure."""
    job = course.claim.job
    now = await _as_taken(course, shop)
    if isinstance(now, Signature):
        return now.size, now.modified
    for copy in await submission.copies(shop.ledger, job):
        place = _place(shop.settings, copy)
        there = None if place is None else await _same(course, shop, copy.target, copy.signature)
        if place is not None and isinstance(there, Signature):
            await submission.go_over(shop.ledger, job.id, place, time.time())
            moved = job._replace(
                target=place.target,
                relative=place.relative,
                inbox=place.inbox,
                afterwards=place.afterwards,
            )
            course.claim = replace(course.claim, job=moved)
            return there.size, there.modified
    raise EngineFailure(_told(job, now))


async def is_as_taken(course: Course, shop: Workshop) -> bool:
    """Whether a target that looks different than before has the content that it had. Raises ChildFailure."""
    return isinstance(await _as_taken(course, shop), Signature)


async def _as_taken(course: Course, shop: Workshop) -> Signature | str:
    """What the target is like now, if its content is what was taken; else the category of the failure."""
    job = course.claim.job
    if await submission.is_anothers(shop.ledger, job):
        return CHANGED
    taken = await submission.signature_taken(shop.ledger, job)
    now = await _same(course, shop, job.target, taken)
    if isinstance(now, Signature) and taken is not None and now != taken:
        await submission.touched(shop.ledger, job, now)
    return now


async def _same(course: Course, shop: Workshop, target: str, taken: Signature | None) -> Signature | str:
    """What a file is like now, if its content is what was taken; else the category of the failure. It is read anew only
    where it looks different and could be the same, as one that was touched or copied over itself."""
    now = await asyncio.to_thread(signature_of, target)
    if now is None:
        return MISSING
    if taken is None or (taken.size, taken.modified) == (now.size, now.modified):
        return now
    facts = course.claim.job.facts
    if facts is None or taken.size != now.size:
        return CHANGED
    read = await beating(shop.examiner.probe(Path(target)), course.alive, BEAT_SECONDS)
    same = isinstance(read, Facts) and read.content == facts.content
    return now if same and await asyncio.to_thread(signature_of, target) == now else CHANGED


def _place(settings: Settings, copy: Copy) -> Place | None:
    """What becomes of a copy after the job; None for one in an inbox that is no longer there."""
    if copy.relative is not None:
        return Place(copy.target, copy.relative)
    for inbox in settings.inbox:
        if copy.target.startswith(f"{inbox.path}{os.sep}"):
            relative = Path(copy.target).relative_to(inbox.path).as_posix()
            return Place(copy.target, relative, inbox.name, inbox.afterwards)
    return None


def _told(job: JobRecord, category: str) -> Failure:
    where = "in the inbox" if job.inbox else "where it was submitted from"
    if category == MISSING:
        return Failure(MISSING, f"The target is no longer {where}.")
    return Failure(CHANGED, "The target was replaced by another file of the same name.")
