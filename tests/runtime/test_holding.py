"""What the scheduler remembers from one execution to the next: the breaker, warm slots, rungs and speeds."""

import asyncio

from faceswapd.children.child import ChildId
from faceswapd.core.job import State
from faceswapd.engines.engine import WAITING, Progress
from faceswapd.ledger import rungs
from faceswapd.settings.schema import EngineSettings, RetrySettings
from tests.runtime.conftest import NewPlace
from tests.runtime.fake_engine import FakeEngine, Run
from tests.runtime.workplace import SECONDS, Shift, Workplace, shift

QUICK = RetrySettings(attempts=2, first=0.05, factor=1.0)
WARM = ChildId(1, 1.0)


def named(run: Run) -> str:
    """The name of the job's target."""
    return run.work.target.read_text(encoding="utf-8").removeprefix("content of ").removesuffix(".mp4")


async def opened(place: Workplace, at_work: Shift) -> str:
    """Why the breaker holds the queue, as soon as it does."""
    async with asyncio.timeout(SECONDS):
        while at_work.scheduler.breaker.failure is None:
            await place.ledger.bell.after(place.ledger.bell.count)
    return at_work.scheduler.breaker.failure.sentence


async def test_broken_surroundings_hold_the_queue_until_one_job_shows_that_they_are_mended(
    new_place: NewPlace,
) -> None:
    place = await new_place(retry=RetrySettings(attempts=2, first=0.2, factor=1.0))
    jobs = [await place.drop(f"{number}.mp4") for number in range(4)]
    async with shift(place, place.engines(2)) as at_work:
        first, second = await place.begun(), await place.begun()
        first.fail("disk_full")
        assert await opened(place, at_work) == "It is a case of disk_full."
        second.succeed()  # it had begun before
        for _ in jobs[1:]:
            (await place.begun()).succeed()
        for job in jobs:
            await place.until(job, State.SUCCEEDED)
        assert at_work.scheduler.breaker.failure is None
    kinds = [row["kind"] for row in await place.ledger.rows("SELECT kind FROM events WHERE job IS NULL ORDER BY id")]
    assert kinds == ["held", "open"]


async def test_while_it_holds_one_job_tries_at_a_time(new_place: NewPlace) -> None:
    place = await new_place(retry=QUICK)
    for number in range(3):
        await place.drop(f"{number}.mp4")
    async with shift(place, place.engines(2)) as at_work:
        first, second = await place.begun(), await place.begun()
        first.fail("disk_full")
        second.fail("disk_full")
        await opened(place, at_work)
        probe = await place.begun()
        assert len(at_work.scheduler.courses) == 1
        probe.fail("disk_full")
        (await place.begun()).succeed()
        (await place.begun()).succeed()
        (await place.begun()).succeed()


async def test_different_jobs_that_fail_at_once_hold_the_queue(new_place: NewPlace) -> None:
    place = await new_place(retry=RetrySettings(attempts=9, first=0.05, factor=1.0))
    for number in range(3):
        await place.drop(f"{number}.mp4")
    async with shift(place) as at_work:
        failed: set[str] = set()
        while len(failed) < 3:
            run = await place.begun()
            failed.add(named(run))
            run.fail("child_died")
        assert "3 jobs in a row failed at once." in await opened(place, at_work)


async def test_a_warm_slot_goes_on_with_the_face_and_preset_that_it_has(new_place: NewPlace) -> None:
    place = await new_place(engine=EngineSettings(patience=2))
    for name, face in (("a1", "alice"), ("b1", "bob"), ("a2", "alice"), ("a3", "alice"), ("a4", "alice")):
        await place.drop(f"{name}.mp4", face=face)
    (engine,) = place.engines()
    engine.child = WARM
    order = []
    async with shift(place, [engine]):
        for _ in range(5):
            run = await place.begun()
            order.append(named(run))
            run.succeed()
    assert order == ["a1", "a2", "a3", "b1", "a4"], "the second one is passed twice, and not more often"


