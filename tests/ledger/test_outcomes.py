from collections.abc import Awaitable, Callable

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.job import MAX_INTERRUPTIONS, TRANSITIONS, Event, IllegalTransition, Parked, State
from faceswapd.core.retry import GiveUp, TryAgain
from faceswapd.ledger import admission, claims, outcomes, reports
from faceswapd.ledger.admission import Outcome
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.outcomes import Assignment, Ran, Spent
from tests.ledger.arrivals import NOW, admit, arrival, claim, dump, faceless, ran, record, running

DIED = Failure("child_died", "The engine's child ended.")
AGAIN = TryAgain(30, spends_attempt=True)
BOB = Assignment("bob", "it was assigned by hand", "balanced")


async def succeed(ledger: Ledger, ran: Ran) -> None:
    await outcomes.succeed(
        ledger, ran, "/outbox/clip.mp4", f"result of {ran.job}", NOW + 9, Spent(100, 8.5, 2**30, "log")
    )


async def fail(ledger: Ledger, ran: Ran) -> None:
    await outcomes.failed(ledger, ran, DIED, GiveUp(DIED), NOW + 9)


async def retry(ledger: Ledger, ran: Ran) -> None:
    await outcomes.failed(ledger, ran, DIED, AGAIN, NOW + 9)


async def release(ledger: Ledger, ran: Ran) -> None:
    await outcomes.released(ledger, ran, NOW + 9, crashed=False)


async def crash(ledger: Ledger, ran: Ran) -> None:
    await outcomes.released(ledger, ran, NOW + 9, crashed=True)


async def cancelled(ledger: Ledger, ran: Ran) -> None:
    await outcomes.cancelled(ledger, ran, NOW + 9)


End = Callable[[Ledger, Ran], Awaitable[None]]
ENDS: list[tuple[End, Event, str]] = [
    (succeed, Event.SUCCEED, "succeeded"),
    (fail, Event.FAIL, "failed"),
    (retry, Event.RETRY, "retried"),
    (release, Event.RELEASE, "released"),
    (crash, Event.RELEASE, "released"),
    (cancelled, Event.CANCEL, "cancelled"),
]
BY_NAME = [end.__name__ for end, _, _ in ENDS]


async def in_state(ledger: Ledger, state: State) -> Ran:
    """A job in a state. Its execution is one that has ended, unless it runs."""
    if state is State.PARKED:
        (job,) = await admit(ledger, faceless())
        return Ran(1, (await record(ledger, job)).segment, job)
    execution = await running(ledger)
    ends: dict[State, End] = {
        State.SUCCEEDED: succeed,
        State.FAILED: fail,
        State.CANCELLED: cancelled,
        State.QUEUED: release,
    }
    if state in ends:
        await ends[state](ledger, execution)
    return execution


@pytest.mark.parametrize(("end", "event", "outcome"), ENDS, ids=BY_NAME)
async def test_an_end_moves_job_and_segment_and_closes_the_execution(
    ledger: Ledger, end: End, event: Event, outcome: str
) -> None:
    execution = await running(ledger)
    await end(ledger, execution)
    assert (await record(ledger, execution.job)).state is TRANSITIONS[event].destination
    (segment,) = await ledger.rows("SELECT state FROM segments")
    assert segment["state"] == TRANSITIONS[event].destination
    (closed,) = await ledger.rows("SELECT outcome, finished_at FROM executions")
    assert tuple(closed) == (outcome, NOW + 9)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
@pytest.mark.parametrize(("end", "event", "outcome"), ENDS, ids=BY_NAME)
async def test_an_end_of_what_does_not_run_is_refused_and_changes_nothing(
    ledger: Ledger, end: End, event: Event, outcome: str, state: State
) -> None:
    execution = await in_state(ledger, state)
    before = await dump(ledger)
    with pytest.raises(IllegalTransition) as caught:
        await end(ledger, execution)
    assert (caught.value.job, caught.value.state) == (execution.job, state)
    assert await dump(ledger) == before


