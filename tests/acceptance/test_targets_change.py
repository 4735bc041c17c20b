"""What people do to a target while its job waits or runs, and to its output afterwards."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.farm import Farm


def running(farm: Farm, media: Path) -> tuple[Path, int]:
    """A target whose swap has begun, and its job. Nothing else begins."""
    target = farm.drop(media / "long.mp4")
    number = farm.job_of(target).id
    farm.until(lambda status: any(job.id == number and job.progress > 0 for job in status.running), "it runs")
    farm.ctl("pause")
    return target, number


def renamed_over(target: Path, new: Path) -> None:
    shutil.copyfile(new, target.with_suffix(".part"))
    target.with_suffix(".part").rename(target)


def overwritten(target: Path, new: Path) -> None:
    target.write_bytes(new.read_bytes())


@pytest.mark.parametrize("replace", [pytest.param(renamed_over, marks=pytest.mark.deep), overwritten])
def test_replaced_while_it_is_swapped(farm: Farm, media: Path, replace: Callable[[Path, Path], None]) -> None:
    target, number = running(farm, media)
    replace(target, media / "clip.mp4")
    assert "target_changed" in farm.ctl("wait", str(number), "--json", code=1)
    assert not list(farm.outbox.rglob("*.mp4"))
    farm.ctl("resume")
    farm.until(lambda status: status.counts["succeeded"] == 1, "the new content is a job of its own")
    new = farm.job_of(target)
    assert new.id != number
    assert (new.state, new.frames, new.output) == ("succeeded", 25, str(farm.outbox / "alice" / "long.mp4"))
    assert target.read_bytes() == (media / "clip.mp4").read_bytes()


@pytest.mark.parametrize("replace", [pytest.param(renamed_over, marks=pytest.mark.deep), overwritten])
def test_copied_over_itself_while_it_is_swapped(farm: Farm, media: Path, replace: Callable[[Path, Path], None]) -> None:
    """The same content, written anew: there is nothing to be done anew, and nothing has failed."""
    target, number = running(farm, media)
    replace(target, media / "long.mp4")
    farm.ctl("resume")
    done = farm.ended(target)
    assert (done.id, done.state, done.attempt) == (number, "succeeded", 1), done
    assert farm.status().counts["failed"] == 0
    assert [path.name for path in farm.outbox.rglob("*.mp4")] == ["long.mp4"]


def test_replaced_while_it_is_swapped_by_a_daemon_that_dies(farm: Farm, media: Path) -> None:
    """The job of the old content must not swap the new one."""
    target, number = running(farm, media)
    renamed_over(target, media / "clip.mp4")
    farm.until(lambda _: farm.job_of(target).id != number, "the new content is a job of its own")
    farm.kill()
    farm.start()
    farm.ctl("resume")
    new = farm.ended(target)
    assert (new.state, new.frames) == ("succeeded", 25)
    assert "target_changed" in farm.ctl("wait", str(number), "--json", code=1)
    assert [path.name for path in farm.outbox.rglob("*.mp4")] == ["long.mp4"]


def test_removed_while_it_is_swapped_and_put_back(farm: Farm, media: Path) -> None:
    target, number = running(farm, media)
    target.unlink()
    assert "target_missing" in farm.ctl("wait", str(number), "--json", code=1)
    assert not list(farm.outbox.rglob("*.mp4"))
    farm.ctl("resume")
    farm.drop(media / "long.mp4")
    farm.until(lambda status: status.counts["succeeded"] == 1, "it is tried again")
    done = farm.job_of(target)
    assert (done.id, done.output) == (number, str(farm.outbox / "alice" / "long.mp4"))


def test_removed_while_it_waits(farm: Farm, media: Path) -> None:
    farm.ctl("pause")
    target, other = farm.drop(media / "photo.jpg"), farm.drop(media / "photo.png")
    number = farm.job_of(target).id
    assert farm.job_of(other).state == "queued"
    target.unlink()
    farm.until(lambda status: status.counts["cancelled"] == 1, "it is taken back")
    farm.ctl("resume")
    assert farm.ended(other).state == "succeeded"
    assert farm.ended(target).id == number
    assert farm.ended(target).reason == "The file was taken out of the inbox."


def test_an_output_that_comes_back_is_known(farm: Farm, media: Path) -> None:
    """Under another name, in whatever way."""
    first = farm.ended(farm.drop(media / "photo.png"))
    folder = farm.inbox / "alice" / "holiday"
    folder.mkdir()
    back: tuple[Callable[[Path, Path], object], ...] = (shutil.copyfile, os.link, shutil.move)
    for way in back:
        way(Path(first.output or ""), folder / f"by {way.__name__}.png")
    last = farm.ended(farm.drop(media / "photo.jpg", "alice", "zz-last.jpg"))
    assert last.id == first.id + 1
    for place in folder.iterdir():
        assert f"the result of job {first.id}" in farm.ctl("explain", str(place))
    assert len(list(folder.iterdir())) == len(back)
