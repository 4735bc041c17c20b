"""The stream of events, by real connections."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from faceswapd.control import feed as feeds
from faceswapd.control.live import CourseLive, Live
from faceswapd.control.routes import stream_routes
from faceswapd.ledger.history import note
from tests.control.serving import SECONDS, Control

LISTENERS = 20


@dataclass(frozen=True)
class Said:
    """One message of a stream."""

    kind: str
    id: int | None
    data: dict[str, object]


class Listener:
    """A client that understands Server-Sent Events."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def next(self) -> Said | None:
        """The next message; None when the stream has ended."""
        async with asyncio.timeout(SECONDS):
            fields: dict[str, str] = {}
            while line := await self._reader.readline():
                text = line.decode().rstrip("\r\n")
                if text and "data" not in fields and ":" not in text:
                    continue  # the length of a piece
                if not text and "data" in fields:
                    number = int(fields["id"]) if "id" in fields else None
                    return Said(fields["event"], number, json.loads(fields["data"]))
                name, _, value = text.partition(": ")
                fields[name] = value
        return None

    async def events(self, count: int) -> list[Said]:
        """So many events; what is said of running jobs beside them is left out."""
        found: list[Said] = []
        while len(found) < count:
            said = await self.next()
            assert said is not None
            if said.id is not None:
                found.append(said)
        return found


@contextlib.asynccontextmanager
async def listen(control: Control, query: str = "", seen: int | None = None) -> AsyncIterator[Listener]:
    reader, writer = await asyncio.open_unix_connection(control.path)
    last = f"Last-Event-ID: {seen}\r\n" if seen is not None else ""
    writer.write(f"GET /api/stream{query} HTTP/1.1\r\nHost: daemon\r\n{last}\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        assert b"text/event-stream" in head
        yield Listener(reader)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def write(control: Control, *texts: str, job: int | None = None) -> None:
    for text in texts:
        await control.ledger.write(lambda connection, text=text: note(connection, 1.0, job, "test", text))  # type: ignore[misc]


async def test_what_happens_is_told_and_goes_on_after_what_was_seen(control: Control) -> None:
    async with listen(control) as listener:
        hello = await listener.next()
        assert hello is not None
        assert (hello.kind, hello.data["missed"]) == ("hello", False)
        await write(control, "one", "two")
        one, two = await listener.events(2)
        assert (one.kind, one.data["text"], two.data["text"]) == ("test", "one", "two")
        assert (one.data["id"], one.data["job"]) == (one.id, None)
    await write(control, "three", "line\nbreak")
    async with listen(control, seen=one.id) as listener:
        assert [said.data["text"] for said in await listener.events(3)] == ["two", "three", "line\nbreak"]
    async with listen(control, f"?after={two.id}") as listener:
        assert [said.data["text"] for said in await listener.events(2)] == ["three", "line\nbreak"]


async def test_one_job_can_be_listened_to(control: Control) -> None:
    async with listen(control, "?job=2&after=0") as listener:
        await listener.next()
        await write(control, *map(str, range(40)), job=1)
        await write(control, "mine", job=2)
        said = await listener.next()
        while said is not None and said.data["text"] != "mine":
            assert said.data["job"] == 2
            said = await listener.next()
        assert said is not None


async def test_who_was_away_for_too_long_is_told(control: Control) -> None:
    await write(control, "one", "two", "three")
    await control.ledger.write(lambda connection: connection.execute("DELETE FROM events WHERE text <> 'three'"))
    for seen in (1, 1_000_000):
        async with listen(control, seen=seen) as listener:
            hello = await listener.next()
            assert hello is not None
            assert hello.data["missed"] is True
    assert (await control.ask("/api/stream?after=x"))[0] == 400
    assert (await control.ask("/api/stream?job=-1"))[0] == 400


async def test_many_listen_and_each_hears_all(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "KEPT", 50)  # the slow ones must read the ledger
    monkeypatch.setattr(feeds, "BATCH", 7)
    texts = [str(number) for number in range(300)]

    async def hear(number: int) -> list[object]:
        heard: list[object] = []
        seen: int | None = None
        while len(heard) < len(texts):
            async with listen(control, "?after=0" if seen is None else "", seen) as listener:
                for _ in range(40 if number % 3 == 0 else len(texts)):  # some come again and again
                    (said,) = await listener.events(1)
                    seen = said.id
                    if said.kind == "test":
                        heard.append(said.data["text"])
                    if len(heard) == len(texts):
                        break
        return heard

    hearing = [asyncio.create_task(hear(number)) for number in range(LISTENERS)]
    await write(control, *texts)
    assert all(heard == texts for heard in await asyncio.gather(*hearing))


async def test_running_jobs_are_told_of_at_most_once_a_second(control: Control) -> None:
    live, now = control.house.live(), [0.2]

    def at_work() -> Live:
        return replace(live, courses=(CourseLive(1, now[0], "swapping", 1.0),))

    feed = feeds.Feed(replace(control.house, live=at_work))
    first = await feed.progress()
    now[0] = 0.9
    assert await feed.progress() == first  # within the same second
    (job,) = json.loads(first.decode().partition("data: ")[2])["jobs"]
    assert (job["id"], job["progress"], job["phase"]) == (1, 0.2, "swapping")


async def test_there_is_room_for_so_many(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_routes, "MOST_LISTENERS", 2)
    async with listen(control) as first, listen(control) as second:
        assert (await first.next(), await second.next()) != (None, None)
        status, said = await control.ask("/api/stream")
        assert (status, said["error"]) == (503, "2 listen already.")
    async with asyncio.timeout(SECONDS):
        while not await admitted(control):  # it hears of the two that left in its own time
            pass


async def admitted(control: Control) -> bool:
    try:
        async with listen(control) as listener:
            return await listener.next() is not None
    except AssertionError:
        return False
