"""The daemon dies with FaceFusion at work: at the points that only it has, at the most telling ones, at random."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.crash import REQUEUED_SECONDS, Crash, elsewhere
from tests.acceptance.facefusion.asking import NewFarm
from tests.acceptance.rounds import INBOXES, new_rounds
from tests.fakes.facefusion_root import write_settings

OWN = [f"{when} {write}" for write in ("keep", "remark") for when in ("before", "after")]
TELLING = ["scratch made", "engine done", "output proved", "before succeed", "after succeed"]
KILLS = 100


@pytest.fixture
def crash(new_farm: NewFarm, root: Path, media: Path, declined: Path, tmp_path: Path) -> Iterator[Crash]:
    """A farm in which FaceFusion swaps, declines one target of each round, and cannot bear another one as it is."""
    write_settings(root, costs={"per_frame": 0.05})  # a video is at work long enough to be stopped in the middle
    own = tmp_path / "media"
    shutil.copytree(media, own)
    shutil.copy(declined, own / "nobody.png")
    with elsewhere() as folder:
        rounds = new_rounds(new_farm(INBOXES), own)
        rounds.engine, rounds.mended = "driver.py", True
        yield Crash(rounds, {"FACESWAPD_SCRATCH": str(folder / "scratch"), "FACESWAPD_RETRY__ATTEMPTS": "50"})
        if rounds.farm.processes[-1].poll() is None:
            assert rounds.farm.stop() == 0


def test_it_dies_when_facefusion_has_done_its_work(crash: Crash) -> None:
    crash.at("engine done", video=False)


@pytest.mark.deep
@pytest.mark.parametrize("point", [*OWN, *TELLING])
def test_it_dies_at_every_point_that_facefusion_makes_different(crash: Crash, point: str) -> None:
    crash.at(point)
    assert max(crash.starts) < REQUEUED_SECONDS


@pytest.mark.deep
def test_it_is_killed_at_random_with_facefusion_at_work(crash: Crash, capsys: pytest.CaptureFixture[str]) -> None:
    figures = crash.killed_at_random(KILLS)
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201  the figures of a long test