async def test_a_slot_that_has_gone_cold_takes_the_head_of_the_queue(place: Workplace) -> None:
    for name, face in (("a1", "alice"), ("b1", "bob"), ("a2", "alice")):
        await place.drop(f"{name}.mp4", face=face)
    order = []
    async with shift(place):
        for _ in range(3):
            run = await place.begun()
            order.append(named(run))
            run.succeed()
    assert order == ["a1", "b1", "a2"]


class _Ladder(FakeEngine):
    has_ladder = True


async def test_a_machine_too_small_makes_it_smaller_and_the_next_one_begins_there(place: Workplace) -> None:
    first, second = await place.drop("1.mp4"), await place.drop("2.mp4")
    async with shift(place, [_Ladder(place.bench)]):
        for number in range(2):
            run = await place.begun()
            assert (named(run), run.work.rung.number) == ("1", number)
            run.fail("gpu_oom")
        run = await place.begun()
        assert (named(run), run.work.rung.number) == ("1", 2)
        run.succeed()
        done = await place.until(first, State.SUCCEEDED)
        assert done.attempt == 1, "it cost no attempt"
        run = await place.begun()
        assert (named(run), run.work.rung.number) == ("2", 2), "what worked is remembered"
        run.succeed()
        await place.until(second, State.SUCCEEDED)
    size = rungs.Size("CPU", "balanced", "480p")
    assert await rungs.known(place.ledger, size, done.finished_at or 0.0) == 2


async def test_at_the_top_of_the_ladder_it_has_failed(place: Workplace) -> None:
    job = await place.drop("1.mp4")
    async with shift(place, [_Ladder(place.bench)]):
        for _ in range(5):
            (await place.begun()).fail("gpu_oom")
        failed = await place.until(job, State.FAILED)
    assert failed.category == "gpu_oom"


class _Ahead(FakeEngine):
    ahead = 1


async def test_the_next_work_is_made_ready_while_the_engine_is_busy(place: Workplace) -> None:
    jobs = [await place.drop(f"{number}.mp4") for number in range(3)]
    async with shift(place, [_Ahead(place.bench)]) as at_work:
        first, second = await place.begun(), await place.begun()
        assert len(at_work.scheduler.courses) == 2
        assert (await place.job(jobs[2])).state is State.QUEUED
        first.succeed()
        third = await place.begun()
        second.succeed()
        third.succeed()
        for job in jobs:
            await place.until(job, State.SUCCEEDED)


async def test_the_time_of_one_that_waits_for_its_turn_has_not_begun(place: Workplace) -> None:
    await place.drop("1.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        (course,) = at_work.scheduler.courses.values()
        began = course.started_at
        run.report(Progress(WAITING, 0, 10, 1))
        assert course.started_at > began
        run.succeed()


async def test_a_job_that_is_much_slower_than_its_like_is_told(place: Workplace) -> None:
    job = await place.drop("1.mp4")
    async with shift(place):
        (await place.begun()).succeed()
        await place.until(job, State.SUCCEEDED)
        slow = await place.drop("2.mp4")
        run = await place.begun()
        run.seconds = 500.0
        run.succeed()
        await place.until(slow, State.SUCCEEDED)
    (sentence,) = place.notices.all
    assert sentence.startswith("Job 2 ran at 0.0 frames/s on CPU, and the ones before at 20.0:")


async def test_options_of_a_job_win_over_its_presets(new_place: NewPlace) -> None:
    own = {"name": "portrait", "base": "best", "options": {"face_swapper_weight": "0.9", "face_mask_blur": "0.1"}}
    place = await new_place(preset=(own,))
    job = await place.drop("1.mp4", preset="portrait", options=(("face_mask_blur", "0.5"),))
    async with shift(place):
        run = await place.begun()
        assert run.work.preset == "best"
        assert dict(run.work.options) == {"face_swapper_weight": "0.9", "face_mask_blur": "0.5"}
        run.succeed()
        await place.until(job, State.SUCCEEDED)


async def test_a_preset_that_is_gone_is_said(place: Workplace) -> None:
    job = await place.drop("1.mp4", preset="portrait")
    async with shift(place):
        failed = await place.until(job, State.FAILED)
    assert (failed.category, failed.reason) == ("preset_unknown", "There is no preset 'portrait' any more.")
