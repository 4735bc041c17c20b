"""The ledger's disk is full. SQLite is told how large its file may be, which it answers as it does a full disk."""

import asyncio

import pytest

from faceswapd.ledger import connection, standing
from faceswapd.ledger.connection import Ledger, LedgerFullError


async def limit(ledger: Ledger, pages: int) -> None:
    """How many pages the file may have; never fewer than it has."""
    await ledger._writer.execute(f"PRAGMA max_page_count = {pages}")


async def filled(ledger: Ledger) -> int:
    """Pause inboxes until no more can be written; how many were."""
    await limit(ledger, 1)
    impatient = ledger.without_waiting()
    for number in range(10_000):
        try:
            await standing.pause(impatient, f"{number:0500}", 1.0)
        except LedgerFullError:
            return number
    raise AssertionError("never full")


async def test_whoever_shall_not_wait_is_told_at_once_and_nothing_has_happened(ledger: Ledger) -> None:
    count = await filled(ledger)
    assert ledger.full
    assert len((await standing.pauses(ledger)).inboxes) == count


async def test_the_others_wait_and_go_on_by_themselves(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FULL_SECONDS", 0.01)
    count = await filled(ledger)
    waited = asyncio.Event()
    ledger.while_full = waited.set
    writing = asyncio.create_task(standing.pause(ledger, "x" * 3000, 1.0))
    await asyncio.wait_for(waited.wait(), 20)
    assert not writing.done()
    await limit(ledger, 100_000)
    await asyncio.wait_for(writing, 20)
    assert not ledger.full
    assert len((await standing.pauses(ledger)).inboxes) == count + 1


async def test_at_the_end_nobody_waits_any_more(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FULL_SECONDS", 0.01)
    await filled(ledger)
    waited = asyncio.Event()
    ledger.while_full = waited.set
    writing = asyncio.create_task(standing.pause(ledger, "x" * 3000, 1.0))
    await asyncio.wait_for(waited.wait(), 20)
    ledger.hurry()
    with pytest.raises(LedgerFullError, match="is full"):
        await asyncio.wait_for(writing, 20)
