"""The real daemon with FaceFusion's stand-in: the same drop of files, and everything that can go wrong there."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.control import messages
from faceswapd.media.drawn_scene import write_scene_image
from tests.acceptance.farm import Farm, children, gone
from tests.fakes.facefusion_root import make_root, write_settings

QUICK = "\n[retry]\nfirst = 0.2\nfactor = 1.5\nlongest = 1.0\n"
NewFarm = Callable[..., Farm]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one whole installation for all tests that leave its files alone, and what is remembered of it."""
    folder = tmp_path_factory.mktemp("installed")
    make_root(folder / "ff")
    return folder


@pytest.fixture
def root(installed: Path) -> Path:
    """The installation, behaving well."""
    write_settings(installed / "ff")
    return installed / "ff"


@pytest.fixture
def own_root(tmp_path: Path) -> Path:
    """An installation for one test alone, which may break it."""
    return make_root(tmp_path / "ff")


@pytest.fixture
def new_farm(tmp_path: Path, media: Path, installed: Path, root: Path) -> Iterator[NewFarm]:
    """A farm that names the stand-in; `more` is laid over [engine.facefusion], `settings` stand behind it. What one
    daemon has found out of the shared installation spares the next one the questions."""
    farms: list[Farm] = []

    def make(settings: str = "", **more: Any) -> Farm:
        own = {"root": str(root), "python": sys.executable, **more}
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in own.items())
        engine = f'\n[engine]\nname = "facefusion"\n[engine.facefusion]\n{lines}\n{QUICK}{settings}'
        farms.append(Farm.made(tmp_path / f"farm-{len(farms)}", media / "portrait.png", engine))
        if (installed / "facefusion").exists():
            shutil.copytree(installed / "facefusion", farms[-1].folder / "state" / "facefusion")
        return farms[-1]

    yield make
    for farm in farms:
        farm.close()
        known = farm.folder / "state" / "facefusion"
        if (known / "providers.json").exists() and not (installed / "facefusion").exists():
            shutil.copytree(known, installed / "facefusion")


@pytest.fixture
def farm(new_farm: NewFarm, root: Path) -> Farm:
    made = new_farm()
    made.start()
    return made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_scene_image(tmp_path / "scene.png", [11], 160, 120)
    return tmp_path / "scene.png"


@pytest.fixture
def declined(tmp_path: Path) -> Path:
    """A picture that the content check minds."""
    red = np.zeros((120, 160, 3), np.uint8)
    red[..., 2] = np.random.default_rng(3).integers(150, 255, (120, 160))
    cv2.imwrite(str(tmp_path / "red.png"), red)
    return tmp_path / "red.png"


def looked_at(path: Path) -> NDArray[np.uint8]:
    found = cv2.imread(str(path))
    assert found is not None
    return np.asarray(found, np.uint8)


def detail(farm: Farm, job: messages.Job) -> messages.JobDetail:
    return farm.ask(messages.JobDetail, f"/v1/jobs/{job.id}")


def failed(farm: Farm, target: Path, category: str) -> messages.Job:
    """The job of a target, which has failed for good."""
    job = farm.ended(target)
    assert (job.state, job.category) == ("failed", category), job.reason
    assert job.output is None
    return job


def held(farm: Farm) -> messages.Status:
    """The status as soon as the breaker holds the queue."""
    return farm.until(lambda status: status.state == "held" and bool(status.waiting), "held")


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
    assert changed[80:160, 110:210].mean() > 30
    assert changed[:40].mean() < 5
    phone = farm.job_of(targets[3])
    assert any(event.kind == "mended" and "rotation" in event.text for event in detail(farm, phone).events)
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
        ("traceback", None),
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


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "clip.mp4"])
def test_an_output_that_is_cut_short_never_reaches_the_outbox(farm: Farm, root: Path, media: Path, name: str) -> None:
    write_settings(root, fault="truncated_output")
    job = failed(farm, farm.drop(media / name), "output_damaged")
    assert job.attempt == 3, "it may have been chance"


@pytest.mark.parametrize("fault", ["hang", "hang_pipe", "ignore_term"])
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
    assert detail(farm, job).executions[0].outcome == "retried"
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


def test_a_broken_installation_holds_the_queue_and_goes_on_by_itself(
    new_farm: NewFarm, own_root: Path, picture: Path
) -> None:
    core = own_root / "facefusion" / "core.py"
    away = own_root / "core.py.away"
    core.rename(away)
    farm = new_farm(root=str(own_root))
    farm.start()
    target = farm.drop(picture)
    status = held(farm)
    assert "is not a whole FaceFusion" in (status.why or "")
    assert status.engine == "facefusion", "the preview engine never stands in"
    away.rename(core)
    job = farm.ended(target)
    assert job.state == "succeeded", job.reason
    assert job.attempt == 1


def test_what_breaks_every_way_of_driving_leaves_the_fastest_when_it_is_mended(
    new_farm: NewFarm, root: Path, media: Path, picture: Path
) -> None:
    farm = new_farm()
    farm.start()
    assert farm.ended(farm.drop(media / "photo.png")).state == "succeeded"
    farm.stop()
    write_settings(root, fault="dies_at_import")
    farm.start()
    target = farm.drop(picture)
    assert "libcudart" in (held(farm).why or "")
    farm.ctl("pause")  # so that it is not mended in the middle of an attempt
    farm.until(lambda status: not status.running, "nothing runs")
    write_settings(root)
    farm.ctl("resume")
    assert farm.ended(target).state == "succeeded"
    assert farm.status().remarks == []


