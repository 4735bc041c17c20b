"""What is said beside a target: real files, the real ledger."""

import asyncio
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from faceswapd.core.job import Parked, State
from faceswapd.core.wish import Pass, Trim, Wish
from faceswapd.ledger import claims, outcomes, reports
from faceswapd.ledger.records import JobRecord
from faceswapd.runtime.intake.sidecars import parsed
from faceswapd.runtime.jobs import outbox
from faceswapd.runtime.jobs.outbox import settle_target
from tests.runtime.conftest import NewPlace
from tests.runtime.test_inbox import SETTLE, Doorway
from tests.runtime.workplace import Workplace

NOTE = "clip.mp4.needs-mending.txt"


@pytest.fixture
def door(place: Workplace) -> Doorway:
    """An inbox whose files settle at once, with the faces alice and bob."""
    (place.settings.faces / "bob.jpg").write_bytes(b"another photo")
    return Doorway(place)


def skipped(door: Doorway) -> dict[str, str]:
    return {Path(path).name: why for path, why in door.inbox.places[0].listing.skipped.items()}


async def the_job(door: Doorway) -> JobRecord:
    """The only one that is not cancelled."""
    (job,) = [job for job in await door.look() if job.state is not State.CANCELLED]
    return job


async def claim_of(door: Doorway, job: int) -> claims.Claim:
    record = await reports.job(door.place.ledger, job)
    assert record is not None
    return await claims.claim(door.place.ledger, record.segment, claims.Runner("a-boot", 0, "fake", "CPU"), 1.0)


async def test_a_sidecar_says_everything(door: Doorway) -> None:
    door.drop(
        "clip.mp4.toml",
        """face = "bob"
preset = "best"
priority = 7
not_before = 2030-01-01T22:00:00
trim = { end = 0.5 }
output = "{face}-{name}{suffix}"
options = { face_mask_blur = 0.4 }""",
    )
    door.drop("alice/clip.mp4")
    door.drop("clip.mp4")
    jobs = {job.relative: job for job in await door.look()}
    job = jobs["clip.mp4"]
    start = datetime(2030, 1, 1, 22).timestamp()  # noqa: DTZ001
    assert (job.state, job.face, job.rule, job.preset) == (State.QUEUED, "bob", "its sidecar says so", "best")
    assert (job.priority, job.options) == (7, (("face_mask_blur", "0.4"),))
    assert (job.wish.trim, job.wish.output, job.not_before) == (Trim(0.0, 0.5), "{face}-{name}{suffix}", start)
    assert jobs["alice/clip.mp4"].wish == Wish(), "a sidecar speaks of its own target"
    assert skipped(door) == {}


async def test_several_persons_are_one_job(door: Doorway) -> None:
    door.drop("clip.mp4.json", '{"map": [{"face": "alice", "position": 2}, {"face": "bob", "position": 1, "at": 0.5}]}')
    door.drop("clip.mp4")
    job = await the_job(door)
    assert (job.state, job.face) == (State.QUEUED, "alice + bob")
    assert job.wish.passes == (Pass("alice", 1, 0), Pass("bob", 0, 5))


async def test_folders_have_defaults_the_nearer_over_the_farther_and_names_over_both(door: Doorway) -> None:
    door.drop(".faceswapd.toml", 'face = "alice"\npreset = "fast"\npriority = 1')
    door.drop("holiday/.faceswapd.toml", 'face = "bob"\npriority = 2')
    for name in ("a.mp4", "holiday/b@best.mp4", "holiday/deep/c.mp4", "holiday/alice/d.mp4"):
        door.drop(name)
    door.drop("holiday/deep/c.mp4.toml", "priority = 3")
    jobs = {job.relative: (job.face, job.preset, job.priority) for job in await door.look()}
    assert jobs == {
        "a.mp4": ("alice", "fast", 1),
        "holiday/b@best.mp4": ("bob", "best", 2),
        "holiday/deep/c.mp4": ("bob", "fast", 3),
        "holiday/alice/d.mp4": ("alice", "fast", 2),
    }
    assert skipped(door) == {}


