"""The disk fills up while many jobs wait: a handful is started, none fails, and all are done when the space is back.

A small file system that truly fills up is mounted over a folder of the farm, which takes the rights of the superuser.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from faceswapd.control.wire import job_messages, messages
from faceswapd.media.drawn_scene import write_scene_image
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm

Mount = Callable[[Path, str], None]

QUICK = "\n[retry]\nfirst = 0.2\nfactor = 1.5\nlongest = 1.0\n"
LIMIT = 2_000_000  # bytes of a disk that stay free


def _may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and subprocess.run(["mount", "--version"]).returncode == 0


pytestmark = pytest.mark.skipif(not _may_mount(), reason="a small file system can only be mounted by the superuser")


def _mount(folder: Path, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "faceswapd-test", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode(errors='replace').strip()}")


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts small file systems, which are gone after the test."""
    with ExitStack() as stack:

        def made(folder: Path, size: str) -> None:
            _mount(folder, "-o", f"size={size}")
            stack.callback(_unmount, folder)

        yield made


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A hundred small images, no two alike."""
    folder = tmp_path_factory.mktemp("pictures")
    write_scene_image(folder / "scene.jpg", [5], 160, 120)
    whole = (folder / "scene.jpg").read_bytes()
    made = [folder / f"picture-{number:03}.jpg" for number in range(100)]
    for number, path in enumerate(made):
        comment = f"number {number}".encode()
        path.write_bytes(whole[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + whole[2:])
    return made


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill a file system until so many bytes are left."""
    filler = folder / "filler"
    with filler.open("ab") as file:
        try:
            while True:
                status = os.statvfs(folder)
                left = status.f_bavail * status.f_frsize - leave
                if left <= 0:
                    break
                file.write(b"x" * min(left, 1 << 20))
                file.flush()
        except OSError:
            pass
    return filler


def executions(farm: Farm) -> list[job_messages.Execution]:
    """Of all jobs."""
    jobs = farm.ask(messages.Jobs, "/api/jobs?limit=1000").jobs
    details = [farm.ask(job_messages.JobDetail, f"/api/jobs/{job.id}") for job in jobs]
    return [one for detail in details for one in detail.executions]


def all_succeed(farm: Farm, count: int) -> None:
    farm.until(lambda status: status.counts["succeeded"] == count, f"{count} succeeded")
    status = farm.status()
    assert {state: number for state, number in status.counts.items() if number} == {"succeeded": count}
    outputs = [path for path in farm.outbox.rglob("*") if path.is_file() and not path.name.startswith("filler")]
    assert len(outputs) == count
    assert not list((farm.folder / "failed").rglob("*.error.txt"))
    assert all(one.attempt == 1 for one in executions(farm)), "no attempt was spent"


def drop_all(farm: Farm, pictures: list[Path]) -> None:
    for picture in pictures:
        farm.drop(picture)


@pytest.mark.parametrize(
    ("where", "count"),
    [("state/scratch", 15), *(pytest.param(one, 100, marks=pytest.mark.deep) for one in ("state/scratch", "outbox"))],
)
def test_full_before_the_start_nothing_starts_and_all_succeed_when_there_is_space(
    new_farm: NewFarm, mount: Mount, pictures: list[Path], where: str, count: int
) -> None:
    farm = new_farm(QUICK)
    mount(farm.folder / where, "32m")
    filler = fill(farm.folder / where)
    farm.start(FACESWAPD_LIMITS__DISK_FREE=str(LIMIT))
    drop_all(farm, pictures[:count])
    farm.until(lambda status: status.counts["queued"] == count and status.state == "held", "all wait")
    assert "is nearly full" in (farm.status().why or "")
    assert "is nearly full" in farm.ctl("status")
    assert executions(farm) == []
    filler.unlink()
    all_succeed(farm, count)


@pytest.mark.parametrize(
    ("where", "limit", "count"),
    [
        ("outbox", 0, 15),
        *(
            pytest.param(where, limit, 100, marks=pytest.mark.deep)
            for where in ("state/scratch", "outbox")
            for limit in (0, LIMIT)
        ),
    ],
)
def test_a_disk_that_fills_up_in_the_middle_costs_no_job_anything(
    new_farm: NewFarm, mount: Mount, pictures: list[Path], where: str, limit: int, count: int
) -> None:
    farm = new_farm(QUICK)
    mount(farm.folder / where, "32m")
    farm.start(FACESWAPD_LIMITS__DISK_FREE=str(limit))
    drop_all(farm, pictures[:count])
    farm.until(lambda status: status.counts["succeeded"] >= 3, "it goes")
    filler = fill(farm.folder / where)
    full_at = time.time()
    before = farm.until(lambda status: not status.running, "nothing runs").counts["succeeded"]
    for _ in range(3):  # the loops go on, and the readings are taken anew
        farm.ask(messages.Jobs, "/api/jobs?limit=1")
        farm.until(lambda status: not status.running, "nothing runs")
    assert "space" in farm.ctl("status") or "full" in farm.ctl("status")
    begun = [one for one in executions(farm) if one.started_at >= full_at]
    assert len(begun) <= 3, "at most three are started on a full disk"
    assert farm.status().counts["failed"] == 0
    filler.unlink()
    assert before < count
    all_succeed(farm, count)


