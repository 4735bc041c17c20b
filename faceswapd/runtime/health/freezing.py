"""A loop that freezes, raises or blocks everything, at a moment that a test chooses. Without the variable: nothing.

FACESWAPD_TEST_FREEZE names the loop, what happens to it, and a file: it happens when that file is there. The loop
itself knows nothing of it, and is caught wherever it waits.
"""

import asyncio
import os
import time
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

from faceswapd.runtime.health.beats import BEAT_SECONDS

VARIABLE = "FACESWAPD_TEST_FREEZE"  # LOOP:freeze:FILE, LOOP:raise:FILE or LOOP:block:FILE
OWN_LIMIT_SECONDS = BEAT_SECONDS + 0.5  # a loop waits under no longer time limit of its own


class Caught(Exception):
    """What a loop raises that was told to."""


async def run(name: str, loop: Coroutine[Any, Any, None]) -> None:
    """Run a loop, and do to it what the variable says."""
    named, _, rest = os.environ.get(VARIABLE, "").partition(":")
    if named != name:
        await loop
        return
    how, _, file = rest.partition(":")
    await _Armed(loop, how, Path(file))


class _Armed:
    """Drives a loop from wait to wait."""

    def __init__(self, loop: Coroutine[Any, Any, None], how: str, file: Path) -> None:
        self._loop = loop
        self._how = how
        self._file = file

    def __await__(self) -> Generator[Any, Any, None]:
        error: BaseException | None = None
        fired = False
        while True:
            try:
                waiting = self._loop.send(None) if error is None else self._loop.throw(error)
            except StopIteration:
                return
            error = None
            try:
                yield waiting
            except BaseException as caught:  # noqa: BLE001  a cancel, as by a time that is over, is the loop's
                error = caught
            if not fired and self._file.exists():
                fired = True
                try:
                    yield from self._fire()
                except BaseException as caught:  # noqa: BLE001  likewise
                    error = caught

    def _fire(self) -> Generator[Any, Any, None]:
        match self._how:
            case "freeze":
                yield from _frozen()
            case "block":
                time.sleep(1e6)
            case _:
                raise Caught(f"{self._how}, as {VARIABLE} says")


def _frozen() -> Generator[Any, Any, None]:
    """For ever, and over the end of a time limit inside which it was caught; until it is cancelled from outside."""
    since = time.monotonic()
    while True:
        try:
            yield from asyncio.get_running_loop().create_future().__await__()
        except asyncio.CancelledError:
            if time.monotonic() - since > OWN_LIMIT_SECONDS:
                raise
