"""Short slices, as the kernel of this machine tells them."""

import asyncio
import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from faceswapd.ledger.connection import Ledger, Reads
from faceswapd.runtime.health import slices

GET_ATTRIBUTES = {"x86_64": 315, "aarch64": 275}  # sched_getattr
T = TypeVar("T")
RELEASE = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2] if part.isdigit())
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in GET_ATTRIBUTES or RELEASE < (6, 12),
    reason="only Linux knows slices, from 6.12 on",
)


def own_slice() -> int:
    """Of the calling thread, in nanoseconds."""
    words = (ctypes.c_uint64 * 6)()
    call = GET_ATTRIBUTES[platform.machine()]
    assert ctypes.CDLL(None).syscall(call, 0, words, ctypes.sizeof(words), 0) == 0
    return int(words[3])


def in_a_thread(work: Callable[[], T]) -> T:
    """For good: who may not administer the system cannot undo it, so that it is never the tests' own thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def test_a_thread_has_short_ones_and_what_it_starts_has_not() -> None:
    before = own_slice()

    def work() -> tuple[bool, int, int, int]:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        done = slices.shorten()
        assert slices.shorten(), "again"
        started = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import own_slice; print(own_slice())"],
            capture_output=True,
            cwd=Path(__file__).parents[2],
            check=True,
        )
        assert os.getpriority(os.PRIO_PROCESS, 0) == nice
        return done, own_slice(), int(started.stdout), in_a_thread(own_slice)

    assert in_a_thread(work) == (True, slices.NANOSECONDS, before, before)
    assert own_slice() == before


def test_who_has_another_way_of_scheduling_keeps_it() -> None:
    def work() -> tuple[bool, int]:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        return slices.shorten(), os.sched_getscheduler(0)

    assert in_a_thread(work) == (False, os.SCHED_BATCH)


def test_the_ledgers_reader_has_them(tmp_path: Path) -> None:
    async def there(_: Reads) -> int:
        return own_slice()

    async def work() -> tuple[int, int]:
        ledger = await Ledger.open(tmp_path / "ledger.sqlite3")
        try:
            await slices.shorten_all(ledger)
            return own_slice(), await ledger.together(there)
        finally:
            await ledger.close()

    assert in_a_thread(lambda: asyncio.run(work())) == (slices.NANOSECONDS, slices.NANOSECONDS)
