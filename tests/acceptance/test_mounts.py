"""An inbox that is removed, made anew, mounted over, on a disk that is not there: nothing that waits is forgotten.

The mounts are real, in a namespace of their own.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.control.wire import job_messages, messages
from faceswapd.media.drawn_scene import write_scene_image
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm
from tests.acceptance.namespace import Namespace, namespace

OFTEN = "rescan = 1\n"
SELDOM = "rescan = 5\n"


@pytest.fixture
def aside() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Twenty small images, no two alike."""
    folder = tmp_path_factory.mktemp("pictures")
    write_scene_image(folder / "scene.jpg", [5], 160, 120)
    whole = (folder / "scene.jpg").read_bytes()
    made = [folder / f"picture-{number:02}.jpg" for number in range(20)]
    for number, path in enumerate(made):
        path.write_bytes(whole[:2] + b"\xff\xfe\x00\x04" + f"{number:02}".encode() + whole[2:])
    return made


def problem_of(farm: Farm) -> str:
    (inbox,) = farm.status().inboxes
    return inbox.problem or ""


def away(farm: Farm) -> str:
    farm.until(lambda status: bool(status.inboxes[0].problem), "the inbox is away")
    return problem_of(farm)


def waiting(farm: Farm, pictures: list[Path]) -> None:
    """Drop pictures that wait in a daemon which is paused."""
    farm.ctl("pause")
    for picture in pictures:
        farm.drop(picture)
    farm.until(lambda status: status.counts["queued"] == len(pictures), "all wait")


def all_succeed(farm: Farm, count: int) -> None:
    farm.until(lambda status: status.counts["succeeded"] == count, f"{count} succeeded")
    counts = {state: number for state, number in farm.status().counts.items() if number}
    assert counts == {"succeeded": count}
    for job in farm.ask(messages.Jobs, "/api/jobs?limit=100").jobs:
        assert job.attempt == 1, "no attempt was spent"


@pytest.mark.parametrize(("look", "count"), [pytest.param(OFTEN, 20, marks=pytest.mark.deep), (SELDOM, 6)])
def test_what_waits_in_an_inbox_that_is_mounted_over_waits_until_it_is_back(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path], look: str, count: int
) -> None:
    """With seldom looks the jobs start before anybody knows, and are given back."""
    farm = new_farm(look)
    farm.through = aside.prefix
    farm.start()
    waiting(farm, pictures[:count])
    aside.mount(farm.inbox)
    if look == OFTEN:
        away(farm)
    farm.ctl("resume")
    told = away(farm)
    assert f"lacks all {count} files that wait" in told
    assert f"faceswapd-test (tmpfs) is mounted over it at {farm.inbox}." in told
    status = farm.until(lambda status: status.counts["queued"] == count, "all wait again")
    assert status.waiting[0].reason == told
    assert list(aside.see(farm.inbox).iterdir()) == [], "nothing is put below"
    assert f"lacks all {count} files" in " ".join(farm.ctl("status").split())
    aside.unmount(farm.inbox)
    all_succeed(farm, count)
    assert problem_of(farm) == ""


def test_a_disk_that_is_not_there_at_the_next_start_is_waited_for(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path], tmp_path: Path
) -> None:
    farm = new_farm(OFTEN)
    farm.through = aside.prefix
    disk = tmp_path / "disk"
    (disk / "alice").mkdir(parents=True)
    farm.inbox.mkdir(exist_ok=True)
    aside.bind(disk, farm.inbox)
    farm.start()
    farm.ctl("pause")
    for picture in pictures[:5]:
        shutil.copy(picture, disk / "alice")
    farm.until(lambda status: status.counts["queued"] == 5, "all wait")
    assert farm.stop() == 0
    aside.unmount(farm.inbox)
    before = sorted(farm.inbox.iterdir())
    farm.start()
    farm.ctl("resume")
    assert "lacks all 5 files that wait" in away(farm)
    assert farm.status().counts["queued"] == 5
    assert sorted(farm.inbox.iterdir()) == before, "nothing is put where the disk was"
    aside.bind(disk, farm.inbox)
    all_succeed(farm, 5)


