"""GET /api/stream: Server-Sent Events. Nothing is lost over a reconnect, nor over a restart of the daemon: what is
told is the ledger's own events, and who comes again says which he has seen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from faceswapd.control import requests
from faceswapd.control.doors import guard
from faceswapd.control.feed import PROGRESS_SECONDS, Feed, message
from faceswapd.control.live import House
from faceswapd.control.operation import Operation, Parameter
from faceswapd.control.refusal import Refused
from faceswapd.control.wire import job_messages
from faceswapd.control.wire.stream_messages import Hello, Progress

QUIET_SECONDS: Final = 15.0  # after so long something is said, so that no proxy takes the line for dead
MOST_LISTENERS: Final = 500
KEY_SECONDS: Final = 3600.0  # after so long whoever comes over the port shows his key again
RETRY: Final = b"retry: 1000\n\n"  # milliseconds after which a browser comes again
HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # nginx would hold it back
]


class _Stream(Response):
    """Sends until whoever listens hangs up, or the server ends."""

    media_type = "text/event-stream"

    def __init__(self, house: House, feed: Feed, last: int, job: int | None, hello: Hello) -> None:
        super().__init__()
        self._house, self._feed, self._last, self._job, self._hello = house, feed, last, job, hello
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        line: asyncio.Event = scope["extensions"][requests.LINE_GONE]
        over: asyncio.Event = scope["extensions"][requests.SERVER_OVER]
        is_local = guard.PEER in scope["extensions"]
        enough = over.wait() if is_local else asyncio.sleep(KEY_SECONDS)
        ends = (line.wait(), over.wait(), enough, _hung_up(receive), self._write(send))
        tasks = [asyncio.create_task(end, name="event stream") for end in ends]
        self._feed.listeners += 1
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.listeners -= 1
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        broken = results[-1]
        if isinstance(broken, Exception) and not isinstance(broken, OSError):
            raise broken
        with contextlib.suppress(OSError):
            await self._begin(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _begin(self, send: Send) -> None:
        if not self._begun:
            self._begun = True
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})

    async def _write(self, send: Send) -> None:
        await self._begin(send)
        async for data in self._data():
            await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _data(self) -> AsyncIterator[bytes]:
        yield RETRY + message("hello", self._hello)
        bell, told, quiet = self._house.ledger.bell, b"", 0.0
        while True:
            rung = bell.count
            lines = await self._feed.after(self._last, self._job)
            if lines:
                self._last = lines[-1].id
                data = b"".join(line.data for line in lines)
            else:
                running = bool(self._house.live().courses)
                seconds = PROGRESS_SECONDS if running or told else QUIET_SECONDS
                if await bell.after(rung, seconds):
                    continue
                progress = await self._feed.progress() if running or told else b""
                data = b"" if progress == told else progress
                told = progress if running else b""
                quiet += seconds
            if not data and quiet >= QUIET_SECONDS:
                data = b": all is well\n\n"
            if data:
                quiet = 0.0
                yield data


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stream(house: House, request: Request) -> Response:
    feed: Feed = request.app.state.feed
    if feed.listeners >= MOST_LISTENERS:
        raise Refused(503, f"{MOST_LISTENERS} listen already.", "Try again in a moment.", wait=5.0)
    job = requests.whole(request, "job", 0, 1) if "job" in request.query_params else None
    first, last = await feed.ends()
    named = requests.whole(request, "after", last)
    seen = request.headers.get("last-event-id", "")
    if seen:
        if not seen.isascii() or not seen.isdigit() or len(seen) > requests.LONGEST_NUMBER:
            raise Refused(400, f"{seen[:40]!r} is no event's id.")
        named = int(seen)
    # Pruned since, or a ledger of before: what is known must be asked for anew.
    missed = named > last or named < first - 1
    start = min(named, last)
    return _Stream(house, feed, start, job, Hello(start, missed))


AFTER = Parameter("after", {"type": "integer", "minimum": 0}, "the last event that is known; without it: the present")
JOB = Parameter("job", {"type": "integer", "minimum": 1}, "only the events of this job")
SEEN = Parameter(
    "Last-Event-ID", {"type": "integer", "minimum": 0}, "the same as `after`, as browsers say it", "header"
)

OPERATIONS = (
    Operation(
        "GET", "/api/stream", _stream, "What happens, as Server-Sent Events.", "text/event-stream",
        parameters=(AFTER, JOB, SEEN), parts=(Hello, job_messages.Event, Progress),
    ),
)  # fmt: skip
