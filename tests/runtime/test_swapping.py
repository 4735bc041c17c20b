"""What happens to a target between its scratch folder and its proved output."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from faceswapd.core.job import State
from faceswapd.core.target import Facts
from faceswapd.core.wish import Trim, Wish
from faceswapd.ledger import outcomes
from faceswapd.media.drawn_scene import write_scene_video
from faceswapd.media.mender import Mender
from faceswapd.media.probe import probe
from faceswapd.runtime.course import PREPARING
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
