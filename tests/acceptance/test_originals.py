"""What becomes of a target: kept, archived or deleted, and only after its output is proved and recorded."""

import os
import shutil
from pathlib import Path

import pytest

from faceswapd.media.drawn_scene import write_scene_image
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm

INBOXES = """
[[inbox]]
path = "archived"
afterwards = "archive"

[[inbox]]
path = "deleted"
afterwards = "delete"
"""


def started(new_farm: NewFarm, **environment: str) -> Farm:
    farm = new_farm(INBOXES)
    farm.start(**environment)
    farm.until(lambda _: (farm.folder / "deleted" / "alice").is_dir(), "the folders of the face")
    return farm


def drop(farm: Farm, inbox: str, media: Path, name: str = "photo.jpg") -> Path:
    target = farm.folder / inbox / "alice" / name
    shutil.copyfile(media, target)
    return target


def test_each_inbox_has_its_own_way(new_farm: NewFarm, media: Path) -> None:
    farm = started(new_farm)
    kept = farm.drop(media / "photo.jpg")
    archived = drop(farm, "archived", media / "photo.png", "photo.png")
    deleted = drop(farm, "deleted", media / "clip.mp4", "clip.mp4")
    original = archived.read_bytes()
    jobs = [farm.ended(target) for target in (kept, archived, deleted)]
    assert [job.state for job in jobs] == ["succeeded"] * 3
    farm.until(lambda _: not archived.exists() and not deleted.exists(), "they are settled")
    assert kept.exists()
    assert (farm.folder / "done" / "alice" / "photo.png").read_bytes() == original
    for job in jobs:
        assert Path(job.output or "").stat().st_size
    # The same name once more, with other content: nothing in done/ is replaced.
    write_scene_image(archived, [8], 320, 240)
    second = archived.read_bytes()
    farm.until(lambda status: status.counts["succeeded"] == 4 and not archived.exists(), "the second one is settled")
    assert (farm.folder / "done" / "alice" / "photo (2).png").read_bytes() == second
    assert (farm.folder / "done" / "alice" / "photo.png").read_bytes() == original


def test_what_failed_stays_where_it_is(new_farm: NewFarm, media: Path) -> None:
    farm = started(new_farm)
    targets = [drop(farm, inbox, media / "nobody.png", f"{inbox}.png") for inbox in ("archived", "deleted")]
    shutil.copyfile(media / "nobody.png", targets[1])
    with targets[1].open("ab") as file:
        file.write(b"x")  # content of its own
    assert [farm.ended(target).state for target in targets] == ["failed", "failed"]
    assert all(target.exists() for target in targets)


def test_a_target_that_changed_meanwhile_stays(new_farm: NewFarm, media: Path) -> None:
    farm = started(new_farm)
    target = drop(farm, "deleted", media / "long.mp4", "long.mp4")
    number = farm.job_of(target).id
    farm.until(lambda status: any(job.id == number and job.progress > 0 for job in status.running), "it runs")
    farm.ctl("pause")
    shutil.copyfile(media / "clip.mp4", target.with_suffix(".new"))
    target.with_suffix(".new").replace(target)
    assert "target_changed" in farm.ctl("wait", str(number), "--json", code=1)
    assert target.read_bytes() == (media / "clip.mp4").read_bytes()
    assert not list(farm.outbox.rglob("*.mp4"))
    farm.ctl("resume")
    farm.until(lambda status: status.counts["succeeded"] == 1 and not target.exists(), "the new one is its own job")


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no second file system here")  # noqa: PTH112  a text
def test_archived_onto_another_file_system(new_farm: NewFarm, media: Path, tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm") / f"faceswapd-test-{os.getpid()}"
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("it is the same file system")
    try:
        farm = started(new_farm, FACESWAPD_DONE=str(elsewhere))
        target = drop(farm, "archived", media / "photo.jpg")
        original = target.read_bytes()
        assert farm.ended(target).state == "succeeded"
        farm.until(lambda _: not target.exists(), "it is archived")
        assert (elsewhere / "alice" / "photo.jpg").read_bytes() == original
        assert sorted(path.name for path in elsewhere.iterdir()) == ["alice"]
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)
