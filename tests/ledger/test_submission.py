"""Files that are handed over: one job for one content, face and preset, whatever an inbox has beside it."""

import os
from typing import Any

import pytest

from faceswapd.core.eta import Sort
from faceswapd.core.failures import FINAL, Failure
from faceswapd.core.intake import Signature
from faceswapd.core.job import State
from faceswapd.core.retry import GiveUp
from faceswapd.core.target import Kind
from faceswapd.core.wish import Wish
from faceswapd.ledger import admission, claims, outcomes, reports, submission
from faceswapd.ledger.admission import Arrival, Outcome
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.submission import Taken
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, claim, dump, ran, record, running

DIED = Failure("child_died", "The engine's child ended.")


def offer(target: str = "/clips/clip.mp4", content: str = "film", **given: Any) -> Arrival:
    """A file somewhere, with the face alice."""
    name = target.rpartition("/")[2]
    values: dict[str, Any] = {"target": target, "inbox": "", "rule": "it was submitted with this face"}
    return arrival(f"alice/{name}", content, **{**values, **given})


async def submit(ledger: Ledger, *offers: Arrival, now: float = NOW) -> list[Taken]:
    return await submission.submit(ledger, offers, now)


async def test_each_face_and_preset_is_a_job_and_none_is_made_twice(ledger: Ledger) -> None:
    offers = [offer(face=face, preset=preset) for face in ("alice", "bob") for preset in ("fast", "best")]
    taken = await submit(ledger, *offers, *offers[:1])
    assert [one.outcome for one in taken] == [*[Outcome.QUEUED] * 4, Outcome.DUPLICATE]
    assert [one.job for one in taken] == [1, 2, 3, 4, 1]
    assert await submit(ledger, *offers) == [Taken(Outcome.DUPLICATE, job) for job in (1, 2, 3, 4)]
    job = await record(ledger, 2)
    assert (job.inbox, job.afterwards, job.relative, job.preset) == ("", "keep", "alice/clip.mp4", "best")
    assert await admission.sightings(ledger) == [], "they are no files of an inbox"
    assert [one.job for one in (await claims.queue(ledger, ("main",), 10)).ready] == [1, 2, 3, 4]


async def test_foreseeing_tells_the_same_and_writes_nothing(ledger: Ledger) -> None:
    await admit(ledger, arrival("clip.mp4", "film"))
    before = await dump(ledger)
    offers = [offer(), offer(content="other")]
    assert await submission.foresee(ledger, offers) == [Taken(Outcome.DUPLICATE, 1), Taken(Outcome.QUEUED, None)]
    assert await dump(ledger) == before
    taken = await submit(ledger, *offers)
    assert taken == [Taken(Outcome.DUPLICATE, 1), Taken(Outcome.QUEUED, 2)]


async def test_a_name_that_is_no_text_is_kept_as_it_is(ledger: Ledger) -> None:
    target = os.fsdecode(b"/clips/\xff.mp4")
    await submit(ledger, offer(target))
    assert (await record(ledger, 1)).target == target
    assert [one.job for one in await submission.of_target(ledger, target)] == [1]


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
async def test_a_job_that_failed_or_was_cancelled_waits_again_for_the_submitted_file(
    ledger: Ledger, state: State
) -> None:
    execution = await running(ledger, arrival("clip.mp4", "film", afterwards="delete"))
    if state is State.FAILED:
        await outcomes.failed(ledger, execution, DIED, GiveUp(DIED), NOW)
    else:
        await outcomes.cancelled(ledger, execution, NOW)
    wish = Wish(priority=7, not_before=NOW + 60)
    assert await submit(ledger, offer(priority=7, wish=wish)) == [Taken(Outcome.AGAIN, 1, state)]
    job = await record(ledger, 1)
    assert (job.state, job.target, job.inbox, job.afterwards) == (State.QUEUED, "/clips/clip.mp4", "", "keep")
    assert (job.priority, job.not_before, job.wish.not_before) == (7, NOW + 60, NOW + 60)
    ((inbox, priority),) = await ledger.rows("SELECT inbox, priority FROM segments")
    assert (inbox, priority) == ("", 7)


async def test_what_was_declined_for_good_and_our_own_results_are_not_taken(ledger: Ledger) -> None:
    declined = Failure(min(FINAL), "It was declined.")
    execution = await running(ledger, offer_in_inbox("a.mp4", "declined"))
    await outcomes.failed(ledger, execution, declined, GiveUp(declined), NOW)
    execution = await running(ledger, offer_in_inbox("b.mp4", "done"))
    await outcomes.succeed(ledger, execution, "/outbox/b.mp4", "result", NOW)
    taken = await submit(ledger, offer(content="declined"), offer(content="result"), offer(content="done"))
    assert taken == [
        Taken(Outcome.DUPLICATE, 1, State.FAILED, final=True),
        Taken(Outcome.OUTPUT, 2, State.SUCCEEDED, "/outbox/b.mp4"),
        Taken(Outcome.DUPLICATE, 2, State.SUCCEEDED, "/outbox/b.mp4"),
    ]


def offer_in_inbox(name: str, content: str) -> Arrival:
    return arrival(f"alice/{name}", content)


async def test_a_newer_word_counts_for_a_submitted_job_that_waits(ledger: Ledger) -> None:
    await submit(ledger, offer(priority=1, wish=Wish(priority=1, not_before=NOW + 60)))
    await submit(ledger, offer())
    job = await record(ledger, 1)
    assert (job.priority, job.not_before) == (1, NOW + 60), "nothing new was said"
    await submit(ledger, offer(priority=9, wish=Wish(priority=9, not_before=NOW + 90)))
    job = await record(ledger, 1)
    assert (job.priority, job.not_before, job.wish.not_before) == (9, NOW + 90, NOW + 90)


