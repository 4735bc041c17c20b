"""What a sidecar asks for, on the real daemon: a part of a video, and several persons in one."""

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.faults import VARIABLE
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm
from tests.acceptance.test_main_job import frames, sound


def beside(target: Path, text: str) -> Path:
    """Write the sidecar of a target that is still to be dropped."""
    target.parent.mkdir(exist_ok=True)
    sidecar = target.with_name(f"{target.name}.toml")
    sidecar.write_text(text, encoding="utf-8")
    return sidecar


def test_a_part_of_a_phones_video(farm: Farm, media: Path) -> None:
    beside(farm.inbox / "alice" / "phone.mov", "trim = { start = 0.5, end = 1.2 }\n")
    target = farm.drop(media / "phone.mov")
    job = farm.ended(target)
    assert (job.state, job.reason) == ("succeeded", None)
    assert job.output is not None
    before, coded, _ = frames(target)
    after, upright, flag = frames(Path(job.output))
    wanted = [number for number, at in enumerate(before) if 0.5 <= at < 1.2]
    assert flag == 0
    assert after == pytest.approx([before[number] - before[wanted[0]] for number in wanted], abs=1e-6)
    for made, number in zip(upright, wanted, strict=True):
        assert float(np.abs(np.rot90(coded[number], -1).astype(int) - made).mean()) < 20, "the same scene"
    assert "from 0:00.5 to 0:01.2" in farm.ctl("explain", str(target))


def test_a_part_that_the_video_does_not_have_is_a_mistake_with_a_sentence(farm: Farm, media: Path) -> None:
    beside(farm.inbox / "alice" / "clip.mp4", 'trim = { start = "0:10" }\n')
    beside(farm.inbox / "alice" / "photo.jpg", "trim = { end = 1 }\n")
    for name, told in (("clip.mp4", "begin before its end"), ("photo.jpg", "an image has no length")):
        job = farm.job_of(farm.drop(media / name))
        assert job.state == "parked"
        assert told in farm.ctl("explain", f"alice/{name}")


BOTH = """
preset = "fast"

[[map]]
face = "bob"
position = 2

[[map]]
face = "alice"
position = 1
at = 0.2
"""


@pytest.fixture
def couple(new_farm: NewFarm, media: Path) -> Farm:
    """A farm that knows alice and bob."""
    farm = new_farm()
    shutil.copy(media / "other.png", farm.folder / "faces" / "bob.png")
    return farm


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two persons, one in each half of the picture, and sound."""
    path = tmp_path_factory.mktemp("film") / "two.mp4"
    write_scene_video(path, [11, 7], 480, 270, 0.6, 25)
    return path


def unlike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[float, float]:
    """How much the left halves of two pictures differ, and the right ones, without the label below."""
    apart = np.maximum(np.abs(one.astype(int) - other)[: one.shape[0] * 4 // 5] - 10, 0)
    middle = one.shape[1] // 2
    return float(apart[:, :middle].mean()), float(apart[:, middle:].mean())


def test_each_of_two_persons_gets_the_own_face(couple: Farm, film: Path) -> None:
    beside(couple.inbox / "two.mp4", BOTH)
    couple.start()
    target = couple.drop(film, "two.mp4")
    job = couple.ended(target)
    assert (job.state, job.face, job.reason) == ("succeeded", "bob + alice", None)
    assert job.output is not None
    made = {"both": Path(job.output)}
    for name in ("alice", "bob"):  # everybody gets this one's face
        beside(couple.inbox / name / "two.mp4", 'preset = "fast"')
        alike = couple.ended(couple.drop(film, name, "two.mp4"))
        assert alike.output is not None, alike.reason
        made[name] = Path(alike.output)
    pictures = {name: frames(path)[1] for name, path in made.items()}
    for both, alice, bob in zip(pictures["both"], pictures["alice"], pictures["bob"], strict=True):
        assert unlike(both, alice)[0] < unlike(both, bob)[0], "on the left it is alice"
        assert unlike(both, bob)[1] < unlike(both, alice)[1], "on the right it is bob"
    assert sound(target) == sound(made["both"])
    assert frames(target)[0] == frames(made["both"])[0]
    told = couple.ctl("explain", "two.mp4")
    assert "person 2 from the left in frame 0: bob" in told


def test_a_person_who_is_not_there_is_nobody_else(couple: Farm, tmp_path: Path) -> None:
    write_scene_image(tmp_path / "one.png", [5], 320, 240)
    beside(couple.inbox / "one.png", '[[map]]\nface = "alice"\nposition = 2\n')
    couple.start()
    job = couple.ended(couple.drop(tmp_path / "one.png", "one.png"))
    assert (job.state, job.category) == ("failed", "person_missing")
    assert job.reason == "Person 2 from the left in frame 0 is meant, and 1 face is found in it."


@pytest.mark.deep
def test_the_daemon_dies_between_two_persons_and_begins_anew(couple: Farm, film: Path) -> None:
    beside(couple.inbox / "two.mp4", BOTH)
    couple.start(**{VARIABLE: "pass done"})
    target = couple.drop(film, "two.mp4")
    assert couple.processes[-1].wait(60) == -signal.SIGKILL
    couple.start()
    assert couple.ended(target).state == "succeeded"
    assert couple.stop() == 0
    assert list((couple.folder / "state" / "scratch").iterdir()) == []
