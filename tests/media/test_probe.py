import json
import os
import random
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceswapd.core.target import Facts, Kind, Unreadable
from faceswapd.media.answers import from_wire, to_wire
from faceswapd.media.opened import Opened
from faceswapd.media.probe import probe
from tests.media.media_files import (
    FRAMES,
    HEIGHT,
    RATE,
    RECIPES,
    WIDTH,
    Recipe,
    chunk,
    decoded_frames,
    make_image,
    make_video,
    picture,
    png_bomb,
    remux,
    turn,
)

Videos = Mapping[str, Path]


def ignore(pictures: int) -> None:
    pass


def look(path: Path | str) -> Facts | Unreadable:
    return probe(str(path), ignore)


def facts_of(path: Path) -> Facts:
    answer = look(path)
    assert isinstance(answer, Facts), answer
    return answer


def refusal(path: Path | str) -> Unreadable:
    answer = look(path)
    assert isinstance(answer, Unreadable), answer
    assert answer.sentence.endswith(".")
    return answer


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# Videos that are whole


@pytest.mark.parametrize("name", RECIPES)
def test_every_kind_of_video_is_read_as_a_decoder_reads_it(name: str, videos: Videos) -> None:
    recipe, facts = RECIPES[name], facts_of(videos[name])
    assert facts.kind is Kind.VIDEO
    assert facts.frames == decoded_frames(videos[name]) == FRAMES
    assert (facts.width, facts.height, facts.rotation) == (recipe.width, recipe.height, 0)
    assert facts.audio == (recipe.sounds if recipe.audio else 0)
    assert facts.duration == pytest.approx(FRAMES / RATE, abs=0.1)
    assert facts.size == videos[name].stat().st_size


def test_the_content_is_the_blake2b_256_of_the_bytes(videos: Videos) -> None:
    import hashlib

    for name in ("plain.mp4", "faststart.mp4", "matroska.mkv", "program.mpeg"):
        data = videos[name].read_bytes()
        assert facts_of(videos[name]).content == hashlib.blake2b(data, digest_size=32).hexdigest()


@pytest.mark.parametrize(("degrees", "size"), [(0, (160, 120)), (90, (120, 160)), (180, (160, 120)), (270, (120, 160))])
def test_a_turned_video_is_measured_upright(
    degrees: int, size: tuple[int, int], videos: Videos, tmp_path: Path
) -> None:
    path = written(tmp_path / "turned.mp4", videos["plain.mp4"].read_bytes())
    turn(path, degrees)
    facts = facts_of(path)
    assert ((facts.width, facts.height), facts.rotation, facts.frames) == (size, degrees, FRAMES)


