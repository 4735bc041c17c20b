# ruff: noqa: ASYNC240  the files are small and local
import asyncio
import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from faceswapd import faults
from faceswapd.engines.engine import EngineFailure
from faceswapd.ledger import claims, outcomes
from faceswapd.ledger.claims import Runner
from faceswapd.ledger.outcomes import Ran
from faceswapd.runtime.jobs import outbox, renaming
from faceswapd.settings import Settings
from tests.runtime.workplace import Workplace, names, settings_for


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path)


@pytest.fixture
def made(settings: Settings) -> Path:
    """A proved output in its scratch folder."""
    folder = settings.scratch_folder / "execution-7"
    folder.mkdir(parents=True)
    (folder / "output.mp4").write_bytes(b"swapped")
    return folder / "output.mp4"


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Path]:
    """A proved output on another file system."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == settings.outbox.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        (Path(folder) / "output.mp4").write_bytes(b"swapped")
        yield Path(folder) / "output.mp4"


class Said:
    """The places that were announced, with what lay there at that moment."""

    def __init__(self) -> None:
        self.places: list[tuple[Path, bool]] = []

    async def __call__(self, place: Path) -> None:
        self.places.append((place, os.path.lexists(place)))


async def test_an_output_is_moved_in_whole_and_announced_before(made: Path, settings: Settings) -> None:
    said = Said()
    place = settings.outbox / "alice" / "clip.mp4"
    assert await outbox.publish(made, place, settings, said) == place
    assert place.read_bytes() == b"swapped"
    assert said.places == [(place, False)]
    assert not made.exists()


async def test_it_is_never_put_over_a_file_or_a_link(made: Path, settings: Settings) -> None:
    said = Said()
    (settings.outbox / "clip.mp4").write_bytes(b"mine")
    (settings.outbox / "clip (2).mp4").symlink_to("nowhere")
    place = await outbox.publish(made, settings.outbox / "clip.mp4", settings, said)
    assert place == settings.outbox / "clip (3).mp4"
    assert (settings.outbox / "clip.mp4").read_bytes() == b"mine"
    assert said.places == [(place, False)]


async def test_a_file_that_appears_at_the_last_moment_is_left_alone(made: Path, settings: Settings) -> None:
    wanted = settings.outbox / "clip.mp4"

    async def announce(place: Path) -> None:
        if place == wanted:
            wanted.write_bytes(b"somebody was quicker")

    place = await outbox.publish(made, wanted, settings, announce)
    assert place == settings.outbox / "clip (2).mp4"
    assert (wanted.read_bytes(), place.read_bytes()) == (b"somebody was quicker", b"swapped")


async def test_many_of_one_name_that_are_published_at_once_all_get_their_own(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    many = []
    for number in range(20):
        folder = settings.scratch_folder / f"execution-{number}"
        folder.mkdir(parents=True)
        many.append(folder / "output.mp4")
        many[-1].write_text(str(number), encoding="utf-8")
    wanted = settings.outbox / "clip.mp4"
    places = await asyncio.gather(*(outbox.publish(one, wanted, settings, Said()) for one in many))
    assert sorted(place.read_text(encoding="utf-8") for place in places) == sorted(map(str, range(20)))


async def test_an_output_from_another_file_system_is_copied_aside_and_moved_in(
    elsewhere: Path, settings: Settings
) -> None:
    place = settings.outbox / "clip.mp4"
    assert await outbox.publish(elsewhere, place, settings, Said()) == place
    assert place.read_bytes() == b"swapped"
    assert names(settings.outbox) == ["clip.mp4"]


async def test_a_copy_that_could_not_be_moved_in_is_taken_away_and_the_output_is_still_there(
    elsewhere: Path, settings: Settings
) -> None:
    async def announce(place: Path) -> None:
        shutil.rmtree(place.parent)

    with pytest.raises(EngineFailure) as caught:
        await outbox.publish(elsewhere, settings.outbox / "alice" / "clip.mp4", settings, announce)
    assert caught.value.failure.category == "not_writable"
    assert elsewhere.read_bytes() == b"swapped"
    assert names(settings.outbox) == []


@pytest.fixture
def small_disk(settings: Settings) -> Iterator[None]:
    """An outbox with room for one megabyte."""
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", settings.outbox], capture_output=True
    ).returncode:
        pytest.skip("only root may mount a small file system, and not everywhere")
    yield
    subprocess.run(["umount", settings.outbox], check=True)


@pytest.mark.usefixtures("small_disk")
async def test_a_full_disk_is_said_and_leaves_no_half_copy(made: Path, settings: Settings) -> None:
    made.write_bytes(b"x" * 3_000_000)
    with pytest.raises(EngineFailure) as caught:
        await outbox.publish(made, settings.outbox / "clip.mp4", settings, Said())
    assert caught.value.failure.category == "disk_full"
    assert names(settings.outbox) == []
    assert made.exists()


@pytest.mark.parametrize("rename", [renaming._call, lambda: None], ids=["renamed", "reserved"])
async def test_without_hard_links_nothing_is_replaced_either(
    made: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    rename: Callable[[], Callable[[bytes, bytes], int] | None],
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(source), None, str(target))

    monkeypatch.setattr(os, "link", no_links)  # as on FAT, exFAT and many network file systems
    monkeypatch.setattr(renaming, "_call", rename)
    (settings.outbox / "clip.mp4").write_bytes(b"mine")
    place = await outbox.publish(made, settings.outbox / "clip.mp4", settings, Said())
    assert (place.name, place.read_bytes()) == ("clip (2).mp4", b"swapped")

    async def take_away(_: Path) -> None:
        made.unlink(missing_ok=True)

    made.write_bytes(b"swapped")
    with pytest.raises(EngineFailure):
        await outbox.publish(made, settings.outbox / "other.mp4", settings, take_away)
    assert names(settings.outbox) == ["clip (2).mp4", "clip.mp4"]


@pytest.mark.parametrize(
    ("number", "category"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EACCES, "not_writable"),
        (errno.EROFS, "not_writable"),
    ],
)
def test_what_the_system_says_becomes_a_category(number: int, category: str) -> None:
    failure = outbox.failure_of(OSError(number, os.strerror(number)), Path(os.fsdecode(b"/outbox/\xff.mp4")))
    assert failure.category == category
    assert "/outbox/\\udcff.mp4 could not be written" in failure.sentence


async def test_an_outbox_that_is_a_file_is_not_writable(made: Path, settings: Settings) -> None:
    settings.outbox.rmdir()
    settings.outbox.touch()
    with pytest.raises(EngineFailure) as caught:
        await outbox.publish(made, settings.outbox / "clip.mp4", settings, Said())
    assert caught.value.failure.category == "not_writable"
    assert made.exists()


@pytest.mark.parametrize("stem", ["x" * 251, "ü" * 125, os.fsdecode(b"\xff" * 251)])
def test_a_numbered_name_is_never_longer_than_a_name_can_be(stem: str) -> None:
    first, second, *_, tenth = islice(outbox.candidates(Path("/outbox") / f"{stem}.mp4"), 10)
    assert first.name == f"{stem}.mp4"
    for place, ending in ((second, " (2).mp4"), (tenth, " (10).mp4")):
        assert place.name.endswith(ending)
        assert 250 <= len(os.fsencode(place.name)) <= 255


async def test_the_template_says_where_an_output_belongs(place: Workplace) -> None:
    job = await place.job(await place.drop("sub/clip.v2.MP4"))
    assert outbox.place_for(place.settings, job) == place.settings.outbox / "sub" / "clip.v2.MP4"
    other = place.settings.model_copy(update={"output": "{face}/{name}-{preset}-{job}{suffix}"})
    assert outbox.place_for(other, job) == other.outbox / "alice" / f"clip.v2-balanced-{job.id}.MP4"


async def succeeded(place: Workplace, name: str, afterwards: str) -> int:
    number = await place.drop(name, afterwards=afterwards)
    claim = await claims.claim(place.ledger, (await place.job(number)).segment, Runner("b", 1, "fake", "CPU"), 1.0)
    await outcomes.succeed(place.ledger, Ran(claim.execution, claim.job.segment, number), "/out", "hash", 2.0)
    return number


@pytest.mark.parametrize("afterwards", ["keep", "archive", "delete"])
async def test_the_policy_says_what_becomes_of_a_target(place: Workplace, afterwards: str) -> None:
    (place.settings.done / "alice").mkdir()
    (place.settings.done / "alice" / "clip.mp4").write_text("an earlier one", encoding="utf-8")
    number = await succeeded(place, "alice/clip.mp4", afterwards)
    assert await outbox.settle_target(place.ledger, await place.job(number), place.settings) is None
    assert (place.inbox / "alice" / "clip.mp4").exists() is (afterwards == "keep")
    archived = place.settings.done / "alice" / "clip (2).mp4"
    assert archived.exists() is (afterwards == "archive")
    assert (place.settings.done / "alice" / "clip.mp4").read_text(encoding="utf-8") == "an earlier one"


@pytest.mark.parametrize("afterwards", ["archive", "delete"])
async def test_another_file_that_has_the_targets_name_by_now_stays(place: Workplace, afterwards: str) -> None:
    number = await succeeded(place, "clip.mp4", afterwards)
    target = place.inbox / "clip.mp4"
    target.write_text("new content", encoding="utf-8")
    assert await outbox.settle_target(place.ledger, await place.job(number), place.settings) is None
    await place.admit(target)  # it is a job of its own, which has not run yet
    assert await outbox.settle_target(place.ledger, await place.job(number), place.settings) is None
    assert target.read_text(encoding="utf-8") == "new content"


async def test_a_target_is_archived_onto_another_file_system(place: Workplace, elsewhere: Path) -> None:
    settings = place.settings.model_copy(update={"done": elsewhere.parent / "done"})
    settings.done.mkdir()
    number = await succeeded(place, "alice/clip.mp4", "archive")
    times = (place.inbox / "alice" / "clip.mp4").stat().st_mtime_ns
    assert await outbox.settle_target(place.ledger, await place.job(number), settings) is None
    assert not (place.inbox / "alice" / "clip.mp4").exists()
    archived = settings.done / "alice" / "clip.mp4"
    assert archived.read_text(encoding="utf-8") == "content of alice/clip.mp4"
    assert archived.stat().st_mtime_ns == times
    assert names(settings.done) == ["alice"]


async def test_what_cannot_be_archived_is_said(place: Workplace) -> None:
    number = await succeeded(place, "clip.mp4", "archive")
    place.settings.done.rmdir()
    place.settings.done.touch()
    told = await outbox.settle_target(place.ledger, await place.job(number), place.settings)
    assert told is not None
    assert told.startswith("The target could not be archived: ")
    assert (place.inbox / "clip.mp4").exists()


def test_a_digest_of_nothing_is_none(tmp_path: Path) -> None:
    assert outbox.digest(tmp_path / "none") is None
    assert outbox.digest(tmp_path) is None
    (tmp_path / "one").write_bytes(b"")
    assert outbox.digest(tmp_path / "one") == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"


async def test_what_fails_after_the_move_is_no_failure(
    made: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems do not sync folders. Tried again, the output would be there twice."""
    sync = os.fsync

    def picky(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(handle)

    monkeypatch.setattr(os, "fsync", picky)
    place = settings.outbox / "clip.mp4"
    assert await outbox.publish(made, place, settings, Said()) == place
    assert names(settings.outbox) == ["clip.mp4"]


async def test_a_part_of_the_outbox_may_be_another_disk(made: Path, elsewhere: Path, settings: Settings) -> None:
    (settings.outbox / "alice").symlink_to(elsewhere.parent)
    place = settings.outbox / "alice" / "clip.mp4"
    assert await outbox.publish(made, place, settings, Said()) == place
    assert place.read_bytes() == b"swapped"
    assert names(elsewhere.parent) == ["clip.mp4", "output.mp4"]


DYING = """
import errno, os, sys
from pathlib import Path
from faceswapd.runtime.jobs import outbox, renaming

def no_links(source, target):
    raise OSError(errno.EPERM, "Operation not permitted")

os.link, renaming._call = no_links, lambda: None
outbox._put_in(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_name_that_was_only_held_when_the_crash_came_is_free_again(made: Path, settings: Settings) -> None:
    place = settings.outbox / "clip.mp4"
    armed = {**os.environ, faults.VARIABLE: "name reserved"}
    done = subprocess.run([sys.executable, "-c", DYING, str(made), str(place)], env=armed)
    assert done.returncode == -9
    assert place.read_bytes() == outbox.RESERVED
    outbox.remove_reservation(place)
    assert not place.exists()
    assert made.read_bytes() == b"swapped"


@pytest.mark.parametrize("content", [b"an output", outbox.RESERVED + b"and more", b"faceswapd is"])
def test_a_file_of_somebody_else_is_no_held_name(settings: Settings, content: bytes) -> None:
    place = settings.outbox / "clip.mp4"
    place.write_bytes(content)
    outbox.remove_reservation(place)
    outbox.remove_reservation(settings.outbox / "none")
    outbox.remove_reservation(settings.outbox)
    assert place.read_bytes() == content


@pytest.mark.parametrize("elsewhere_too", [False, True])
async def test_a_target_whose_archiving_was_cut_off_is_archived_once(
    place: Workplace, request: pytest.FixtureRequest, *, elsewhere_too: bool
) -> None:
    """The crash came between the two steps: it lies in the archive, and in the inbox still."""
    done = request.getfixturevalue("elsewhere").parent / "done" if elsewhere_too else place.settings.done
    settings = place.settings.model_copy(update={"done": done})
    number = await succeeded(place, "clip.mp4", "archive")
    target = place.inbox / "clip.mp4"
    done.mkdir(exist_ok=True)
    (done / "clip.mp4").write_text("another file")
    shutil.copy(target, done / "clip (2).mp4")
    assert await outbox.settle_target(place.ledger, await place.job(number), settings, again=True) is None
    assert not target.exists()
    assert names(done) == ["clip (2).mp4", "clip.mp4"]


def test_works_that_are_copied_at_the_same_time_have_places_of_their_own(elsewhere: Path, settings: Settings) -> None:
    """Targets out of one folder are archived side by side."""
    one, other = elsewhere, elsewhere.with_name("other.mp4")
    other.write_bytes(b"another")
    copies = [outbox._staged(path, settings.outbox) for path in (one, other)]
    assert [copy.read_bytes() for copy in copies] == [b"swapped", b"another"]
    for copy in copies:
        outbox._unstage(copy)
    assert names(settings.outbox) == []