def test_what_is_too_large_for_the_disk_says_so_and_the_small_ones_go_before_it(
    new_farm: NewFarm, mount: Mount, pictures: list[Path], media: Path
) -> None:
    farm = new_farm(QUICK)
    mount(farm.folder / "state" / "scratch", "8m")
    filler = fill(farm.folder / "state" / "scratch", leave=1_200_000)
    farm.start(FACESWAPD_LIMITS__DISK_FREE="0")
    large = farm.job_of(farm.drop(media / "long.mp4"))
    small = farm.ended(farm.drop(pictures[0]))
    assert small.state == "succeeded"
    waits = farm.ask(job_messages.JobDetail, f"/api/jobs/{large.id}").job
    assert waits.state == "queued"
    told = r"It needs ([\d.]+) MB of space on the disk of the scratch folder, and ([\d.]+) MB are free\."
    said = re.search(told, waits.reason or "")
    assert said, waits.reason
    assert float(said[1]) > float(said[2]) > 0.5
    assert "of space on the disk of the scratch folder" in farm.ctl("show", str(large.id))
    filler.unlink()
    assert farm.ended(Path(large.target)).state == "succeeded"


@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.deep)])
def test_a_full_disk_of_the_ledger_ends_no_daemon_and_loses_nothing(
    new_farm: NewFarm, mount: Mount, pictures: list[Path], count: int
) -> None:
    farm = new_farm(QUICK)
    mount(farm.folder / "state", "24m")
    process = farm.start(FACESWAPD_LIMITS__DISK_FREE="0", FACESWAPD_SCRATCH=str(farm.folder / "scratch"))
    drop_all(farm, pictures[: count // 2])
    farm.until(lambda status: status.counts["succeeded"] >= 2, "it goes")
    filler = fill(farm.folder / "state")
    drop_all(farm, pictures[count // 2 : count])
    farm.until(lambda status: status.state == "held" and "ledger is full" in (status.why or ""), "held")
    assert "Make space there" in farm.ctl("pause", code=1)
    assert process.poll() is None
    filler.unlink()
    all_succeed(farm, count)
    assert process.poll() is None
    assert farm.stop() == 0


def test_a_daemon_that_is_stopped_or_started_on_a_full_disk_loses_nothing(
    new_farm: NewFarm, mount: Mount, pictures: list[Path]
) -> None:
    farm = new_farm(QUICK)
    mount(farm.folder / "state", "24m")
    own = {"FACESWAPD_LIMITS__DISK_FREE": "0", "FACESWAPD_SCRATCH": str(farm.folder / "scratch")}
    farm.start(**own)
    filler = fill(farm.folder / "state")
    drop_all(farm, pictures[:5])
    farm.until(lambda status: "ledger is full" in (status.why or ""), "held")
    assert farm.stop() not in (0, 78), "the service manager starts it again"
    filler.unlink()
    farm.start(**own)
    all_succeed(farm, 5)


@pytest.mark.parametrize("how", ["unmounted", pytest.param("read-only", marks=pytest.mark.deep)])
def test_an_outbox_that_goes_away_in_the_middle_holds_the_queue(
    new_farm: NewFarm, mount: Mount, pictures: list[Path], how: str
) -> None:
    farm = new_farm(QUICK)
    mount(farm.folder / "outbox", "16m")
    farm.start(FACESWAPD_LIMITS__DISK_FREE="0")
    drop_all(farm, pictures[:10])
    farm.until(lambda status: status.counts["succeeded"] >= 2, "it goes")
    if how == "unmounted":
        _unmount(farm.outbox)
        farm.until(lambda status: status.state == "held" and "not mounted" in (status.why or ""), "held")
        assert not list(farm.outbox.iterdir()), "nothing is put below the mount point"
        already = farm.status().counts["succeeded"]
        mount(farm.outbox, "16m")
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(farm.outbox)], check=True)
        farm.until(lambda status: status.state == "held", "held")
        assert farm.status().counts["failed"] == 0
        already = 0
        subprocess.run(["mount", "-o", "remount,rw", str(farm.outbox)], check=True)
    farm.until(lambda status: status.counts["succeeded"] == 10, "all succeeded")
    assert len([path for path in farm.outbox.rglob("*") if path.is_file()]) == 10 - already
    assert farm.status().counts["failed"] == 0
