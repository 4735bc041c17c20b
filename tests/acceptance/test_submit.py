"""Files that lie anywhere, handed over with `faceswapctl submit` to the real daemon."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import JOB_SECONDS, Farm

FACES, PRESETS = ("alice", "bob"), ("fast", "best")


@pytest.fixture
def two_faces(new_farm: NewFarm, media: Path) -> Farm:
    """A farm with alice and bob."""
    farm = new_farm()
    shutil.copy(media / "other.png", farm.folder / "faces" / "bob.png")
    return farm


def matrix(*targets: Path) -> list[str]:
    """The command for all targets with both faces and two presets."""
    faces = [word for face in FACES for word in ("--face", face)]
    presets = [word for preset in PRESETS for word in ("--preset", preset)]
    return ["submit", *faces, *presets, *map(str, targets)]


def laid_out(media: Path, folder: Path) -> list[Path]:
    """Three small targets somewhere."""
    folder.mkdir()
    targets = [folder / name for name in ("photo.jpg", "photo.png", "clip.mp4")]
    for target in targets:
        shutil.copyfile(media / target.name, target)
    return targets


def looks(folder: Path) -> dict[str, tuple[int, ...]]:
    """All files of a folder, as they are."""
    return {
        path.name: (status.st_ino, status.st_size, status.st_mtime_ns)
        for path in folder.iterdir()
        for status in (path.stat(),)
    }


def jobs_of(farm: Farm) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = farm.ctl_json("jobs")["jobs"]
    return listed


def ready(farm: Farm, **environment: str) -> None:
    farm.start(**environment)
    farm.until(lambda _: all((farm.inbox / face).is_dir() for face in FACES), "the folders of the faces")


def test_two_faces_two_presets_and_three_files_are_twelve_jobs_with_twelve_outputs(
    two_faces: Farm, media: Path, tmp_path: Path
) -> None:
    farm, targets = two_faces, laid_out(media, tmp_path / "clips")
    ready(farm)
    before = looks(tmp_path / "clips")
    farm.ctl("pause")
    dry = farm.ctl(*matrix(*targets), "--dry-run")
    assert dry.splitlines()[0] == "12 jobs of 3 files: 12 to do."
    assert "is not known: no job of their kind and preset was done before" in dry
    assert jobs_of(farm) == []
    farm.ctl("resume")
    said = farm.ctl(*matrix(*targets), "--wait")
    assert said.count(": new job ") == 12
    jobs = jobs_of(farm)
    assert {(job["face"], job["preset"], job["target"], job["state"]) for job in jobs} == {
        (face, preset, str(target), "succeeded") for face in FACES for preset in PRESETS for target in targets
    }
    outputs = {Path(job["output"]) for job in jobs}
    assert outputs == {path for path in farm.outbox.rglob("*") if path.is_file()}
    assert {path.parent.name for path in outputs} == set(FACES)
    assert len(outputs) == 12
    assert looks(tmp_path / "clips") == before, "nothing touches what was submitted"
    again = farm.ctl(*matrix(*targets))
    assert again.count("the same as job ") == 12
    dry = farm.ctl(*matrix(*targets, media / "other.mp4"), "--dry-run")
    assert dry.splitlines()[0] == "16 jobs of 4 files: 4 to do, 12 there already or the same as another."
    assert "They take about " in dry
    explained = farm.ctl("explain", str(targets[0]))
    assert explained.startswith("It was submitted, and is 4 jobs.")
    assert f"with the face 'bob' and the preset 'best': job {jobs_with(jobs, 'bob', 'best', targets[0])}" in explained


def jobs_with(jobs: list[dict[str, Any]], face: str, preset: str, target: Path) -> int:
    (found,) = [job["id"] for job in jobs if (job["face"], job["preset"], job["target"]) == (face, preset, str(target))]
    return int(found)


@pytest.mark.deep
def test_the_same_command_after_a_kill_in_the_middle_of_it_makes_nothing_twice(
    two_faces: Farm, media: Path, tmp_path: Path
) -> None:
    farm, folder = two_faces, tmp_path / "clips"
    folder.mkdir()
    whole = (media / "photo.jpg").read_bytes()
    targets = [folder / f"{number}.jpg" for number in range(60)]  # three requests
    for number, target in enumerate(targets):
        comment = f"number {number}".encode()
        target.write_bytes(whole[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + whole[2:])
    ready(farm)
    farm.ctl("pause")
    words = [sys.executable, "-m", "faceswapd.ctl", "--socket", farm.client.path, *matrix(*targets)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=farm.environment()
    ) as handing:
        assert handing.stdout is not None
        assert ": new job 1 " in handing.stdout.readline()
        farm.kill()
        _, complaint = handing.communicate(timeout=JOB_SECONDS)
    assert handing.returncode in (0, 3)
    assert handing.returncode == 0 or "the same command again goes on with the rest" in complaint
    ready(farm)
    farm.ctl(*matrix(*targets))
    jobs = jobs_of(farm)
    kinds = {(job["face"], job["preset"], job["target"]) for job in jobs}
    assert len(jobs) == len(kinds) == 240


def test_what_cannot_be_taken_is_said_and_the_rest_is(farm: Farm, media: Path, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    good, *_ = laid_out(media, clips)
    (clips / "notes.txt").write_text("not a target", encoding="utf-8")
    (clips / "empty.mp4").touch()
    shutil.copyfile(media / "cut.mp4", clips / "cut.mp4")
    os.mkfifo(clips / "pipe.mp4")
    (clips / "folder.mp4").mkdir()
    done = farm.ended(farm.drop(media / "other.mp4"))
    assert done.output is not None
    names = ("notes.txt", "empty.mp4", "cut.mp4", "pipe.mp4", "folder.mp4", "none.mp4")
    said = farm.ctl("submit", *(str(clips / name) for name in names), str(good), done.output, code=1)
    for name in names:
        assert f"{clips / name}: " in said
    assert f"{good}: new job " in said
    assert f"{done.output}: it is the result of job {done.id}, and is not swapped again." in said
    assert len(jobs_of(farm)) == 2
    assert "did you mean alice" in farm.ctl("submit", "--face", "alise", str(good), code=1)
    assert "did you mean balanced" in farm.ctl("submit", "--preset", "balance", str(good), code=1)


def test_ctrl_c_in_the_middle_of_a_wait_loses_nothing(farm: Farm, media: Path, tmp_path: Path) -> None:
    good, *_ = laid_out(media, tmp_path / "clips")
    farm.ctl("pause")
    words = [sys.executable, "-m", "faceswapd.ctl", "--socket", farm.client.path, "submit", "--wait", str(good)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=farm.environment()) as waiting:
        assert waiting.stdout is not None
        assert "new job 1" in waiting.stdout.readline()
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(JOB_SECONDS) == 130
    farm.ctl("resume")
    assert farm.ended(good).state == "succeeded"


def test_a_copy_in_an_inbox_and_the_submitted_file_are_one_job_whichever_of_them_goes(
    two_faces: Farm, media: Path, tmp_path: Path
) -> None:
    farm, folder = two_faces, tmp_path / "clips"
    laid_out(media, folder)
    ready(farm)
    farm.ctl("pause")
    # The submitted file goes: the copy in the inbox does.
    farm.ctl("submit", "--face", "alice", str(folder / "photo.jpg"))
    copy = farm.drop(folder / "photo.jpg", "alice", "copy.jpg")
    farm.until(lambda _: "one job does for both" in farm.ctl("explain", str(copy)), "the copy to be known")
    (folder / "photo.jpg").unlink()
    # The file in the inbox goes: the submitted one does.
    dropped = farm.drop(folder / "photo.png", "bob", "photo.png")
    assert farm.job_of(dropped).id == 2
    assert "the same as job 2, which is queued" in farm.ctl("submit", "--face", "bob", str(folder / "photo.png"))
    dropped.unlink()
    farm.until(lambda _: farm.ctl_json("show", "2")["job"]["inbox"] == "", "the job to go on with the submitted file")
    farm.ctl("resume")
    farm.ctl("wait", "1", "2")
    assert [(job["target"], job["state"]) for job in jobs_of(farm)] == [
        (str(folder / "photo.png"), "succeeded"),
        (str(copy), "succeeded"),
    ]
    assert copy.exists()


def test_a_file_of_an_inbox_that_is_touched_before_its_job_starts_is_swapped(farm: Farm, media: Path) -> None:
    farm.ctl("pause")
    target = farm.drop(media / "photo.jpg")
    farm.job_of(target)
    target.touch()
    farm.ctl("resume")
    assert farm.ended(target).state == "succeeded"
