"""A thread that sees what no loop can: that the event loop itself stands still, or that the daemon's end does not come.

Then it says where each thread stands, and ends the process: the service manager starts it again, and what was running
is released by the next life. It counts time by its own progress, so that a process which was stopped as a whole
(SIGSTOP, a suspended machine, a debugger from outside) is not found guilty when it goes on.
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Self

import structlog

LOOK_SECONDS = 1.0
SILENT_SECONDS = 5.5  # the event loop has turned nothing for so long: noticed within ten seconds, last words included
LONGEST_STEP = 2.0  # seconds that count between two looks
FAILING_SECONDS = 15.0  # from a loop's failure to the end of the process, by the orderly way
LAST_SECONDS = 5.0  # and from the end of all loops, where a thread may hang in a system call for ever
SAYING_SECONDS = 3.0  # for the last words, which may themselves be stuck
STUCK = 1  # the exit code

log = structlog.get_logger(__name__)


class Watchdog:
    """Watches the event loop in which it is entered, until it is left; then it sees to it that the process ends."""

    def __init__(self) -> None:
        self._beaten = True
        self._watching = False
        self._looked: bool | None = None  # whether somebody has looked at the loops; None: nobody is to
        self._left: float | None = None  # seconds until the process is ended
        self._code = STUCK
        self._timer: asyncio.TimerHandle | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._watching = True
        self._beat(asyncio.get_running_loop())
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._watching = False
        if self._timer is not None:
            self._timer.cancel()
        self._code = 0 if kind is None else STUCK
        self._left = LAST_SECONDS

    def failing(self) -> None:
        """A loop has failed: the daemon ends now, in order or else without."""
        self._looked = None
        if self._left is None:
            self._left = FAILING_SECONDS

    def looked(self, *, over: bool = False) -> None:
        """Somebody looks at the beats of the loops, and is watched in turn, until it is `over`."""
        self._looked = None if over else True

    def rest(self) -> None:
        """Watch no more. For whoever goes on after the daemon has ended."""
        self._over.set()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._beaten = True
        self._timer = loop.call_later(LOOK_SECONDS, self._beat, loop)

    def _run(self) -> None:
        quiet, unseen, before = 0.0, 0.0, time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            now = time.monotonic()
            step, before = min(now - before, LONGEST_STEP), now
            quiet = 0.0 if self._beaten or not self._watching or _debugged() else quiet + step
            unseen = unseen + step if self._looked is False else 0.0
            self._beaten = False
            if self._looked is not None:
                self._looked = False
            if unseen > SILENT_SECONDS and not quiet:
                _end("nobody looks at the loops", STUCK)
            if quiet > SILENT_SECONDS:
                _end("the event loop stands still", STUCK)
            if self._left is not None:
                self._left -= step
                if self._left < 0:
                    _end("the daemon does not come to its end", self._code)


def _debugged() -> bool:
    """Whether a debugger holds the main thread: it marks the frames that it goes through."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001  its documented use
    while frame is not None:
        if frame.f_trace is not None:
            return True
        frame = frame.f_back
    return False


def _end(why: str, code: int) -> None:
    """The last words in a thread of their own, since what is stuck may be the log; then the end, without ceremony."""
    saying = threading.Thread(target=_say, args=(why,), daemon=True)
    saying.start()
    saying.join(SAYING_SECONDS)
    os._exit(code)


def _say(why: str) -> None:
    stacks = {
        thread.name: traceback.format_stack(frames[thread.ident])
        for frames in (sys._current_frames(),)  # noqa: SLF001  its documented use
        for thread in threading.enumerate()
        if thread.ident in frames
    }
    log.critical(why, stacks=stacks)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # no standard error
        faulthandler.dump_traceback(sys.stderr, all_threads=True)
    logging.shutdown()
