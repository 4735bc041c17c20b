"""Space on the disks: what waits for it, and what a full disk is taken for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.core.job import State
from faceswapd.core.target import Facts, Kind
from faceswapd.runtime.health.readings import mount_of
from tests.runtime.conftest import NewPlace
from tests.runtime.workplace import Workplace, names, shift

LARGE = Facts(Kind.VIDEO, "large", 10**15, 64, 48, 10, 1.0, 0, 0)  # a thousand terabytes


async def test_what_does_not_fit_waits_with_its_reason_and_what_is_behind_it_starts(place: Workplace) -> None:
    large = await place.drop("large.mp4", facts=LARGE)
    small = await place.drop("small.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        assert run.work.target.read_text(encoding="utf-8") == "content of small.mp4"
        assert "of space on the disk of the scratch folder" in at_work.scheduler.short[large]
        run.succeed()
        await place.until(small, State.SUCCEEDED)
        assert (await place.job(large)).state is State.QUEUED


@pytest.mark.parametrize("category", ["disk_full", "encode_failed", "no_source_face", "child_died", "gpu_oom"])
async def test_an_execution_that_failed_leaves_nothing_in_the_scratch_folder(place: Workplace, category: str) -> None:
    await place.drop("clip.mp4")
    async with shift(place) as at_work:
        run = await place.begun()
        (run.work.output.parent / "half").write_bytes(b"half of a frame")
        run.fail(category)
        while at_work.scheduler.courses:
            rung = place.ledger.bell.count
            if at_work.scheduler.courses:
                await place.ledger.bell.after(rung, 1.0)
        assert names(place.settings.scratch_folder) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by the superuser")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "small", str(folder)], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize(("full", "sentence"), [(True, "The disk was full: It is"), (False, "It is")])
async def test_an_encoder_that_fails_on_a_full_disk_is_the_disks_fault(
    new_place: NewPlace, small_disk: Path, *, full: bool, sentence: str
) -> None:
    place = await new_place(scratch=small_disk)
    job = await place.drop("clip.mp4")
    async with shift(place):
        run = await place.begun()
        if full:
            (run.work.output.parent / "frames").write_bytes(bytes(1_500_000))
        run.fail("encode_failed")
        await place.until(job, State.QUEUED, State.FAILED)
        (execution,) = await place.executions(job)
    assert (execution.sentence or "").startswith(sentence)


def test_where_a_disk_is_mounted(small_disk: Path, tmp_path: Path) -> None:
    assert mount_of(small_disk / "not" / "there") == small_disk
    assert mount_of(tmp_path) == mount_of(tmp_path.parent)
    assert mount_of(Path("/")) == Path("/")
