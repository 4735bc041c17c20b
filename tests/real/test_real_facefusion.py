"""The same acceptance on a real FaceFusion, where FACESWAPD_TEST_FACEFUSION names its root.

FACESWAPD_TEST_FACEFUSION_PYTHON names its Python, if that is not in the usual place. With real weights the drawn faces
must be found by them; with stand-in weights everything but the looks is the same.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faceswapd.control.wire import job_messages, messages
from faceswapd.engines.facefusion.find import python_of
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.acceptance.farm import JOB_SECONDS, Farm, children, gone

NAMED = os.environ.get("FACESWAPD_TEST_FACEFUSION")
pytestmark = pytest.mark.skipif(not NAMED, reason="FACESWAPD_TEST_FACEFUSION names no installation")
SECONDS = 600.0  # for a job: models of real size are loaded by slow machines, too
NewFarm = Callable[..., Farm]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    write_portrait(folder / "face.png", 4, 512)
    write_scene_image(folder / "photo.png", [11], 640, 480)
    write_scene_image(folder / "photo.jpg", [7], 640, 480)
    write_scene_video(folder / "clip.mp4", [11], 426, 240, 2.0)
    times = [0.0]
    while times[-1] < 1.5:
        times.append(times[-1] + (1 / 30, 1 / 15, 1 / 24)[len(times) % 3])
    write_scene_video(folder / "phone.mov", [3], 240, 320, 1.5, 30, rotation=90, times=times)
    return folder


@pytest.fixture
def new_farm(tmp_path: Path, media: Path) -> Iterator[NewFarm]:
    farms: list[Farm] = []

    def make(**more: Any) -> Farm:
        root = Path(NAMED or "")
        named = os.environ.get("FACESWAPD_TEST_FACEFUSION_PYTHON")
        python = Path(named) if named else python_of(root, Path.home(), os.environ)
        own = {"root": str(root), "python": str(python), **more}
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in own.items())
        settings = f'\n[engine]\nname = "facefusion"\n[engine.facefusion]\n{lines}\n'
        farms.append(Farm.made(tmp_path / f"farm-{len(farms)}", media / "face.png", settings))
        return farms[-1]

    yield make
    for farm in farms:
        farm.close()


def ended(farm: Farm, target: Path) -> messages.Job:
    """The job of a target when it has ended, however long that takes."""
    number = farm.job_of(target).id
    for _ in range(int(SECONDS / JOB_SECONDS) + 1):
        job = farm.ask(job_messages.JobDetail, f"/api/jobs/{number}/wait?seconds=50").job
        if job.finished_at is not None:
            return job
    raise AssertionError(f"job {number} did not end: {job}")


@pytest.mark.parametrize("level", ["warm", "batch", "cold"])
def test_each_level_does_the_drop_of_files(new_farm: NewFarm, media: Path, level: str) -> None:
    farm = new_farm(level=level)
    farm.start()
    targets = [farm.drop(media / name) for name in ("photo.png", "photo.jpg", "clip.mp4", "phone.mov")]
    for target in targets:
        job = ended(farm, target)
        assert job.state == "succeeded", f"{job.category}: {job.reason}"
    assert farm.status().remarks == [], "the level that was asked for works"


def test_killed_in_the_middle_nothing_is_lost_and_nobody_is_left(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm()
    farm.start()
    target = farm.drop(media / "clip.mp4")
    number = farm.job_of(target).id
    farm.until(lambda status: any(job.id == number for job in status.running), "it runs")
    left = children(farm.processes[-1].pid)
    farm.kill()
    assert gone(left, 20)
    farm.start()
    job = ended(farm, target)
    assert (job.state, job.attempt) == ("succeeded", 1)


def test_the_presets_all_run(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm()
    farm.start()
    for preset in ("fast", "balanced", "best"):
        target = farm.drop(media / "photo.png", "alice", f"photo@{preset}.png")
        job = ended(farm, target)
        assert (job.state, job.preset) == ("succeeded", preset), job.reason