@pytest.mark.parametrize(("end", "event", "outcome"), ENDS, ids=BY_NAME)
async def test_an_execution_that_has_ended_has_no_say_in_the_next_one(
    ledger: Ledger, end: End, event: Event, outcome: str
) -> None:
    old = await running(ledger)
    await release(ledger, old)
    await claim(ledger, old.job)
    before = await dump(ledger)
    with pytest.raises(IllegalTransition):
        await end(ledger, old)
    assert await dump(ledger) == before


async def test_a_success_keeps_what_was_made_and_what_it_took(ledger: Ledger) -> None:
    execution = await running(ledger)
    await succeed(ledger, execution)
    found = await record(ledger, execution.job)
    assert (found.output, found.progress, found.finished_at) == ("/outbox/clip.mp4", 1.0, NOW + 9)
    (one,) = await reports.executions(ledger, execution.job)
    assert (one.frames, one.seconds, one.log) == (100, 8.5, "log")


async def test_a_failure_says_why(ledger: Ledger) -> None:
    execution = await running(ledger)
    await fail(ledger, execution)
    found = await record(ledger, execution.job)
    assert (found.category, found.reason, found.finished_at) == ("child_died", DIED.sentence, NOW + 9)
    (one,) = await reports.executions(ledger, execution.job)
    assert one.sentence == DIED.sentence


@pytest.mark.parametrize(("spends", "attempt"), [(True, 1), (False, 0)])
async def test_a_retry_waits_and_spends_an_attempt_or_not(ledger: Ledger, spends: bool, attempt: int) -> None:  # noqa: FBT001
    execution = await running(ledger)
    await outcomes.progress(ledger, execution.segment, 0.8, "swapping")
    await outcomes.failed(ledger, execution, DIED, TryAgain(30, spends_attempt=spends), NOW)
    found = await record(ledger, execution.job)
    assert (found.not_before, found.attempt, found.reason) == (NOW + 30, attempt, DIED.sentence)
    assert (found.progress, found.phase) == (0.0, None), "what waits has done nothing yet"


async def test_a_stop_of_the_daemon_costs_nothing_however_often(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival())
    for _ in range(MAX_INTERRUPTIONS + 2):
        await release(ledger, ran(await claim(ledger, job)))
    found = await record(ledger, job)
    assert (found.state, found.attempt, found.interruptions, found.not_before) == (State.QUEUED, 0, 0, None)


async def test_the_third_crash_is_a_failure(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival())
    for count in range(1, MAX_INTERRUPTIONS):
        await crash(ledger, ran(await claim(ledger, job)))
        found = await record(ledger, job)
        assert (found.state, found.attempt, found.interruptions) == (State.QUEUED, 0, count)
    await crash(ledger, ran(await claim(ledger, job)))
    found = await record(ledger, job)
    assert (found.state, found.category) == (State.FAILED, "interrupted")
    assert found.reason == "The daemon went down 3 times while this job was running."
    assert [one.outcome for one in await reports.executions(ledger, job)] == ["released", "released", "failed"]


@pytest.mark.parametrize("one", [arrival(), faceless()], ids=["queued", "parked"])
async def test_what_waits_is_cancelled_at_once(ledger: Ledger, one: admission.Arrival) -> None:
    (job,) = await admit(ledger, one)
    assert await outcomes.request_cancel(ledger, job, NOW) is State.CANCELLED
    found = await record(ledger, job)
    assert (found.state, found.reason, found.parked, found.finished_at) == (
        State.CANCELLED,
        "It was cancelled.",
        None,
        NOW,
    )
    assert (await claims.queue(ledger, (), 1)).ready == ()


async def test_a_retry_that_waits_is_cancelled_and_never_due(ledger: Ledger) -> None:
    execution = await running(ledger)
    await retry(ledger, execution)
    await outcomes.request_cancel(ledger, execution.job, NOW)
    assert (await claims.queue(ledger, (), 1)).next_due is None
    assert (await record(ledger, execution.job)).not_before is None


