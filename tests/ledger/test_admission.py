import os
from pathlib import Path

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.intake import Signature
from faceswapd.core.job import IllegalTransition, Parked, State
from faceswapd.core.retry import GiveUp
from faceswapd.core.wish import Pass, Trim, Wish
from faceswapd.ledger import admission, claims, outcomes, reports
from faceswapd.ledger.admission import Arrival, Outcome
from faceswapd.ledger.connection import Ledger
from tests.ledger.arrivals import NOW, admit, arrival, claim, faceless, facts, ran, record, running

BROKEN = Failure("output_damaged", "The output ends too early.")
NOT_UTF8 = os.fsdecode(b"caf\xe9")


async def outcome(ledger: Ledger, one: Arrival) -> tuple[Outcome, int]:
    (answer,) = await admission.admit(ledger, [one], NOW)
    return answer.outcome, answer.job


async def note_of(ledger: Ledger, target: str) -> str | None:
    (sighting,) = await admission.sightings_of(ledger, [target])
    return sighting.note


async def succeed(ledger: Ledger, one: Arrival, output_content: str = "result") -> int:
    execution = await running(ledger, one)
    await outcomes.succeed(ledger, execution, "/outbox/clip.mp4", output_content, NOW)
    return execution.job


async def test_a_target_becomes_a_queued_job_with_all_that_was_found_out(ledger: Ledger) -> None:
    one = arrival("alice/clip.mp4", preset="best", priority=7, afterwards="archive")
    (job,) = await admit(ledger, one)
    found = await record(ledger, job)
    assert (found.state, found.face, found.preset, found.priority) == (State.QUEUED, "alice", "best", 7)
    assert (found.target, found.relative, found.afterwards) == (one.target, one.relative, "archive")
    assert found.facts == one.facts
    assert found.rule == one.rule
    assert [event.kind for event in await reports.events_of(ledger, job, 10)] == ["queued"]


@pytest.mark.parametrize("name", ["alice/clip.mp4", "alice/copy of clip.mp4", "alice/deeper/clip.mp4"])
async def test_the_same_content_face_and_preset_is_one_job(ledger: Ledger, name: str) -> None:
    (job,) = await admit(ledger, arrival("alice/clip.mp4", "content"))
    for _ in range(3):
        assert await outcome(ledger, arrival(name, "content")) == (Outcome.DUPLICATE, job)
    assert (await reports.counts(ledger))[State.QUEUED].jobs == 1


@pytest.mark.parametrize(
    "other",
    [
        arrival("bob/clip.mp4", "content", face="bob"),
        arrival("alice/clip@best.mp4", "content", preset="best"),
        arrival("alice/other.mp4", "other content"),
        arrival("trip/clip.mp4", "content", face="trip", bundle="/rush/trip"),
    ],
    ids=["face", "preset", "content", "bundle"],
)
async def test_another_face_preset_or_content_is_another_job(ledger: Ledger, other: Arrival) -> None:
    await admit(ledger, arrival("alice/clip.mp4", "content"))
    await admit(ledger, arrival("trip/clip.mp4", "content", face="trip", bundle="/main/trip"))
    assert (await outcome(ledger, other))[0] is Outcome.QUEUED


async def test_the_face_is_compared_without_case_and_normalised(ledger: Ledger) -> None:
    await admit(ledger, arrival("a.mp4", "content", face="Zoe\u0308"))
    assert (await outcome(ledger, arrival("b.mp4", "content", face="zo\u00eb")))[0] is Outcome.DUPLICATE


async def test_a_duplicate_says_whose_and_a_touched_file_says_nothing(ledger: Ledger) -> None:
    await succeed(ledger, arrival("a.mp4", "content"))
    await admit(ledger, arrival("a.mp4", "content", signature=Signature(1, 1000, 2)))
    assert await note_of(ledger, "/main/a.mp4") is None
    await admit(ledger, arrival("b.mp4", "content"))
    expected = "It has the same content, face and preset as job 1: one job does for both."
    assert await note_of(ledger, "/main/b.mp4") == expected


async def test_a_copy_of_what_waits_leaves_the_job_where_it_was_dropped_first(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival("a.mp4", "content"))
    assert await outcome(ledger, arrival("deeper/b.mp4", "content")) == (Outcome.DUPLICATE, job)
    assert (await record(ledger, job)).relative == "a.mp4"