def test_pictures_that_an_edit_list_hides_are_not_counted(videos: Videos, tmp_path: Path) -> None:
    path = written(tmp_path / "trimmed.mp4", videos["b-frames.mp4"].read_bytes())
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4
    assert data[at : at + 8] == bytes(4) + b"\0\0\0\1"
    start = struct.unpack_from(">i", data, at + 12)[0]
    struct.pack_into(">Ii", data, at + 8, 1000, start + 12_800 // 2)  # one second, from half a second on
    path.write_bytes(data)
    facts = facts_of(path)
    assert facts.frames == decoded_frames(path)
    assert facts.frames < FRAMES
    assert facts.duration == pytest.approx(facts.frames / RATE, abs=0.1)


def test_a_start_that_cannot_be_decoded_is_not_counted(videos: Videos, tmp_path: Path) -> None:
    """A stream cut at random: the pictures before its first key picture are in the file and never shown."""
    data = videos["transport.mpeg"].read_bytes()
    path = written(tmp_path / "late.mpeg", data[: 188 * 4] + data[188 * 40 :])
    answer = look(path)
    if isinstance(answer, Facts):
        assert answer.frames == decoded_frames(path)
    else:
        assert decoded_frames(path) == 0


def test_cover_art_is_not_the_picture(tmp_path: Path, videos: Videos) -> None:
    import av

    cover = make_image(tmp_path / "cover.png").read_bytes()
    path = tmp_path / "song.mkv"
    with av.open(str(videos["two-sounds.mp4"])) as old, av.open(str(path), "w") as new:
        sound = new.add_stream_from_template(old.streams.audio[0])
        new.add_attachment("cover.png", "image/png", cover)
        for packet in old.demux(audio=0):
            if packet.size:
                packet.stream = sound
                new.mux(packet)
    assert refusal(path) == Unreadable("The file has sound, but no picture.")


def test_any_name_opens(videos: Videos, tmp_path: Path) -> None:
    data = videos["plain.mp4"].read_bytes()
    names: list[str | bytes] = ["-rf.mp4", "a\nb.mp4", "\N{GRINNING FACE}.mp4", "x" * 251 + ".mp4", "%03d.mp4"]
    names += ["http:a.mp4", "concat:b|c.mp4", "\u202egp4.mp4", b"\xff\xfe\x80.mp4"]
    for name in names:
        path = str(tmp_path / os.fsdecode(name))
        written(Path(path), data)
        travelled = json.loads(json.dumps({"path": path}))["path"]
        assert isinstance(look(travelled), Facts), name


# Videos that are not whole


CUTS = (0.02, 0.1, 0.25, 0.333, 0.5, 0.618, 0.75, 0.9, 0.97)
UNENDING = {"live.mkv", "live.webm", "transport.mpeg"}  # they do not say how long they are


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in UNENDING])
def test_a_cut_off_video_is_found(name: str, videos: Videos, tmp_path: Path) -> None:
    data, path = videos[name].read_bytes(), tmp_path / name
    for cut in CUTS:
        size = int(len(data) * cut)
        if name.endswith(".mpeg"):
            size += 1024 if size % 2048 < 32 else 0  # at the seam of two packs nothing tells that more should come
        answer = look(written(path, data[:size]))
        assert isinstance(answer, Unreadable), (cut, answer)
        assert answer.incomplete, (cut, answer)