async def test_what_runs_is_asked_to_stop_and_the_first_request_counts(ledger: Ledger) -> None:
    execution = await running(ledger)
    for seconds in (1, 2):
        assert await outcomes.request_cancel(ledger, execution.job, NOW + seconds) is State.RUNNING
    assert (await record(ledger, execution.job)).cancel_requested_at == NOW + 1


@pytest.mark.parametrize("end", [retry, release, crash])
async def test_what_was_asked_to_stop_does_not_come_back(ledger: Ledger, end: End) -> None:
    """The execution failed, or the daemon ended, before the request was carried out."""
    execution = await running(ledger)
    await outcomes.request_cancel(ledger, execution.job, NOW)
    await end(ledger, execution)
    found = await record(ledger, execution.job)
    assert (found.state, found.reason) == (State.CANCELLED, "It was cancelled while it ran.")
    (closed,) = await reports.executions(ledger, execution.job)
    assert closed.outcome == "cancelled"


@pytest.mark.parametrize(("end", "state"), [(succeed, State.SUCCEEDED), (fail, State.FAILED)])
async def test_what_ended_before_it_was_stopped_has_ended(ledger: Ledger, end: End, state: State) -> None:
    execution = await running(ledger)
    await outcomes.request_cancel(ledger, execution.job, NOW)
    await end(ledger, execution)
    assert (await record(ledger, execution.job)).state is state


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
async def test_what_has_ended_cannot_be_cancelled(ledger: Ledger, state: State) -> None:
    execution = await in_state(ledger, state)
    before = await dump(ledger)
    with pytest.raises(IllegalTransition):
        await outcomes.request_cancel(ledger, execution.job, NOW)
    assert await dump(ledger) == before


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
async def test_a_requeued_job_is_as_new(ledger: Ledger, state: State) -> None:
    execution = await running(ledger)
    await outcomes.request_cancel(ledger, execution.job, NOW)
    await (fail if state is State.FAILED else cancelled)(ledger, execution)
    await outcomes.requeue(ledger, execution.job, NOW + 20)
    found = await record(ledger, execution.job)
    assert (found.state, found.attempt, found.interruptions, found.progress) == (State.QUEUED, 0, 0, 0)
    assert (found.category, found.reason, found.started_at, found.finished_at) == (None, None, None, None)
    assert found.cancel_requested_at is None, "or it would be stopped as soon as it starts"


@pytest.mark.parametrize("state", [State.PARKED, State.QUEUED, State.RUNNING, State.SUCCEEDED])
async def test_only_failed_and_cancelled_jobs_are_requeued(ledger: Ledger, state: State) -> None:
    execution = await in_state(ledger, state)
    before = await dump(ledger)
    with pytest.raises(IllegalTransition):
        await outcomes.requeue(ledger, execution.job, NOW)
    assert await dump(ledger) == before


async def test_a_cancelled_job_without_a_face_is_not_requeued(ledger: Ledger) -> None:
    (job,) = await admit(ledger, faceless())
    await outcomes.request_cancel(ledger, job, NOW)
    before = await dump(ledger)
    with pytest.raises(IllegalTransition):
        await outcomes.requeue(ledger, job, NOW)
    assert await dump(ledger) == before


async def test_a_job_that_does_not_exist(ledger: Ledger) -> None:
    with pytest.raises(IllegalTransition):
        await outcomes.request_cancel(ledger, 4711, NOW)
    with pytest.raises(IllegalTransition):
        await outcomes.requeue(ledger, 4711, NOW)
    with pytest.raises(IllegalTransition):
        await outcomes.assign(ledger, 4711, BOB, NOW)


async def test_an_assigned_job_is_queued_with_its_face(ledger: Ledger) -> None:
    (job,) = await admit(ledger, faceless())
    assert await outcomes.assign(ledger, job, Assignment("bob", "by hand", "best", "/main/trip"), NOW) == job
    found = await record(ledger, job)
    assert (found.state, found.face, found.preset, found.rule) == (State.QUEUED, "bob", "best", "by hand")
    assert (found.parked, found.reason, found.bundle) == (None, None, "/main/trip")
    assert (await claim(ledger, job)).job.face == "bob"


