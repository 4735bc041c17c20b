"""What happens, told once for everybody who listens.

Two hundred listeners read the ledger once, not two hundred times: the last events are kept here as the bytes that go
over the line. Each listener has a place of his own in the ledger's order, so that a slow one misses nothing and keeps
nobody waiting.
"""

import asyncio
import json
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from faceswapd.control.live import House
from faceswapd.control.views import View
from faceswapd.control.wire import job_messages, messages
from faceswapd.control.wire.stream_messages import Course, Progress
from faceswapd.ledger import events, reports
from faceswapd.ledger.records import EventRecord

KEPT: Final = 2_000  # events at most; who is further behind reads the ledger
BATCH: Final = 500  # events that are read at once
PROGRESS_SECONDS: Final = 1.0  # between two tellings of how far the running jobs are


@dataclass(frozen=True, slots=True)
class Line:
    """One event, as it is kept and as it is sent."""

    id: int
    job: int | None
    data: bytes


class Feed:
    """The last events, and how far the running jobs are."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._kept: list[Line] = []
        self._start = 0  # everything after this id is kept
        self._read = -1  # the bell's count at the last look
        self._reading = asyncio.Lock()
        self._progress = b""
        self._progress_at = float("-inf")
        self._asking = asyncio.Lock()
        self.listeners = 0

    async def after(self, last: int, job: int | None = None) -> Sequence[Line]:
        """What followed an event, oldest first; not more than a few hundred at once. One that is not of the job that is
        asked for is left out, but the last of them all says with no data how far the reading was."""
        await self._refresh()
        if last < self._start:
            found = [_line(one) for one in await events.after(self._house.ledger, last, BATCH)]
        else:
            first = bisect_right(self._kept, last, key=lambda line: line.id)
            found = self._kept[first : first + BATCH]
        if job is None or not found:
            return found
        chosen = [line for line in found if line.job == job]
        return chosen if chosen and chosen[-1] is found[-1] else [*chosen, Line(found[-1].id, None, b"")]

    async def ends(self) -> tuple[int, int]:
        """The ids of the first event that is known, and of the last."""
        return await events.ends(self._house.ledger)

    async def progress(self) -> bytes:
        """How far the running jobs are, as it is sent; looked up once a second at most."""
        async with self._asking:
            if time.monotonic() - self._progress_at >= PROGRESS_SECONDS:
                self._progress = message("progress", await _progress(self._house))
                self._progress_at = time.monotonic()
            return self._progress

    async def _refresh(self) -> None:
        async with self._reading:
            count = self._house.ledger.bell.count
            if count == self._read:
                return
            if self._read == -1:
                self._start = (await self.ends())[1]
            last = self._kept[-1].id if self._kept else self._start
            while found := await events.after(self._house.ledger, last, BATCH):
                self._kept += map(_line, found)
                last = found[-1].id
            if len(self._kept) > KEPT:
                self._start = self._kept[-KEPT - 1].id
                del self._kept[:-KEPT]
            self._read = count


def message(kind: str, said: object, number: int | None = None) -> bytes:
    """One message of the stream. With a number it is what a listener names when he comes again."""
    data = json.dumps(messages.to_wire(said), separators=(",", ":"))  # ASCII, on one line
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {kind}\ndata: {data}\n\n".encode("ascii")


def _line(event: EventRecord) -> Line:
    said = job_messages.Event(event.id, event.at, event.kind, event.job, event.text)
    return Line(event.id, event.job, message(event.kind, said, event.id))


async def _progress(house: House) -> Progress:
    live = house.live()
    if not live.courses:
        return Progress([])
    view = await View.of(house.ledger, live)
    records = [await reports.job(house.ledger, course.job) for course in live.courses]
    shown = [view.show(record) for record in records if record is not None]
    return Progress([Course(job.id, job.progress, job.phase, job.seconds_left) for job in shown])
