"""The scheduler and its executions, with the real ledger and an engine that waits for the test."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faceswapd.children.child import ChildId
from faceswapd.core.job import State
from faceswapd.engines.engine import Progress
from faceswapd.ledger import outcomes, standing
from faceswapd.media.examiner import Examiner
from faceswapd.runtime import notes
from faceswapd.settings.schema import EngineSettings, RetrySettings
from tests.runtime.conftest import NewPlace
from tests.runtime.workplace import SECONDS, Workplace, shift, timeouts


async def test_a_job_goes_from_the_queue_to_the_outbox(place: Workplace) -> None:
    job = await place.drop("alice/clip.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        assert run.work.target.read_text(encoding="utf-8") == "content of alice/clip.mp4"
        assert [source.read_bytes() for source in run.work.sources] == [b"a photo"]
        run.progress(4)
        (course,) = at_work.scheduler.courses.values()
        assert course.fraction == 0.4
        run.succeed()
        done = await place.until(job, State.SUCCEEDED)
    output = place.settings.outbox / "alice" / "clip.mp4"
    assert (done.output, output.read_bytes(), done.attempt) == (str(output), b"swapped", 1)
    (execution,) = await place.executions(job)
    assert (execution.outcome, execution.engine, execution.frames, execution.seconds) == ("succeeded", "fake", 10, 0.5)
    assert list(place.settings.scratch_folder.iterdir()) == []
    assert (place.inbox / "alice" / "clip.mp4").exists()


async def test_what_the_engine_says_is_known_while_it_runs_and_after(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place) as at_work:
        assert at_work.scheduler.course_of(job) is None
        run = await place.begun()
        run.work.say("a model is loaded")
        run.progress(4)
        course = at_work.scheduler.course_of(job)
        assert course is not None
        assert course.log.after(0).splitlines()[-2:] == ["a model is loaded", "-- swapping"]
        run.succeed()
        await place.until(job, State.SUCCEEDED)
        while at_work.scheduler.courses:
            await place.ledger.bell.after(place.ledger.bell.count, SECONDS)
        assert at_work.scheduler.course_of(job) is course
        assert course.log.after(0).endswith("-- proving\n-- publishing\n")


async def test_no_more_run_at_once_than_there_are_slots(place: Workplace) -> None:
    jobs = [await place.drop(f"{number}.mp4") for number in range(3)]
    async with shift(place, place.engines(2)) as at_work:
        first, _ = await place.begun(), await place.begun()
        assert len(at_work.scheduler.courses) == 2
        assert [(await place.job(job)).state for job in jobs] == ["running", "running", "queued"]
        first.succeed()
        third = await place.begun()
        assert third.work.target.read_text(encoding="utf-8") == "content of 2.mp4"
        assert len(at_work.scheduler.courses) == 2


async def test_priority_goes_first_and_then_age(place: Workplace) -> None:
    for name, priority in (("old", 0), ("young", 0), ("urgent", 5), ("late", -5)):
        await place.drop(f"{name}.mp4", priority=priority)
    order = []
    async with shift(place):
        for _ in range(4):
            run = await place.begun()
            order.append(run.work.target.read_text(encoding="utf-8").split()[-1])
            run.succeed(run.work.target.read_bytes()[::-1])
        await place.until(4, State.SUCCEEDED)
    assert order == ["urgent.mp4", "old.mp4", "young.mp4", "late.mp4"]


async def test_a_running_job_that_is_cancelled_is_stopped_and_leaves_nothing(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place):
        run = await place.begun()
        await outcomes.request_cancel(place.ledger, job, time.time())
        stopped = await place.until(job, State.CANCELLED)
        assert run.end.cancelled()
    assert stopped.output is None
    assert list(place.settings.scratch_folder.iterdir()) == []
    assert list(place.settings.outbox.iterdir()) == []


async def test_the_first_stop_lets_what_runs_go_on_and_starts_nothing_new(place: Workplace) -> None:
    running, waiting = await place.drop("1.mp4"), await place.drop("2.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        at_work.scheduler.drain()
        run.succeed()
        await at_work.drained()
    assert (await place.job(running)).state is State.SUCCEEDED
    assert (await place.job(waiting)).state is State.QUEUED


async def test_the_second_stop_puts_what_runs_back_into_the_queue(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        at_work.scheduler.drain()
        at_work.scheduler.drain()
        await at_work.drained()
        assert run.end.cancelled()
    record = await place.job(job)
    assert (record.state, record.attempt, record.interruptions) == (State.QUEUED, 0, 0)
    assert [one.outcome for one in await place.executions(job)] == ["released"]


async def test_the_end_of_the_grace_insists_by_itself(new_place: NewPlace) -> None:
    place = await new_place(grace=0.05)
    job = await place.drop("clip.mp4")
    async with shift(place) as at_work:
        await place.begun()
        at_work.scheduler.drain()
        await at_work.drained()
    assert (await place.job(job)).state is State.QUEUED


async def test_with_nothing_to_do_a_stop_ends_it_at_once(place: Workplace) -> None:
    (engine,) = engines = place.engines()
    async with shift(place, engines) as at_work:
        at_work.scheduler.drain()
        await at_work.drained()
    assert engine.closed.is_set()


async def test_a_failure_is_tried_again_later_and_the_wait_survives_the_daemon(new_place: NewPlace) -> None:
    place = await new_place(retry=RetrySettings(attempts=2, first=1.0, factor=1.0))
    job = await place.drop("clip.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        at_work.scheduler.drain()
        run.fail("child_died")
        await at_work.drained()
    waiting = await place.job(job)
    assert (waiting.state, waiting.attempt, waiting.category) == (State.QUEUED, 1, "child_died")
    assert waiting.not_before is not None
    assert 0.5 < waiting.not_before - time.time() < 1.3
    async with shift(place):  # another life of the daemon
        run = await place.begun()
        assert time.time() >= waiting.not_before
        assert (await place.job(job)).attempt == 2
        run.fail("child_died")
        failed = await place.until(job, State.FAILED)
    assert failed.reason == "It is a case of child_died."
    first, second = await place.executions(job)
    assert (first.outcome, second.outcome, second.log) == ("retried", "failed", "its last words")
    note = notes.error_note(place.settings.failed, "clip.mp4").read_text(encoding="utf-8")
    assert note.startswith("It is a case of child_died.\n")
    assert f"faceswapctl retry {job}" in note


async def test_a_clock_that_is_put_right_makes_no_retry_wait(new_place: NewPlace) -> None:
    place = await new_place(retry=RetrySettings(first=0.2, longest=1.0))
    job = await place.drop("clip.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        at_work.scheduler.drain()
        run.fail("child_died")
        await at_work.drained()
    await place.ledger.write(lambda sql: sql.execute("UPDATE segments SET not_before = not_before + 200000"))
    async with shift(place):
        (await place.begun()).succeed()
        await place.until(job, State.SUCCEEDED)


async def test_what_trying_again_cannot_mend_is_not_tried_again(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place):
        (await place.begun()).fail("no_target_face")
        assert (await place.until(job, State.FAILED)).attempt == 1


async def test_success_takes_the_note_of_an_earlier_failure_away(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place):
        (await place.begun()).fail("no_target_face")
        await place.until(job, State.FAILED)
        note = notes.error_note(place.settings.failed, "clip.mp4")
        await outcomes.requeue(place.ledger, job, time.time())
        (await place.begun()).succeed()
        await place.until(job, State.SUCCEEDED)
    assert not note.exists()


async def test_broken_surroundings_cost_a_job_no_attempt(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place):
        for _ in range(4):  # more often than there are attempts
            (await place.begun()).fail("disk_full")
        (await place.begun()).succeed()
        assert (await place.until(job, State.SUCCEEDED)).attempt == 1


async def test_an_error_in_the_engine_fails_the_job_and_nothing_else(new_place: NewPlace) -> None:
    place = await new_place(retry=RetrySettings(attempts=1))
    broken, whole = await place.drop("1.mp4"), await place.drop("2.mp4")
    async with shift(place):
        (await place.begun()).break_down(LookupError("an error of ours"))
        failed = await place.until(broken, State.FAILED)
        (await place.begun()).succeed()
        await place.until(whole, State.SUCCEEDED)
    assert failed.category == "unknown"
    assert failed.reason is not None
    assert "an error of ours" in failed.reason


async def test_a_damaged_output_never_reaches_the_outbox(new_place: NewPlace) -> None:
    place = await new_place(retry=RetrySettings(attempts=1))
    job = await place.drop("clip.mp4")
    async with shift(place):
        (await place.begun()).succeed(b"damaged")
        assert (await place.until(job, State.FAILED)).category == "output_damaged"
    assert list(place.settings.outbox.iterdir()) == []


async def test_an_examiner_that_cannot_start_is_the_surroundings_fault(place: Workplace) -> None:
    whole, place.examiner = place.examiner, Examiner(argv=["/no/such/program"])
    job = await place.drop("clip.mp4")
    async with shift(place):
        (await place.begun()).succeed()
        again = await place.begun()
        waiting = await place.job(job)
        assert (waiting.attempt, waiting.state) == (1, State.RUNNING)
        await outcomes.request_cancel(place.ledger, job, time.time())
        await place.until(job, State.CANCELLED)
        assert again.end.cancelled()
    first = (await place.executions(job))[0]
    assert first.sentence is not None
    assert "/no/such/program" in first.sentence
    await whole.close()


async def test_it_is_stopped_when_it_takes_too_long(new_place: NewPlace) -> None:
    place = await new_place(timeouts=timeouts(wall=0.3))
    job = await place.drop("clip.mp4")
    async with shift(place):
        run = await place.begun()
        failed = await place.until(job, State.FAILED)
        assert run.end.cancelled()
    assert (failed.category, failed.attempt) == ("overtime", 1)


async def test_it_is_stopped_when_it_makes_no_progress_and_tried_again(new_place: NewPlace) -> None:
    place = await new_place(timeouts=timeouts(no_progress=0.3))
    job = await place.drop("clip.mp4")
    async with shift(place):
        first = await place.begun()
        first.progress(1)
        first.progress(1)
        second = await place.begun()
        assert first.end.cancelled()
        second.succeed()
        await place.until(job, State.SUCCEEDED)
    assert [one.outcome for one in await place.executions(job)] == ["retried", "succeeded"]


async def test_while_an_output_is_proved_no_progress_is_expected(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place) as it:
        run = await place.begun()
        (course,) = it.scheduler.courses.values()
        run.progress(5)
        assert course.quiet(course.progressed_at + 1000) == pytest.approx(1000)
        course.report(Progress("proving", 10, 10))
        assert course.quiet(course.progressed_at + 1000) == 0
        run.succeed()
        await place.until(job, State.SUCCEEDED)


async def test_a_closed_gate_holds_what_waits_and_not_what_runs(place: Workplace) -> None:
    running, waiting = await place.drop("1.mp4"), await place.drop("2.mp4")
    async with shift(place, place.engines(2)) as at_work:
        begun = [await place.begun(), await place.begun()]
        first, second = sorted(begun, key=lambda run: run.work.target.readlink())
        third = await place.drop("3.mp4")
        place.settings.outbox.rmdir()
        place.settings.outbox.write_text("a file and no folder", encoding="utf-8")
        await at_work.readings.refresh()
        closed = at_work.readings.gate
        second.fail("no_target_face")
        await place.until(waiting, State.FAILED)
        async with asyncio.timeout(SECONDS):
            while not at_work.scheduler.waiting:
                await place.ledger.bell.after(place.ledger.bell.count, 0.05)
        assert (await place.job(third)).state is State.QUEUED
        assert not first.end.done()
        place.settings.outbox.unlink()
        await at_work.readings.refresh()
        assert (closed.open, at_work.readings.gate.open) == (False, True)
        place.ledger.bell.ring()
        (await place.begun()).succeed(b"third")
        first.succeed()
        await place.until(third, State.SUCCEEDED)
        await place.until(running, State.SUCCEEDED)


@pytest.mark.parametrize("what", [None, "inbox"])
async def test_a_pause_holds_what_waits_until_it_is_taken_back(place: Workplace, what: str | None) -> None:
    job = await place.drop("clip.mp4")
    await standing.pause(place.ledger, what, time.time())
    async with shift(place):
        elsewhere = await place.drop("other.mp4", inbox="rush")
        if what is not None:
            (await place.begun()).succeed(b"other")
            await place.until(elsewhere, State.SUCCEEDED)
        assert (await place.job(job)).state is State.QUEUED
        await standing.resume(place.ledger, what, time.time())
        await place.begun()
        assert (await place.job(job)).state is State.RUNNING


async def test_a_target_that_is_replaced_while_it_is_swapped_is_not_published(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    async with shift(place):
        run = await place.begun()
        (place.inbox / "clip.mp4").write_text("another film of the same name", encoding="utf-8")
        run.succeed()
        assert (await place.until(job, State.FAILED)).category == "target_changed"
    assert list(place.settings.outbox.iterdir()) == []


def _other_content(target: Path) -> None:
    """As long as before."""
    target.write_text(target.read_text(encoding="utf-8").swapcase(), encoding="utf-8")


def _longer(target: Path) -> None:
    target.write_text("another film of the same name", encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "category"),
    [(Path.unlink, "target_missing"), (_other_content, "target_changed"), (_longer, "target_changed")],
)
async def test_a_target_that_is_gone_or_another_one_is_not_begun(
    place: Workplace, change: Callable[[Path], None], category: str
) -> None:
    job = await place.drop("clip.mp4")
    change(place.inbox / "clip.mp4")
    async with shift(place):
        assert (await place.until(job, State.FAILED)).category == category
    assert place.bench.empty()


async def test_a_face_without_photos_is_said(place: Workplace) -> None:
    place.photos = ()
    job = await place.drop("clip.mp4")
    async with shift(place):
        assert (await place.until(job, State.FAILED)).category == "no_source_face"


@contextlib.contextmanager
def unread_pipe(path: Path) -> Iterator[Callable[[], None]]:
    """A pipe: whoever writes it waits until the function that this gives is called."""
    os.mkfifo(path)
    ends: list[int] = []

    def read() -> None:
        if not ends:
            ends.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))

    try:
        yield read
    finally:
        read()
        os.close(ends[0])


async def test_a_job_that_comes_back_while_its_last_run_is_still_clearing_up_waits_for_it(place: Workplace) -> None:
    job = await place.drop("clip.mp4")
    with unread_pipe(notes.error_note(place.settings.failed, "clip.mp4")) as read:
        async with shift(place, place.engines(2)) as at_work:
            (await place.begun()).fail("no_target_face")
            await place.until(job, State.FAILED)  # and its note is still being written
            await outcomes.requeue(place.ledger, job, time.time())
            other = await place.drop("other.mp4")
            run = await place.begun()
            assert (await place.job(other)).state is State.RUNNING
            assert (await place.job(job)).state is State.QUEUED
            read()
            again = await place.begun()
            assert len(at_work.scheduler.courses) == 2
            run.succeed(b"other")
            again.succeed(b"again")
            await place.until(job, State.SUCCEEDED)
            await place.until(other, State.SUCCEEDED)


async def test_an_engine_that_has_had_nothing_to_do_for_long_is_ended(new_place: NewPlace) -> None:
    place = await new_place(engine=EngineSettings(idle=0.0))
    (engine,) = engines = place.engines()
    job = await place.drop("clip.mp4")
    async with shift(place, engines):
        run = await place.begun()
        engine.child = ChildId(1, 1.0)
        run.succeed()
        await place.until(job, State.SUCCEEDED)
        async with asyncio.timeout(SECONDS):
            await engine.closed.wait()
    assert engine.child is None