def test_an_altered_installation_is_not_driven(new_farm: NewFarm, own_root: Path, picture: Path) -> None:
    analyser = own_root / "facefusion" / "content_analyser.py"
    analyser.write_text(analyser.read_text(encoding="utf-8") + "\n# weaker\n", encoding="utf-8")
    farm = new_farm(root=str(own_root))
    farm.start()
    farm.drop(picture)
    status = held(farm)
    assert status.waiting[0].category == "engine_altered"
    assert list(farm.outbox.rglob("*.png")) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ({"root": "/nowhere"}, "/nowhere does not exist."),
        ({"python": "/nowhere/python"}, "FaceFusion's Python is not there: /nowhere/python."),
        ({"python": "/bin/false"}, ""),
    ],
    ids=["root", "python", "not a python"],
)
def test_a_wrong_place_is_said(new_farm: NewFarm, picture: Path, broken: dict[str, str], told: str) -> None:
    farm = new_farm(**broken)
    farm.start()
    farm.drop(picture)
    why = held(farm).why or ""
    assert told in why
    assert "Traceback" not in why


def test_a_root_that_is_something_else_is_said(new_farm: NewFarm, tmp_path: Path, picture: Path) -> None:
    (tmp_path / "other").mkdir()
    farm = new_farm(root=str(tmp_path / "other"))
    farm.start()
    farm.drop(picture)
    assert "is not FaceFusion's folder: there is no facefusion.py in it" in (held(farm).why or "")


def test_models_that_are_missing_offline_hold_the_queue_until_they_are_there(
    new_farm: NewFarm, own_root: Path, picture: Path
) -> None:
    model = own_root / ".assets" / "models" / "arcface_w600k_r50.onnx"
    away = own_root / "model.away"
    model.rename(away)
    farm = new_farm(root=str(own_root), downloads=False)
    farm.start()
    target = farm.drop(picture)
    status = held(farm)
    assert status.waiting[0].category == "model_missing"
    assert "arcface_w600k_r50" in (status.why or "")
    away.rename(model)
    assert farm.ended(target).state == "succeeded"


def test_a_model_that_is_cut_short_never_reaches_facefusion(new_farm: NewFarm, own_root: Path, picture: Path) -> None:
    model = own_root / ".assets" / "models" / "hyperswap_1a_256.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-7])
    farm = new_farm(root=str(own_root), downloads=False)
    farm.start()
    target = farm.drop(picture)
    assert held(farm).waiting[0].category == "model_corrupt"
    assert model.exists(), "FaceFusion would have deleted it"
    model.write_bytes(whole)
    assert farm.ended(target).state == "succeeded"


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


def test_an_option_that_the_installation_does_not_take_is_told_before_anything_is_queued(
    new_farm: NewFarm,
) -> None:
    own = '[[preset]]\nname = "mine"\noptions = { face_swapper_model = "hyperswap_9" }\n'
    said = new_farm(own).refused()
    assert "[[preset]] mine" in said
    assert "hyperswap_9" in said
    assert "hyperswap_1a_256" in said, "it says what is allowed"


def test_a_preset_of_ones_own_is_asked_for_by_the_files_name(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm('[[preset]]\nname = "mine"\nbase = "fast"\noptions = { face_mask_blur = 0.5 }\n')
    farm.start()
    target = farm.drop(media / "photo.png", "alice", "photo@mine.png")
    job = farm.ended(target)
    assert (job.state, job.preset) == ("succeeded", "mine")


def test_killed_in_the_middle_nothing_is_lost_and_nobody_is_left(new_farm: NewFarm, root: Path, media: Path) -> None:
    write_settings(root, costs={"per_frame": 0.2})
    farm = new_farm()
    farm.start()
    target = farm.drop(media / "clip.mp4")
    farm.until(lambda status: bool(status.running) and status.running[0].phase == "swapping", "swapping")
    left = children(farm.processes[-1].pid)
    farm.kill()
    assert gone(left, 10)
    write_settings(root)
    farm.start()
    job = farm.ended(target)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert [path.name for path in farm.outbox.rglob("*") if path.is_file()] == ["clip.mp4"]


def test_a_cancelled_job_ends_facefusion_and_the_next_one_runs(
    new_farm: NewFarm, root: Path, media: Path, picture: Path
) -> None:
    write_settings(root, costs={"per_frame": 5.0})
    farm = new_farm()
    farm.start()
    target = farm.drop(media / "clip.mp4")
    number = farm.job_of(target).id
    farm.until(lambda status: bool(status.running) and status.running[0].phase == "swapping", "swapping")
    farm.ctl("cancel", str(number))
    assert farm.ended(target).state == "cancelled"
    assert farm.ended(farm.drop(picture)).state == "succeeded"


@pytest.mark.parametrize("version", ["3.1.2", "3.4.2", "3.5.0", "3.7.1", "3.8.0", "4.0.0"])
def test_each_version_does_an_image_and_a_video(
    tmp_path: Path, new_farm: NewFarm, own_root: Path, media: Path, version: str
) -> None:
    shutil.rmtree(own_root)
    make_root(own_root, version=version)
    farm = new_farm(root=str(own_root))
    farm.start()
    for name in ("photo.jpg", "clip.mp4"):
        job = farm.ended(farm.drop(media / name))
        assert job.state == "succeeded", job.reason


def test_with_auto_a_broken_one_beside_the_inbox_leaves_the_preview_engine_and_says_why(
    tmp_path: Path, media: Path, root: Path
) -> None:
    farm = Farm.made(tmp_path / "farm-auto", media / "portrait.png")
    make_root(farm.folder / "facefusion", missing=("curl",))
    (farm.folder / "facefusion" / "venv" / "bin").mkdir(parents=True)
    (farm.folder / "facefusion" / "venv" / "bin" / "python").symlink_to(sys.executable)
    farm.start()
    try:
        status = farm.status()
        assert status.engine == "preview"
        assert "a FaceFusion was found, but" in status.engine_why
    finally:
        farm.close()
