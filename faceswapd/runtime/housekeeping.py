"""What has been kept for long enough goes: old lines of the ledger, and archived targets where that is wanted."""

import asyncio
import contextlib
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from faceswapd.children.shield import beating
from faceswapd.core.job import State
from faceswapd.ledger import deliveries, pruning, reports
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime import uploads
from faceswapd.runtime.health.beats import BEAT_SECONDS, Beats
from faceswapd.runtime.jobs import outbox
from faceswapd.settings import Settings

FIRST_SECONDS = 15.0  # after the start, which has better things to do
EVERY_SECONDS = 6 * 3600.0
PAUSE_SECONDS = 0.02  # between two batches: the ledger is there for the others

log = structlog.get_logger(__name__)


class Housekeeping:
    """Runs a few times a day."""

    def __init__(self, settings: Settings, ledger: Ledger, beats: Beats) -> None:
        self._settings = settings
        self._ledger = ledger
        self._beats = beats

    async def run(self) -> None:
        """Keep house until cancelled."""
        await self._rest(FIRST_SECONDS)
        while True:
            await self.once()
            await self._rest(EVERY_SECONDS)

    async def _rest(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._beat()
            await asyncio.sleep(min(left, BEAT_SECONDS))

    def _beat(self) -> None:
        self._beats.beat("housekeeping")

    async def once(self) -> None:
        """All of it, once."""
        kept, now = self._settings.retention, time.time()
        work = pruning.Pruning(self._ledger)
        events = await self._prune(work.events, now - kept.events) if kept.events else 0
        if kept.events:
            await self._prune(lambda before: deliveries.prune(self._ledger, before), now - kept.events)
        executions = await self._prune(work.executions, now - kept.executions) if kept.executions else 0
        originals = await self._clear_done(now - kept.done) if kept.done else 0
        sent = await beating(uploads.clear(self._settings, self._ledger, now), self._beat, BEAT_SECONDS)
        if events or executions or originals or sent:
            log.info("housekeeping", events=events, executions=executions, originals=originals, uploads=sent)
        if await self._idle():
            if await pruning.worthwhile(self._ledger):
                await beating(pruning.compact(self._ledger), self._beat, BEAT_SECONDS)
            await beating(pruning.tidy(self._ledger), self._beat, BEAT_SECONDS)

    async def _prune(self, batch: Callable[[float], Awaitable[int | None]], before: float) -> int:
        total = 0
        while (gone := await batch(before)) is not None:
            total += gone
            self._beat()
            await asyncio.sleep(PAUSE_SECONDS)
        return total

    async def _idle(self) -> bool:
        counts = await reports.counts(self._ledger)
        return not any(counts[state].jobs for state in (State.QUEUED, State.RUNNING))

    async def _clear_done(self, before: float) -> int:
        """Remove what has lain in done/ since before that time, and is the target of a job that succeeded, by its
        content. Whatever else somebody has put there stays."""
        gone = 0
        for path in await beating(asyncio.to_thread(_old_files, self._settings.done, before), self._beat, BEAT_SECONDS):
            content = await beating(asyncio.to_thread(outbox.digest, path), self._beat, BEAT_SECONDS)
            if content is not None and await reports.was_swapped(self._ledger, content):
                gone += await asyncio.to_thread(_removed, path, self._settings.done)
        return gone


def _old_files(root: Path, before: float) -> list[Path]:
    """Regular files, by the time at which they came to lie there: their own times are those of the target."""
    found = []
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_ctime < before:
                found.append(path)
    return found


def _removed(path: Path, root: Path) -> int:
    """Remove a file, and the folders that it leaves empty. How many files went."""
    try:
        path.unlink()
    except OSError:
        return 0
    with contextlib.suppress(OSError):
        for folder in path.parents:
            if folder == root:
                break
            folder.rmdir()
    return 1
