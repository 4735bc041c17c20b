"""FaceFusion meets a full disk: no job pays for that, and all go on when there is space."""

from pathlib import Path

from tests.acceptance.facefusion.asking import NewFarm, held
from tests.fakes.facefusion_root import write_settings


def test_a_full_disk_holds_the_queue_and_costs_no_attempt(
    new_farm: NewFarm, root: Path, picture: Path, media: Path
) -> None:
    write_settings(root, fault="disk_full")
    farm = new_farm()
    farm.start()
    targets = [farm.drop(one) for one in (picture, media / "photo.png", media / "photo.jpg")]
    status = held(farm)
    assert "The disk was full" in (status.why or "")
    assert status.counts["failed"] == 0
    write_settings(root)
    for target in targets:
        job = farm.ended(target)
        assert (job.state, job.attempt) == ("succeeded", 1), job.reason
    farm.stop()
    assert not list((farm.folder / "failed").rglob("*.error.txt"))
    assert not list((farm.folder / "state" / "scratch").iterdir())
