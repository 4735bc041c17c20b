"""A copy of a ledger that is in use, what a check finds, and what is seen before a file is opened."""

import asyncio
import random
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest

from faceswapd.core.failures import FINAL, Failure
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp
from faceswapd.ledger import backup, check, outcomes, reports, standing
from faceswapd.ledger.backup import BackupRefused
from faceswapd.ledger.connection import Ledger, LedgerError
from faceswapd.ledger.outcomes import Again
from tests.ledger.arrivals import NOW, admit, arrival, dump, running


async def test_a_backup_is_whole_and_nobody_elses(ledger: Ledger, tmp_path: Path) -> None:
    await running(ledger)
    place = tmp_path / "copy"
    assert await backup.backup(ledger, place) == place.stat().st_size
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert not place.with_name("copy.part").exists()
    copy = await Ledger.open(place)
    assert await dump(copy) == await dump(ledger)
    await copy.close()


async def test_a_backup_while_others_write_is_of_one_moment(ledger: Ledger, tmp_path: Path) -> None:
    over = asyncio.Event()

    async def write() -> int:
        number = 0
        while not over.is_set():
            await admit(ledger, *(arrival(f"alice/{number}-{part}.mp4") for part in range(10)))
            number += 1
        return number

    writing = asyncio.create_task(write())
    for number in range(5):
        await backup.backup(ledger, tmp_path / f"copy-{number}")
        report = check.check_file(tmp_path / f"copy-{number}")
        assert report.problems == ()
        assert report.jobs % 10 == 0
    over.set()
    assert await writing


async def test_nothing_is_ever_overwritten(ledger: Ledger, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for place in (there, tmp_path / "link", ledger.path):
        with pytest.raises(BackupRefused, match="is there already"):
            await backup.backup(ledger, place)
    assert there.read_text(encoding="utf-8") == "mine"
    with pytest.raises(BackupRefused, match="cannot be written"):
        await backup.backup(ledger, tmp_path / "no" / "where")
    (tmp_path / "again.part").touch()
    with pytest.raises(BackupRefused, match="another backup"):
        await backup.backup(ledger, tmp_path / "again")


async def test_a_whole_ledger_has_no_problem(ledger: Ledger) -> None:
    await standing.begin(ledger, "first-boot", 1)
    one = await running(ledger)
    await outcomes.succeed(ledger, one, "/out", "hash", NOW)
    await running(ledger, arrival("alice/other.mp4"))
    report = await check.check(ledger)
    assert (report.problems, report.jobs) == ((), 2)
    assert report.size == ledger.path.stat().st_size


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE job_counts SET jobs = jobs + 3 WHERE state = 'running'", "is off by 3 jobs and 0 frames."),
        ("DELETE FROM segments", "Without any segment: job 1."),
        ("UPDATE segments SET state = 'queued'", "Running without a running segment: job 1."),
        ("UPDATE segments SET state = 'queued'", "With an execution that is open although nothing runs: job 1."),
        ("UPDATE jobs SET state = 'queued'", "In another state than their segments: job 1."),
        ("DELETE FROM executions", "Running without an execution: job 1."),
        ("UPDATE executions SET boot = 'earlier'", "that an earlier life of the daemon left open: job 1."),
        ("UPDATE executions SET segment = 99", "A row of executions points to a row of segments that is not there."),
    ],
)
async def test_books_that_do_not_balance_are_told(ledger: Ledger, damage: str, problem: str) -> None:
    await standing.begin(ledger, "first-boot", 1)
    await running(ledger)
    other = sqlite3.connect(ledger.path)
    other.execute("PRAGMA foreign_keys = OFF")
    with other:
        other.execute(damage)
    other.close()
    assert [said for said in (await check.check(ledger)).problems if problem in said]


def damaged(path: Path, seed: int) -> bytes:
    """Random bytes over a tenth of the pages, but the first."""
    chance = random.Random(seed)
    with path.open("r+b") as file:
        pages = path.stat().st_size // 4096
        for page in chance.sample(range(1, pages), pages // 10 + 1):
            file.seek(page * 4096)
            file.write(chance.randbytes(4096))
    return path.read_bytes()


@pytest.mark.parametrize("seed", range(5))
async def test_a_damaged_ledger_is_told_and_left_as_it_is(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    ledger = await Ledger.open(path)
    await admit(ledger, *(arrival(f"alice/{number}.mp4") for number in range(2000)))
    await ledger.close()
    content = damaged(path, seed)
    with pytest.raises(LedgerError, match=r"is damaged: .+ If there is a backup of it, put that in its place\."):
        await Ledger.open(path)
    assert path.read_bytes() == content
    assert check.check_file(path).problems


async def test_the_log_of_another_ledger_is_not_read_into_a_backup(tmp_path: Path) -> None:
    """The daemon was killed, and its ledger replaced by a backup: what is left beside it belongs to the old file."""
    path = tmp_path / "ledger.sqlite3"
    ledger = await Ledger.open(path)
    await admit(ledger, *(arrival(f"alice/{number}.mp4") for number in range(50)))
    await backup.backup(ledger, tmp_path / "copy")
    before = await dump(ledger)
    await admit(ledger, *(arrival(f"alice/late-{number}.mp4") for number in range(50)))
    log = (tmp_path / "ledger.sqlite3-wal").read_bytes()
    assert log
    await ledger.close()
    (tmp_path / "ledger.sqlite3-wal").write_bytes(log)  # as kill -9 leaves it
    shutil.copy(tmp_path / "copy", path)
    ledger = await Ledger.open(path)
    assert await dump(ledger) == before
    assert (await check.check(ledger)).problems == ()
    await ledger.close()
    beside = await asyncio.to_thread(lambda: list(tmp_path.iterdir()))
    assert sum("-wal.of-another-" in path.name for path in beside) == 1


async def test_all_failed_jobs_of_a_category_wait_again_but_those_that_were_declined(ledger: Ledger) -> None:
    final = min(FINAL)
    for number, category in enumerate(["gpu_oom", "gpu_oom", "disk_full", final]):
        failure = Failure(category, "It failed.")
        one = await running(ledger, arrival(f"alice/{number}.mp4"))
        await outcomes.failed(ledger, one, failure, GiveUp(failure), NOW)
    assert await reports.failed_categories(ledger) == {"disk_full": 1, "gpu_oom": 2, final: 1}
    assert await outcomes.requeue_failed(ledger, "gpu_oom", NOW) == outcomes.Requeued(
        (Again(1, "alice/0.mp4"), Again(2, "alice/1.mp4")), ()
    )
    assert await outcomes.requeue_failed(ledger, "gpu_oom", NOW) == outcomes.Requeued((), ())
    assert await outcomes.requeue_failed(ledger, None, NOW) == outcomes.Requeued((Again(3, "alice/2.mp4"),), (4,))
    counts = await reports.counts(ledger)
    assert (counts[State.QUEUED].jobs, counts[State.FAILED].jobs) == (3, 1)
