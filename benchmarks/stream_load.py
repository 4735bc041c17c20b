"""Two hundred who listen to one daemon, which has one core: does each of them hear everything, and how soon."""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from typing import Final

import psutil

from benchmarks.figure import Figure
from benchmarks.real_daemon import Running, own_folder, running

LISTENERS: Final = 200
EVENTS: Final = 1_000
AGAIN: Final = 4  # each so many-th listener leaves after every hundredth event, and comes again
AWAY: Final = 100
SECONDS: Final = 300.0


@dataclass
class Heard:
    """What one of them has heard."""

    ids: list[int] = field(default_factory=list)
    late: list[float] = field(default_factory=list)  # seconds from the writing of an event


def measure() -> list[Figure]:
    """Pause and resume, hundreds of times, while all listen."""
    with own_folder() as folder, running(folder) as daemon:
        psutil.Process(daemon.pid).cpu_affinity([0])
        before = psutil.Process(daemon.pid).memory_info().rss / 1e6
        heard, spent = asyncio.run(asyncio.wait_for(_listen(daemon), SECONDS))
        grown = psutil.Process(daemon.pid).memory_info().rss / 1e6 - before
    whole = list(range(1, EVENTS + 1))
    lost = sum(len(set(whole) - set(one.ids)) for one in heard)
    twice = sum(len(one.ids) - len(set(one.ids)) for one in heard)
    ordered = all(one.ids == sorted(one.ids) for one in heard)
    late = [seconds for one in heard for seconds in one.late]
    what = f"{LISTENERS} listen to {EVENTS:,} events, one core"
    value = f"{lost} lost, {twice} twice, {'in order' if ordered else 'not in order'}; {spent:.1f} s for all"
    delay = f"half within {statistics.median(late):.2f} s, 99 % within {statistics.quantiles(late, n=100)[98]:.2f} s"
    return [
        Figure(what, value, "none lost, none twice", not lost and not twice and ordered),
        Figure(
            "an event until it is heard, likewise", delay, "99 % within 1 s", statistics.quantiles(late, n=100)[98] < 1
        ),
        Figure("memory that the daemon grew by, likewise", f"{grown:.0f} MB", "< 40 MB", grown < 40),
    ]


async def _listen(daemon: Running) -> tuple[list[Heard], float]:
    ready = asyncio.Barrier(LISTENERS + 1)
    heard = [Heard() for _ in range(LISTENERS)]
    listening = [
        asyncio.create_task(_hear(daemon.client.path, one, ready, again=number % AGAIN == 0))
        for number, one in enumerate(heard)
    ]
    await ready.wait()
    started = time.monotonic()
    await _happen(daemon.client.path)
    await asyncio.gather(*listening)
    return heard, time.monotonic() - started


async def _happen(path: str) -> None:
    """Each order writes one event."""
    reader, writer = await asyncio.open_unix_connection(path)
    for number in range(EVENTS):
        order = "resume" if number % 2 else "pause"
        writer.write(f"POST /api/{order} HTTP/1.1\r\nHost: daemon\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


async def _hear(path: str, heard: Heard, ready: asyncio.Barrier, *, again: bool) -> None:
    first = True
    while len(set(heard.ids)) < EVENTS:
        reader, writer = await asyncio.open_unix_connection(path)
        seen = heard.ids[-1] if heard.ids else 0
        writer.write(f"GET /api/stream HTTP/1.1\r\nHost: daemon\r\nLast-Event-ID: {seen}\r\n\r\n".encode())
        await reader.readuntil(b"event: hello")
        if first:
            await ready.wait()
            first = False
        for _ in range(AWAY if again else EVENTS):
            while not (line := await reader.readline()).startswith(b"data: {") or b'"kind"' not in line:
                if not line:
                    raise RuntimeError("the stream has ended")
            event = json.loads(line[6:])
            heard.ids.append(event["id"])
            heard.late.append(time.time() - event["at"])
            if len(heard.ids) >= EVENTS:
                break
        writer.close()
