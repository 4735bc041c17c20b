"""GET /api/events."""

import asyncio
import time
from typing import Any

import pytest

from faceswapd.control.wire import job_messages, messages
from faceswapd.control.wire.event_messages import Events
from faceswapd.ledger import events, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.history import note
from tests.control.serving import Control


async def write(ledger: Ledger, text: str, job: int | None = None, at: float = 1000.0) -> None:
    await ledger.write(lambda connection: note(connection, at, job, "test", text))


async def heard(control: Control, query: str) -> Events:
    status, said = await control.ask(f"/api/events?{query}")
    assert status == 200, said
    return messages.from_wire(Events, said)


async def test_events_are_read_on(control: Control) -> None:
    _, start = await events.ends(control.ledger)
    await write(control.ledger, "of all", at=2000.0)
    await write(control.ledger, "of the first", 1, at=3000.0)
    await write(control.ledger, "of the second", 2, at=4000.0)
    ways: list[tuple[str, list[str]]] = [
        (f"after={start}", ["of all", "of the first", "of the second"]),
        (f"after={start}&limit=2", ["of all", "of the first"]),
        (f"after={start}&job=1", ["of the first"]),
        (f"after={start}&job=2&job=1", ["of the first", "of the second"]),
        ("limit=2", ["of the first", "of the second"]),
        ("limit=1&job=1", ["of the first"]),
        (f"after={start + 3}", []),
    ]
    for query, texts in ways:
        said = await heard(control, query)
        assert [one.text for one in said.events] == texts, query
        assert (said.first, said.last) == (1, start + 3)
    event = (await heard(control, "limit=1")).events[0]
    assert event == job_messages.Event(start + 3, 4000.0, "test", 2, "of the second")


async def test_events_since_a_time(control: Control) -> None:
    now = time.time()
    for ago in (300, 200, 100):
        await write(control.ledger, f"{ago} ago", at=now + 10_000 - ago)
    said = await heard(control, f"since={now + 9_750}")
    assert [one.text for one in said.events] == ["200 ago", "100 ago"]
    said = await heard(control, f"since={now + 9_750}&after={said.events[0].id}")
    assert [one.text for one in said.events] == ["100 ago"]
    assert (await heard(control, f"since={now + 20_000}")).events == []


@pytest.mark.parametrize("query", ["", "&job=1"])
async def test_a_question_is_held_until_something_happens(control: Control, query: str) -> None:
    _, last = await events.ends(control.ledger)
    asking = asyncio.create_task(heard(control, f"after={last}&seconds=15{query}"))
    await asyncio.wait([asking], timeout=0.1)
    if query:
        await write(control.ledger, "of another job", 2)
        await asyncio.wait([asking], timeout=0.1)
    assert not asking.done()
    await write(control.ledger, "now", 1)
    async with asyncio.timeout(5):
        assert [one.text for one in (await asking).events] == ["now"]


async def test_a_question_ends_when_its_time_is_over(control: Control) -> None:
    _, last = await events.ends(control.ledger)
    begun = time.monotonic()
    assert await heard(control, f"after={last}&seconds=0.3") == Events([], 1, last)
    assert 0.3 <= time.monotonic() - begun < 10


async def test_every_event_is_heard_once_by_one_who_follows(control: Control) -> None:
    """Events are written while he asks; nothing falls between two questions."""
    _, last = await events.ends(control.ledger)
    after, found = last, list[Any]()

    async def talk() -> None:
        for number in range(60):
            await write(control.ledger, str(number), 1 + number % 2)

    talking = asyncio.create_task(talk())
    async with asyncio.timeout(20):
        while len(found) < 30:
            said = await heard(control, f"after={after}&seconds=5&limit=7&job=1")
            found += [one.text for one in said.events]
            after = said.events[-1].id if said.events else said.last
    await talking
    assert found == [str(number) for number in range(0, 60, 2)]


async def test_the_daemons_own_events_have_no_job(control: Control) -> None:
    await standing.pause(control.ledger, None, time.time())
    event = (await heard(control, "limit=1")).events[0]
    assert (event.kind, event.job) == ("paused", None)
