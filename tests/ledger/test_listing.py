"""The list of jobs, in pieces and by what jobs have in common."""

import random
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp
from faceswapd.ledger import listing, outcomes
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.listing import Wanted
from tests.ledger.arrivals import NOW, admit, arrival, claim, faceless, ran

DIED = Failure("child_died", "The engine's child ended.")


@pytest.fixture
async def jobs(ledger: Ledger) -> list[int]:
    """1-3: queued; 4, 5: parked; 6: failed; 7: cancelled after it had failed, of another inbox."""
    await admit(
        ledger,
        arrival("alice/One.mp4"),
        arrival("bob/two.mp4", face="bob"),
        arrival("alice/Ärger-\udcff.mp4", preset="best"),
        faceless("4.mp4"),
        faceless("5.mp4"),
        arrival("6.mp4"),
        arrival("7.mp4", inbox="rush"),
    )
    for job in (6, 7):
        await outcomes.failed(ledger, ran(await claim(ledger, job)), DIED, GiveUp(DIED), NOW)
    await outcomes.requeue(ledger, 7, NOW)
    await outcomes.request_cancel(ledger, 7, NOW)
    return list(range(1, 8))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [7, 6, 5, 4, 3, 2, 1]),
        (Wanted([State.PARKED, State.FAILED, State.PARKED]), [6, 5, 4]),
        (Wanted(face="bob"), [2]),
        (Wanted([State.QUEUED], face="alice"), [3, 1]),
        (Wanted(inbox="rush"), [7]),
        (Wanted(preset="best"), [3]),
        (Wanted([State.FAILED, State.QUEUED], preset="balanced"), [6, 2, 1]),
        (Wanted(category="child_died"), [6]),
        (Wanted(category="needs_face"), [5, 4]),
        (Wanted([State.CANCELLED], category="child_died"), []),
        (Wanted(text="ONE"), [1]),
        (Wanted(text="alice/"), [3, 1]),
        (Wanted(text="Är"), [3]),
        (Wanted(text="\udcff"), [3]),
        (Wanted(text="%"), []),
        (Wanted(face="alice", text="mp4", inbox="main"), [6, 3, 1]),
        (Wanted(face="\ud800"), []),
    ],
)
@pytest.mark.parametrize("step", [1, 3, 20_000])
async def test_jobs_are_found_by_what_they_have_in_common(
    ledger: Ledger, jobs: list[int], monkeypatch: pytest.MonkeyPatch, step: int, wanted: Wanted, found: list[int]
) -> None:
    monkeypatch.setattr(listing, "STEP", step)
    page = await listing.page(ledger, wanted, 100)
    assert ([one.id for one in page.jobs], page.next) == (found, None)
    assert await listing.total(ledger, wanted) == len(found)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_the_pieces_are_the_whole_list(ledger: Ledger, jobs: list[int], size: int) -> None:
    for wanted in (Wanted(), Wanted(inbox="main"), Wanted([State.QUEUED, State.PARKED])):
        whole = [one.id for one in (await listing.page(ledger, wanted, 100)).jobs]
        pieces: list[int] = []
        before: int | None = None
        while True:
            page = await listing.page(ledger, wanted, size, before)
            assert 0 < len(page.jobs) <= size
            pieces += [one.id for one in page.jobs]
            if page.next is None:
                break
            before = page.next
        assert pieces == whole
        assert (await listing.page(ledger, wanted, size, min(whole))).jobs == ()


async def test_there_may_be_nothing(ledger: Ledger) -> None:
    for wanted in (Wanted(), Wanted([State.FAILED]), Wanted(text="x")):
        assert await listing.page(ledger, wanted, 5) == listing.Page((), None)
        assert await listing.total(ledger, wanted) == 0


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted([State.QUEUED]), "jobs_by_state"),
        (Wanted([State.SUCCEEDED], face="alice", inbox="main"), "jobs_by_state"),
        (Wanted(), "PRIMARY KEY"),
        (Wanted(face="alice", text="x"), "PRIMARY KEY"),
    ],
)
async def test_nothing_is_sorted_as_a_whole(ledger: Ledger, wanted: Wanted, index: str) -> None:
    condition, values = listing._condition(wanted)
    sql = listing.statement(condition, by_state=bool(wanted.states))
    given = [*wanted.states, *values, 10, 1, 50]
    steps = [row["detail"] for row in await ledger.rows(f"EXPLAIN QUERY PLAN {sql}", given)]
    assert steps[0].startswith("SEARCH jobs USING"), steps
    assert index in steps[0], steps
    assert not any("TEMP B-TREE" in step or step.startswith("SCAN") for step in steps), steps
    counting = listing.count_statement(condition, by_state=bool(wanted.states))
    (step,) = [row["detail"] for row in await ledger.rows(f"EXPLAIN QUERY PLAN {counting}", given[:-1])]
    assert step.startswith("SEARCH jobs USING"), step
    assert index in step, step


@pytest.mark.deep
async def test_three_hundred_thousand_jobs_hold_nobody_up(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest single question to the ledger, which is what everybody else waits for."""
    chance = random.Random(1)

    def fill(connection: sqlite3.Connection) -> None:
        connection.executemany(
            """INSERT INTO jobs (id, state, kind, inbox, target, relative, face, preset, priority, afterwards,
                   fingerprint, output, output_content, created_at)
               VALUES (?, 'succeeded', 'video', 'main', ?, ?, ?, 'fast', 0, 'keep', ?, x'78', 'x', 0)""",
            (
                (n, f"/main/{n}.mp4".encode(), f"{n}.mp4".encode(), chance.choice(("alice", "bob")), str(n))
                for n in range(1, 300_001)
            ),
        )
        connection.execute(
            """INSERT INTO segments (job, number, state, inbox, priority)
               SELECT id, 1, state, inbox, priority FROM jobs"""
        )

    await ledger.write(fill)
    taken: list[float] = []
    fetch = ledger._reader.fetch

    async def timed(sql: str, values: Iterable[Any]) -> list[sqlite3.Row]:
        begun = time.monotonic()
        rows = await fetch(sql, values)
        taken.append(time.monotonic() - begun)
        return rows

    monkeypatch.setattr(ledger._reader, "fetch", timed)
    assert len((await listing.page(ledger, Wanted([State.SUCCEEDED]), 50)).jobs) == 50
    assert sum(taken) < 0.2
    assert len((await listing.page(ledger, Wanted(face="bob"), 50)).jobs) == 50
    assert (await listing.page(ledger, Wanted(text="nowhere"), 50)).jobs == ()
    assert await listing.total(ledger, Wanted(text="99999.mp4")) == 3
    assert max(taken) < 0.5
