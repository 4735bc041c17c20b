"""Files become jobs: real folders, the real ledger, and an examiner whose child reads text."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from faceswapd.core.job import Parked, State
from faceswapd.ledger import reports
from faceswapd.ledger.records import JobRecord
from faceswapd.media.examiner import Examiner
from faceswapd.runtime import notes
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.intake import inbox as inbox_module
from faceswapd.runtime.intake.inbox import Inbox
from faceswapd.settings.schema import IntakeSettings
from tests.runtime.conftest import NewPlace
from tests.runtime.workplace import CHILD, SECONDS, Workplace

SETTLE = 0.2


class Doorway:
    """An inbox that is looked at when the test says so."""

    def __init__(self, place: Workplace, settle: float = 0.0) -> None:
        settings = place.settings.model_copy(update={"intake": IntakeSettings(settle=settle)})
        self.inbox = Inbox(settings, place.ledger, place.examiner, place.beats)
        self.folder = place.inbox
        self.faces = settings.faces
        self.place = place

    def drop(self, name: str | bytes, content: str | None = None) -> Path:
        target = self.folder / os.fsdecode(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(ascii(name) if content is None else content, encoding="utf-8")
        return target

    async def jobs(self) -> list[JobRecord]:
        return await reports.jobs(self.place.ledger, [], 10_000)

    async def look(self) -> list[JobRecord]:
        """Look once. Two passes: what the first one admits is paired by the second."""
        await self.inbox.look()
        await self.inbox.look()
        return await self.jobs()

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Look whenever it is time to, until something holds."""
        async with asyncio.timeout(SECONDS):
            next_look = await self.inbox.look()
            while not await holds():
                await self.inbox._rest(next_look)
                next_look = await self.inbox.look()

    @property
    def arriving(self) -> dict[str, str]:
        return self.inbox.places[0].arriving


@pytest.fixture
def door(place: Workplace) -> Doorway:
    """An inbox whose files settle at once, with the face alice."""
    return Doorway(place)


async def test_a_file_in_the_folder_of_a_face_is_a_job(door: Doorway) -> None:
    await door.inbox.look()
    assert (door.folder / "alice").is_dir()  # the place to drop is made for the face
    target = door.drop("alice/clip.mp4")
    (job,) = await door.look()
    assert (job.state, job.face, job.target, job.relative) == (State.QUEUED, "alice", str(target), "alice/clip.mp4")
    assert job.facts is not None
    assert door.inbox.faces.photos("Alice", None) == door.place.photos
    assert door.inbox.faces.names_of("Alice") == tuple(photo.name for photo in door.place.photos)
    assert door.inbox.faces.names_of("nobody") == ()


async def test_three_hundred_files_at_once_are_three_hundred_jobs(door: Doorway) -> None:
    names = {f"holiday/{number}.mp4" for number in range(150)} | {f"alice/{number}.mp4" for number in range(150)}
    for name in names:
        door.drop(name)

    async def all_there() -> bool:
        return len(await door.jobs()) >= len(names)

    await door.until(all_there)
    jobs = await door.look()
    assert sorted(job.relative for job in jobs) == sorted(names)
    assert {job.face for job in jobs} == {"alice"}


@pytest.mark.parametrize("name", [b"bytes-\xff.mp4", b"new\nline.mp4", b"-rf.mp4", b"x" * 251 + b".mp4"])
async def test_a_hostile_name_is_a_job_like_any_other(door: Doorway, name: bytes) -> None:
    door.drop(name)
    (job,) = await door.look()
    assert (job.state, os.fsencode(job.relative)) == (State.QUEUED, name)


async def test_what_cannot_be_taken_is_listed_with_its_reason(door: Doorway) -> None:
    for name, content in (("song.mp3", "x"), ("empty.mp4", ""), ("README.txt", "x")):
        door.drop(name, content)
    assert await door.look() == []
    skipped = {Path(path).name: reason for path, reason in door.inbox.places[0].listing.skipped.items()}
    assert skipped == {
        "song.mp3": "It is neither a video nor an image that can be swapped, by its name's ending.",
        "empty.mp4": "It is empty.",
    }


async def test_a_target_waits_while_it_grows(place: Workplace) -> None:
    door = Doorway(place, SETTLE)
    target = door.drop("clip.mp4")
    for number in range(4):
        with target.open("a", encoding="utf-8") as file:
            file.write(f"more {number}")
        await door.inbox._rest(await door.inbox.look())
        assert door.arriving == {str(target): "It is still being written."}
    assert await door.jobs() == []

    async def there() -> bool:
        return bool(await door.jobs())

    await door.until(there)
    assert (await door.jobs())[0].facts is not None


