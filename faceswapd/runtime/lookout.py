"""A look at something that may never answer: a folder of a network that is gone holds whoever touches it for ever.

Each look has a thread of its own, and there is one at a time of each kind: a folder that hangs costs one thread, and
none of those that everybody shares. Such a thread keeps nothing from ending.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Lookout(Generic[T]):
    """Asks the same question again and again. An answer that comes too late is the answer to the next call."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._answer: Future[T] | None = None

    def begin(self) -> "Future[T]":
        """The answer of the look that is under way, or else of a new one."""
        if self._answer is None:
            self._answer = Future()
            self._answer.set_running_or_notify_cancel()  # whoever gives up does not take it away from the next one
            threading.Thread(target=self._run, args=(self._answer,), name="lookout", daemon=True).start()
        return self._answer

    def wait(self, seconds: float) -> T:
        """The answer, in a thread that may wait. Raises TimeoutError, and what the look raised."""
        return self._taken(self.begin(), seconds)

    async def within(self, seconds: float) -> T:
        """The answer. Raises TimeoutError, and what the look raised."""
        answer = self.begin()
        await asyncio.wait([asyncio.wrap_future(answer)], timeout=seconds)
        return self._taken(answer, 0)

    def _taken(self, answer: "Future[T]", seconds: float) -> T:
        try:
            return answer.result(seconds)
        finally:
            if answer.done() and self._answer is answer:
                self._answer = None

    def _run(self, answer: "Future[T]") -> None:
        try:
            answer.set_result(self._look())
        except BaseException as error:  # noqa: BLE001  raised where the answer is taken
            answer.set_exception(error)