MISTAKES = {
    "unknown key": ("toml", b'prset = "best"', 'prset = "best": there is no such key; did you mean preset.'),
    "no TOML": ("toml", b"face =", "It is not TOML: Invalid value"),
    "no JSON": ("json", b"{face: 1}", "It is not JSON: "),
    "no object": ("json", b"[1]", "It must hold names and values, in { }."),
    "a name twice": ("json", b'{"face": "alice", "face": "bob"}', "It is not JSON: a name stands in it twice."),
    "not UTF-8": ("toml", b'face = "\xff"', "It is not UTF-8 text; save it as UTF-8."),
    "too large": ("toml", b"#" * 70_000, "It is larger than 64 KB; a sidecar is a few lines."),
    "too deep": ("json", b"[" * 60_000, "It holds lists in lists without end."),
    "far too large a number": ("json", b'{"priority": ' + b"9" * 5000 + b"}", "It is not JSON: Exceeds the limit"),
    "behind the end": ("toml", b"trim.start = 5", "trim.start = 0:05: the video is 0:01 long"),
}


@pytest.mark.parametrize(("ending", "content", "sentence"), MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_parks_the_target_and_is_told_beside_it_until_it_is_mended(
    door: Doorway, ending: str, content: bytes, sentence: str
) -> None:
    sidecar = door.folder / f"clip.mp4.{ending}"
    sidecar.write_bytes(content)
    door.drop("clip.mp4")
    job = await the_job(door)
    assert (job.state, job.parked, job.face) == (State.PARKED, Parked.MISTAKEN, None)
    assert (job.reason or "").startswith(f"clip.mp4.{ending}: {sentence}")
    assert (door.folder / NOTE).read_text().startswith(f"{job.reason}\nMend clip.mp4.{ending}")
    sidecar.write_text('face = "bob"' if ending == "toml" else '{"face": "bob"}')
    mended = await the_job(door)
    assert (mended.state, mended.face) == (State.QUEUED, "bob")
    assert mended.id != job.id
    assert not (door.folder / NOTE).exists()
    assert [one.reason for one in await door.jobs() if one.state is State.CANCELLED] == [
        "Something else is asked of it since."
    ]


async def test_what_is_no_file_is_not_opened(door: Doorway, tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text('face = "bob"')
    (door.folder / "a.mp4.toml").symlink_to(tmp_path / "secret.toml")
    os.mkfifo(door.folder / "b.mp4.toml")
    os.mkfifo(door.folder / ".faceswapd.toml")
    for name in ("a.mp4", "b.mp4"):
        door.drop(name)
    jobs = {job.relative: job for job in await door.look()}
    assert {job.parked for job in jobs.values()} == {Parked.MISTAKEN}
    assert jobs["a.mp4"].reason == "a.mp4.toml: It is a link. Put the file itself here, or a hard link to it."
    assert jobs["b.mp4"].reason == "b.mp4.toml: It is a pipe, a socket or a device, and no file."
    for name in ("a.mp4.toml", "b.mp4.toml"):
        (door.folder / name).unlink()
    reasons = {job.reason for job in await door.look() if job.state is State.PARKED}
    assert reasons == {".faceswapd.toml: It is a pipe, a socket or a device, and no file."}
    note = door.folder / "faceswapd.needs-mending.txt"
    assert note.is_file(), "one text for one mistake"
    (door.folder / ".faceswapd.toml").unlink()
    (door.folder / ".faceswapd.toml").write_text('face = "bob"')
    assert {job.face for job in await door.look() if job.state is State.QUEUED} == {"bob"}
    await door.inbox.look()
    assert not note.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_one_that_cannot_be_read_is_read_when_it_can_be(door: Doorway) -> None:
    sidecar = door.drop("clip.mp4.toml", 'face = "bob"')
    sidecar.chmod(0)
    door.drop("clip.mp4")
    job = await the_job(door)
    assert job.reason == "clip.mp4.toml: It cannot be read: Permission denied. Give the daemon's user the right to."
    sidecar.chmod(0o600)
    assert (await the_job(door)).face == "bob"


async def test_two_sidecars_are_a_mistake(door: Doorway) -> None:
    door.drop("clip.mp4.toml", 'face = "bob"')
    second = door.drop("clip.mp4.json", '{"face": "alice"}')
    door.drop("clip.mp4")
    job = await the_job(door)
    assert job.reason == "clip.mp4.json: There are two sidecars, clip.mp4.json and clip.mp4.toml; keep one of them."
    second.unlink()
    assert (await the_job(door)).face == "bob"


async def test_a_note_of_ours_takes_no_users_file_away_and_follows_no_link(door: Doorway, tmp_path: Path) -> None:
    theirs = door.drop(NOTE, "my own words")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (door.folder / "other.mp4.needs-mending.txt").symlink_to(victim)
    (door.folder / "third.mp4.needs-face.txt").symlink_to(tmp_path / "new file")
    for name in ("clip.mp4", "other.mp4"):
        door.drop(f"{name}.toml", "nonsense = 1")
        door.drop(name)
    door.drop("third.mp4")
    assert {job.parked for job in await door.look()} == {Parked.MISTAKEN, Parked.NEEDS_FACE}
    assert theirs.read_text() == "my own words"
    assert victim.read_text() == "precious"
    assert not (tmp_path / "new file").exists()
    (door.folder / "clip.mp4.toml").unlink()
    await door.look()
    assert theirs.read_text() == "my own words"


async def test_a_mistake_that_a_new_face_mends_is_mended(door: Doorway) -> None:
    door.drop("clip.mp4.toml", 'face = "carol"')
    door.drop("clip.mp4")
    job = await the_job(door)
    assert (job.reason or "").startswith('clip.mp4.toml: face = "carol": there is no such face')
    (door.faces / "carol.jpg").write_bytes(b"a third photo")
    assert (await the_job(door)).face == "carol"


async def test_a_sidecar_without_its_target_is_shown(door: Doorway) -> None:
    door.drop("clip.mp4.toml", "")
    door.drop("holiday.toml", "")
    assert await door.look() == []
    assert skipped(door) == {
        "clip.mp4.toml": "It belongs to clip.mp4, which is not here.",
        "holiday.toml": "It is no target. If it is meant as a sidecar: those have their target's whole name before "
        "their own ending, as clip.mp4.toml has.",
    }


async def test_an_empty_sidecar_says_nothing_and_holds_nothing_up(door: Doorway) -> None:
    door.drop("alice/clip.mp4.toml", "")
    door.drop("alice/clip.mp4")
    assert (await the_job(door)).state is State.QUEUED


async def test_what_is_asked_of_a_queued_job_can_change(door: Doorway) -> None:
    sidecar = door.drop("alice/clip.mp4.toml", "priority = 1")
    door.drop("alice/clip.mp4")
    first = await the_job(door)
    sidecar.write_text("priority = 2\nnot_before = 2030-01-01")
    second = await the_job(door)
    assert (second.id, second.priority) == (first.id, 2), "the result is the same: it is the same job"
    assert second.not_before == second.wish.not_before is not None
    sidecar.write_text("trim.end = 0.5")
    third = await the_job(door)
    assert (third.id == first.id, third.priority, third.wish.trim) == (False, 0, Trim(0.0, 0.5))
    assert (await reports.job(door.place.ledger, first.id)) is not None
    sidecar.unlink()
    fourth = await the_job(door)
    assert (fourth.id, fourth.wish) == (first.id, Wish()), "it is the first question again"


async def test_a_job_that_runs_goes_on_and_a_new_question_is_a_job_of_its_own(door: Doorway) -> None:
    sidecar = door.drop("alice/clip.mp4.toml", "priority = 1")
    target = door.drop("alice/clip.mp4")
    first = await the_job(door)
    claim = await claim_of(door, first.id)
    sidecar.write_text("trim.end = 0.5")
    running, second = sorted(await door.look(), key=lambda job: job.id)
    assert (running.id, running.state) == (first.id, State.RUNNING)
    assert (second.state, second.wish.trim) == (State.QUEUED, Trim(0.0, 0.5))
    ran = outcomes.Ran(claim.execution, claim.job.segment, first.id)
    await outcomes.succeed(door.place.ledger, ran, str(door.place.settings.outbox / "clip.mp4"), "digest", 2.0)
    assert target.exists()
    sidecar.unlink()
    jobs = {job.id: job.state for job in await door.look()}
    assert jobs == {first.id: State.SUCCEEDED, second.id: State.CANCELLED}, "what is left was done already"


async def test_changed_defaults_are_asked_of_what_waits_and_not_of_what_is_done(door: Doorway) -> None:
    defaults = door.drop(".faceswapd.toml", 'face = "alice"')
    for name in ("done.mp4", "running.mp4", "queued.mp4"):
        door.drop(name)
    jobs = {job.relative: job for job in await door.look()}
    done = await claim_of(door, jobs["done.mp4"].id)
    ran = outcomes.Ran(done.execution, done.job.segment, done.job.id)
    await outcomes.succeed(door.place.ledger, ran, str(door.place.settings.outbox / "done.mp4"), "digest", 2.0)
    await claim_of(door, jobs["running.mp4"].id)
    for face in ("bob", "alice", "bob"):
        defaults.write_text(f'face = "{face}"')
        now = {job.relative: (job.state, job.face) for job in await door.look() if job.state is not State.CANCELLED}
        assert now == {
            "done.mp4": (State.SUCCEEDED, "alice"),
            "running.mp4": (State.RUNNING, "alice"),
            "queued.mp4": (State.QUEUED, face),
        }


async def test_a_sidecar_that_was_taken_away_swaps_nothing_again(door: Doorway) -> None:
    sidecar = door.drop("alice/clip.mp4.toml", "trim.end = 0.5")
    door.drop("alice/clip.mp4")
    job = await the_job(door)
    claim = await claim_of(door, job.id)
    ran = outcomes.Ran(claim.execution, claim.job.segment, job.id)
    await outcomes.succeed(door.place.ledger, ran, str(door.place.settings.outbox / "clip.mp4"), "digest", 2.0)
    sidecar.unlink()
    assert [(one.id, one.state) for one in await door.look()] == [(job.id, State.SUCCEEDED)]


async def test_a_copy_for_which_a_job_did_gets_its_own_when_that_job_is_withdrawn(door: Doorway) -> None:
    door.drop("alice/one.mp4", "the same")
    door.drop("alice/two.mp4", "the same")
    (job,) = await door.look()
    mine = Path(job.relative).name
    door.drop(f"alice/{mine}.toml", "trim.end = 0.5")
    trims = [one.wish.trim for one in await door.look() if one.state is State.QUEUED]
    assert set(trims) == {None, Trim(0.0, 0.5)}, "the copy is not forgotten"
    door.drop("alice/three.mp4", "x")
    door.drop("alice/four.mp4", "x")
    await door.look()
    job = next(one for one in await door.jobs() if Path(one.relative).name in ("three.mp4", "four.mp4"))
    door.drop(job.relative, "y")
    waiting = [Path(one.relative).name for one in await door.look() if one.state is State.QUEUED]
    assert {"three.mp4", "four.mp4"} <= set(waiting), "and neither is one when the other file was replaced"


async def test_a_target_waits_for_its_sidecar(place: Workplace) -> None:
    door = Doorway(place, SETTLE)
    sidecar = door.folder / "clip.mp4.toml"
    target = door.drop("clip.mp4")
    os.utime(target, (1, 1))
    for number in range(4):
        sidecar.write_text("#" * number)
        await door.inbox._rest(await door.inbox.look())
        assert await door.jobs() == []
    sidecar.write_text("priority = 9")

    async def there() -> bool:
        return bool(await door.jobs())

    await door.until(there)
    assert [job.priority for job in await door.jobs()] == [9]


async def test_the_watcher_takes_a_mended_target_by_itself(door: Doorway) -> None:
    door.drop("clip.mp4.toml", "nonsense = 1")
    door.drop("clip.mp4")

    async def told() -> bool:
        return await asyncio.to_thread((door.folder / NOTE).exists)

    async def queued() -> bool:
        return any(job.state is State.QUEUED for job in await door.jobs())

    watching = asyncio.create_task(door.inbox.listen())
    try:
        await door.until(told)
        (door.folder / "clip.mp4.toml").write_text('face = "bob"')
        await door.until(queued)
    finally:
        watching.cancel()
        await asyncio.wait([watching])


@pytest.mark.parametrize("afterwards", ["archive", "delete", "keep"])
@pytest.mark.parametrize("ending", [".toml", ".TOML"])
async def test_a_sidecar_goes_with_its_target(
    new_place: NewPlace, tmp_path: Path, afterwards: str, ending: str
) -> None:
    place = await new_place(inbox=({"path": tmp_path / "inbox", "name": "inbox", "afterwards": afterwards},))
    door = Doorway(place)
    sidecar = door.drop(f"clip.mp4{ending}", "priority = 1")
    target = door.drop("clip.mp4")
    (place.settings.done / "clip.mp4").write_text("an older one")
    job = await the_job(door)
    stranger = door.drop("clip.mp4.json", "{}")  # it has not been heard yet, and is not this job's
    claim = await claim_of(door, job.id)
    ran = outcomes.Ran(claim.execution, claim.job.segment, job.id)
    await outcomes.succeed(place.ledger, ran, str(place.settings.outbox / "clip.mp4"), "digest", 2.0)
    assert await settle_target(place.ledger, job, place.settings) is None
    assert target.exists() is sidecar.exists() is (afterwards == "keep")
    assert stranger.exists()
    there = sorted(path.name for path in place.settings.done.iterdir())
    archived = ["clip (2).mp4", f"clip (2).mp4{ending}"] if afterwards == "archive" else []
    assert there == sorted([*archived, "clip.mp4"])


async def test_an_output_has_the_name_that_is_asked_for_and_lies_below_the_outbox(door: Doorway) -> None:
    door.drop("alice/clip.mp4.toml", 'output = "done by {face}/{name} ({preset}){suffix}"')
    door.drop("alice/clip.mp4")
    job = await the_job(door)
    place = outbox.place_for(door.place.settings, job)
    assert place == door.place.settings.outbox / "done by alice" / "clip (balanced).mp4"


def test_bytes_that_hold_no_values_raise_nothing() -> None:
    assert parsed(b"\xef\xbb\xbfpriority = 1", "x.toml") == {"priority": 1}, "some editors put a mark before it"
    assert parsed(b"  ", "x.json") == {}
    assert isinstance(parsed(os.urandom(100), "x.toml"), str)


async def test_what_is_said_is_told(door: Doorway) -> None:
    door.drop(".faceswapd.toml", 'preset = "fast"')
    door.drop("alice/clip.mp4.toml", 'face = "bob"\ntrim.start = "0:00.5"')
    target = door.drop("alice/clip.mp4")
    await door.look()
    told = door.inbox.told_of(str(target))
    assert told.lines == (
        "alice/clip.mp4.toml says: face bob; from 0:00.5 to the end",
        ".faceswapd.toml says: preset fast",
    )
    assert (told.question.named.sidecar, told.mistake) == ("bob", None)
    door.drop(".faceswapd.toml", 'preset = "fastest"')
    await door.look()
    told = door.inbox.told_of(str(target))
    assert told.mistake == '.faceswapd.toml: preset = "fastest": there is no such preset; did you mean fast.'
    assert told.lines[1] == told.mistake
    assert door.inbox.told_of("/elsewhere/clip.mp4").lines == ()


async def test_a_parked_target_keeps_its_wish_when_it_is_assigned_a_face(door: Doorway) -> None:
    door.drop("clip.mp4.toml", 'preset = "best"\npriority = 4\ntrim.end = 0.5\nnot_before = 2030-01-01')
    door.drop("clip.mp4")
    job = await the_job(door)
    assert job.parked is Parked.NEEDS_FACE
    chosen = outcomes.Assignment("bob", "it was assigned by hand", job.preset)
    assert await outcomes.assign(door.place.ledger, job.id, chosen, 1.0) == job.id
    after = await the_job(door)
    assert (after.state, after.face, after.preset, after.priority) == (State.QUEUED, "bob", "best", 4)
    assert (after.wish, after.not_before) == (job.wish, job.wish.not_before)


@pytest.mark.parametrize("which", ["clip.mp4", "clip.mp4.toml", ".faceswapd.toml"])
@pytest.mark.parametrize("year", [-400, 2300, 12_000])
async def test_a_date_that_no_clock_shows_is_no_reason_to_wait_for_it(door: Doorway, which: str, year: int) -> None:
    """A time of the day is the next one after the files came, and nothing has come tomorrow."""
    door.drop("clip.mp4.toml", 'face = "bob"\nnot_before = 22:00:00')
    door.drop(".faceswapd.toml", "priority = 1")
    door.drop("clip.mp4")
    door.drop("alice/other.mp4")
    far = (year - 1970) * 31_556_952 * 10**9  # nanoseconds; what a file system cannot keep, it keeps as it can
    os.utime(door.folder / which, ns=(far, far))
    jobs = {job.relative: job for job in await door.look()}
    assert {job.state for job in jobs.values()} == {State.QUEUED}
    assert len(jobs) == 2
    start = jobs["clip.mp4"].not_before
    assert start is not None
    assert 0 <= start - time.time() <= 90_000, "the next evening, whatever the date of the file"
    assert door.inbox.told_of(str(door.folder / "clip.mp4")).mistake is None