@pytest.mark.parametrize(
    ("photo", "face", "bundled"),
    [("faces/bob/one.jpg", None, False), ("inbox/new/face.jpg", "new", True)],
)
async def test_a_target_waits_while_a_photo_that_may_be_its_face_is_still_coming(
    place: Workplace, photo: str, face: str | None, *, bundled: bool
) -> None:
    """One new person among the faces, and a face beside the target itself: taken too early, it would get alice."""
    door = Doorway(place, SETTLE)
    await door.inbox.look()
    target = door.drop("new/clip.mp4")
    coming = place.settings.faces.parent / photo
    coming.parent.mkdir(exist_ok=True)
    for number in range(5):
        with coming.open("a", encoding="utf-8") as file:
            file.write(f"more {number}")
        next_look = await door.inbox.look()
        assert await door.jobs() == [], number
        await door.inbox._rest(next_look)
    assert list(door.arriving) == [str(target)]

    async def there() -> bool:
        return bool(await door.jobs())

    await door.until(there)
    (job,) = await door.jobs()
    assert (job.face, job.bundle is not None) == (face, bundled)
    if bundled:
        assert door.inbox.faces.photos("new", job.bundle) == (coming,)
    else:  # now there are two faces, and nobody said which
        assert job.parked is Parked.NEEDS_FACE


async def test_what_is_taken_out_of_the_inbox_waits_no_more(door: Doorway) -> None:
    target = door.drop("clip.mp4")
    await door.look()
    target.unlink()
    (job,) = await door.look()
    assert (job.state, job.reason) == (State.CANCELLED, "The file was taken out of the inbox.")
    door.drop("clip.mp4")
    (again,) = await door.look()
    assert (again.id, again.state) == (job.id, State.QUEUED)


async def test_an_inbox_that_is_away_takes_nothing_back(door: Doorway) -> None:
    door.drop("clip.mp4")
    await door.look()
    away = door.folder.rename(door.folder.with_name("away"))
    assert [job.state for job in await door.look()] == [State.QUEUED]
    assert door.inbox.places[0].listing.problem == "is not there"
    away.rename(door.folder)
    assert [job.state for job in await door.look()] == [State.QUEUED]


async def test_a_copy_takes_over_when_the_file_that_did_for_both_is_taken_away(door: Doorway) -> None:
    first = door.drop("one.mp4", "the same")
    await door.look()
    second = door.drop("two.mp4", "the same")
    (job,) = await door.look()
    assert job.target == str(first)
    assert "one job does for both" in (door.inbox.note_of(str(second)) or "")
    first.unlink()
    (again,) = await door.look()
    assert (again.id, again.state, again.target) == (job.id, State.QUEUED, str(second))


async def test_new_content_under_an_old_name_is_a_new_job(door: Doorway) -> None:
    door.drop("clip.mp4", "first")
    await door.look()
    door.drop("clip.mp4", "second")
    new, old = await door.look()
    assert (new.state, old.state, old.reason) == (State.QUEUED, State.CANCELLED, "The file has changed since.")


async def test_a_target_without_a_face_is_parked_with_a_note_until_its_face_comes(door: Doorway) -> None:
    shutil.rmtree(door.faces)
    target = door.drop("bob/clip.mp4")
    (job,) = await door.look()
    assert (job.state, job.parked) == (State.PARKED, Parked.NEEDS_FACE)
    assert notes.face_note(str(target)).is_file()
    (door.faces / "bob").mkdir(parents=True)
    (door.faces / "bob" / "one.jpg").write_bytes(b"a photo")
    (job,) = await door.look()
    assert (job.state, job.face) == (State.QUEUED, "bob")
    await door.look()
    assert not notes.face_note(str(target)).exists()


async def test_what_cannot_be_read_is_parked_and_what_is_cut_off_waits_for_the_rest(door: Doorway) -> None:
    door.drop("text.mp4", "unreadable")
    cut = door.drop("cut.mp4", "cut off")
    (job,) = await door.look()
    assert (job.relative, job.parked, job.reason) == ("text.mp4", Parked.UNREADABLE, "It is no video.")
    assert door.arriving == {str(cut): "It ends too early. Waiting for the rest."}
    cut.write_text("whole", encoding="utf-8")
    whole, _ = await door.look()
    assert (whole.relative, whole.state) == ("cut.mp4", State.QUEUED)


