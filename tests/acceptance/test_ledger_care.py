"""The ledger is copied while it is in use, and the copy takes its place; a damaged one is told and left alone."""

import random
import shutil
from pathlib import Path

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm


def outputs(farm: Farm) -> list[str]:
    return sorted(path.name for path in farm.outbox.rglob("*") if path.is_file())


def test_a_backup_takes_the_place_of_the_ledger(farm: Farm, media: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    done = farm.ended(farm.drop(media / "photo.jpg"))
    farm.ctl("pause")
    waits = farm.job_of(farm.drop(media / "clip.mp4"))
    assert "is copied to" in farm.ctl("ledger", "backup", str(copy))
    assert "already" in farm.ctl("ledger", "backup", str(copy), code=1)
    farm.ctl("resume")
    late = farm.ended(farm.drop(media / "photo.png"))
    assert farm.ended(farm.inbox / "alice" / "clip.mp4").state == "succeeded"
    assert "its books balance" in farm.ctl("ledger", "check")
    made = outputs(farm)
    farm.kill()
    shutil.copy(copy, farm.folder / "state" / "ledger.sqlite3")  # and nothing else that lies beside it
    farm.start()
    farm.ctl("resume")  # the copy is of a paused daemon
    assert farm.ended(farm.inbox / "alice" / "photo.jpg").id == done.id
    assert farm.ended(farm.inbox / "alice" / "clip.mp4").id == waits.id
    again = farm.ended(farm.inbox / "alice" / "photo.png")
    assert (again.state, again.target) == ("succeeded", late.target), "it is taken from the inbox anew"
    assert "its books balance" in farm.ctl("ledger", "check")
    assert set(made) <= set(outputs(farm)), "what the copy does not know is done anew, beside what is there"
    assert outputs(farm).count("photo.jpg") == 1


def test_a_damaged_ledger_is_one_sentence_and_is_left_as_it_is(farm: Farm, media: Path) -> None:
    farm.ended(farm.drop(media / "photo.jpg"))
    farm.stop()
    ledger = farm.folder / "state" / "ledger.sqlite3"
    content = bytearray(ledger.read_bytes())
    chance = random.Random(7)
    for page in chance.sample(range(1, len(content) // 4096), 8):
        content[page * 4096 : (page + 1) * 4096] = chance.randbytes(4096)
    ledger.write_bytes(content)
    said = farm.refused()
    assert "is damaged" in said
    assert "If there is a backup of it, put that in its place." in said
    assert said.count("\n") == 1
    assert ledger.read_bytes() == content


def test_all_failed_jobs_are_asked_for_again_and_their_notes_go(farm: Farm, media: Path) -> None:
    job = farm.ended(farm.drop(media / "nobody.png"))
    note = farm.folder / "failed" / "alice" / "nobody.png.error.txt"
    farm.until(lambda _: note.exists(), "the note")
    assert "Did you mean no_target_face" in farm.ctl("retry", "--category", "no_target_fac", code=1)
    assert "no_target_face (1)" in farm.ctl("retry", "--category", "gpu_oom")
    farm.ctl("pause")
    assert "1 failed job of the category no_target_face waits again." in farm.ctl(
        "retry", "--category", job.category or ""
    )
    farm.until(lambda _: not note.exists(), "what is asked for again has no note")
    farm.ctl("resume")
    assert farm.ended(Path(job.target)).state == "failed"
    farm.until(lambda _: note.exists(), "the note")
    farm.ctl("pause")
    Path(job.target).touch()  # dropped anew
    farm.until(lambda status: status.counts["queued"] == 1, "it waits again")
    farm.until(lambda _: not note.exists(), "what is dropped anew has no note")


def test_what_breaks_in_the_surroundings_is_mended_and_goes_on_by_itself(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm("[retry]\nfirst = 1\n")
    farm.start()
    farm.until(lambda _: (farm.inbox / "alice").is_dir(), "the folder of the face")
    in_the_way = farm.outbox / "alice"
    in_the_way.write_text("in the way", encoding="utf-8")
    targets = [farm.drop(media / "photo.jpg"), farm.drop(media / "photo.png")]
    held = farm.until(lambda status: status.state == "held" and len(status.waiting) == 2, "the queue is held")
    assert "could not be written" in (held.why or "")
    in_the_way.unlink()
    for target in targets:
        assert (farm.ended(target).state, farm.ended(target).attempt) == ("succeeded", 1)
    assert farm.status().state == "running"
