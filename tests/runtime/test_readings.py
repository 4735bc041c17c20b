"""The machine is read for real; only what is asserted of it is sure on every machine."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import psutil
import pytest

from faceswapd.runtime.health.readings import Readings
from tests.runtime.conftest import NewPlace
from tests.runtime.workplace import NO_LIMITS, Workplace

Burn = Callable[[float], int]
# Says when it has used so many seconds of processor time, and waits to be let go.
BURNING = (
    "import sys, time\n"
    "while time.process_time() < float(sys.argv[1]): pass\n"
    "print('done', flush=True)\n"
    "sys.stdin.read()"
)


@pytest.fixture
def burn() -> Iterator[Burn]:
    """Starts a process that uses so many seconds of a core, and returns its pid when it has."""
    with ExitStack() as stack:

        def start(seconds: float) -> int:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", BURNING, str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            assert process.stdout is not None
            assert process.stdout.readline() == b"done\n"
            return process.pid

        yield start


def readings(place: Workplace, children: Sequence[int]) -> Readings:
    return Readings(place.settings, place.ledger, lambda: children, place.beats)


async def percent(one: Readings) -> float:
    """What others used since the last time."""
    await one.refresh()
    assert one.latest is not None
    return one.latest.cpu_percent


async def test_what_our_own_children_use_is_not_the_others_use(place: Workplace, burn: Burn) -> None:
    children: list[int] = []
    knowing, ignorant = readings(place, children), readings(place, [])
    children.append(burn(1.5))
    others, all_of_it = await percent(knowing), await percent(ignorant)
    # Both saw the same span; the second one takes our child for somebody else's.
    assert all_of_it - others > 3


async def test_a_child_that_ends_does_not_make_another_ones_use_the_others(place: Workplace, burn: Burn) -> None:
    """The first child takes three seconds of the past along when it ends, more than the second one has used."""
    children: list[int] = []
    knowing = readings(place, children)
    first = burn(3.0)
    children.append(first)
    await percent(knowing)
    ignorant = readings(place, [])
    children.append(burn(1.0))
    psutil.Process(first).kill()
    children.remove(first)
    all_of_it = await percent(ignorant)
    assert all_of_it - await percent(knowing) > 3


async def test_a_reading_tells_of_the_machine_and_of_our_folders(place: Workplace) -> None:
    one = readings(place, [999_999_999])
    await one.refresh()
    reading = one.latest
    assert reading is not None
    assert 0 <= reading.cpu_percent <= 100
    assert 0 < reading.memory_free < psutil.virtual_memory().total
    assert [folder.name for folder in reading.folders] == ["outbox", "scratch folder", "state folder"]
    assert all(folder.problem is None and folder.free for folder in reading.folders)
    assert place.settings.scratch_folder.is_dir()  # a folder of ours that is missing is made
    assert one.gate.open


async def test_a_folder_that_cannot_be_used_closes_the_gate_until_it_can(place: Workplace) -> None:
    one = readings(place, [])
    place.settings.outbox.rmdir()
    place.settings.outbox.touch()
    await one.refresh()
    assert [held.key for held in one.gate.held] == [f"folder:{place.settings.outbox}"]
    why = f"The outbox is a file and no folder: {place.settings.outbox}."
    assert one.gate.why == why
    assert await _kept(place) == why
    place.settings.outbox.unlink()
    await one.refresh()
    assert (one.gate.open, await _kept(place)) == (True, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
async def test_a_folder_without_rights_closes_the_gate(place: Workplace) -> None:
    one = readings(place, [])
    place.settings.outbox.chmod(0o500)
    await one.refresh()
    place.settings.outbox.chmod(0o700)
    assert one.gate.why == f"The outbox is not writable for this user: {place.settings.outbox}."


async def test_the_gate_opens_again_only_with_some_room(new_place: NewPlace) -> None:
    """The limit is set by what is free now: just under it for the first reading, just over it for the next."""
    free = psutil.virtual_memory().available
    place = await new_place(limits=NO_LIMITS.model_copy(update={"memory_free": free * 2}))
    one = readings(place, [])
    await one.refresh()
    closed = one.gate
    one._limits = place.settings.model_copy(
        update={"limits": NO_LIMITS.model_copy(update={"memory_free": int(free * 0.95)})}
    ).gate_limits()
    await one.refresh()
    still = one.gate
    one._limits = place.settings.model_copy(
        update={"limits": NO_LIMITS.model_copy(update={"memory_free": free // 2})}
    ).gate_limits()
    await one.refresh()
    assert [gate.open for gate in (closed, still, one.gate)] == [False, False, True]


async def test_a_fresh_reading_is_not_taken_twice(place: Workplace) -> None:
    one = readings(place, [])
    await one.fresh()
    first = one.latest
    await one.fresh()
    assert one.latest is first


async def _kept(place: Workplace) -> str | None:
    """The reason that the ledger keeps."""
    row = await place.ledger.row("SELECT gate FROM daemon")
    assert row is not None
    return None if row["gate"] is None else str(row["gate"])


async def test_a_minute_is_remembered_with_what_waits_and_how_fast_it_goes(place: Workplace) -> None:
    one = readings(place, [])
    await one.refresh()
    for _ in range(2):
        await one._remember(lambda: 12.5)
    (point,) = one.history.since(0.0)
    assert (point.frames_per_second, point.queued) == (12.5, 0)
    assert point.cpu_percent is not None
    assert 0.0 <= point.cpu_percent <= 100.0
    assert point.memory_free is not None
    assert one.latest is not None
    assert one.latest.vitals is not None
    assert one.latest.vitals.memory >= point.memory_free > 0