async def test_a_copy_of_what_waits_in_another_inbox_moves_the_job_there(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival("a.mp4", "content", inbox="main", priority=0, afterwards="delete"))
    await admit(ledger, arrival("b.mp4", "content", inbox="rush", priority=9, afterwards="keep"))
    found = await record(ledger, job)
    # The copy's own inbox says what becomes of it: `delete` of the first one must not hit it.
    assert (found.target, found.relative, found.inbox) == ("/rush/b.mp4", "b.mp4", "rush")
    assert (found.priority, found.afterwards) == (9, "keep")
    (head,) = await claims.ready(ledger, {"main"}, 1)
    assert (head["job"], head["priority"]) == (job, 9)


async def test_a_copy_of_what_runs_changes_nothing_of_the_job(ledger: Ledger) -> None:
    execution = await running(ledger, arrival("a.mp4", "content"))
    before = await record(ledger, execution.job)
    await admit(ledger, arrival("b.mp4", "content", inbox="rush", priority=9))
    assert await record(ledger, execution.job) == before


async def test_an_output_dropped_back_is_not_swapped_again(ledger: Ledger) -> None:
    job = await succeed(ledger, arrival("clip.mp4", "content"), output_content="result")
    for one in (arrival("bob/clip.mp4", "result", face="bob"), faceless("clip (1).mp4", "result")):
        assert await outcome(ledger, one) == (Outcome.OUTPUT, job)
        assert await note_of(ledger, one.target) == f"It is the result of job {job}, and is not swapped again."


@pytest.mark.parametrize("how", ["failed", "cancelled while it waited", "cancelled while it ran"])
async def test_dropping_again_what_failed_or_was_cancelled_asks_for_it_again(ledger: Ledger, how: str) -> None:
    (job,) = await admit(ledger, arrival("alice/clip.mp4", "content"))
    if how == "cancelled while it waited":
        await outcomes.request_cancel(ledger, job, NOW)
    else:
        execution = ran(await claim(ledger, job))
        if how == "failed":
            await outcomes.failed(ledger, execution, BROKEN, GiveUp(BROKEN), NOW)
        else:
            await outcomes.cancelled(ledger, execution, NOW)
    again = arrival("alice/deeper/clip.mp4", "content", inbox="rush", priority=5)
    assert await outcome(ledger, again) == (Outcome.AGAIN, job)
    found = await record(ledger, job)
    assert (found.state, found.target, found.inbox) == (State.QUEUED, again.target, "rush")
    assert (found.attempt, found.reason, found.category, found.finished_at) == (0, None, None, None)
    assert (await claim(ledger, job)).job.priority == 5


@pytest.mark.parametrize("first", [arrival("clip.mp4", "old"), faceless("clip.mp4", "old")], ids=["queued", "parked"])
@pytest.mark.parametrize("second", [arrival("clip.mp4", "new"), faceless("clip.mp4", "new")], ids=["queued", "parked"])
async def test_replaced_content_takes_back_what_waited_for_the_old_one(
    ledger: Ledger, first: Arrival, second: Arrival
) -> None:
    (old,) = await admit(ledger, first)
    (new,) = await admit(ledger, second)
    assert new != old
    withdrawn = await record(ledger, old)
    assert (withdrawn.state, withdrawn.reason, withdrawn.parked) == (
        State.CANCELLED,
        "The file has changed since.",
        None,
    )
    assert [job.id for job in await reports.of_target(ledger, first.target) if job.state is not State.CANCELLED] == [
        new
    ]


async def test_replaced_content_leaves_what_runs_to_its_execution(ledger: Ledger) -> None:
    execution = await running(ledger, arrival("clip.mp4", "old"))
    await admit(ledger, arrival("clip.mp4", "new"))
    assert (await record(ledger, execution.job)).state is State.RUNNING


async def test_an_old_content_that_returns_is_its_old_job_again(ledger: Ledger) -> None:
    (old,) = await admit(ledger, arrival("clip.mp4", "old"))
    await admit(ledger, arrival("clip.mp4", "new"))
    assert await outcome(ledger, arrival("clip.mp4", "old")) == (Outcome.AGAIN, old)


