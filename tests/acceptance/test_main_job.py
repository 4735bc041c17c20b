"""Drop a video, get the swap: the whole way, on the real daemon."""

import hashlib
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm


def frames(path: Path) -> tuple[list[float], list[NDArray[np.uint8]], int]:
    """Times, pictures and the rotation flag of a video."""
    times: list[float] = []
    pictures: list[NDArray[np.uint8]] = []
    rotation = 0
    with av.open(path) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            times.append(float(frame.pts * frame.time_base))
            pictures.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            rotation = frame.rotation
    return times, pictures, rotation


def sound(path: Path) -> tuple[str, int]:
    """A digest of the sound packets, and their number."""
    digest, count = hashlib.sha256(), 0
    with av.open(path) as container:
        for packet in container.demux(audio=0):
            if packet.size:
                digest.update(bytes(packet))
                count += 1
    return digest.hexdigest(), count


def test_a_phone_video_comes_out_swapped_upright_and_in_sync(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "phone.mov", "alice", "Mein Vidéo äöü 1.mov")
    job = farm.ended(target)
    assert (job.state, job.face, job.reason) == ("succeeded", "alice", None)
    assert job.output == str(farm.outbox / "alice" / "Mein Vidéo äöü 1.mov")
    before, coded, turned = frames(target)
    after, upright, flag = frames(Path(job.output))
    assert turned == -90
    assert flag == 0
    assert after == before
    assert upright[0].shape == (320, 240, 3)
    assert coded[0].shape == (240, 320, 3)
    difference = [
        float(np.abs(np.rot90(one, -1).astype(int) - other).mean()) for one, other in zip(coded, upright, strict=True)
    ]
    assert max(difference) < 20, "the same scene, upright"
    assert sound(target) == sound(Path(job.output))
    assert target.exists()


def test_an_image_and_a_video_by_the_only_face(farm: Farm, media: Path) -> None:
    jobs = [farm.ended(farm.drop(media / name, name)) for name in ("photo.jpg", "clip.mp4")]
    assert [job.state for job in jobs] == ["succeeded", "succeeded"]
    assert sorted(path.name for path in farm.outbox.iterdir()) == ["clip.mp4", "photo.jpg"]


def test_the_inbox_shows_the_places_to_drop(farm: Farm) -> None:
    assert sorted(path.name for path in farm.inbox.iterdir()) == ["README.txt", "alice"]


def test_the_same_content_twice_is_one_job_and_an_output_dropped_back_is_none(farm: Farm, media: Path) -> None:
    first = farm.ended(farm.drop(media / "photo.png"))
    farm.drop(media / "photo.png", "alice", "again.png")
    assert first.output is not None
    back = farm.drop(Path(first.output), "alice", "back.png")
    last = farm.ended(farm.drop(media / "photo.jpg", "alice", "zz-last.jpg"))
    assert last.id == first.id + 1
    assert f"the result of job {first.id}" in farm.ctl("explain", str(back))
    assert f"same content, face and preset as job {first.id}" in farm.ctl("explain", "alice/again.png")


def test_an_output_never_replaces_a_file(farm: Farm, media: Path) -> None:
    place = farm.outbox / "alice" / "photo.jpg"
    place.parent.mkdir()
    place.write_text("mine", encoding="utf-8")
    job = farm.ended(farm.drop(media / "photo.jpg"))
    assert job.output == str(farm.outbox / "alice" / "photo (2).jpg")
    assert place.read_text(encoding="utf-8") == "mine"


def test_two_faces_need_a_word_and_get_it_in_every_way(farm: Farm, media: Path) -> None:
    (farm.folder / "faces" / "bob.png").write_bytes((media / "other.png").read_bytes())
    farm.until(lambda status: {face.name for face in status.faces} == {"alice", "bob"}, "bob is seen")
    unclear = farm.drop(media / "clip.mp4", "clip.mp4")
    parked = farm.job_of(unclear)
    assert (parked.state, parked.face, parked.category) == ("parked", None, "needs_face")
    note = farm.inbox / "clip.mp4.needs-face.txt"
    farm.until(lambda _: note.exists(), "the note")
    assert "faceswapctl assign" in note.read_text(encoding="utf-8")
    assert "parked" in farm.ctl("explain", "clip.mp4")
    farm.ctl("assign", "clip.mp4", "bob")
    assert farm.ended(unclear).face == "bob"
    farm.until(lambda _: not note.exists(), "the note is taken away")
    prefixed = farm.ended(farm.drop(media / "photo.jpg", "ALICE__photo@fast.jpg"))
    assert (prefixed.face, prefixed.preset, prefixed.state) == ("alice", "fast", "succeeded")


def test_a_face_that_comes_later_settles_what_was_parked(farm: Farm, media: Path) -> None:
    target = farm.drop(media / "photo.jpg", "carol__photo.jpg")
    assert farm.job_of(target).state == "parked"
    folder = farm.folder / "faces" / "Carol"
    folder.mkdir()
    (folder / "one.png").write_bytes((media / "other.png").read_bytes())
    farm.until(lambda status: not status.parked, "it was assigned")
    assert farm.ended(target).face == "Carol"
    farm.until(lambda _: (farm.inbox / "Carol").is_dir(), "the folder to drop into")


def test_a_folder_with_its_own_face(farm: Farm, media: Path) -> None:
    folder = farm.inbox / "trip"
    folder.mkdir()
    (folder / "face1.png").write_bytes((media / "other.png").read_bytes())
    job = farm.ended(farm.drop(media / "photo.jpg", "trip", "photo.jpg"))
    assert (job.state, job.face) == ("succeeded", "trip")


def test_several_inboxes_with_preset_priority_and_policy(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm('\n[[inbox]]\npath = "rush"\npreset = "fast"\npriority = 50\nafterwards = "archive"\n')
    farm.start()
    farm.ctl("pause")
    slow = farm.drop(media / "photo.jpg")
    rush = farm.folder / "rush" / "alice" / "photo.png"
    farm.until(lambda _: rush.parent.is_dir(), "the face's folder in the second inbox")
    rush.write_bytes((media / "photo.png").read_bytes())
    assert farm.job_of(slow).priority == 0
    assert (farm.job_of(rush).priority, farm.job_of(rush).preset) == (50, "fast")
    farm.ctl("resume")
    first, second = farm.ended(rush), farm.ended(slow)
    assert first.started_at is not None
    assert second.started_at is not None
    assert first.started_at < second.started_at
    farm.until(lambda _: not rush.exists(), "the target was archived")
    assert (farm.folder / "done" / "alice" / "photo.png").exists()
    assert slow.exists()
