"""Events of the folders. They only wake: whatever is lost here is found by the next listing."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from watchfiles import Change, awatch

DEBOUNCE_MS = 250  # events that come closer together wake once
STEP_MS = 200  # how often the watcher's own thread looks; a smaller step costs an idle machine more
RETRY_SECONDS = (1.0, 30.0)  # after a watcher has failed: the first and the longest wait

log = structlog.get_logger(__name__)


class Watcher:
    """Watches folders for as long as they stay the same ones, and calls `wake` at every event."""

    def __init__(self, folders: Sequence[Path], wake: Callable[[], None]) -> None:
        self._folders = tuple(folders)
        self._named = frozenset(map(str, folders))
        self._wake = wake
        self._again = asyncio.Event()
        self._watched: tuple[tuple[Path, int], ...] = ()

    @property
    def working(self) -> bool:
        """Whether events are being waited for."""
        return bool(self._watched)

    def check(self) -> None:
        """Begin anew if a folder was made, removed or replaced: the old watcher would stay blind to it."""
        if self._present() != self._watched:
            self._again.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        shortest, longest = RETRY_SECONDS
        wait = shortest
        while True:
            self._again.clear()
            self._watched = self._present()
            try:
                if self._watched:
                    async for changes in awatch(
                        *(folder for folder, _ in self._watched),
                        watch_filter=None,
                        debounce=DEBOUNCE_MS,
                        step=STEP_MS,
                        stop_event=self._again,
                        ignore_permission_denied=True,
                    ):
                        wait = shortest
                        self._wake()
                        if any(change is Change.deleted and path in self._named for change, path in changes):
                            self._again.set()  # made anew it may have the same inode, and is another folder
                else:
                    await self._again.wait()
            except (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001  a name that is not UTF-8 ends it with a panic of its own
                self._watched = ()
                log.warning("the watcher failed; the folders are listed all the same", error=repr(error)[:200])
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._again.wait(), wait)
                wait = min(wait * 2, longest)
            self._wake()

    def _present(self) -> tuple[tuple[Path, int], ...]:
        found = []
        for folder in self._folders:
            with contextlib.suppress(OSError):
                found.append((folder, folder.stat().st_ino))
        return tuple(found)
