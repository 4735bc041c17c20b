"""What the ledger counts of what has ended, whatever becomes of the rows."""

import asyncio
import contextlib
import sqlite3
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.filled_ledger import fill
from faceswapd.core.failures import Failure
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp, TryAgain
from faceswapd.ledger import claims, outcomes, report
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.migration import migrations
from faceswapd.ledger.outcomes import Spent
from faceswapd.ledger.pruning import Pruning
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, faceless, ran, record, running

GPU = replace(RUNNER, slot=2, device="GPU 0")
DAY = datetime.fromtimestamp(NOW).date()  # noqa: DTZ006
OOM = Failure("gpu_oom", "The GPU has too little memory.")


async def test_each_end_of_a_job_and_of_an_execution_is_counted_once(ledger: Ledger) -> None:
    first = await running(ledger)
    await outcomes.succeed(ledger, first, "/o/1.mp4", "one", NOW + 10, Spent(100, 8.0))
    second = await running(ledger, arrival("alice/2.mp4"))
    await outcomes.failed(ledger, second, OOM, TryAgain(5.0, spends_attempt=True, rung=1), NOW + 20)
    await claims.wake_due(ledger, NOW + 100)
    again = await claims.claim(ledger, second.segment, GPU, NOW + 100)
    await outcomes.failed(ledger, ran(again), OOM, GiveUp(OOM), NOW + 130)
    third = await running(ledger, arrival("alice/3.mp4"))
    await outcomes.request_cancel(ledger, third.job, NOW)
    await outcomes.cancelled(ledger, third, NOW + 1)
    fourth, parked = await admit(ledger, arrival("alice/4.mp4"), faceless())
    for job in (fourth, parked):
        await outcomes.request_cancel(ledger, job, NOW)
    day = DAY.isoformat()
    assert [(one.day, one.state, one.jobs, one.video) for one in await report.ended_jobs(ledger, day)] == [
        (day, State.CANCELLED, 3, 12.0),
        (day, State.FAILED, 1, 4.0),
        (day, State.SUCCEEDED, 1, 4.0),
    ]
    ended = await report.ended_executions(ledger, day)
    assert {(one.outcome, one.category, one.device, one.slot, one.executions, one.frames) for one in ended} == {
        ("succeeded", "", "CPU", 1, 1, 100),
        ("retried", "gpu_oom", "CPU", 1, 1, 0),
        ("failed", "gpu_oom", "GPU 0", 2, 1, 0),
        ("cancelled", "", "CPU", 1, 1, 0),
    }
    assert sum(one.busy for one in ended) == pytest.approx(10 + 20 + 30 + 1)
    assert await report.ended_jobs(ledger, (DAY + timedelta(days=1)).isoformat()) == []
    assert await report.failed_by_category(ledger) == {"gpu_oom": 1}


async def test_a_job_that_ends_again_counts_again_and_nothing_is_forgotten_with_old_rows(ledger: Ledger) -> None:
    one = await running(ledger)
    await outcomes.failed(ledger, one, OOM, GiveUp(OOM), NOW)
    await outcomes.requeue(ledger, one.job, NOW)
    again = ran(await claims.claim(ledger, one.segment, RUNNER, NOW))
    await outcomes.succeed(ledger, again, "/o/1.mp4", "one", NOW + 60, Spent(100, 8.0))
    before = await report.all_executions(ledger)
    pruning = Pruning(ledger)
    assert await pruning.executions(NOW + 1000) == 1, "the earlier attempt"
    assert await report.all_executions(ledger) == before
    counts = {one.state: one.jobs for one in await report.ended_jobs(ledger, "")}
    assert counts == {State.FAILED: 1, State.SUCCEEDED: 1}


async def test_a_wait_begins_when_the_job_was_last_put_into_the_queue(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival(), now=NOW)
    segment = (await record(ledger, job)).segment
    one = ran(await claims.claim(ledger, segment, RUNNER, NOW + 30))
    assert [(run.slot, run.started_at) for run in await report.open_executions(ledger)] == [(1, NOW + 30)]
    await outcomes.failed(ledger, one, OOM, GiveUp(OOM), NOW + 40)
    await outcomes.requeue(ledger, job, NOW + 1000)
    await claims.claim(ledger, segment, RUNNER, NOW + 1005)
    assert sorted(await report.waits(ledger, NOW)) == [5.0, 30.0]
    assert await report.waits(ledger, NOW + 500) == [5.0]
    assert await report.first_job_at(ledger) == NOW


async def test_the_faces_jobs_are_counted_whatever_their_case(ledger: Ledger) -> None:
    await running(ledger)
    await admit(ledger, arrival("x/1.mp4", face="ALICE"), arrival("x/2.mp4", face="bob"), faceless())
    found = await report.jobs_of_faces(ledger)
    assert found == {"alice": {State.RUNNING: 1, State.QUEUED: 1}, "bob": {State.QUEUED: 1}}


def test_a_ledger_from_before_is_counted_when_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    fill(path, 200)
    counted = "SELECT day, outcome, sum(executions), sum(busy) FROM ended_executions GROUP BY day, outcome"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for undone in ("TRIGGER executions_ended", "TRIGGER jobs_ended", "TABLE ended_executions", "TABLE ended_jobs"):
            connection.execute(f"DROP {undone}")
        for index in ("jobs_failed_by_category", "jobs_by_face"):
            connection.execute(f"DROP INDEX {index}")
        connection.execute("UPDATE executions SET outcome = 'succeeded'")
        number = next(number for number, sql in migrations().items() if "ended_executions" in sql)
        connection.executescript(migrations()[number])
        (row,) = connection.execute(counted).fetchall()
        (executions,) = connection.execute("SELECT count(*) FROM executions").fetchone()
    assert row[1:] == ("succeeded", executions, executions * 20.0)


@pytest.mark.deep
def test_a_hundred_thousand_executions_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    fill(path, 110_000)
    assert asyncio.run(_seconds(path)) < 0.1


async def _seconds(path: Path) -> float:
    opened = await Ledger.open(path)
    begun = time.monotonic()
    await report.ended_jobs(opened, "2023-11-01")
    await report.ended_executions(opened, "2023-11-01")
    await report.waits(opened, 0.0)
    seconds = time.monotonic() - begun
    await opened.close()
    return seconds
