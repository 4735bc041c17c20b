"""Installations that are broken, altered, old or in the wrong place, and what is asked of them."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.acceptance.facefusion.asking import NewFarm, held
from tests.acceptance.farm import Farm, children, gone
from tests.fakes.facefusion_root import make_root, write_settings


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


@pytest.mark.deep
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
        pytest.param(
            {"python": "/nowhere/python"}, "FaceFusion's Python is not there: /nowhere/python.", marks=pytest.mark.deep
        ),
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


@pytest.mark.deep
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


@pytest.mark.parametrize(
    "version",
    [
        "3.1.2",
        *(pytest.param(version, marks=pytest.mark.deep) for version in ("3.4.2", "3.5.0", "3.7.1", "3.8.0")),
        "4.0.0",
    ],
)
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
