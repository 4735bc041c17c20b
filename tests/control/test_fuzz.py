"""Thousands of malformed requests to the real application on its socket: none is an error of ours, none costs anything.

`make test` sends five hundred, `make test-deep` ten thousand.
"""

import asyncio
import contextlib
import gc
import json
import logging
import os
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import psutil
import pytest
from starlette.routing import Route
from structlog.testing import capture_logs

from faceswapd.control.application import application
from tests.control.rubbish import Rubbish, doors
from tests.control.serving import OWN_ERROR, SECONDS, Control

FEW, MANY, BATCH = 500, 10_000, 50
PATIENCE = 0.2  # seconds that an answer is waited for; a half request has none
SLOW = 60  # connections that say half a request and then nothing
GROWTH = 20 << 20  # bytes
STATUS = re.compile(rb"^HTTP/1\.1 ([0-9]{3}) ", re.MULTILINE)


@dataclass
class Seen:
    """What came back."""

    answers: Counter[int] = field(default_factory=Counter)  # by HTTP status
    wrong: list[bytes] = field(default_factory=list)  # requests that were answered with an error of ours
    raised: list[dict[str, Any]] = field(default_factory=list)  # what the event loop was told that nobody caught
    slowest: float = 0.0  # seconds of a good request after a batch


@dataclass(frozen=True)
class Cost:
    """What the process holds."""

    memory: int  # bytes
    files: int
    tasks: int

    @classmethod
    def now(cls) -> "Cost":
        gc.collect()
        process = psutil.Process()
        return cls(process.memory_info().rss, process.num_fds(), len(asyncio.all_tasks()))

    def with_threads(self) -> "Cost":
        """The same, when each thread has read a ledger once: SQLite keeps a file open while the process has it locked,
        and takes it for the next reader."""
        return replace(self, files=self.files + min(32, (os.cpu_count() or 1) + 4))


async def send(daemon: Control, data: bytes, chance: random.Random, seen: Seen) -> None:
    """Say it, and hear the whole answer, a part of it, or nothing."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        reader, writer = await asyncio.open_unix_connection(daemon.path)
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(data)
                match chance.randrange(6):
                    case 0:  # gone before the answer
                        return
                    case 1:  # gone in the middle of it
                        await reader.read(chance.randrange(1, 60))
                        return
                await writer.drain()
                if chance.random() < 0.5 and writer.can_write_eof():
                    writer.write_eof()
                answer = b""
                try:
                    while more := await reader.read(65536):
                        answer += more
                finally:
                    said = [int(status) for status in STATUS.findall(answer)]
                    seen.answers.update(said)
                    if any(status >= 500 and status != 503 for status in said):
                        seen.wrong.append(data)
        finally:
            writer.transport.abort()  # what has not been sent is not waited for
            await writer.wait_closed()


async def hold(daemon: Control, data: bytes) -> asyncio.StreamWriter:
    """Say half a request, and keep the connection."""
    _, writer = await asyncio.open_unix_connection(daemon.path)
    writer.write(data)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    return writer


async def fuzz(daemon: Control, number: int, caplog: pytest.LogCaptureFixture) -> Seen:
    """Send so many, in batches, beside connections that say nothing more; a good request comes after each batch."""
    seen, chance = Seen(), random.Random(number)
    rubbish = Rubbish(number, str(daemon.path.with_name("backup")))
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.raised.append(context))
    with caplog.at_level(logging.WARNING), capture_logs() as logged:
        for start in range(0, number, BATCH):
            if start % (10 * BATCH) == 0:
                half = b"POST /api/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
                held = [await hold(daemon, half[: 1 + turn % len(half)]) for turn in range(SLOW)]
            requests = [rubbish.request(one) for one in range(start, start + BATCH)]
            await asyncio.gather(*(send(daemon, data, chance, seen) for data in requests))
            begun = time.monotonic()
            assert await daemon.well()
            seen.slowest = max(seen.slowest, time.monotonic() - begun)
            if start % (10 * BATCH) == 9 * BATCH or start + BATCH >= number:
                for writer in held:
                    writer.transport.abort()
    assert [line for line in logged if line["event"] == OWN_ERROR or "exc_info" in line] == []
    assert [
        record.getMessage() for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR
    ] == []
    assert seen.wrong == []
    assert seen.raised == []
    assert not any(300 <= status < 400 for status in seen.answers), "nobody is sent elsewhere"
    return seen


async def settled(before: Cost) -> Cost:
    """What is held when the server has noticed that everybody is gone, which it tells nobody."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            while (after := Cost.now()).files > before.files or after.tasks > before.tasks:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    return after


def test_every_route_is_fuzzed(control: Control) -> None:
    routes = [route for route in application(control.house).routes if isinstance(route, Route)]
    there = {
        (method, route.path.replace("{number}", "ID"))
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(door.method, door.path) for door in doors()} == there
    assert {name for door in doors() for name in door.fields} >= {
        "face",
        "inbox",
        "category",
        "path",
        "remove",
        "targets",
    }
    assert {name for door in doors() for name in door.query} >= {"state", "limit", "seconds", "path"}


async def test_five_hundred_malformed_requests(control: Control, caplog: pytest.LogCaptureFixture) -> None:
    before = Cost.now()
    seen = await fuzz(control, FEW, caplog)
    after = await settled(before.with_threads())
    assert after.tasks == before.tasks
    assert after.files <= before.with_threads().files
    assert {200, 400, 404, 405} <= set(seen.answers)


@pytest.mark.deep
async def test_ten_thousand_malformed_requests(
    control: Control,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cold = Cost.now()
    await fuzz(control, FEW, caplog)  # caches are full now
    before = await settled(cold.with_threads())
    seen = await fuzz(control, MANY, caplog)
    after = await settled(before)
    with capsys.disabled():
        figures = {
            "answers by status": dict(sorted(seen.answers.items())),
            "slowest good request, s": round(seen.slowest, 3),
            "memory grown, MB": round((after.memory - before.memory) / 1e6, 1),
            "descriptors": f"{before.files} -> {after.files}",
            "tasks": f"{before.tasks} -> {after.tasks}",
        }
        print(f"\n{MANY} malformed requests: {json.dumps(figures, indent=2)}")  # noqa: T201  the figures are wanted
    assert after.tasks == cold.tasks
    assert after.files <= cold.with_threads().files
    assert after.memory - before.memory < GROWTH