async def test_a_cut_off_file_that_stays_so_is_parked(door: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "PATIENCE", (0.3, 0.0))
    door.drop("cut.mp4", "cut off")

    async def there() -> bool:
        return bool(await door.jobs())

    await door.until(there)
    assert [job.parked for job in await door.jobs()] == [Parked.INCOMPLETE]


async def test_an_examiner_that_cannot_start_holds_the_files_and_not_the_daemon(
    new_place: NewPlace, tmp_path: Path
) -> None:
    place = await new_place()
    program = tmp_path / "examiner"
    place.examiner = Examiner(argv=[str(program)])
    door = Doorway(place)
    targets = {str(door.drop(f"{number}.mp4")) for number in range(3)}
    assert await door.look() == []
    assert door.arriving.keys() == targets
    assert all("could not be started" in reason for reason in door.arriving.values())
    program.write_text(f"#!/bin/sh\nexec {sys.executable} {CHILD[1]}\n", encoding="utf-8")
    program.chmod(0o700)
    assert len(await door.look()) == 3
    assert door.arriving == {}
    await place.examiner.close()


async def test_a_file_that_kills_its_reader_is_parked_and_holds_up_no_other(door: Doorway) -> None:
    """It comes first: it is the oldest one."""
    killer = door.drop("killer.mp4", "kills its reader")
    others = [door.drop(f"{number}.mp4") for number in range(3)]
    jobs = {job.target: job for job in await door.look()}
    assert jobs.keys() == {str(killer), *map(str, others)}
    assert jobs[str(killer)].parked is Parked.UNREADABLE
    assert "read twice" in (jobs[str(killer)].reason or "")
    assert {jobs[str(other)].state for other in others} == {State.QUEUED}
    child = door.place.examiner.child
    await door.look()
    assert door.place.examiner.child is child, "it is not read again"


async def test_the_loop_shows_that_it_lives_while_a_large_file_is_read(
    place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "BEAT_SECONDS", 0.02)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    counted = CountedBeats()
    place.beats = counted
    door = Doorway(place)
    door.drop("large.mp4", f"wait for {pipe}")
    looking = asyncio.create_task(door.inbox.look())
    await counted.reach(10)
    assert not looking.done()
    await asyncio.to_thread(pipe.write_bytes, b"now")
    await looking
    assert len(await door.jobs()) == 1


async def test_it_beats_for_each_of_many_files(place: Workplace) -> None:
    """Each is quick, and thousands of them take longer than a loop may be silent."""
    counted = CountedBeats()
    place.beats = counted
    door = Doorway(place)
    for number in range(20):
        door.drop(f"{number}.mp4")
    await door.inbox.look()
    assert len(await door.jobs()) == 20
    await counted.reach(20)


class CountedBeats(Beats):
    """Beats that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._beaten = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def beat(self, loop: str) -> None:
        super().beat(loop)
        task = asyncio.create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._beaten:
            self._count += 1
            self._beaten.notify_all()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(SECONDS), self._beaten:
            await self._beaten.wait_for(lambda: self._count >= count)


async def test_it_goes_on_where_an_earlier_life_of_the_daemon_ended(door: Doorway) -> None:
    target = door.drop("clip.mp4")
    await door.look()
    later = Doorway(door.place)
    later.place.examiner = Examiner(argv=["/no/such/program"])  # nothing is read again
    running = asyncio.create_task(later.inbox.run())
    async with asyncio.timeout(SECONDS):
        while later.inbox.places[0].listing.problem is not None:
            await asyncio.wait([running], timeout=0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert later.arriving == {}
    assert [job.target for job in await later.jobs()] == [str(target)]


async def test_an_event_wakes_it(door: Doorway) -> None:
    running = asyncio.create_task(door.inbox.run())
    async with asyncio.timeout(SECONDS):
        while not door.inbox.places[0].watch.working:
            await asyncio.wait([running], timeout=0.02)
        for number in range(100):  # the watcher may not have begun yet
            door.drop(f"{number}.mp4")
            rung = door.place.ledger.bell.count
            if await door.jobs():
                break
            await door.place.ledger.bell.after(rung, 1.0)  # it may ring for another reason, too
    assert await door.jobs()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
