"""The same drop of files through FaceFusion's stand-in, and all that can go wrong with a job."""

from pathlib import Path

import cv2
import pytest

from tests.acceptance.facefusion.asking import NewFarm, detail, failed, looked_at
from tests.acceptance.farm import Farm, children, gone
from tests.fakes.facefusion_root import write_settings


def test_the_same_drop_of_files_goes_through_facefusion(farm: Farm, root: Path, media: Path) -> None:
    names = ("photo.jpg", "photo.png", "clip.mp4", "phone.mov")
    targets = [farm.drop(media / name) for name in names]
    for target in targets:
        job = farm.ended(target)
        assert job.state == "succeeded", job.reason
        assert job.output is not None
        assert Path(job.output).name == target.name
    status = farm.status()
    assert status.engine == "facefusion"
    assert status.engine_why == f"FaceFusion 3.8.1 in {root}, on CPU."
    changed = cv2.absdiff(looked_at(farm.outbox / "alice" / "photo.png"), looked_at(media / "photo.png"))
    assert changed[40:80, 55:105].mean() > 30
    assert changed[:20].mean() < 5
    said = farm.ctl("logs", str(farm.job_of(targets[2]).id))
    assert "[FACEFUSION." in said, "what FaceFusion said is known also when all went well"
    assert "\n-- swapping\n" in said
    phone = farm.job_of(targets[3])
    assert any(event.kind == "mended" and "rotation" in event.text for event in detail(farm, phone).events)
    farm.stop()  # a job is recorded before its scratch is removed
    assert not list((farm.folder / "state" / "scratch").iterdir())


def test_one_child_takes_one_job_after_the_other(farm: Farm, media: Path) -> None:
    for name in ("photo.jpg", "photo.png"):
        assert farm.ended(farm.drop(media / name)).state == "succeeded"
    drivers = [one for one in children(farm.processes[-1].pid) if "driver.py" in " ".join(one.cmdline())]
    assert len(drivers) == 1


def test_what_the_content_check_declines_is_final(farm: Farm, declined: Path) -> None:
    target = farm.drop(declined)
    job = failed(farm, target, "content_declined")
    assert job.attempt == 1
    assert [one.outcome for one in detail(farm, job).executions] == ["failed"]
    assert list(farm.outbox.rglob("*.png")) == []
    assert "was declined for good" in farm.ctl("retry", str(job.id), code=1)
    farm.drop(declined, "alice", "again.png")
    farm.until(lambda _: "declined for good" in farm.ctl("explain", str(farm.inbox / "alice" / "again.png")), "said")
    assert farm.status().counts["queued"] == 0


def test_a_target_in_which_nobody_was_swapped_is_no_result(farm: Farm, root: Path, picture: Path) -> None:
    write_settings(root, fault="nothing_swapped")
    job = failed(farm, farm.drop(picture), "nobody_swapped")
    assert job.advice


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        ("no_face", "no_source_face"),
        ("exit0_nothing", "nothing_made"),
        pytest.param("traceback", None, marks=pytest.mark.deep),
        ("killed", None),
        ("model_load", "model_load"),
    ],
)
def test_what_goes_wrong_once_is_told_and_mended_where_it_can_be(
    new_farm: NewFarm, root: Path, picture: Path, fault: str, category: str | None
) -> None:
    once = root / "once"
    once.touch()
    write_settings(root, fault=fault, fault_file=once)
    farm = new_farm()
    farm.start()
    job = farm.ended(farm.drop(picture))
    first = detail(farm, job).executions[0]
    assert first.outcome in ("failed", "retried")
    assert first.sentence
    assert "Traceback" not in first.sentence
    if job.state == "failed":
        assert job.category == category
        assert job.reason
    else:
        assert job.state == "succeeded", job.reason


@pytest.mark.parametrize("name", ["photo.png", pytest.param("photo.jpg", marks=pytest.mark.deep), "clip.mp4"])
def test_an_output_that_is_cut_short_never_reaches_the_outbox(farm: Farm, root: Path, media: Path, name: str) -> None:
    write_settings(root, fault="truncated_output")
    job = failed(farm, farm.drop(media / name), "output_damaged")
    assert job.attempt == 3, "it may have been chance"


@pytest.mark.parametrize(
    "fault", [*(pytest.param(fault, marks=pytest.mark.deep) for fault in ("hang", "hang_pipe")), "ignore_term"]
)
def test_a_child_that_stands_still_is_ended_with_all_that_it_started(
    new_farm: NewFarm, root: Path, picture: Path, fault: str
) -> None:
    once = root / "once"
    once.touch()
    write_settings(root, fault=fault, fault_file=once)
    farm = new_farm("\n[timeouts]\nfirst_output = 3\nno_progress = 3\n")
    farm.start()
    target = farm.drop(picture)
    number = farm.job_of(target).id
    farm.until(lambda status: any(job.id == number for job in status.running), "it runs")
    before = [one for one in children(farm.processes[-1].pid) if "driver.py" in " ".join(one.cmdline())]
    job = farm.ended(target)
    assert job.state == "succeeded", job.reason
    stopped = detail(farm, job).executions[0]
    assert stopped.outcome == "retried"
    assert any("[FACEFUSION." in line for line in stopped.log), "its last words are kept"
    assert gone(before, 10)


def test_out_of_memory_climbs_down_and_the_next_one_begins_there(
    new_farm: NewFarm, root: Path, media: Path, picture: Path
) -> None:
    write_settings(root, oom_unless="strict")
    farm = new_farm()
    farm.start()
    first = farm.ended(farm.drop(picture))
    assert first.state == "succeeded", first.reason
    assert [one.outcome for one in detail(farm, first).executions] == ["retried", "succeeded"]
    assert first.attempt == 1
    second = farm.ended(farm.drop(media / "photo.png"))
    assert [one.outcome for one in detail(farm, second).executions] == ["succeeded"]


def test_in_parts_where_nothing_else_helps(new_farm: NewFarm, root: Path, tmp_path: Path) -> None:
    from faceswapd.media.drawn_scene import write_scene_video

    write_settings(root, oom_unless="segment")
    write_scene_video(tmp_path / "long.mp4", [11], 160, 120, 21.0, 10)
    farm = new_farm()
    farm.start()
    job = farm.ended(farm.drop(tmp_path / "long.mp4"))
    assert job.state == "succeeded", job.reason
    assert [one.outcome for one in detail(farm, job).executions] == ["retried"] * 4 + ["succeeded"]
