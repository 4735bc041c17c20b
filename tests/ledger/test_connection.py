import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any

import pytest

from faceswapd.core.job import State
from faceswapd.ledger import reports
from faceswapd.ledger.connection import Ledger, LedgerError
from faceswapd.ledger.migration import migrations
from tests.ledger.arrivals import admit, arrival, dump, faceless

# Admits one target after the other, and prints each job that was acknowledged.
ADMITTER = """
import asyncio, sys
from pathlib import Path
from tests.ledger.arrivals import admit, arrival
from faceswapd.ledger.connection import Ledger

async def main():
    ledger = await Ledger.open(Path(sys.argv[1]))
    for number in range(100_000):
        (job,) = await admit(ledger, arrival(f"{sys.argv[2]}-{number}.mp4"))
        print(job, flush=True)

asyncio.run(main())
"""


async def test_a_second_daemon_is_told_whose_the_ledger_is(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as caught:
        await Ledger.open(ledger.path)
    assert f"Another faceswapd (pid {os.getpid()}) already works on the ledger {ledger.path}." in str(caught.value)


async def test_the_ledger_is_free_after_close(tmp_path: Path) -> None:
    for _ in range(2):
        await (await Ledger.open(tmp_path / "ledger.sqlite3")).close()


async def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    await (await Ledger.open(path)).close()
    newer = max(migrations()) + 1
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(
        LedgerError, match=f"is of version {newer}, and this faceswapd knows versions up to {newer - 1}"
    ):
        await Ledger.open(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (newer,)


@pytest.mark.parametrize(
    "content", [b"Dear diary, this is no database. " * 40, os.urandom(4096)], ids=["text", "noise"]
)
async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"cannot be used: .* Move it away to begin a new one\.$"):
        await Ledger.open(path)
    assert path.read_bytes() == content


async def test_after_a_failed_open_the_lock_is_free_and_no_thread_is_left(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"x" * 4096)
    with pytest.raises(LedgerError):
        await Ledger.open(path)
    pool = "asyncio_"  # the loop's own threads, which end with it
    others = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.name.startswith(pool)
    ]
    for thread in others:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in others), "a thread that is left keeps the program from ending"
    path.unlink()
    await (await Ledger.open(path)).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)  # noqa: ASYNC240
    try:
        with pytest.raises(LedgerError, match="Give this user the right to write into its folder"):
            await Ledger.open(tmp_path / "ledger.sqlite3")
    finally:
        tmp_path.chmod(0o700)  # noqa: ASYNC240


async def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(LedgerError, match="cannot be opened: "):
        await Ledger.open(tmp_path / "state" / "ledger.sqlite3")


async def test_a_ledger_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").mkdir()
    with pytest.raises(LedgerError, match="cannot be opened: Is a directory"):
        await Ledger.open(tmp_path / "ledger.sqlite3")


async def test_a_failed_unit_of_work_leaves_nothing(ledger: Ledger) -> None:
    before = await dump(ledger)

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO paused_inboxes VALUES ('rush', 1)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ledger.write(half)
    assert await dump(ledger) == before
    assert ledger.bell.count == 0


