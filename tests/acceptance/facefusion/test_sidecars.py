"""What a sidecar asks for, through FaceFusion's stand-in: a part of a video, and several persons in one."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from faceswapd.media.drawn_scene import write_scene_video
from tests.acceptance.facefusion.asking import NewFarm, looked_at
from tests.acceptance.farm import Farm
from tests.acceptance.test_main_job import frames, sound
from tests.acceptance.test_sidecars import beside
from tests.fakes.facefusion_root import write_settings

ASKED = """
trim = { start = 0.2, end = 0.8 }

[options]
face_selector_gender = "female"
reference_face_distance = 0.4

[[map]]
face = "bob"
position = 2
frame = 10

[[map]]
face = "alice"
position = 1
"""


@pytest.fixture
def journal(root: Path, tmp_path: Path) -> Path:
    """Each step's arguments, a line for each."""
    write_settings(root, journal=tmp_path / "journal")
    return tmp_path / "journal"


@pytest.fixture
def couple(new_farm: NewFarm, media: Path) -> Farm:
    """A farm that knows alice and bob."""
    farm = new_farm()
    shutil.copy(media / "other.png", farm.folder / "faces" / "bob.png")
    return farm


def steps(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def test_each_person_is_a_step_of_its_own_on_what_was_made_before(couple: Farm, journal: Path, tmp_path: Path) -> None:
    write_scene_video(tmp_path / "two.mp4", [11, 7], 320, 240, 1.0, 25, rotation=90)
    beside(couple.inbox / "two.mp4", ASKED)
    couple.start()
    target = couple.drop(tmp_path / "two.mp4", "two.mp4")
    job = couple.ended(target)
    assert (job.state, job.face, job.reason) == ("succeeded", "bob + alice", None)
    assert job.output is not None
    first, second = steps(journal)
    for step in (first, second):
        assert (step["face_selector_mode"], step["face_selector_order"]) == ("reference", "left-right")
        assert (step["reference_face_distance"], step["face_selector_gender"]) == (0.4, None)
    assert (first["reference_face_position"], first["reference_frame_number"]) == (1, 5)  # of the part
    assert (second["reference_face_position"], second["reference_frame_number"]) == (0, 0)
    assert first["source_paths"] != second["source_paths"]
    assert len({step[path] for step in (first, second) for path in ("target_path", "output_path")}) == 4
    made, _, turned = frames(Path(job.output))
    assert (len(made), turned) == (15, 0)
    whole, part = sound(target)[1], sound(Path(job.output))[1]
    assert part == pytest.approx(whole * 0.6, abs=2)
    couple.stop()
    assert not list((couple.folder / "state" / "scratch").iterdir())


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_several_persons_in_an_image(name: str, couple: Farm, journal: Path, media: Path) -> None:
    beside(couple.inbox / name, '[[map]]\nface = "alice"\nposition = 1\n[[map]]\nface = "bob"\nposition = 2\n')
    couple.start()
    job = couple.ended(couple.drop(media / name, name))
    assert (job.state, job.face, job.reason) == ("succeeded", "alice + bob", None)
    first, second = steps(journal)
    assert [step["reference_face_position"] for step in (first, second)] == [0, 1]
    assert Path(second["target_path"]).stem == "pass-1"
    assert looked_at(Path(job.output or "")).shape == looked_at(media / name).shape


def test_a_face_that_a_pass_cannot_use_is_named(couple: Farm, root: Path, media: Path) -> None:
    write_settings(root, fault="no_face", fault_on=2)
    beside(couple.inbox / "photo.png", '[[map]]\nface = "alice"\nposition = 1\n[[map]]\nface = "bob"\nposition = 2\n')
    couple.start()
    job = couple.ended(couple.drop(media / "photo.png", "photo.png"))
    assert (job.state, job.category) == ("failed", "no_source_face")
    assert (job.reason or "").endswith("It was the turn of bob, 2 of 2.")
    assert list(couple.outbox.rglob("*.png")) == []
