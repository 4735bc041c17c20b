"""The ledger stays small, nothing goes that somebody needs, and nobody waits for it."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.retry import GiveUp, TryAgain
from faceswapd.ledger import claims, outcomes, pruning, reports
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Spent
from faceswapd.ledger.pruning import Pruning
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, claim, ran, record, running

LATER = NOW + 100 * 86400.0
FAILURE = Failure("no_target_face", "No face was found.")
AGAIN = TryAgain(0.0, spends_attempt=True)


async def through(batch: Callable[[float], Awaitable[int | None]], before: float) -> int:
    total = 0
    while (gone := await batch(before)) is not None:
        total += gone
    return total


async def test_the_history_of_ended_jobs_goes_and_that_of_others_stays(ledger: Ledger) -> None:
    one = await running(ledger)
    await outcomes.succeed(ledger, one, "/out/clip.mp4", "hash", NOW)
    (waits,) = await admit(ledger, arrival("alice/other.mp4"))
    (late,) = await admit(ledger, arrival("alice/late.mp4"), now=LATER)
    await outcomes.request_cancel(ledger, late, LATER)
    assert await through(Pruning(ledger).events, LATER) == 3  # queued, started, succeeded
    assert await reports.events_of(ledger, one.job, 9) == []
    assert [event.kind for event in await reports.events_of(ledger, waits, 9)] == ["queued"]
    assert [event.kind for event in await reports.events_of(ledger, late, 9)] == ["queued", "cancelled"]
    assert (await record(ledger, one.job)).output == "/out/clip.mp4"


async def test_of_ended_executions_the_newest_stays_without_its_log(ledger: Ledger) -> None:
    (job, other) = await admit(ledger, arrival(), arrival("alice/other.mp4"))
    for _ in range(2):
        await outcomes.failed(ledger, ran(await claim(ledger, job)), FAILURE, AGAIN, NOW, Spent(log="long"))
        await outcomes.failed(ledger, ran(await claim(ledger, other)), FAILURE, AGAIN, NOW, Spent(log="long"))
        await claims.wake_due(ledger, NOW + 1)
    await outcomes.failed(ledger, ran(await claim(ledger, job)), FAILURE, GiveUp(FAILURE), NOW, Spent(log="long"))
    await through(Pruning(ledger).executions, LATER)
    assert [(one.attempt, one.log) for one in await reports.executions(ledger, job)] == [(3, None)]
    waiting = await reports.executions(ledger, other)
    assert [(one.attempt, one.log) for one in waiting] == [(1, "long"), (2, "long")], "it has not ended"


async def test_what_the_time_left_is_learned_from_stays(ledger: Ledger) -> None:
    for number in range(30):
        one = await running(ledger, arrival(f"alice/{number}.mp4"))
        await outcomes.succeed(ledger, one, f"/out/{number}.mp4", f"h{number}", NOW + 9, Spent(100, 5.0, log="long"))
    await admit(ledger, arrival("alice/waits.mp4"))
    before = await reports.past(ledger, RUNNER.engine)
    await through(Pruning(ledger).executions, LATER)
    assert len(before) == reports.SPEED_SAMPLES
    assert await reports.past(ledger, RUNNER.engine) == before


async def filled(ledger: Ledger, jobs: int, events: int) -> None:
    """Ended jobs with a long history."""
    await admit(ledger, *(arrival(f"alice/{number}.mp4") for number in range(jobs)))

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE jobs SET state = 'cancelled'")
        connection.execute("UPDATE segments SET state = 'cancelled'")
        words = "attempt 1 on slot 1 (facefusion), and some more words as a sentence of a failure has them"
        lines = ((NOW, 1 + number % jobs, "started", words) for number in range(events))
        connection.executemany("INSERT INTO events (at, job, kind, text) VALUES (?, ?, ?, ?)", lines)

    await ledger.write(unit)


@pytest.mark.parametrize("events", [50_000, pytest.param(200_000, marks=pytest.mark.deep)])
async def test_a_long_history_goes_while_others_write_and_the_space_comes_back(ledger: Ledger, events: int) -> None:
    await filled(ledger, events // 100, events)
    await admit(ledger, *(arrival(f"alice/new-{number}.mp4") for number in range(400)), now=LATER)
    size = ledger.path.stat().st_size
    over = asyncio.Event()
    delays = []

    async def work() -> None:
        for row in await ledger.rows("SELECT id FROM segments WHERE state = 'queued'"):
            begun = time.perf_counter()
            await claims.claim(ledger, row["id"], RUNNER, LATER)
            delays.append(time.perf_counter() - begun)
            await asyncio.sleep(0)
            if over.is_set():
                break

    working = asyncio.create_task(work())
    begun = time.perf_counter()
    gone = await through(Pruning(ledger).events, LATER)
    seconds = time.perf_counter() - begun
    over.set()
    await working
    assert gone == events + events // 100
    assert await pruning.worthwhile(ledger)
    await pruning.compact(ledger)
    await pruning.tidy(ledger)
    smaller = ledger.path.stat().st_size
    worst = 1000 * max(delays)
    print(f"{events} events in {seconds:.2f} s, {size / 1e6:.1f} MB -> {smaller / 1e6:.1f} MB")  # noqa: T201
    print(f"{len(delays)} claims meanwhile, the worst {worst:.1f} ms")  # noqa: T201
    assert smaller < size / 2
    assert not await pruning.worthwhile(ledger)
    assert max(delays) < 1.0, "a batch holds the writer for milliseconds; the rest is the machine's"
    (said,) = await ledger.rows("PRAGMA integrity_check")
    assert said[0] == "ok"


async def test_a_ledger_that_is_read_is_tidied_another_time(ledger: Ledger) -> None:
    await running(ledger)
    reading = sqlite3.connect(ledger.path, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM jobs").fetchone()
    begun = time.monotonic()
    await admit(ledger, arrival("alice/other.mp4"))
    await pruning.tidy(ledger)
    assert time.monotonic() - begun < 4, "the writer does not wait for the reader"
    reading.close()
    await pruning.tidy(ledger)
