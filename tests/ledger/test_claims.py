import asyncio
import sqlite3

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.job import IllegalTransition, State
from faceswapd.core.retry import TryAgain
from faceswapd.core.wish import Wish
from faceswapd.ledger import claims, outcomes
from faceswapd.ledger.claims import Claim
from faceswapd.ledger.connection import Ledger
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, claim, faceless, ran, record, running

LOST = Failure("child_died", "The engine's child ended.")


async def order(ledger: Ledger, *paused: str, limit: int = 10) -> list[int]:
    return [ready.job for ready in (await claims.queue(ledger, paused, limit)).ready]


async def retry(ledger: Ledger, seconds: float) -> int:
    execution = await running(ledger, arrival(f"retry-{seconds}.mp4"))
    await outcomes.failed(ledger, execution, LOST, TryAgain(seconds, spends_attempt=True), NOW)
    return execution.job


async def test_the_queue_goes_by_priority_then_age_over_all_inboxes(ledger: Ledger) -> None:
    jobs = await admit(
        ledger,
        arrival("a.mp4", inbox="main", priority=0),
        arrival("b.mp4", inbox="rush", priority=5),
        arrival("c.mp4", inbox="best", priority=-5),
        arrival("d.mp4", inbox="main", priority=0),
        arrival("e.mp4", inbox="also", priority=0),
        arrival("f.mp4", inbox="rush", priority=5),
    )
    expected = [jobs[1], jobs[5], jobs[0], jobs[3], jobs[4], jobs[2]]
    assert await order(ledger) == expected
    for limit in range(1, 6):
        assert await order(ledger, limit=limit) == expected[:limit]


async def test_what_is_parked_running_or_ended_is_not_ready(ledger: Ledger) -> None:
    await admit(ledger, faceless())
    await running(ledger, arrival("running.mp4"))
    await outcomes.cancelled(ledger, await running(ledger, arrival("cancelled.mp4")), NOW)
    assert await order(ledger) == []


async def test_paused_inboxes_are_left_out(ledger: Ledger) -> None:
    main, rush = await admit(ledger, arrival("a.mp4"), arrival("b.mp4", inbox="rush", priority=5))
    assert await order(ledger, "rush") == [main]
    assert await order(ledger, "main") == [rush]
    assert await order(ledger, "main", "rush") == []


async def test_a_claim_opens_an_execution(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival())
    claimed = await claim(ledger, job)
    assert (claimed.job.state, claimed.job.attempt, claimed.job.started_at) == (State.RUNNING, 1, NOW)
    row = await ledger.row("SELECT * FROM executions")
    assert row is not None
    assert (row["id"], row["boot"], row["slot"], row["engine"]) == (claimed.execution, "first-boot", 1, "preview")
    assert row["finished_at"] is None


@pytest.mark.parametrize("state", ["running", "parked", "cancelled"])
async def test_only_what_is_queued_is_claimed(ledger: Ledger, state: str) -> None:
    (job,) = await admit(ledger, faceless() if state == "parked" else arrival())
    if state == "running":
        await claim(ledger, job)
    elif state == "cancelled":
        await outcomes.request_cancel(ledger, job, NOW)
    with pytest.raises(IllegalTransition) as caught:
        await claim(ledger, job)
    assert (caught.value.job, caught.value.state) == (job, State(state))


async def test_a_segment_that_does_not_exist(ledger: Ledger) -> None:
    with pytest.raises(IllegalTransition):
        await claims.claim(ledger, 4711, RUNNER, NOW)


