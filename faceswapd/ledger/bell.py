"""The one event: it rings after every commit, and whoever waits looks again."""

import asyncio


class Bell:
    """Rings are counted, so that one which comes between a look and a wait is not missed.

    Read `count` first, then look at the ledger, then wait for a ring after that count.
    """

    def __init__(self) -> None:
        self.count = 0
        self._next: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake everybody who waits."""
        self.count += 1
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None

    async def after(self, count: int, seconds: float | None = None) -> bool:
        """Wait for a ring after `count`, at most so many seconds. False: the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while self.count <= count:
                    if self._next is None:
                        self._next = asyncio.get_running_loop().create_future()
                    await asyncio.shield(self._next)
        except TimeoutError:
            return False
        return True
