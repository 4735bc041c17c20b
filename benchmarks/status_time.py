"""`faceswapctl status`, as a person waits for it: the whole process, with a full ledger behind the daemon."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figure import Figure, milliseconds
from benchmarks.filled_ledger import INBOX, fill
from benchmarks.real_daemon import command, environment, own_folder, running
from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger

JOBS = 10_000
RUNS = 40
LIMIT = 0.1


def measure() -> list[Figure]:
    """By turns with a Python that does nothing, which is told beside it: below that nothing can come."""
    with own_folder() as folder:
        ledger = folder / "state" / "ledger.sqlite3"
        ledger.parent.mkdir(mode=0o700)
        fill(ledger, JOBS)
        asyncio.run(_pause(ledger))
        with running(folder) as daemon:
            ask = [command("faceswapctl"), "--socket", daemon.client.path, "status"]
            screen, _ = _run(ask, folder)
            assert b"alice" in screen, screen
            times = [(_run(ask, folder)[1], _run([sys.executable, "-c", ""], folder)[1]) for _ in range(RUNS)]
    whole, bare = (statistics.median(column) for column in zip(*times, strict=True))
    value = f"{milliseconds(whole)} (Python alone: {milliseconds(bare)})"
    return [Figure(f"faceswapctl status, {JOBS:,} jobs", value, "< 100 ms", whole < LIMIT)]


async def _pause(path: Path) -> None:
    """Nothing of what is queued starts: its targets are not there."""
    ledger = await Ledger.open(path)
    try:
        await standing.pause(ledger, INBOX, time.time())
    finally:
        await ledger.close()


def _run(arguments: Sequence[str], folder: Path) -> tuple[bytes, float]:
    started = time.perf_counter()
    done = subprocess.run(arguments, capture_output=True, env=environment(folder), timeout=30, check=True)
    return done.stdout, time.perf_counter() - started
