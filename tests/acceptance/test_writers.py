"""However a file is written: it is taken once, when all of it is there, and none is forgotten."""

import hashlib
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance import writing
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import PLAIN, Farm

OPEN = "It is still open in another program."
needs_tools = pytest.mark.skipif(not all(map(shutil.which, ("rsync", "dd"))), reason="rsync or dd is not here")


@dataclass(frozen=True, slots=True)
class Taken:
    """A job's row."""

    content: str | None
    size: int
    state: str


def digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()


def taken(farm: Farm, target: Path) -> list[Taken]:
    """All that was ever made of a target, the oldest first."""
    ledger = sqlite3.connect(f"file:{farm.folder / 'state' / 'ledger.sqlite3'}?mode=ro", uri=True)
    try:
        found = ledger.execute("SELECT content, size, state FROM jobs WHERE target = ? ORDER BY id", (bytes(target),))
        return [Taken(*row) for row in found]
    finally:
        ledger.close()


def ended(writer: subprocess.Popen[str]) -> int:
    """Let a writer go on where it waits for a word; its exit code."""
    writer.communicate("close it\n", timeout=120)
    return writer.returncode


@pytest.fixture
def wholes(media: Path, tmp_path: Path) -> dict[str, Path]:
    """For each way two files, no two of them alike. Of half the film no one can make a video; half the moving photo
    is a photo."""
    film, photo = (media / "clip.mp4").read_bytes(), (media / "photo.jpg").read_bytes()
    folder = tmp_path / "wholes"
    folder.mkdir()
    made = {}
    for number, way in enumerate((*writing.WAYS, *writing.SPECIAL)):
        mark = number.to_bytes(4, "big")
        for name, content in ((f"{way}.mp4", film), (f"{way}.jpg", photo + film)):
            made[name] = folder / name
            made[name].write_bytes(content + b"\x00\x00\x00\x0cfree" + mark)
    return made


def started(new_farm: NewFarm, settle: float, through: tuple[str, ...] = ()) -> Farm:
    """A daemon that takes files, and swaps none."""
    farm = new_farm()
    farm.through = through
    farm.start(FACESWAPD_INTAKE__SETTLE=str(settle))
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the folder of the face")
    farm.ctl("pause")
    return farm


@needs_tools
@pytest.mark.parametrize(
    ("settle", "pause", "through"),
    [(1.5, 4.0, PLAIN), pytest.param(3.0, 13.0, (), marks=pytest.mark.deep)],
)
def test_each_is_taken_once_and_whole(
    new_farm: NewFarm, wholes: dict[str, Path], media: Path, settle: float, pause: float, through: tuple[str, ...]
) -> None:
    """In the deep test the pauses are longer than the daemon waits for the rest of a file that is cut off."""
    farm = started(new_farm, settle, through)
    targets = {name: farm.inbox / "alice" / name for name in wholes if not name.startswith(tuple(writing.SPECIAL))}
    writers = [
        writing.start(name.rpartition(".")[0], wholes[name], target, settle / 3, pause)
        for name, target in targets.items()
    ]
    assert [ended(writer) for writer in writers] == [0] * len(writers)
    for target in targets.values():
        farm.job_of(target)
    farm.job_of(farm.drop(media / "photo.png"))  # by then all the others have settled, too
    wanted = {name: [Taken(digest(whole), whole.stat().st_size, "queued")] for name, whole in wholes.items()}
    assert {name: taken(farm, target) for name, target in targets.items()} == {name: wanted[name] for name in targets}


@pytest.mark.parametrize("name", ["stays-open.mp4", pytest.param("stays-open.jpg", marks=pytest.mark.deep)])
def test_who_keeps_it_open_is_told_and_it_is_taken_when_it_is_closed(
    new_farm: NewFarm, wholes: dict[str, Path], media: Path, name: str
) -> None:
    settle = 0.3
    farm = started(new_farm, settle)
    target = farm.inbox / "alice" / name
    writer = writing.start("stays-open", wholes[name], target, 0.1, 1.5)
    farm.until(lambda status: [(one.path, one.reason) for one in status.arriving] == [(str(target), OPEN)], "told")
    farm.job_of(farm.drop(media / "photo.png"))
    assert OPEN in farm.ctl("explain", str(target))
    assert taken(farm, target) == []
    assert ended(writer) == 0
    farm.job_of(target)
    assert taken(farm, target) == [Taken(digest(wholes[name]), wholes[name].stat().st_size, "queued")]


@pytest.mark.parametrize("name", ["in-place.mp4", pytest.param("in-place.jpg", marks=pytest.mark.deep)])
def test_what_is_overwritten_in_place_is_a_new_job(
    new_farm: NewFarm, wholes: dict[str, Path], media: Path, name: str
) -> None:
    settle = 0.5
    farm = started(new_farm, settle)
    first = media / ("clip.mp4" if name.endswith(".mp4") else "photo.jpg")
    target = farm.drop(first, "alice", name)
    farm.job_of(target)
    assert ended(writing.start("in-place", wholes[name], target, 0.1, 1.5)) == 0
    farm.until(lambda status: status.counts["cancelled"] == 1, "the first one is taken back")
    farm.job_of(target)
    assert taken(farm, target) == [
        Taken(digest(first), first.stat().st_size, "cancelled"),
        Taken(digest(wholes[name]), wholes[name].stat().st_size, "queued"),
    ]
