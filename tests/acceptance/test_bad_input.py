"""Bad input: each with a clear sentence, and nothing lost."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm
from tests.acceptance.rounds import marked

HOSTILE = (
    b"new\nline.png",
    b"bad\xff\xfe.png",
    b"-rf.png",
    "\u202egnp.exe.png".encode(),
    b"q" * 251 + b".png",
    b"$(id);'\".png",
)


@pytest.mark.parametrize(
    ("name", "category", "sentence"),
    [
        ("text.mp4", "unreadable", "text"),
        ("list.mp4", "unreadable", "playlist"),
    ],
)
def test_what_is_no_video_is_parked_with_its_reason(
    farm: Farm, media: Path, name: str, category: str, sentence: str
) -> None:
    target = farm.drop(media / name)
    job = farm.job_of(target)
    assert (job.state, job.category) == ("parked", category)
    assert sentence in (job.reason or "")
    assert (job.reason or "-") in farm.ctl("explain", str(target))
    assert target.exists()


def test_a_video_that_is_cut_off_waits_and_is_taken_when_it_is_whole(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "cut.mp4", "alice", "clip.mp4")
    arriving = farm.until(lambda status: bool(status.arriving and "cut off" in status.arriving[0].reason), "arriving")
    assert arriving.arriving[0].path == str(target)
    shutil.copyfile(media / "clip.mp4", target)
    assert farm.ended(target).state == "succeeded"


def test_a_video_that_stays_cut_off_is_parked(farm: Farm, media: Path) -> None:
    job = farm.job_of(farm.drop(media / "cut.mp4"))
    assert (job.state, job.category) == ("parked", "incomplete")
    assert "cut off" in (job.reason or "")
    assert "cannot run with any face" in farm.ctl("assign", str(job.id), "alice", code=1)


def test_an_image_of_nobody_fails_with_advice_and_a_note(farm: Farm, media: Path) -> None:
    job = farm.ended(farm.drop(media / "nobody.png"))
    assert (job.state, job.category, job.attempt) == ("failed", "no_target_face", 1)
    assert job.advice
    note = farm.folder / "failed" / "alice" / "nobody.png.error.txt"
    farm.until(lambda _: note.exists(), "the note")
    assert "No face was found" in note.read_text(encoding="utf-8")
    assert not list(farm.outbox.rglob("*.png"))


def test_a_face_without_a_usable_face_fails_and_is_mended_by_a_photo(farm: Farm, media: Path) -> None:
    folder = farm.folder / "faces" / "zoe"
    folder.mkdir()
    (folder / "noise.png").write_bytes((media / "nobody.png").read_bytes())
    farm.until(lambda _: (farm.inbox / "zoe").is_dir(), "zoe is seen")
    target = farm.drop(media / "photo.jpg", "zoe", "photo.jpg")
    job = farm.ended(target)
    assert (job.state, job.category) == ("failed", "no_source_face")
    (folder / "good.png").write_bytes((media / "other.png").read_bytes())
    farm.until(lambda status: any(face.name == "zoe" and face.photos == 2 for face in status.faces), "the photo")
    farm.ctl("retry", str(job.id))
    assert farm.ended(target).state == "succeeded"


def test_an_empty_face_folder_parks(farm: Farm, media: Path) -> None:
    (farm.folder / "faces" / "zoe").mkdir()
    farm.until(lambda status: any(face.name == "zoe" for face in status.faces), "zoe is seen")
    job = farm.job_of(farm.drop(media / "photo.jpg", "zoe", "photo.jpg"))
    assert (job.state, job.category) == ("parked", "needs_face")
    assert "has no photo yet" in (job.reason or "")


def test_a_target_that_grows_is_taken_once_and_whole(farm: Farm, media: Path) -> None:
    whole = (media / "long.mp4").read_bytes()
    target = farm.inbox / "alice" / "grows.mp4"
    piece = len(whole) // 12
    with target.open("wb", buffering=0) as file:
        for start in range(0, len(whole), piece):
            file.write(whole[start : start + piece])
            farm.until(lambda status: any(one.path == str(target) for one in status.arriving), "it arrives")
    job = farm.ended(target)
    assert (job.state, job.attempt) == ("succeeded", 1)
    assert farm.status().counts["succeeded"] == 1


def test_hostile_names_are_swapped_like_others(farm: Farm, media: Path) -> None:
    targets = [farm.inbox / "alice" / os.fsdecode(name) for name in HOSTILE]
    for number, target in enumerate(targets):
        target.write_bytes(marked(media / "photo.png", str(number)))
    for target in targets:
        job = farm.ended(target)
        assert job.state == "succeeded"
        assert job.output == str(farm.outbox / "alice" / target.name)
        assert "It is job" in farm.ctl("explain", str(target))
    assert farm.status().counts["succeeded"] == len(HOSTILE)
    assert f"{len(HOSTILE)} succeeded" in farm.ctl("status")
    assert farm.ctl("jobs").count("succeeded") == len(HOSTILE)


def test_what_is_not_taken_is_listed_with_its_reason(farm: Farm, media: Path) -> None:
    folder = farm.inbox / "alice"
    (folder / "link.mp4").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.mp4")
    (folder / "notes.pdf").write_bytes(b"%PDF-")
    for ignored in (".hidden.mp4", "x.mp4.part", "~x.mp4", "Thumbs.db", "empty.mp4"):
        (folder / ignored).touch()
    assert farm.ended(farm.drop(media / "photo.jpg")).state == "succeeded"
    skipped = {Path(one.path).name for one in farm.status().skipped}
    assert skipped == {"link.mp4", "pipe.mp4", "notes.pdf", "empty.mp4"}
    assert "hidden" in farm.ctl("explain", "alice/.hidden.mp4")


def test_an_outbox_that_cannot_be_written_holds_the_queue_with_its_reason(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm()
    farm.outbox.rmdir()
    farm.outbox.write_text("in the way", encoding="utf-8")
    farm.start()
    target = farm.drop(media / "photo.jpg")
    job = farm.job_of(target)
    held = farm.until(lambda status: status.state == "held" and bool(status.waiting), "held")
    assert "is a file and no folder" in (held.why or "")
    assert "is a file and no folder" in (held.waiting[0].reason or "")
    farm.outbox.unlink()
    assert farm.ended(target).id == job.id
    assert farm.ended(target).state == "succeeded"


def test_a_full_disk_holds_the_queue_with_reading_and_limit(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm('[limits]\ndisk_free = "900 TB"\n')
    farm.start()
    target = farm.drop(media / "photo.jpg")
    assert farm.job_of(target).state == "queued"
    status = farm.until(lambda status: status.state == "held" and bool(status.waiting), "held")
    assert any("nearly full" in held.reason and held.limit == "900000.0 GB free" for held in status.held)
    assert "nearly full" in (status.waiting[0].reason or "")
    assert "nearly full" in farm.ctl("status")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 KB. Needs root."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_start_on_a_full_disk_is_worth_another_one(new_farm: NewFarm, small_disk: Path) -> None:
    """Exit code 78 would keep the service manager from starting the daemon when there is room again."""
    farm = new_farm()
    (small_disk / "filler").write_bytes(b"\0" * (56 << 10))
    process = farm.start(FACESWAPD_STATE=str(small_disk / "state"))
    assert process.wait(30) == 1


def test_a_second_daemon_on_the_same_ledger_is_refused(farm: Farm) -> None:
    said = farm.refused()
    assert f"pid {farm.processes[-1].pid}" in said
    assert "faceswapctl stop" in said
    assert farm.status().state == "running"


def test_a_ledger_of_a_newer_version_is_refused(new_farm: NewFarm) -> None:
    farm = new_farm()
    farm.start()
    farm.stop()
    with sqlite3.connect(farm.folder / "state" / "ledger.sqlite3") as ledger:
        ledger.execute("PRAGMA user_version = 99")
    ledger.close()
    assert "newer faceswapd" in farm.refused()


def test_a_mistake_in_the_configuration_is_told_with_line_and_key(new_farm: NewFarm) -> None:
    farm = new_farm("[engine]\nslotz = 2\n")
    said = farm.refused()
    assert "slotz" in said
    assert "`slots`" in said
    assert "line" in said


def test_a_target_taken_out_of_the_inbox_takes_its_job_along(farm: Farm, media: Path) -> None:
    farm.ctl("pause")
    target = farm.drop(media / "photo.jpg")
    number = farm.job_of(target).id
    target.unlink()
    farm.until(lambda status: status.counts["cancelled"] == 1, "cancelled")
    shutil.copyfile(media / "photo.jpg", target)
    farm.ctl("resume")
    farm.until(lambda status: status.counts["succeeded"] == 1, "it came back and is the same job")
    assert farm.ended(target).id == number


def test_an_inbox_that_vanishes_is_shown_and_comes_back(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm("rescan = 2\n")
    farm.start()
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the folder of the face")
    shutil.rmtree(farm.inbox)
    status = farm.until(lambda status: status.inboxes[0].problem is not None, "noticed")
    assert "is not there" in (status.inboxes[0].problem or "")
    farm.inbox.mkdir()
    assert farm.ended(farm.drop(media / "photo.jpg", "photo.jpg")).state == "succeeded"
