"""The test's own tool: a loop that it freezes stays frozen, wherever in its wait it was caught."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from faceswapd.ledger.bell import Bell
from faceswapd.runtime.health import freezing

TURN_SECONDS = 0.02


async def test_a_freeze_outlasts_the_time_limit_inside_which_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger, bell, turns, begun = tmp_path / "now", Bell(), 0, asyncio.Event()

    async def loop() -> None:
        nonlocal turns
        while True:
            turns += 1
            begun.set()
            await bell.after(bell.count, TURN_SECONDS)

    monkeypatch.setattr(freezing, "OWN_LIMIT_SECONDS", 2 * TURN_SECONDS)
    monkeypatch.setenv(freezing.VARIABLE, f"loop:freeze:{trigger}")
    task = asyncio.create_task(freezing.run("loop", loop()))
    await begun.wait()
    trigger.touch()
    bell.ring()  # it is caught by this, while its time limit still runs
    before = turns
    await asyncio.wait([task], timeout=20 * TURN_SECONDS)
    assert not task.done()
    assert turns == before
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled(), "it ends when it is told to"