def test_a_disk_that_was_mounted_inside_the_inbox_is_waited_for(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path], tmp_path: Path
) -> None:
    farm = new_farm(OFTEN)
    farm.through = aside.prefix
    disk, place = tmp_path / "disk", farm.inbox / "alice" / "stick"
    disk.mkdir()
    place.mkdir(parents=True)
    aside.bind(disk, place)
    farm.start()
    farm.ctl("pause")
    for picture in pictures[:3]:
        shutil.copy(picture, disk)
    farm.drop(pictures[3])
    farm.until(lambda status: status.counts["queued"] == 4, "all wait")
    aside.unmount(place)
    told = away(farm)
    assert f"the disk that was mounted at {place}" in told
    assert "all 3 files" in told
    aside.bind(disk, place)
    farm.ctl("resume")
    all_succeed(farm, 4)


@pytest.mark.parametrize("look", [OFTEN, pytest.param(SELDOM, marks=pytest.mark.deep)])
def test_faces_on_a_disk_that_is_away_are_waited_for(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path], look: str
) -> None:
    """Nothing fails for want of a face, over a restart either."""
    farm = new_farm(look)
    farm.through = aside.prefix
    farm.start()
    waiting(farm, pictures[:4])
    aside.mount(farm.folder / "faces")
    if look == OFTEN:
        assert farm.stop() == 0
        farm.start()
    farm.ctl("resume")
    told = farm.until(lambda status: any("faces folder" in one for one in status.remarks), "the faces are away")
    assert any("The faces folder holds no photos" in one or "is not there" in one for one in told.remarks)
    status = farm.until(lambda status: status.counts["queued"] == 4, "all wait again")
    assert "faces folder" in (status.waiting[0].reason or "")
    aside.unmount(farm.folder / "faces")
    all_succeed(farm, 4)


def test_whoever_says_so_lets_the_missing_files_go(new_farm: NewFarm, aside: Namespace, pictures: list[Path]) -> None:
    farm = new_farm(OFTEN)
    farm.through = aside.prefix
    farm.start()
    waiting(farm, pictures[:3])
    aside.mount(farm.inbox)
    assert "faceswapctl resume inbox" in away(farm)
    farm.ctl("resume", "inbox")
    farm.until(lambda status: status.counts["cancelled"] == 3, "they are let go")
    assert problem_of(farm) == ""
    farm.ctl("resume")
    target = aside.see(farm.inbox / "alice" / "new.jpg")
    farm.until(lambda _: target.parent.is_dir(), "the folder of the face")
    shutil.copy(pictures[5], target)
    farm.until(lambda status: status.counts["succeeded"] == 1, "what lies there now is done")


@pytest.mark.deep
def test_a_disk_in_another_place_that_holds_the_same_files_is_the_inbox(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path], tmp_path: Path
) -> None:
    """As after a move to a larger disk."""
    farm = new_farm(OFTEN)
    farm.through = aside.prefix
    farm.start()
    waiting(farm, pictures[:4])
    aside.mount(farm.inbox)
    away(farm)
    shutil.copytree(farm.inbox / "alice", aside.see(farm.inbox) / "alice")
    farm.until(lambda status: not status.inboxes[0].problem, "it is the inbox")
    farm.ctl("resume")
    farm.until(lambda status: status.counts["succeeded"] == 4, "all are done")
    assert not farm.status().counts["failed"]


