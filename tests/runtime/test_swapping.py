"""What happens to a target between its scratch folder and its proved output."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from faceswapd.core.job import State
from faceswapd.core.target import Facts
from faceswapd.core.wish import Pass, Trim, Wish
from faceswapd.engines.engine import Person, Progress
from faceswapd.ledger import outcomes
from faceswapd.media.drawn_scene import write_scene_video
from faceswapd.media.mender import Mender
from faceswapd.media.probe import probe
from faceswapd.runtime.jobs.course import PREPARING
from tests.runtime.workplace import SECONDS, Workplace, names, shift

HANGING = (sys.executable, str(Path(__file__).with_name("hanging_mender.py")))


def facts_of(path: Path) -> Facts:
    facts = probe(str(path), lambda _: None)
    assert isinstance(facts, Facts)
    return facts


@pytest.fixture
def video(place: Workplace) -> Path:
    """A drawn video of two seconds in the inbox."""
    path = place.inbox / "clip.mp4"
    write_scene_video(path, [11], 160, 120, 2.0, 25)
    return path


async def test_the_engine_gets_the_part_that_is_wanted(place: Workplace, video: Path) -> None:
    job = await place.admit(video, facts=facts_of(video), wish=Wish(trim=Trim(0.4, 1.2)))
    async with shift(place):
        run = await place.begun()
        part = facts_of(run.work.target)
        assert run.work.facts == part
        assert part.frames == 20
        assert part.duration == pytest.approx(0.8)
        assert run.work.output.suffix == ".mp4"
        run.succeed()
        done = await place.until(job, State.SUCCEEDED)
    await place.mender.close()
    assert done.facts == facts_of(video), "the target is what it was"
    (execution,) = await place.executions(job)
    assert execution.frames == 20
    assert names(place.settings.scratch_folder) == []


async def test_a_part_that_cannot_be_cut_out_is_the_jobs_failure(place: Workplace) -> None:
    job = await place.drop("clip.mp4", "no video", wish=Wish(trim=Trim(0.0, 0.5)))
    async with shift(place):
        failed = await place.until(job, State.FAILED)
    await place.mender.close()
    assert (failed.category, failed.reason) == ("target_unreadable", "The video is damaged: it cannot be opened.")
    assert names(place.settings.scratch_folder) == []


async def test_a_cancel_ends_it_while_the_part_is_cut_out(place: Workplace, video: Path) -> None:
    place.mender = Mender(argv=HANGING)
    job = await place.admit(video, facts=facts_of(video), wish=Wish(trim=Trim(0.4, 1.2)))
    async with shift(place) as at_work, asyncio.timeout(SECONDS):
        while not at_work.scheduler.courses:
            await place.ledger.bell.after(place.ledger.bell.count, 0.05)
        (course,) = at_work.scheduler.courses.values()
        while course.latest is None or course.latest.life < 1:
            await place.ledger.bell.after(place.ledger.bell.count, 0.05)
        assert course.latest.phase == PREPARING
        assert place.mender.child is not None
        await outcomes.request_cancel(place.ledger, job, time.time())
        await place.until(job, State.CANCELLED)
        while at_work.scheduler.courses:
            await place.ledger.bell.after(place.ledger.bell.count, 0.05)
        assert place.mender.child is None or not place.mender.child.alive
        assert names(place.settings.scratch_folder) == []
    await place.mender.close()


TWO = Wish(passes=(Pass("alice", 1, 0), Pass("bob", 0, 5)))


@pytest.fixture
def couple(place: Workplace) -> Workplace:
    """A workplace with photos of alice and of bob."""
    for name in ("alice", "bob"):
        photo = place.settings.faces / f"{name}.png"
        photo.write_text(f"photo of {name}", encoding="utf-8")
        place.people[name] = (photo,)
    return place


def whose(sources: tuple[Path, ...]) -> list[str]:
    return [source.read_text(encoding="utf-8") for source in sources]


async def test_each_person_is_swapped_in_what_was_made_of_the_one_before(couple: Workplace) -> None:
    job = await couple.drop("clip.mp4", wish=TWO, face=TWO.persons)
    async with shift(couple) as at_work:
        first = await couple.begun()
        (course,) = at_work.scheduler.courses.values()
        target = first.work.target
        assert whose(first.work.sources) == ["photo of alice"]
        assert first.work.person == Person(0, 1, target)
        assert target.read_text(encoding="utf-8") == "content of clip.mp4"
        seen = []
        for done in (0, 4, 10):
            first.progress(done)
            seen.append(course.fraction)
        first.succeed(b"alice is in it")
        second = await couple.begun()
        assert not course.engine_done, "the engine is not free between two turns"
        assert whose(second.work.sources) == ["photo of bob"]
        assert second.work.person == Person(5, 0, target), "counted where nobody was swapped yet"
        assert second.work.target.read_bytes() == b"alice is in it"
        assert len({target, first.work.output, second.work.output, *first.work.sources, *second.work.sources}) == 5
        for done in (0, 5, 10):
            second.progress(done)
            seen.append(course.fraction)
        assert seen == [0, 0.2, 0.5, 0.5, 0.75, 1]
        second.succeed(b"bob is in it, too")
        done_job = await couple.until(job, State.SUCCEEDED)
    assert (couple.settings.outbox / "clip.mp4").read_bytes() == b"bob is in it, too"
    assert done_job.output == str(couple.settings.outbox / "clip.mp4")
    (execution,) = await couple.executions(job)
    assert (execution.frames, execution.seconds) == (20, 1.0), "all that the engine did"
    assert names(couple.settings.scratch_folder) == []


async def test_one_that_fails_fails_the_job_and_says_whose_turn_it_was(couple: Workplace) -> None:
    job = await couple.drop("clip.mp4", wish=TWO, face=TWO.persons)
    async with shift(couple):
        (await couple.begun()).succeed()
        (await couple.begun()).fail("person_missing")
        failed = await couple.until(job, State.FAILED)
    assert failed.category == "person_missing"
    assert failed.reason == "It is a case of person_missing. It was the turn of bob, 2 of 2."
    assert names(couple.settings.outbox) == names(couple.settings.scratch_folder) == []


async def test_a_face_without_photos_is_named_before_anybody_is_swapped(couple: Workplace) -> None:
    couple.people["bob"] = ()
    job = await couple.drop("clip.mp4", wish=TWO, face=TWO.persons)
    async with shift(couple):
        failed = await couple.until(job, State.FAILED)
    assert (failed.category, failed.reason) == ("no_source_face", "The face 'bob' has no photos.")
    assert couple.bench.empty()


async def test_a_stop_between_two_turns_leaves_the_job_to_begin_anew(couple: Workplace) -> None:
    job = await couple.drop("clip.mp4", wish=TWO, face=TWO.persons)
    async with shift(couple):
        (await couple.begun()).succeed()
        await couple.begun()
    assert (await couple.job(job)).state is State.QUEUED
    assert names(couple.settings.scratch_folder) == []
    async with shift(couple):
        again = await couple.begun()
        assert whose(again.work.sources) == ["photo of alice"]
        again.succeed()
        (await couple.begun()).succeed()
        await couple.until(job, State.SUCCEEDED)


async def test_a_frame_is_counted_in_the_part_that_is_wanted(couple: Workplace, video: Path) -> None:
    persons = (Pass("alice", 0, 0), Pass("bob", 1, 15))  # the first one's frame is not said
    wish = Wish(trim=Trim(0.4, 1.2), passes=persons)
    job = await couple.admit(video, facts=facts_of(video), wish=wish, face=wish.persons)
    async with shift(couple):
        first = await couple.begun()
        assert first.work.person == Person(0, 0, first.work.target)
        assert first.work.target.stem == "trimmed"
        first.report(Progress("swapping", 3, 40))  # an engine that counts otherwise
        first.succeed()
        second = await couple.begun()
        assert second.work.person == Person(5, 1, first.work.target)
        second.succeed()
        await couple.until(job, State.SUCCEEDED)
    await couple.mender.close()