@pytest.mark.parametrize("name", sorted(UNENDING))
def test_what_has_no_stated_end_is_taken_as_far_as_it_goes(name: str, videos: Videos, tmp_path: Path) -> None:
    data = videos[name].read_bytes()
    path = written(tmp_path / name, data[: len(data) // 2])
    facts = facts_of(path)
    assert 15 < facts.frames < 35
    assert abs(facts.frames - decoded_frames(path)) <= 1


def test_a_cut_off_film_tells_how_far_it_goes(videos: Videos, tmp_path: Path) -> None:
    """Only the duration tells when the sizes that the container states have been mended or are not stated."""
    data = bytearray(videos["matroska.mkv"].read_bytes())
    at = data.index(b"\x18\x53\x80\x67") + 4
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    answer = refusal(written(tmp_path / "half.mkv", bytes(data[: len(data) // 2])))
    assert re.fullmatch(r"The video is cut off: it can be read to 1\.\d of 2\.0 seconds\.", answer.sentence)


def test_room_that_was_made_but_not_filled_is_found(videos: Videos, tmp_path: Path) -> None:
    """Downloaders make the file in its full size first."""
    data = videos["faststart.mp4"].read_bytes()
    half = len(data) // 2
    answer = refusal(written(tmp_path / "hole.mp4", data[:half] + bytes(len(data) - half)))
    assert answer.incomplete
    assert answer.sentence.startswith("The video has a hole at ")
    answer = refusal(written(tmp_path / "empty.mp4", bytes(len(data))))
    assert answer == Unreadable("The file holds nothing but zeros so far.", incomplete=True)


def test_rubbish_after_the_end_does_no_harm(videos: Videos, tmp_path: Path) -> None:
    for name in ("plain.mp4", "faststart.mp4", "matroska.mkv", "mpeg4.avi", "program.mpeg"):
        path = written(tmp_path / name, videos[name].read_bytes() + b"\x7f\x01TAG rubbish" * 9)
        assert facts_of(path).frames == FRAMES


def test_a_place_that_cannot_be_is_no_error_of_the_disk(videos: Videos) -> None:
    with Opened(str(videos["plain.mp4"])) as file:
        assert file.seek(40) == 40
        assert file.seek(-5) == -1
        assert file.seek(1 << 80) == -1
        assert file.tell() == 40


# What is something else


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.mp4", b"hello\n" * 100, "The file is not a video: it is text."),
        ("a.jpg", "grüße\n".encode() * 900, "The file is not an image: it is text."),
        ("a.mp4", b"\n <!DOCTYPE html><html>", "The file is not a video: it is a web page: the download may have failed."),  # noqa: E501
        ("a.png", b"\xef\xbb\xbf<svg/>", "The file is not an image: it is an XML or SVG text."),
        ("a.mp4", b"PK\x03\x04" + bytes(99), "The file is not a video: it is a zip archive."),
        ("a.tiff", b"%PDF-1.7", "The file is not an image: it is a PDF document."),
        ("a.mkv", b"RIFF\0\0\0\0WAVEfmt ", "The file is not a video: it is a sound file (WAV)."),
        ("a.mp4", b"\0\0\0\x20ftypheic" + bytes(20), "The file is not a video: it is a kind of image that is not taken (HEIC)."),  # noqa: E501
        ("a.mp4", b"\x91\x02\x00\x80" * 50, "The file is not a video: its first bytes are of no kind that is known here."),  # noqa: E501
        ("a.txt", b"hello", "The file's name does not end as an image's or a video's that is taken."),
    ],
)  # fmt: skip
def test_a_stranger_is_called_by_its_name(name: str, data: bytes, sentence: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path / name, data)) == Unreadable(sentence)


def test_a_playlist_opens_no_other_file(videos: Videos, tmp_path: Path) -> None:
    other = os.fsencode(videos["plain.mp4"])
    for text in (PLAYLIST % other, b"ffconcat version 1.0\nfile %s\n" % other, b"[playlist]\nFile1=%s" % other):
        answer = refusal(written(tmp_path / "list.mp4", text))
        assert answer.sentence == "The file is not a video: it is a playlist, which only names other files."


def test_image_and_video_are_not_mistaken_for_each_other(videos: Videos, tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.jpg").read_bytes()
    assert refusal(written(tmp_path / "b.mp4", image)).sentence == "The file is not a video: it is a JPEG image."
    film = videos["plain.mp4"].read_bytes()
    answer = refusal(written(tmp_path / "b.jpg", film))
    assert answer.sentence == "The file is not an image: it is an MP4 or QuickTime video."


def test_sound_without_picture(videos: Videos, tmp_path: Path) -> None:
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(videos["plain.mp4"])) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(audio=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    assert refusal(path) == Unreadable("The file has sound, but no picture.")


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.mp4") == Unreadable("The file is no longer there.")
    assert refusal(written(tmp_path / "empty.mp4", b"")) == Unreadable("The file is empty.", incomplete=True)
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    for name in ("folder.mp4", "pipe.mp4"):
        assert refusal(tmp_path / name) == Unreadable("It is not an ordinary file.")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    assert refusal(tmp_path / "loop.mp4").sentence.startswith("The file could not be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path / "secret.mp4", b"x")
    path.chmod(0)
    assert refusal(path).sentence.startswith("The file may not be read by this user")


# Images


IMAGES = (".jpg", ".png", ".webp", ".bmp", ".tiff")


@pytest.mark.parametrize("suffix", IMAGES)
def test_every_kind_of_image_is_read(suffix: str, tmp_path: Path) -> None:
    path = make_image(tmp_path / f"a{suffix}", 61, 47)
    facts = facts_of(path)
    assert (facts.kind, facts.width, facts.height) == (Kind.IMAGE, 61, 47)
    assert (facts.frames, facts.duration, facts.rotation, facts.audio) == (1, None, 0, 0)
    other = written(tmp_path / "renamed.png", path.read_bytes())  # the content counts, not which image it claims
    assert facts_of(other).width == 61


@pytest.mark.parametrize("suffix", IMAGES)
def test_a_cut_off_image_is_found(suffix: str, tmp_path: Path) -> None:
    data = make_image(tmp_path / f"a{suffix}").read_bytes()
    for size in (20, 30, 60, *(len(data) * tenth // 10 for tenth in range(2, 10)), len(data) - 8):
        answer = refusal(written(tmp_path / f"cut{suffix}", data[:size]))
        assert answer == Unreadable("The image is cut off: its end is missing.", incomplete=True), size


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize(("orientation", "rotation"), [(1, 0), (3, 180), (6, 90), (8, 270)])
def test_exif_orientation(suffix: str, orientation: int, rotation: int, tmp_path: Path) -> None:
    path = make_image(tmp_path / f"a{suffix}", 80, 60, orientation)
    facts = facts_of(path)
    assert facts.rotation == rotation
    assert (facts.width, facts.height) == ((60, 80) if rotation in (90, 270) else (80, 60))
    seen = cv2.imread(str(path))
    assert seen is not None
    assert seen.shape[:2] == (facts.height, facts.width)


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    answer = refusal(png_bomb(tmp_path / "bomb.png", 60_000))
    assert answer.sentence == (
        "The image is too large: it says it has 60000 x 60000 pixels, and 256 million are taken."
    )
    assert not answer.incomplete
    assert not refusal(png_bomb(tmp_path / "liar.png", 300)).incomplete


def test_a_damaged_png_is_not_waited_for(tmp_path: Path) -> None:
    path = make_image(tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    answer = refusal(written(path, bytes(data)))
    assert answer == Unreadable("The image is damaged: it looks like a PNG image, and it cannot be decoded.")


@pytest.mark.skipif(not hasattr(cv2, "imwriteanimation"), reason="this OpenCV writes no animations")
def test_an_animation_is_one_picture(tmp_path: Path) -> None:
    film = cv2.Animation()
    film.frames = [np.dstack([picture(n), np.full((HEIGHT, WIDTH), 255, np.uint8)]) for n in range(4)]
    film.durations = [100] * 4
    path = tmp_path / "film.webp"
    assert cv2.imwriteanimation(str(path), film)
    facts = facts_of(path)
    assert (facts.kind, facts.width, facts.height, facts.frames) == (Kind.IMAGE, WIDTH, HEIGHT, 1)


def test_chunks_that_lie_about_their_length_end_the_walk(tmp_path: Path) -> None:
    path = make_image(tmp_path / "a.png")
    data = path.read_bytes()
    path.write_bytes(data[:33] + struct.pack(">I", 0x7FFFFFFF) + b"tEXt" + data[33:])
    assert isinstance(look(path), Unreadable)
    path.write_bytes(data[:33] + chunk(b"tEXt", b"a\0b") + data[33:])
    assert isinstance(look(path), Facts)


def test_directories_of_rubbish_do_no_harm(tmp_path: Path) -> None:
    rng = random.Random(5)
    for suffix in IMAGES:
        data = make_image(tmp_path / f"a{suffix}").read_bytes()
        for _ in range(40):
            damaged = bytearray(data)
            for _ in range(rng.choice((1, 4, 20))):
                damaged[rng.randrange(min(len(damaged), 300))] = rng.randrange(256)
            look(written(tmp_path / f"b{suffix}", bytes(damaged)))


def test_the_answer_travels(videos: Videos, tmp_path: Path) -> None:
    for answer in (facts_of(videos["plain.mp4"]), refusal(tmp_path / "gone.mp4")):
        assert from_wire(json.loads(json.dumps(to_wire(answer)))) == answer
    rubbish: dict[str, Any]
    for rubbish in ({}, {"facts": {}}, {"facts": {"kind": "image"}}, {"what": {}}, {"facts": 3}):
        with pytest.raises(ValueError, match="not an answer"):
            from_wire(rubbish)


def test_a_long_film_is_not_decoded(videos: Videos) -> None:
    decoded: list[int] = []
    for name in ("plain.mp4", "hevc.mp4", "vp9.webm", "matroska.mkv", "uneven.mp4"):
        assert isinstance(probe(str(videos[name]), decoded.append), Facts)
    assert decoded == []
    assert isinstance(probe(str(videos["vp8.webm"]), decoded.append), Facts)
    assert decoded[0] >= FRAMES


def test_sound_streams_that_hold_nothing_are_none(videos: Videos, tmp_path: Path) -> None:
    path = remux(videos["plain.mp4"], tmp_path / "mute.mkv", sound=False)
    assert facts_of(path).audio == 0
    path = make_video(tmp_path / "short.mp4", Recipe(frames=1, audio=None))
    assert facts_of(path).frames == 1
