"""Notifications on the desktop: one when the queue is empty, one when it is held.

What is shown goes to the program as arguments, never through a shell and never into a script.
"""

import html
import sys
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from faceswapd.children import program
from faceswapd.children.shield import beating
from faceswapd.core.job import State
from faceswapd.core.webhook import HELD, RESUMED, event_of, reason_of
from faceswapd.ledger import events, reports
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.health.beats import BEAT_SECONDS, Beats

SHOW_SECONDS: Final = 10.0  # that the program may take
MOST_EVENTS: Final = 500  # that are read at once
TITLE: Final = "faceswapd"
NOTICE: Final = "desktop"

_MACOS: Final = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)

log = structlog.get_logger(__name__)


def command(platform: str, text: str) -> Sequence[str]:
    """What shows a text on this platform."""
    if platform == "darwin":
        return ["osascript", *(word for line in _MACOS for word in ("-e", line)), TITLE, text]
    # What stands in a name is no markup.
    return ["notify-send", f"--app-name={TITLE}", "--", TITLE, html.escape(text, quote=False)]


def summary(succeeded: int, failed: int) -> str:
    """What became of the jobs, in one sentence."""
    jobs = "job" if (succeeded or failed) == 1 else "jobs"
    if not failed:
        return f"{succeeded} {jobs} succeeded."
    return f"{succeeded} {jobs} succeeded, {failed} failed." if succeeded else f"{failed} {jobs} failed."


class Desktop:
    """Shows what has happened since it was made."""

    def __init__(
        self,
        ledger: Ledger,
        tell: Callable[[str, str | None], None],
        beats: Beats,
        platform: str = sys.platform,
    ) -> None:
        self._ledger = ledger
        self._tell = tell
        self._beats = beats
        self._platform = platform
        self._last = 0  # the last event that was taken in
        self._ended = {"succeeded": 0, "failed": 0}
        self._held: str | None = None  # why
        self._told: bool = False  # that it is held

    async def begin(self) -> None:
        """Only what happens from now on is shown."""
        self._last = (await events.ends(self._ledger))[1]

    async def run(self) -> None:
        """Show until cancelled."""
        rung = True
        while True:
            count = self._ledger.bell.count
            self._beat()
            if rung:
                await self._look()
            rung = await self._ledger.bell.after(count, BEAT_SECONDS)

    def _beat(self) -> None:
        self._beats.beat("desktop")

    async def _look(self) -> None:
        """Take in what has happened, and show what is to be shown."""
        await self._read()
        while True:
            if self._held is not None and not self._told:
                self._told = True
                await self._show(f"Nothing new starts: {self._held}")
            over = any(self._ended.values()) and await self._idle()
            if await self._read():  # what had happened before they were counted, and maybe more
                continue
            if over:
                text = summary(**self._ended)
                self._ended = dict.fromkeys(self._ended, 0)
                await self._show(text)
            return

    async def _idle(self) -> bool:
        counts = await reports.counts(self._ledger)
        return not counts[State.QUEUED].jobs and not counts[State.RUNNING].jobs

    async def _read(self) -> bool:
        """Take in all events up to now. Whether there was one."""
        before = self._last
        while found := await events.after(self._ledger, self._last, MOST_EVENTS):
            for one in found:
                self._take(one.kind, one.text, of_job=one.job is not None)
            self._last = found[-1].id
            self._beat()
        return self._last != before

    def _take(self, kind: str, text: str, *, of_job: bool) -> None:
        event = event_of(kind, text, of_job=of_job)
        if of_job and kind in self._ended:
            self._ended[kind] += 1
        elif event == HELD:
            self._held = reason_of(kind, text)
        elif event == RESUMED:
            self._held, self._told = None, False

    async def _show(self, text: str) -> None:
        """One that cannot be shown is told of, and keeps nothing from going on."""
        argv = command(self._platform, text)
        try:
            ended = await beating(program.run(argv, seconds=SHOW_SECONDS), self._beat, BEAT_SECONDS)
        except program.ProgramError as error:
            self._failed(f"{error} Install it, or set `desktop = false` in [notify].")
            return
        if ended.code == 0:
            self._tell(NOTICE, None)
        else:
            said = (ended.err.strip().splitlines() or ["it does not say why."])[-1]
            self._failed(f"{argv[0]} says: {said}")

    def _failed(self, why: str) -> None:
        log.warning("a notification was not shown", why=why)
        self._tell(NOTICE, f"Nothing is shown on the desktop: {why}")
