"""Waiting: what must not be broken off is carried to its end, and what rightly takes long is waited for alive."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that no cancel reaches. A cancel that came meanwhile counts when the work is done."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result


async def beating(work: Coroutine[Any, Any, T], beat: Callable[[], None], every: float) -> T:
    """Await work that limits itself, and beat all the while: whoever waits for it is not stuck. A cancelled caller
    takes it along."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=every))[0]:
            beat()
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