async def test_of_twenty_racing_claimers_one_wins(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival())
    segment = (await record(ledger, job)).segment
    answers = await asyncio.gather(
        *(claims.claim(ledger, segment, RUNNER, NOW) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert sum(isinstance(answer, IllegalTransition) for answer in answers) == 19
    assert len(await ledger.rows("SELECT 1 FROM executions")) == 1


async def test_a_segment_has_at_most_one_open_execution(ledger: Ledger) -> None:
    """The schema itself says so, whatever the code does."""
    execution = await running(ledger)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await ledger.write(
            lambda connection: connection.execute(
                """INSERT INTO executions (segment, attempt, boot, slot, engine, device, kind, preset, started_at)
                   VALUES (?, 2, 'second-boot', 1, 'preview', 'CPU', 'video', 'balanced', 0)""",
                (execution.segment,),
            )
        )


async def test_a_retry_waits_for_its_time(ledger: Ledger) -> None:
    soon, later = await retry(ledger, 10), await retry(ledger, 60)
    queue = await claims.queue(ledger, (), 10)
    assert (queue.ready, queue.next_due) == ((), NOW + 10)
    await claims.wake_due(ledger, NOW + 9.9)
    assert await order(ledger) == []
    await claims.wake_due(ledger, NOW + 10)
    assert await order(ledger) == [soon]
    assert (await claims.queue(ledger, (), 10)).next_due == NOW + 60
    await claims.wake_due(ledger, NOW + 1000)
    assert await order(ledger) == [soon, later]
    assert (await claims.queue(ledger, (), 10)).next_due is None


async def test_nobody_is_woken_while_nothing_is_due(ledger: Ledger) -> None:
    """A ring would send the scheduler round and round."""
    await retry(ledger, 10)
    rung = ledger.bell.count
    await claims.wake_due(ledger, NOW)
    assert ledger.bell.count == rung


async def test_requests_to_cancel_are_seen_with_the_queue(ledger: Ledger) -> None:
    first, second = await running(ledger, arrival("a.mp4")), await running(ledger, arrival("b.mp4"))
    assert (await claims.queue(ledger, (), 1)).cancels == frozenset()
    await outcomes.request_cancel(ledger, second.job, NOW)
    assert (await claims.queue(ledger, (), 1)).cancels == {second.segment}
    await outcomes.cancelled(ledger, second, NOW)
    await outcomes.succeed(ledger, first, "/outbox/a.mp4", "result", NOW)
    assert (await claims.queue(ledger, (), 1)).cancels == frozenset()


async def test_leftovers_are_the_open_executions_with_what_is_known_of_them(ledger: Ledger) -> None:
    await outcomes.cancelled(ledger, await running(ledger, arrival("ended.mp4")), NOW)
    bare = await running(ledger, arrival("bare.mp4"))
    full = await running(ledger, arrival("full.mp4"))
    await outcomes.child_known(ledger, full.execution, 4711, 12.5)
    await outcomes.publishing(ledger, full.execution, "/outbox/caf\udce9.mp4", "result")
    first, second = await claims.leftovers(ledger)
    assert (first.execution, first.segment, first.job) == (bare.execution, bare.segment, bare.job)
    assert (first.pid, first.pid_started, first.publishing, first.publishing_content) == (None, None, None, None)
    assert (second.pid, second.pid_started, second.publishing_content) == (4711, 12.5, "result")
    assert second.publishing == "/outbox/caf\udce9.mp4"


async def test_a_claim_forgets_the_failure_before_it(ledger: Ledger) -> None:
    job = await retry(ledger, 10)
    assert (await record(ledger, job)).reason == LOST.sentence
    claimed = await claim(ledger, job)
    assert (claimed.job.attempt, claimed.job.reason, claimed.job.category, claimed.job.not_before) == (
        2,
        None,
        None,
        None,
    )
    assert ran(claimed).job == job


async def test_a_retry_does_not_wait_for_the_time_of_a_clock_that_was_ahead(ledger: Ledger) -> None:
    """Two days too late is what a clock that has been put right makes of a wait of seconds."""
    ahead, soon = await retry(ledger, 2 * 86400.0), await retry(ledger, 60.0)
    (wished,) = await admit(ledger, arrival("by night.mp4", wish=Wish(not_before=NOW + 2 * 86400.0)))
    await claims.wake_overdue(ledger, NOW + 900.0)
    assert await order(ledger) == [ahead]
    await claims.wake_due(ledger, NOW + 61.0)
    assert await order(ledger) == [ahead, soon]
    assert (await record(ledger, wished)).not_before == NOW + 2 * 86400.0