@pytest.mark.parametrize("one", [arrival(), faceless()], ids=["queued", "parked"])
async def test_a_file_that_is_taken_away_takes_its_job_along(ledger: Ledger, one: Arrival) -> None:
    (job,) = await admit(ledger, one)
    assert await admission.forget(ledger, [one.target], NOW, "The file was taken out of the inbox.") == [one.target]
    found = await record(ledger, job)
    assert (found.state, found.reason) == (State.CANCELLED, "The file was taken out of the inbox.")
    assert await admission.sightings(ledger) == []


async def test_a_file_that_returns_is_queued_again(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival())
    await admission.forget(ledger, [arrival().target], NOW, "gone")
    assert await outcome(ledger, arrival()) == (Outcome.AGAIN, job)


async def test_forgetting_leaves_what_runs_and_what_has_ended(ledger: Ledger) -> None:
    ended = await succeed(ledger, arrival("a.mp4"))
    execution = await running(ledger, arrival("b.mp4"))
    await admission.forget(ledger, ["/main/a.mp4", "/main/b.mp4"], NOW, "gone")
    assert (await record(ledger, ended)).state is State.SUCCEEDED
    assert (await record(ledger, execution.job)).state is State.RUNNING


@pytest.mark.parametrize(("gone", "left"), [("a.mp4", "b.mp4"), ("b.mp4", "a.mp4")])
async def test_of_two_copies_the_one_that_stays_is_swapped(ledger: Ledger, gone: str, left: str) -> None:
    """One job did for both: it must not vanish with one of them."""
    (job,) = await admit(ledger, arrival("a.mp4", "content"))
    await admit(ledger, arrival("b.mp4", "content"))
    new = await admission.forget(ledger, [f"/main/{gone}"], NOW, "gone")
    if f"/main/{left}" in new:  # what the inbox does with a file that is new
        await admit(ledger, arrival(left, "content"))
    found = await record(ledger, job)
    assert (found.state, found.target) == (State.QUEUED, f"/main/{left}")


async def test_a_target_is_parked_once(ledger: Ledger) -> None:
    for modified in range(3):
        unreadable = faceless(parked=Parked.UNREADABLE, facts=None, signature=Signature(1, 1000, modified))
        await admit(ledger, unreadable)
    assert (await reports.counts(ledger))[State.PARKED].jobs == 1


async def test_a_deleted_job_leaves_its_file_dealt_with(ledger: Ledger) -> None:
    """The target still lies in the inbox: without its sighting it would be swapped once more."""
    job = await succeed(ledger, arrival())
    await ledger.write(lambda connection: connection.execute("DELETE FROM jobs WHERE id = ?", (job,)))
    (sighting,) = await admission.sightings(ledger)
    assert (sighting.target, sighting.job) == (arrival().target, None)


async def test_names_that_are_not_utf8_come_back_as_they_were(ledger: Ledger) -> None:
    one = arrival(f"alice/{NOT_UTF8}\n.mp4")
    (job,) = await admit(ledger, one)
    found = await record(ledger, job)
    assert (found.target, found.relative) == (one.target, one.relative)
    assert [sighting.target for sighting in await admission.sightings(ledger)] == [one.target]
    assert [job.id for job in await reports.of_target(ledger, one.target)] == [job]
    assert await admission.forget(ledger, [one.target], NOW, "gone") == [one.target]


@pytest.mark.parametrize(
    "one",
    [
        arrival(f"{NOT_UTF8}/clip.mp4", face=NOT_UTF8, bundle=f"/main/{NOT_UTF8}"),
        faceless(f"{NOT_UTF8}__clip.mp4", reason=f"The face '{NOT_UTF8}' is asked for, and there is no such face."),
    ],
    ids=["bundle", "prefix"],
)
async def test_a_name_that_is_not_utf8_in_face_or_reason_is_spelled_out(ledger: Ledger, one: Arrival) -> None:
    (job,) = await admit(ledger, one)
    found = await record(ledger, job)
    assert r"caf\udce9" in f"{found.face} {found.reason}"
    assert found.bundle == one.bundle


async def test_arrivals_that_come_together_share_a_commit(ledger: Ledger) -> None:
    rung = ledger.bell.count
    jobs = await admit(ledger, *(arrival(f"alice/{number}.mp4") for number in range(200)))
    assert ledger.bell.count == rung + 1
    assert jobs == sorted(set(jobs))
    assert (await reports.counts(ledger))[State.QUEUED] == reports.Count(200, 20_000)


