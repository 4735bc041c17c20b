"""What an earlier life of the daemon left: its children are ended, its claims released, its scratch removed."""

import asyncio
import os
import shutil
import time
from pathlib import Path

import structlog

from faceswapd import faults
from faceswapd.children.child import ChildId
from faceswapd.children.kin import family_of
from faceswapd.children.orphans import end_orphans, machine_boot
from faceswapd.core.failures import Failure
from faceswapd.core.job import State
from faceswapd.ledger import claims, outcomes, reports
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Ran
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime import notes
from faceswapd.runtime.jobs import outbox
from faceswapd.settings import Settings

MACHINE_BOOT = "machine-boot"  # in the state folder: which life of the machine the daemon was last started in
LAST = 256  # executions that ended just before a crash, at most: as many as can be on their way

log = structlog.get_logger(__name__)


async def recover(ledger: Ledger, settings: Settings, *, clean: bool) -> None:
    """Put everything in order before anything new starts. `clean`: the life before ended by itself."""
    leftovers = await claims.leftovers(ledger)
    children = [
        ChildId(one.pid, one.pid_started) for one in leftovers if one.pid is not None and one.pid_started is not None
    ]
    if not await asyncio.to_thread(_same_machine_boot, settings.state / MACHINE_BOOT):
        children = []
    for pid in await asyncio.to_thread(end_orphans, children, family_of(settings.ledger_path)):
        log.warning("ended a child that was left running", pid=pid)
    faults.reached("orphans ended")
    for one in leftovers:
        ran = Ran(one.execution, one.segment, one.job)
        if await _published(ledger, one):
            assert one.publishing is not None
            assert one.publishing_content is not None
            await outcomes.succeed(ledger, ran, one.publishing, one.publishing_content, time.time())
            log.info("found the published output of an interrupted job", job=one.job)
        else:
            await outcomes.released(ledger, ran, time.time(), crashed=not clean)
            log.info("an interrupted job waits again", job=one.job)
    faults.reached("claims released")
    unsettled = await reports.unsettled(ledger)
    places = [Path(one.publishing) for one in leftovers if one.publishing is not None]
    places += [settings.done / job.relative for job in unsettled]
    for one in leftovers:
        job = await reports.job(ledger, one.job)
        if job is not None:
            places.append(outbox.place_for(settings, job))
    await asyncio.to_thread(_clean, settings, places)
    if not clean:
        await _tell(ledger, settings)
    for job in unsettled:
        await _settle(ledger, settings, job)


async def _settle(ledger: Ledger, settings: Settings, job: JobRecord) -> None:
    """A crash may have come between the record of a success and what becomes of its target. Where the output is gone
    from the outbox, the target stays: it may be all that is left."""
    if job.output is None or not await asyncio.to_thread(os.path.lexists, job.output):
        return
    problem = await outbox.settle_target(ledger, job, settings, again=True)
    if problem is not None:
        log.warning(problem, job=job.id)


async def _tell(ledger: Ledger, settings: Settings) -> None:
    """The texts beside the files, as the last records want them: a crash may have come between the two."""
    for job in await reports.last_ended(ledger, LAST):
        note = notes.error_note(settings.failed, job.relative)
        if job.state is State.SUCCEEDED:
            await asyncio.to_thread(notes.remove_error_note, settings.failed, job.relative, job.id)
        elif job.state is State.FAILED and not await asyncio.to_thread(os.path.lexists, note):
            failure = Failure(job.category or "unknown", job.reason or "")
            await asyncio.to_thread(notes.write_error_note, settings.failed, job.relative, failure, job.id)


def _same_machine_boot(kept: Path) -> bool:
    """Whether the machine has been running since the last start of the daemon, as far as it can be told: after a
    reboot, with a clock that begins anew, a stranger could have a child's pid and start time. Keeps this boot."""
    now = machine_boot()
    try:
        before = kept.read_text(encoding="ascii") if kept.exists() else now
        kept.write_text(now or "", encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return True
    return now is None or before in (now, "")


async def _published(ledger: Ledger, one: claims.Leftover) -> bool:
    """Whether the crash came after the output was put into place and before that was recorded. Two targets may have
    the same output to the last byte, and the name that one of them was about to take may be the other's by now."""
    if one.publishing is None or one.publishing_content is None:
        return False
    if await asyncio.to_thread(outbox.digest, Path(one.publishing)) != one.publishing_content:
        return False
    return not await reports.is_output(ledger, one.publishing, one.publishing_content)


def _clean(settings: Settings, places: list[Path]) -> None:
    """`places` are where outputs were on their way to."""
    for folder in settings.scratch_folder.glob("execution-*"):  # and nothing else: the folder may be shared
        shutil.rmtree(folder, ignore_errors=True)
    for place in places:
        outbox.remove_reservation(place)
    outbox.clean_staging(settings, places)
