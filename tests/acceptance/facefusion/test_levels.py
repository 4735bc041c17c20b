"""The three ways in which FaceFusion is driven, and how one falls back to the next."""

import contextlib
from pathlib import Path

import psutil
import pytest

from tests.acceptance.facefusion.asking import NewFarm
from tests.acceptance.farm import children
from tests.fakes.facefusion_root import write_settings


@pytest.mark.parametrize("level", ["warm", "batch", "cold"])
def test_each_level_does_all_jobs(new_farm: NewFarm, media: Path, level: str) -> None:
    farm = new_farm(level=level)
    farm.start()
    targets = [farm.drop(media / name) for name in ("photo.jpg", "photo.png", "clip.mp4")]
    for target in targets:
        job = farm.ended(target)
        assert job.state == "succeeded", job.reason


def test_in_a_batch_one_that_is_declined_costs_the_others_nothing(
    new_farm: NewFarm, media: Path, declined: Path
) -> None:
    farm = new_farm(level="batch")
    farm.start()
    farm.ctl("pause")
    targets = [farm.drop(path) for path in (media / "photo.jpg", declined, media / "photo.png")]
    for target in targets:
        farm.job_of(target)
    farm.ctl("resume")
    assert [farm.ended(target).state for target in targets] == ["succeeded", "failed", "succeeded"]
    assert farm.ended(targets[1]).category == "content_declined"


def test_in_a_batch_one_that_is_cancelled_is_ended_and_the_others_are_done(
    new_farm: NewFarm, root: Path, media: Path
) -> None:
    write_settings(root, costs={"per_frame": 0.3})
    farm = new_farm(level="batch")
    farm.start()
    farm.ctl("pause")
    targets = [farm.drop(media / name) for name in ("clip.mp4", "photo.jpg", "photo.png")]
    numbers = [farm.job_of(target).id for target in targets]
    farm.ctl("resume")
    farm.until(
        lambda status: any(job.id == numbers[0] and job.phase == "swapping" for job in status.running), "it runs"
    )
    farm.ctl("cancel", str(numbers[0]))
    jobs = [farm.ended(target) for target in targets]
    assert [job.state for job in jobs] == ["cancelled", "succeeded", "succeeded"], jobs
    assert [job.attempt for job in jobs[1:]] == [1, 1]
    launchers = [one for one in children(farm.processes[-1].pid) if "launcher" in " ".join(one.cmdline())]
    assert len(launchers) <= 1, "a child that was given up is nobody's"
    farm.stop()
    assert not list((farm.folder / "state" / "scratch").iterdir())
    log = (farm.folder / "state" / "logs" / "faceswapd.log").read_text(encoding="utf-8")
    assert "an error of faceswapd itself" not in log


def test_where_the_driver_does_not_work_the_next_level_does_and_the_reason_is_shown(
    new_farm: NewFarm, own_root: Path, picture: Path
) -> None:
    write_settings(own_root, fault="rubbish_on_stdout")
    core = own_root / "facefusion" / "core.py"
    text = core.read_text(encoding="utf-8")
    core.write_text(text + "\nimport sys\nif 'driver.py' in sys.argv[0]:\n    sys.exit(7)\n", encoding="utf-8")
    farm = new_farm(root=str(own_root))
    farm.start()
    job = farm.ended(farm.drop(picture))
    assert job.state == "succeeded", job.reason
    (remark,) = farm.status().remarks
    assert remark.startswith("FaceFusion is driven the slower way `batch`, since `warm` does not work: ")
    assert "exit code 7" in remark
    assert "FaceFusion is driven the slower way `batch`" in farm.ctl("status")


@pytest.mark.deep
def test_where_no_batch_begins_all_of_its_jobs_go_on_one_by_one(
    new_farm: NewFarm, own_root: Path, media: Path, picture: Path
) -> None:
    """Several jobs find out at the same time that the way does not work."""
    core = own_root / "facefusion" / "core.py"
    text = core.read_text(encoding="utf-8")
    core.write_text(text + "\nimport sys\nif 'job-run-all' in sys.argv:\n    sys.exit(7)\n", encoding="utf-8")
    farm = new_farm(root=str(own_root), level="batch")
    farm.start()
    farm.ctl("pause")
    targets = [farm.drop(path) for path in (media / "photo.jpg", media / "photo.png", picture, media / "clip.mp4")]
    for target in targets:
        farm.job_of(target)
    farm.ctl("resume")
    jobs = [farm.ended(target) for target in targets]
    assert [(job.state, job.attempt) for job in jobs] == [("succeeded", 1)] * 4, jobs
    (remark,) = farm.status().remarks
    assert remark.startswith("FaceFusion is driven the slower way `cold`, since `batch` does not work: ")
    log = (farm.folder / "state" / "logs" / "faceswapd.log").read_text(encoding="utf-8")
    assert "an error of faceswapd itself" not in log


@pytest.mark.deep
def test_a_child_killed_before_a_batch_begins_costs_no_job_an_attempt(
    new_farm: NewFarm, root: Path, media: Path
) -> None:
    write_settings(root, costs={"start": 3.0})
    farm = new_farm(level="batch")
    farm.start()
    farm.ctl("pause")
    targets = [farm.drop(media / name) for name in ("photo.jpg", "photo.png")]
    for target in targets:
        farm.job_of(target)
    farm.ctl("resume")

    def killed() -> bool:
        for child in children(farm.processes[-1].pid):
            with contextlib.suppress(psutil.Error):
                if "job-run-all" in child.cmdline():
                    child.kill()
                    return True
        return False

    farm.until(lambda _: killed(), "FaceFusion has started and is killed")
    write_settings(root)
    assert [(job.state, job.attempt) for job in map(farm.ended, targets)] == [("succeeded", 1)] * 2