async def test_one_arrival_that_cannot_be_written_leaves_none_of_its_commit(ledger: Ledger) -> None:
    wrong = arrival("b.mp4", afterwards="burn")
    with pytest.raises(Exception, match="CHECK constraint failed"):
        await admit(ledger, arrival("a.mp4"), wrong, arrival("c.mp4"))
    assert (await reports.counts(ledger))[State.QUEUED].jobs == 0


async def test_an_image_that_cannot_be_read_keeps_its_size(ledger: Ledger, tmp_path: Path) -> None:
    (job,) = await admit(ledger, faceless(parked=Parked.INCOMPLETE, facts=None))
    found = await record(ledger, job)
    assert (found.parked, found.facts) == (Parked.INCOMPLETE, None)


async def test_the_same_content_twice_in_one_commit_is_one_job(ledger: Ledger) -> None:
    answers = await admission.admit(ledger, [arrival("a.mp4", "x"), arrival("b.mp4", "x")], NOW)
    assert [answer.outcome for answer in answers] == [Outcome.QUEUED, Outcome.DUPLICATE]
    assert facts("x") == (await record(ledger, answers[0].job)).facts


async def test_other_options_make_another_job_of_the_same_content(ledger: Ledger) -> None:
    sharp = (("face_swapper_pixel_boost", "1024x1024"),)
    jobs = await admit(ledger, arrival(), arrival("b.mp4", "alice/clip.mp4", options=sharp), arrival(options=sharp))
    assert jobs[0] != jobs[1]
    assert jobs[2] == jobs[1]
    assert (await record(ledger, jobs[1])).options == sharp


async def test_what_was_declined_for_good_comes_back_through_no_door(ledger: Ledger) -> None:
    claimed = await running(ledger)
    declined = Failure("content_declined", "FaceFusion's content check declined this target.")
    await outcomes.failed(ledger, claimed, declined, GiveUp(declined), NOW)
    with pytest.raises(IllegalTransition):
        await outcomes.requeue(ledger, claimed.job, NOW)
    (again,) = await admission.admit(ledger, [arrival()], NOW)
    (copied,) = await admission.admit(ledger, [arrival("copy.mp4", "alice/clip.mp4")], NOW)
    assert (again.outcome, again.job) == (copied.outcome, copied.job) == (Outcome.DUPLICATE, claimed.job)
    assert (await record(ledger, claimed.job)).state is State.FAILED
    (sighting,) = await admission.sightings_of(ledger, [arrival("copy.mp4").target])
    assert sighting.note == f"It is the target of job {claimed.job}, which was declined for good."


async def test_a_wish_is_kept_with_its_job_and_makes_another_job_only_by_what_it_changes(ledger: Ledger) -> None:
    trimmed = Wish(trim=Trim(1.0, None), output="{name}-short{suffix}", not_before=NOW + 60)
    two = Wish(passes=(Pass("alice", 0, 3), Pass("bob", 1)))
    later = Wish(not_before=NOW + 60)
    jobs = await admit(
        ledger, *(arrival(f"{number}.mp4", "one", wish=wish) for number, wish in enumerate((trimmed, two)))
    )
    (plain,) = await admit(ledger, arrival("plain.mp4", "one"))
    (same,) = await admit(ledger, arrival("later.mp4", "one", wish=later))
    assert len({*jobs, plain}) == 3
    assert same == plain
    kept = [await record(ledger, job) for job in jobs]
    assert [one.wish for one in kept] == [trimmed, two]
    assert [one.not_before for one in kept] == [NOW + 60, None]


async def test_a_copy_is_free_again_when_its_job_is_withdrawn_in_the_same_breath(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival("first.mp4", "one"))
    copy, changed = arrival("copy.mp4", "one"), arrival("first.mp4", "another")
    answers = await admission.admit(ledger, [copy, changed], NOW)
    assert [one.outcome for one in answers] == [Outcome.DUPLICATE, Outcome.QUEUED]
    assert answers[1].freed == (copy.target,)
    assert (await record(ledger, job)).state is State.CANCELLED
    assert [one.target for one in await admission.sightings(ledger)] == [changed.target]
    (again,) = await admit(ledger, copy)
    assert (await record(ledger, again)).state is State.QUEUED
