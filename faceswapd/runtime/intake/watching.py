"""Events of a folder. They only wake: whatever is lost here is found by the next listing."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from watchfiles import Change, watch

from faceswapd.core.mounts import How, Way, way_of
from faceswapd.runtime.intake.ground import Ground
from faceswapd.runtime.intake.inotify import Limit, limit_of

DEBOUNCE_MS = 250  # events that come closer together wake once
STEP_MS = 200  # how often the watcher's own thread looks; a smaller step costs an idle machine more
ALIVE_MS = 2000  # how often a watcher that hears nothing shows that it has begun
RETRY_SECONDS = (1.0, 30.0)  # after a watcher has failed: the first and the longest wait
LIMIT_SECONDS = 300.0  # until it is tried again where the system lets us watch no more
SHARE = 10.0  # a folder that is polled is listed for no more than this part of the time
UNANSWERED_SECONDS = 1.5  # what a listing counts as that did not come

log = structlog.get_logger(__name__)


class Watch:
    """One folder, for the life of its inbox: by events, or by being listed often."""

    def __init__(self, folder: Path, wish: How | None, poll: float, wake: Callable[[], None]) -> None:
        self._folder = folder
        self._wish = wish
        self._poll = poll
        self._wake = wake
        self._again = asyncio.Event()
        self._ground: Ground | None = None
        self._listed_at = 0.0  # on the monotonic clock
        self._took = 0.0
        self._limit: Limit | None = None
        self.working = False  # events are being waited for

    @property
    def way(self) -> Way:
        """How it is watched now."""
        if self._ground is None:
            return Way(How.EVENTS if self._wish is None else self._wish, "It is not there.")
        way = self._chosen(self._ground)
        return (
            way if self._limit is None or way.how is How.POLLING else Way(How.POLLING, self._limit.sentence, way.kind)
        )

    def _chosen(self, ground: Ground) -> Way:
        """Where a part of the folder is on a network, all of it is polled."""
        ways = [way_of(kind, self._wish) for kind in ground.kinds]
        return next((way for way in ways if way.how is How.POLLING), ways[0])

    @property
    def limit(self) -> Limit | None:
        """What keeps us from waiting for events where we would; None where nothing does."""
        return self._limit

    def listed(self, ground: Ground | None, took: float) -> None:
        """It was listed, in so many seconds. Begin anew if it is another folder now: a watcher stays blind to that."""
        self._listed_at, self._took = time.monotonic(), took
        if ground != self._ground:
            before, self._ground = self.way, ground
            if ground is not None and self.way != before:
                log.info("watching", folder=str(self._folder), how=str(self.way.how), why=self.way.why)
            self._again.set()

    def unanswered(self) -> None:
        """It could not be listed in the time that it has for that."""
        self._listed_at, self._took = time.monotonic(), UNANSWERED_SECONDS

    def hurry(self) -> None:
        """It is to be listed as soon as possible, and needs no rest."""
        self._took = 0.0

    def rests_until(self) -> float:
        """When it may be listed again, on the monotonic clock: listing a slow network is not all that is done."""
        return self._listed_at + (SHARE - 1) * self._took if self.way.how is How.POLLING else 0.0

    def due(self) -> float | None:
        """When it is to be listed again, on the monotonic clock; None where an event will tell."""
        if self.way.how is How.EVENTS:
            return None
        return max(self._listed_at + self._poll, self.rests_until())

    async def run(self) -> None:
        """Watch until cancelled."""
        wait, longest = RETRY_SECONDS
        while True:
            self._again.clear()
            if self._ground is None or self._chosen(self._ground).how is How.POLLING:
                self._limit = None
                await self._again.wait()
                continue
            began = time.monotonic()
            error = await self._hear()
            self._wake()
            if error is None or isinstance(error, FileNotFoundError):
                if error is not None:
                    self._ground = None  # whatever is there at the next listing is another folder
                wait = RETRY_SECONDS[0]
                continue
            limit = limit_of(str(error))
            if limit is None:  # a name that is not UTF-8 ends it with a panic of its own
                log.warning("a watcher failed; the folder is listed all the same", error=repr(error)[:200])
                wait = RETRY_SECONDS[0] if time.monotonic() - began > longest else wait
            elif self._limit is None:
                log.warning("the folder is polled", folder=str(self._folder), why=limit.sentence, command=limit.command)
            self._limit = limit
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._again.wait(), wait if limit is None else LIMIT_SECONDS)
            wait = min(wait * 2, longest)

    async def _hear(self) -> BaseException | None:
        """Wait for events until it is to begin anew. Returns what ended the watcher before that, if anything."""
        loop = asyncio.get_running_loop()
        over: asyncio.Future[Any] = loop.create_future()
        stop = threading.Event()

        def tell(what: Callable[..., object], *words: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(what, *words)

        def listen() -> None:
            error: BaseException | None = None
            try:
                self._listen(stop, lambda changed: tell(self._heard, changed))
            except BaseException as raised:  # noqa: BLE001  told where it is waited for
                error = raised
            tell(over.set_result, error)

        # A thread of its own: it may hang while it begins, and there may be many folders.
        threading.Thread(target=listen, name="events", daemon=True).start()
        again = asyncio.ensure_future(self._again.wait())
        self.working = True
        try:
            await asyncio.wait({over, again}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.working = False
            stop.set()
            again.cancel()
            await asyncio.wait([over], timeout=5 * STEP_MS / 1000)  # it would disturb the end of the interpreter
        error: BaseException | None = over.result() if over.done() else None
        return error

    def _listen(self, stop: threading.Event, tell: Callable[[bool], None]) -> None:
        try:
            self._listen_to(stop, tell, closed=False)
        except PermissionError:  # one closed folder must not hide the others
            self._listen_to(stop, tell, closed=True)

    def _listen_to(self, stop: threading.Event, tell: Callable[[bool], None], *, closed: bool) -> None:
        """`closed`: folders without rights are passed over, and so is, by the library, all else that goes wrong while
        it begins."""
        named = str(self._folder)
        for changes in watch(
            self._folder,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=stop,
            rust_timeout=ALIVE_MS,
            yield_on_timeout=True,
            ignore_permission_denied=closed,
        ):
            tell(bool(changes))
            if any(change is Change.deleted and path == named for change, path in changes):
                return  # made anew it may have the same inode, and is another folder

    def _heard(self, changed: bool) -> None:  # noqa: FBT001
        """The watcher lives, and may have heard of changes."""
        self._limit = None
        if changed:
            self._wake()
