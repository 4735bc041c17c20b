import asyncio

import pytest

from faceswapd.ledger.bell import Bell
from faceswapd.ledger.connection import Ledger
from tests.ledger.arrivals import admit, arrival


async def settled() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_ring_between_look_and_wait_is_not_missed() -> None:
    bell = Bell()
    count = bell.count
    bell.ring()
    assert await bell.after(count, 0)


async def test_no_ring_before_the_time_is_over() -> None:
    bell = Bell()
    bell.ring()
    assert not await bell.after(bell.count, 0.01)


async def test_one_ring_wakes_all_who_wait() -> None:
    bell = Bell()
    waiters = [asyncio.create_task(bell.after(bell.count)) for _ in range(10)]
    await settled()
    assert not any(waiter.done() for waiter in waiters)
    bell.ring()
    assert await asyncio.gather(*waiters) == [True] * 10


async def test_a_ring_wakes_only_those_who_wait_for_it() -> None:
    bell = Bell()
    later = asyncio.create_task(bell.after(bell.count + 1))
    bell.ring()
    await settled()
    assert not later.done()
    bell.ring()
    assert await later


async def test_one_who_gives_up_takes_nobody_along() -> None:
    bell = Bell()
    impatient = asyncio.create_task(bell.after(bell.count))
    patient = asyncio.create_task(bell.after(bell.count))
    await settled()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    bell.ring()
    assert await patient


async def test_every_commit_rings(ledger: Ledger) -> None:
    waiter = asyncio.create_task(ledger.bell.after(ledger.bell.count))
    await settled()
    await admit(ledger, arrival())
    assert await waiter