def said_by(farm: Farm, command: str) -> str:
    """What `faceswapd check` or `faceswapd doctor` says inside."""
    done = subprocess.run(
        [*farm.through, sys.executable, "-m", "faceswapd", command, "--config", str(farm.config)],
        capture_output=True,
        text=True,
        env=farm.environment(),
    )
    assert "Traceback" not in done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "afterwards",
    [pytest.param("keep", marks=pytest.mark.deep), "archive", pytest.param("delete", marks=pytest.mark.deep)],
)
def test_an_inbox_that_cannot_be_written_is_worked_from_and_said_to_be_so(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path], afterwards: str
) -> None:
    farm = new_farm(OFTEN)
    farm.through = aside.prefix
    text = farm.config.read_text(encoding="utf-8")
    farm.config.write_text(text.replace('afterwards = "keep"', f'afterwards = "{afterwards}"'), encoding="utf-8")
    target = farm.drop(pictures[0])
    aside.bind(farm.inbox, farm.inbox, read_only=True)
    farm.start()
    job = farm.ended(target)
    assert job.state == "succeeded"
    assert target.exists()
    (remark,) = farm.status().inboxes[0].remarks
    assert "It cannot be written" in remark
    assert "It cannot be written" in farm.ctl("status")
    events = farm.ask(job_messages.JobDetail, f"/api/jobs/{job.id}").events
    told = [event.text for event in events if event.text.endswith("its folder cannot be written.")]
    assert len(told) == (afterwards != "keep")
    assert not list((farm.folder / "done").rglob("*.jpg")), "it lies in one place"
    for command in ("check", "doctor"):
        said = said_by(farm, command)
        assert (f'afterwards = "{afterwards}"' in said) == (afterwards != "keep"), said
        assert "cannot be written" in said or command == "check"


def test_folders_that_are_mounts_of_one_disk_are_worked_with(
    new_farm: NewFarm, aside: Namespace, pictures: list[Path]
) -> None:
    """As in a container: nothing can be linked from one to the other, though it is one disk."""
    farm = new_farm(OFTEN)
    farm.through = aside.prefix
    text = farm.config.read_text(encoding="utf-8")
    farm.config.write_text(text.replace('afterwards = "keep"', 'afterwards = "archive"'), encoding="utf-8")
    for name in ("inbox", "outbox", "done", "state"):
        folder = farm.folder / name
        folder.mkdir(exist_ok=True)
        aside.bind(folder, folder)
    farm.start()
    target = farm.drop(pictures[0])
    assert farm.ended(target).state == "succeeded"
    farm.until(lambda _: not target.exists(), "it is archived")
    (done,) = (farm.folder / "done").rglob("*.jpg")
    assert done.read_bytes() == pictures[0].read_bytes()
    assert not list(farm.outbox.rglob(".faceswapd/*"))


def test_an_inbox_that_was_removed_and_made_anew_with_files_at_once_goes_on(
    new_farm: NewFarm, pictures: list[Path]
) -> None:
    farm = new_farm(SELDOM)
    farm.start()
    assert farm.ended(farm.drop(pictures[0])).state == "succeeded"
    shutil.rmtree(farm.inbox)
    (farm.inbox / "alice").mkdir(parents=True)
    for picture in pictures[1:5]:
        farm.drop(picture)
    farm.until(lambda status: status.counts["succeeded"] == 5, "all are done")
    assert farm.ended(farm.drop(pictures[12])).state == "succeeded"


@pytest.mark.deep
def test_an_inbox_in_whose_place_another_folder_is_moved_goes_on(
    new_farm: NewFarm, pictures: list[Path], tmp_path: Path
) -> None:
    farm = new_farm(SELDOM)
    farm.start()
    assert farm.ended(farm.drop(pictures[0])).state == "succeeded"
    other = farm.folder / "other"
    (other / "alice").mkdir(parents=True)
    for picture in pictures[1:11]:
        shutil.copy(picture, other / "alice")
    farm.inbox.rename(farm.folder / "old")
    other.rename(farm.inbox)
    farm.until(lambda status: status.counts["succeeded"] == 11, "all are done")
    assert farm.ended(farm.drop(pictures[12])).state == "succeeded"


def test_an_inbox_that_vanishes_is_missed_and_goes_on_when_it_is_back(new_farm: NewFarm, pictures: list[Path]) -> None:
    farm = new_farm(SELDOM)
    farm.start()
    waiting(farm, pictures[:5])
    farm.inbox.rename(farm.folder / "elsewhere")
    farm.ctl("resume")
    assert away(farm) == f"The inbox {farm.inbox} is not there."
    farm.until(lambda status: status.counts["queued"] == 5, "all wait again")
    (farm.folder / "elsewhere").rename(farm.inbox)
    all_succeed(farm, 5)
