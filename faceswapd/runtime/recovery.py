"""What an earlier life of the daemon left: its children are ended, its claims released, its scratch removed."""

import asyncio
import shutil
import time
from pathlib import Path

import structlog

from faceswapd.children.child import ChildId
from faceswapd.children.orphans import end_orphans
from faceswapd.ledger import claims, outcomes, reports
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Ran
from faceswapd.runtime import notes, outbox
from faceswapd.settings import Settings

log = structlog.get_logger(__name__)


async def recover(ledger: Ledger, settings: Settings, *, clean: bool) -> None:
    """Put everything in order before anything new starts. `clean`: the life before ended by itself."""
    leftovers = await claims.leftovers(ledger)
    children = [
        ChildId(one.pid, one.pid_started) for one in leftovers if one.pid is not None and one.pid_started is not None
    ]
    for child in await asyncio.to_thread(end_orphans, children):
        log.warning("ended a child that was left running", pid=child.pid)
    for one in leftovers:
        ran = Ran(one.execution, one.segment, one.job)
        if await _published(one):
            assert one.publishing is not None
            assert one.publishing_content is not None
            await outcomes.succeed(ledger, ran, one.publishing, one.publishing_content, time.time())
            log.info("found the published output of an interrupted job", job=one.job)
            job = await reports.job(ledger, one.job)
            if job is not None:
                await asyncio.to_thread(notes.remove_error_note, settings.failed, job.relative, job.id)
                problem = await outbox.settle_target(ledger, job, settings)
                if problem is not None:
                    log.warning(problem, job=job.id)
        else:
            await outcomes.released(ledger, ran, time.time(), crashed=not clean)
            log.info("an interrupted job waits again", job=one.job)
    await asyncio.to_thread(_clean, settings)


async def _published(one: claims.Leftover) -> bool:
    """Whether the crash came after the output was put into place and before that was recorded."""
    if one.publishing is None or one.publishing_content is None:
        return False
    return await asyncio.to_thread(outbox.digest, Path(one.publishing)) == one.publishing_content


def _clean(settings: Settings) -> None:
    for folder in settings.scratch_folder.glob("execution-*"):  # and nothing else: the folder may be shared
        shutil.rmtree(folder, ignore_errors=True)
    outbox.clean_staging(settings)