# Beside an inbox


async def test_files_that_leave_an_inbox_take_no_submitted_job_along(ledger: Ledger) -> None:
    target = "/main/alice/clip.mp4"  # it lies in an inbox, and was submitted with another face
    await admit(ledger, arrival("alice/clip.mp4", "film"))
    await submit(ledger, offer(target, face="bob"))
    assert await admission.forget(ledger, [target], NOW, "It is gone.") == [target]
    assert [(await record(ledger, job)).state for job in (1, 2)] == [State.CANCELLED, State.QUEUED]


async def test_a_file_in_an_inbox_that_changed_takes_no_submitted_job_along(ledger: Ledger) -> None:
    target = "/main/alice/clip.mp4"
    await submit(ledger, offer(target, face="bob"))
    await admit(ledger, arrival("alice/clip.mp4", "new film"))
    assert (await record(ledger, 1)).state is State.QUEUED


async def test_a_submitted_job_does_for_a_copy_in_an_inbox_and_stays_as_it_was_submitted(ledger: Ledger) -> None:
    await submit(ledger, offer(priority=7))
    before = await record(ledger, 1)
    (answer,) = await admission.admit(ledger, [arrival("alice/copy.mp4", "film", afterwards="delete")], NOW)
    assert (answer.outcome, answer.job) == (Outcome.DUPLICATE, 1)
    assert await record(ledger, 1) == before
    copies = await submission.copies(ledger, before)
    assert [(copy.target, copy.relative) for copy in copies] == [("/main/alice/copy.mp4", None)]


@pytest.mark.parametrize("how", ["gone", "changed"])
async def test_a_job_of_an_inbox_whose_file_goes_goes_on_with_the_submitted_one(ledger: Ledger, how: str) -> None:
    await admit(ledger, arrival("alice/clip.mp4", "film", afterwards="delete"), arrival("alice/twin.mp4", "film"))
    assert await submit(ledger, offer()) == [Taken(Outcome.DUPLICATE, 1)]
    if how == "gone":
        assert await admission.forget(ledger, ["/main/alice/clip.mp4"], NOW, "It is gone.") == ["/main/alice/clip.mp4"]
    else:
        (answer,) = await admission.admit(ledger, [arrival("alice/clip.mp4", "new film")], NOW)
        assert (answer.job, answer.freed) == (2, ())
    job = await record(ledger, 1)
    assert (job.state, job.target, job.relative) == (State.QUEUED, "/clips/clip.mp4", "alice/clip.mp4")
    assert (job.inbox, job.afterwards) == ("", "keep")
    assert ("/main/alice/twin.mp4", 1) in [(one.target, one.job) for one in await admission.sightings(ledger)]


async def test_a_file_of_an_inbox_that_was_submitted_as_it_lies_there_takes_its_job_along(ledger: Ledger) -> None:
    """It is one file, and no other is there."""
    target = "/main/alice/clip.mp4"
    await admit(ledger, arrival("alice/clip.mp4", "film"))
    assert await submit(ledger, offer(target)) == [Taken(Outcome.DUPLICATE, 1)]
    await admission.forget(ledger, [target], NOW, "It is gone.")
    assert (await record(ledger, 1)).state is State.CANCELLED


async def test_a_running_job_goes_over_to_a_copy(ledger: Ledger) -> None:
    await submit(ledger, offer(), offer("/other/copy.mp4"))
    execution = ran(await claim(ledger, 1))
    job = await record(ledger, 1)
    (copy,) = await submission.copies(ledger, job)
    assert (copy.target, copy.relative) == ("/other/copy.mp4", "alice/copy.mp4")
    await submission.go_over(ledger, 1, admission.Place(copy.target, copy.relative or ""), NOW)
    await outcomes.succeed(ledger, execution, "/outbox/copy.mp4", "result", NOW)
    assert (await record(ledger, 1)).target == "/other/copy.mp4"
    assert (await reports.events_of(ledger, 1, 9))[-2].kind == "moved"


async def test_what_a_file_was_like_is_known_by_its_job(ledger: Ledger) -> None:
    looks, newer = Signature(1, 1000, 1), Signature(2, 1000, 2)
    await submit(ledger, offer())
    await admit(ledger, arrival("alice/other.mp4", "other"))
    for number in (1, 2):
        job = await record(ledger, number)
        assert await submission.signature_taken(ledger, job) == looks
        await submission.touched(ledger, job, newer)
        assert await submission.signature_taken(ledger, job) == newer
    assert await submission.facts_known(ledger, "/clips/clip.mp4", looks) is None
    assert await submission.facts_known(ledger, "/clips/clip.mp4", newer) == offer().facts
    assert await submission.signature_taken(ledger, job._replace(target="/unknown")) is None


async def test_the_speed_of_a_sort_is_known_when_nothing_of_it_waits(ledger: Ledger) -> None:
    execution = await running(ledger, offer())
    spent = outcomes.Spent(frames=100, seconds=5.0)
    await outcomes.succeed(ledger, execution, "/outbox/clip.mp4", "result", NOW + 10, spent)
    sort = Sort(Kind.VIDEO, "balanced")
    assert await reports.past(ledger, RUNNER.engine) == []
    (past,) = await reports.past_of(ledger, RUNNER.engine, [sort, Sort(Kind.IMAGE, "balanced")])
    assert (past.sort, past.frames, past.engine_seconds, past.seconds) == (sort, 100, 5.0, 10.0)