async def steps(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class CancelledAt:
    """Runs a coroutine, and cancels its task exactly at one of its waits, counted from 0."""

    def __init__(self, work: Coroutine[Any, Any, Any], wait: int) -> None:
        self._work = work
        self._wait = wait
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        given: BaseException | None = None
        while True:
            try:
                waited_for = self._work.send(None) if given is None else self._work.throw(given)
            except StopIteration as end:
                return end.value
            if self.waits == self._wait:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            self.waits += 1
            given = None
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001  handed on to the work
                given = error


async def halves(ledger: Ledger) -> tuple[int, int]:
    """How many jobs are queued and parked; all that belongs to them is there."""
    counts = await reports.counts(ledger)
    jobs = (counts[State.QUEUED].jobs, counts[State.PARKED].jobs)
    for table in ("sightings", "segments", "events"):
        assert len(await ledger.rows(f"SELECT 1 FROM {table}")) == sum(jobs)
    return jobs


async def test_a_cancel_at_each_single_wait_leaves_all_or_nothing(ledger: Ledger) -> None:
    """What was handed to the writer happens although its caller is gone: then it has rung."""
    outcomes, wait, before = [], 0, (0, 0)
    while True:
        rung = ledger.bell.count
        names = (f"{wait}-a.mp4", f"{wait}-b.mp4", f"{wait}-c.mp4")
        work = CancelledAt(admit(ledger, arrival(names[0]), faceless(names[1]), arrival(names[2])), wait)

        async def run(work: CancelledAt = work) -> None:
            await work

        task = asyncio.create_task(run())
        with contextlib.suppress(asyncio.CancelledError):
            await task
        after = await halves(ledger)
        assert (after[0] - before[0], after[1] - before[1]) in {(0, 0), (2, 1)}
        assert (ledger.bell.count > rung) == (after != before), "what was committed has rung"
        outcomes.append((task.cancelled(), after != before))
        before = after
        if not task.cancelled():
            break
        wait += 1
    assert outcomes[-2:] == [(True, True), (False, True)], "cancelled while it was written, and not at all"
    assert set(outcomes[:-2]) <= {(True, False)}


async def synchronous(ledger: Ledger, *, durable: bool) -> int:
    return int(await ledger.write(lambda one: one.execute("PRAGMA synchronous").fetchone()[0], durable=durable))


@pytest.mark.parametrize("count", range(61))
async def test_a_cancel_at_any_moment_leaves_all_or_nothing(ledger: Ledger, count: int) -> None:
    """The work is begun anew for each moment. A step is one turn of the loop; the thread that runs the SQL answers
    in between, so that the cancel falls upon another await each time."""
    await admit(ledger, arrival("before.mp4"))
    task = asyncio.create_task(admit(ledger, arrival("a.mp4"), faceless("b.mp4"), arrival("c.mp4")))
    await steps(count)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await halves(ledger) in {(1, 0), (3, 1)}
    # The connection is not stuck in a transaction, and takes new work.
    await admit(ledger, arrival("after.mp4"))


@pytest.mark.parametrize("count", range(12))
@pytest.mark.parametrize("durable", [True, False])
async def test_a_cancel_never_makes_durable_work_less_durable(ledger: Ledger, count: int, durable: bool) -> None:  # noqa: FBT001
    await synchronous(ledger, durable=not durable)
    task = asyncio.create_task(synchronous(ledger, durable=durable))
    await steps(count)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert await synchronous(ledger, durable=True) == 2, "FULL"
    assert await synchronous(ledger, durable=False) == 1, "NORMAL"


async def test_two_cancels_in_a_row_do_not_let_anything_slip(ledger: Ledger) -> None:
    for count in range(30):
        task = asyncio.create_task(admit(ledger, arrival(f"{count}.mp4")))
        for _ in range(2):
            await steps(count)
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    (job,) = await admit(ledger, arrival("after.mp4"))
    assert await reports.job(ledger, job) is not None


async def test_work_of_many_tasks_is_done_one_after_the_other(ledger: Ledger) -> None:
    async def twice(name: str) -> list[int]:
        return await admit(ledger, arrival(f"{name}-1.mp4"), arrival(f"{name}-2.mp4"))

    pairs = await asyncio.gather(*(twice(str(number)) for number in range(20)))
    assert all(second == first + 1 for first, second in pairs), "nobody wrote in between"


@pytest.mark.parametrize("run", range(5))
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, run: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    acknowledged = killed_while_admitting(path, run)
    opened = await Ledger.open(path)
    try:
        there = {row["id"] for row in await opened.rows("SELECT id FROM jobs")}
        assert len(acknowledged) >= 20
        assert there.issuperset(acknowledged)
        assert (await opened.rows("PRAGMA integrity_check"))[0][0] == "ok"
        assert (await reports.counts(opened))[State.QUEUED].jobs == len(there)
    finally:
        await opened.close()


def killed_while_admitting(path: Path, run: int) -> list[int]:
    """The jobs that a process acknowledged before it was killed in the middle of its work."""
    with subprocess.Popen(
        [sys.executable, "-c", ADMITTER, str(path), f"run{run}"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        text=True,
    ) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(20 + 17 * run)]
        child.send_signal(signal.SIGKILL)
        # A last line without its end was cut off by the kill: it acknowledges nothing.
        lines = child.stdout.read().splitlines(keepends=True)
        return acknowledged + [int(line) for line in lines if line.endswith("\n")]
