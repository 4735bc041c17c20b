"""Thousands of files at once, in each way and with the kernel's events short: each is one job, and none is two.

`make test` takes a few of each way; the deep test ten thousand. More of them, and other numbers:

    python -m tests.acceptance.test_ten_thousand --files 10000 --runs 20 copied "events are dropped"
"""

import argparse
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from faceswapd.control.wire import messages
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image
from tests.acceptance import crowds
from tests.acceptance.farm import Farm

FEW = 40
MANY = 10_000
EVENTS = Path("/proc/sys/fs/inotify/max_queued_events")
PATIENCE = 50  # seconds
FEW_EVENTS = 16
FEW_WATCHES = 8
WITHOUT_WATCHES = (
    *("unshare", "--user", "--map-root-user", "sh", "-c"),
    f'echo {FEW_WATCHES} > /proc/sys/user/max_inotify_watches; exec "$@"',
    "sh",
)
SHORT = {"events are dropped": "copied", "no more watches": "new folders"}  # and how the files come
WAYS = (*crowds.WAYS, *SHORT)


def brought(farm: Farm, way: str, number: int, count: int) -> list[Path]:
    """Bring files into the inbox in one way; where they are then."""
    bring = SHORT.get(way, way)
    source, target = farm.folder / f"source-{number}", farm.inbox / "alice" / f"way-{number}"
    photo = (farm.folder / "photo.jpg").read_bytes()
    crowds.make(source, photo, number * count, count, each=2 if bring == "new folders" else None)
    target.mkdir()
    crowds.WAYS[bring](source, target)
    found = sorted(crowds.files(target))
    assert len(found) == count
    return found


def made(folder: Path, way: str) -> Farm:
    """A farm whose daemon runs, with what the way takes from it, and swaps nothing."""
    folder.mkdir(exist_ok=True)
    write_portrait(folder / "portrait.png", 4)
    farm = Farm.made(folder / "farm", folder / "portrait.png")
    write_scene_image(farm.folder / "photo.jpg", [5], 64, 64)
    if way == "no more watches":
        farm.through = WITHOUT_WATCHES
    with few_events() if way == "events are dropped" else contextlib.nullcontext():
        farm.start()
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the folder of the face")
    farm.ctl("pause")
    return farm


@contextlib.contextmanager
def few_events() -> Iterator[None]:
    """Watches that begin in here lose nearly all of what happens at once."""
    before = EVENTS.read_text(encoding="ascii")
    EVENTS.write_text(str(FEW_EVENTS), encoding="ascii")
    try:
        yield
    finally:
        EVENTS.write_text(before, encoding="ascii")


def jobs(farm: Farm) -> list[tuple[str, str, str]]:
    """Target, state and content of all jobs there ever were, by target."""
    ledger = sqlite3.connect(f"file:{farm.folder / 'state' / 'ledger.sqlite3'}?mode=ro", uri=True)
    try:
        rows = ledger.execute("SELECT target, state, content FROM jobs")
        return sorted((os.fsdecode(target), state, content) for target, state, content in rows)
    finally:
        ledger.close()


def taken(farm: Farm, targets: list[Path]) -> None:
    """Each of them is one job that waits, and there are no others."""
    wanted = {str(target) for target in targets}
    missing, before = set(wanted), len(wanted) + 1
    while missing := missing - {target for target, _, _ in jobs(farm)}:
        assert len(missing) < before, f"no new job in {PATIENCE} seconds; missing, among others: {min(missing)}"
        before = len(missing)
        farm.ask(messages.Jobs, f"/api/find?path={quote(max(missing))}&seconds={PATIENCE}")
    last = farm.inbox / "alice" / "last.jpg"
    last.write_bytes((farm.folder / "photo.jpg").read_bytes())
    farm.job_of(last)  # whatever would be taken twice is by then
    last.unlink()
    found = [job for job in jobs(farm) if job[0] != str(last)]
    assert len(found) == len(targets)
    assert {target for target, _, _ in found} == wanted
    assert {state for _, state, _ in found} == {"queued"}
    assert len({content for _, _, content in found}) == len(targets)


def possible(way: str) -> None:
    """Skip what this machine does not let us try."""
    if way == "events are dropped" and not (EVENTS.is_file() and os.access(EVENTS, os.W_OK)):
        pytest.skip("the kernel's queue of events cannot be made smaller here")
    if way == "no more watches" and not namespaces():
        pytest.skip("no user namespace can be made here")


def namespaces() -> bool:
    import subprocess

    try:
        return not subprocess.run([*WITHOUT_WATCHES, "true"], capture_output=True).returncode
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def running(folder: Path, way: str) -> Iterator[Farm]:
    farm = made(folder, way)
    try:
        yield farm
    finally:
        farm.close()


def test_a_few_in_each_way(tmp_path: Path) -> None:
    with running(tmp_path, "copied") as farm:
        targets = []
        for number, way in enumerate(crowds.WAYS):
            targets += brought(farm, way, number, FEW)
        taken(farm, targets)


@pytest.mark.parametrize("way", SHORT)
def test_a_few_where_events_are_missing(tmp_path: Path, way: str) -> None:
    possible(way)
    with running(tmp_path, way) as farm:
        taken(farm, brought(farm, way, 0, FEW * 3))


@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
def test_ten_thousand(tmp_path: Path, way: str) -> None:
    possible(way)
    with running(tmp_path, way) as farm:
        taken(farm, brought(farm, way, 0, MANY))


def main() -> int:
    """Bring as many files as often as is asked for, and tell how long each run took."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--files", type=int, default=MANY)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("ways", nargs="*", default=WAYS, metavar="way", help=", ".join(WAYS))
    given = parser.parse_args()
    for run in range(1, given.runs + 1):
        for way in given.ways:
            folder = Path(tempfile.mkdtemp(prefix="faceswapd-crowd-"))
            try:
                with running(folder, way) as farm:
                    targets = brought(farm, way, 0, given.files)
                    begun = time.monotonic()
                    taken(farm, targets)
                    seconds = time.monotonic() - begun
            finally:
                shutil.rmtree(folder)
            sys.stdout.write(f"{way}, run {run}: {given.files:,} files, as many jobs, in {seconds:.0f} s\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
