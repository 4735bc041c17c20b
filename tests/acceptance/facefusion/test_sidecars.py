"""What a sidecar asks for, through FaceFusion's stand-in: a part of a video, and several persons in one."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from faceswapd.media.drawn_scene import write_scene_video
from tests.acceptance.facefusion.asking import NewFarm
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
