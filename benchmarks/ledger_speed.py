"""The ledger: admissions, the claim, and what status reads, each at its depth."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, milliseconds
from benchmarks.filled_ledger import ENGINE, INBOX, fill
from faceswapd.control.live import House, Live, Orders
from faceswapd.control.routes import handlers
from faceswapd.core.gate import Gate
from faceswapd.core.intake import Rules, Signature
from faceswapd.core.job import State
from faceswapd.core.target import Facts, Kind
from faceswapd.ledger import admission, claims
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.claims import Runner
from faceswapd.ledger.connection import Ledger
from faceswapd.media.examiner import Examiner
from faceswapd.runtime.intake.desk import Desk

BATCH = 50
ROUNDS = 40
DEEP = 10_000
CLAIM_ROWS = 100_000
CLAIMS = 200
STATUS_ROWS = 1_000_000
LOOKS = 100


def measure() -> list[Figure]:
    """All of it, each in a ledger of its own."""
    with tempfile.TemporaryDirectory(prefix="fsb-") as name:
        folder = Path(name)
        return [*asyncio.run(_admission(folder)), *_claim(folder), *_status(folder)]


async def _admission(folder: Path) -> list[Figure]:
    """Batches by turns into an empty queue and into a deep one, so that both meet the same moments of the machine."""
    empty, deep = await Ledger.open(folder / "empty.sqlite3"), await Ledger.open(folder / "deep.sqlite3")
    arrivals = _arrivals()
    try:
        for _ in range(DEEP // 500):
            await admission.admit(deep, [next(arrivals) for _ in range(500)], time.time())
        spent: dict[str, list[float]] = {"empty": [], "deep": []}
        for number in range(ROUNDS):
            pair = (("empty", empty), ("deep", deep))
            for name, ledger in pair if number % 2 else reversed(pair):
                batch = [next(arrivals) for _ in range(BATCH)]
                started = time.perf_counter()
                admitted = await admission.admit(ledger, batch, time.time())
                spent[name].append(time.perf_counter() - started)
                await _take_away(ledger, min(one.job for one in admitted))
    finally:
        await empty.close()
        await deep.close()
    ratio = statistics.median(spent["deep"]) / statistics.median(spent["empty"])
    speed = ROUNDS * BATCH / sum(spent["deep"])
    return [
        Figure(f"admission at depth {DEEP:,}, times depth 0", f"{ratio:.2f}", "<= 1.20", ratio <= 1.2),
        Figure(f"durable admissions, {BATCH} at once, depth {DEEP:,}", f"{speed:,.0f}/s", ">= 1,000/s", speed >= 1000),
    ]


async def _take_away(ledger: Ledger, first: int) -> None:
    """Leave the queue as deep as it was."""
    await ledger.write(lambda one: one.execute("DELETE FROM jobs WHERE id >= ?", (first,)), durable=False)


def _arrivals() -> Iterator[Arrival]:
    """Ever new videos for one face."""
    number = 0
    while True:
        number += 1
        relative = f"alice/clip-{number}.mp4"
        yield Arrival(
            target=f"/people/inbox/{relative}",
            relative=relative,
            signature=Signature(number, 5_000_000, 1_700_000_000_000_000_000 + number),
            kind=Kind.VIDEO,
            inbox=INBOX,
            preset="balanced",
            priority=0,
            afterwards="keep",
            facts=Facts(Kind.VIDEO, f"{number:064x}", 5_000_000, 854, 480, 250, 10.0, 0, 1),
            face="alice",
            rule="its folder",
        )


def _claim(folder: Path) -> list[Figure]:
    path = folder / "queued.sqlite3"
    fill(path, CLAIM_ROWS, (State.QUEUED,))
    choosing, taking = asyncio.run(_claims(path))
    return [
        Figure(f"claim at {CLAIM_ROWS:,} queued jobs", milliseconds(taking), "< 1 ms", taking < 0.001),
        Figure(f"the queue's head at {CLAIM_ROWS:,} queued jobs", milliseconds(choosing), "< 1 ms", choosing < 0.001),
    ]


async def _claims(path: Path) -> tuple[float, float]:
    """Medians of choosing the next job, and of taking it."""
    ledger = await Ledger.open(path)
    runner = Runner("boot", 1, ENGINE, "CPU")
    choosing, taking = [], []
    try:
        for _ in range(CLAIMS):
            started = time.perf_counter()
            queue = await claims.queue(ledger, frozenset(), 1)
            chosen = time.perf_counter()
            await claims.claim(ledger, queue.ready[0].segment, runner, time.time())
            taking.append(time.perf_counter() - chosen)
            choosing.append(chosen - started)
    finally:
        await ledger.close()
    return statistics.median(choosing), statistics.median(taking)


def _status(folder: Path) -> list[Figure]:
    path = folder / "million.sqlite3"
    fill(path, STATUS_ROWS)
    seconds = asyncio.run(_looks(path))
    return [Figure(f"status query at {STATUS_ROWS:,} jobs", milliseconds(seconds), "< 5 ms", seconds < 0.005)]


async def _looks(path: Path) -> float:
    """The median of the daemon's own handler: every query of status, and the message made of them."""
    ledger = await Ledger.open(path)
    house = House(ledger, _live, Orders(lambda: "", lambda: None, lambda _: None), Desk(ledger, Examiner()))
    spent = []
    try:
        queue = await claims.queue(ledger, frozenset(), 1)
        await claims.claim(ledger, queue.ready[0].segment, Runner("boot", 1, ENGINE, "CPU"), time.time())
        for _ in range(LOOKS):
            started = time.perf_counter()
            answer = await handlers.status(house)
            spent.append(time.perf_counter() - started)
            assert answer.running
            assert answer.waiting
            assert answer.failed
            assert answer.parked
    finally:
        await ledger.close()
    return statistics.median(spent)


def _live() -> Live:
    return Live(
        gate=Gate(),
        reading=None,
        inboxes=(),
        rules=Rules.of((), ("balanced",), ""),
        courses=(),
        draining=False,
        engine=ENGINE,
        engine_why="",
        slots=1,
        started_at=0.0,
        folder="",
        outbox="",
    )