@pytest.mark.parametrize("state", [state for state in State if state is not State.PARKED])
async def test_only_a_parked_job_is_assigned(ledger: Ledger, state: State) -> None:
    execution = await in_state(ledger, state)
    before = await dump(ledger)
    with pytest.raises(IllegalTransition):
        await outcomes.assign(ledger, execution.job, BOB, NOW)
    assert await dump(ledger) == before


@pytest.mark.parametrize("why", [Parked.UNREADABLE, Parked.INCOMPLETE])
async def test_what_cannot_be_read_is_not_assigned(ledger: Ledger, why: Parked) -> None:
    (job,) = await admit(ledger, faceless(parked=why, facts=None))
    with pytest.raises(IllegalTransition):
        await outcomes.assign(ledger, job, BOB, NOW)
    assert (await record(ledger, job)).state is State.PARKED


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.SUCCEEDED])
async def test_an_assignment_of_what_is_a_job_already_adds_none(ledger: Ledger, state: State) -> None:
    other = await running(ledger, arrival("bob/clip.mp4", "content", face="bob"))
    if state is not State.RUNNING:
        await (succeed if state is State.SUCCEEDED else release)(ledger, other)
    (job,) = await admit(ledger, faceless("clip.mp4", "content"))
    assert await outcomes.assign(ledger, job, BOB, NOW) == other.job
    withdrawn = await record(ledger, job)
    assert (withdrawn.state, withdrawn.reason) == (State.CANCELLED, f"Job {other.job} does the same.")
    found = await record(ledger, other.job)
    assert (found.state, found.target) == (state, "/main/bob/clip.mp4")
    (sighting,) = await admission.sightings_of(ledger, ["/main/clip.mp4"])
    assert sighting.job == other.job


@pytest.mark.parametrize("end", [fail, cancelled])
async def test_an_assignment_of_what_failed_runs_it_again_for_the_file_that_is_there(ledger: Ledger, end: End) -> None:
    """The file of the old job may be gone: that is perhaps why it failed."""
    other = await running(ledger, arrival("bob/clip.mp4", "content", face="bob"))
    await end(ledger, other)
    (job,) = await admit(ledger, faceless("clip.mp4", "content", inbox="rush", priority=5))
    assert await outcomes.assign(ledger, job, BOB, NOW) == other.job
    found = await record(ledger, other.job)
    assert (found.state, found.target, found.priority) == (State.QUEUED, "/rush/clip.mp4", 5)
    assert [ready.job for ready in (await claims.queue(ledger, ["main"], 5)).ready] == [other.job]


async def test_a_withdrawn_parked_file_can_be_dropped_again(ledger: Ledger) -> None:
    (job,) = await admit(ledger, faceless("clip.mp4", "content"))
    await outcomes.request_cancel(ledger, job, NOW)
    (answer,) = await admission.admit(ledger, [faceless("clip.mp4", "content")], NOW)
    assert answer.outcome is Outcome.PARKED
    assert answer.job != job


async def test_progress_is_kept_of_what_runs_and_of_nothing_else(ledger: Ledger) -> None:
    execution = await running(ledger)
    await outcomes.progress(ledger, execution.segment, 0.4, "swapping")
    found = await record(ledger, execution.job)
    assert (found.progress, found.phase) == (0.4, "swapping")
    await release(ledger, execution)
    await outcomes.progress(ledger, execution.segment, 0.5, "swapping")
    found = await record(ledger, execution.job)
    assert (found.progress, found.phase) == (0.0, None)


async def test_words_with_bytes_that_are_no_text_are_spelled_out(ledger: Ledger) -> None:
    execution = await running(ledger)
    failure = Failure("not_writable", "The file /outbox/caf\udce9.mp4 cannot be written.")
    await outcomes.failed(ledger, execution, failure, GiveUp(failure), NOW, Spent(log="caf\udce9"))
    assert (await record(ledger, execution.job)).reason == r"The file /outbox/caf\udce9.mp4 cannot be written."
