from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from faceswapd.children.serve import Refusal
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import COMPOSITE, Facts, Finished, Marks, Prepared, Proof
from faceswapd.media.drawn_scene import draw_scene, write_scene_video
from faceswapd.media.finishing import finish
from faceswapd.media.image_tags import for_screen, orientation, read_tags
from faceswapd.media.preparing import prepare
from faceswapd.media.probe import probe
from faceswapd.media.verify import verify
from tests.media.engine_files import (
    Change,
    add_subtitles,
    copy,
    engine_image,
    engine_video,
    invert_middle,
    make_bright,
    make_timed,
    moments,
    photo,
    png_chunks,
    profile,
    start_of_sound,
)
from tests.media.media_files import EACH_RECIPE, FRAMES, Recipe, make_video

Videos = Mapping[str, Path]

ALL = frozenset(Weakness)
MARKS = Marks("face swapped with X by faceswapd")
NO_TEXT = {"program.mpeg", "first.mpeg", "transport.mpeg", "material.mxf", "interlaced.mxf"}


def ignore(done: int, total: int) -> None:
    pass


def facts_of(path: Path) -> Facts:
    facts = probe(str(path), lambda _: None)
    assert isinstance(facts, Facts), facts
    return facts


def swapped(target: Path, folder: Path, change: Change = invert_middle) -> tuple[Prepared, Finished]:
    """The whole way of a target, with an engine that changes each picture. The output is proved."""
    facts = facts_of(target)
    prepared = prepare(target, folder, facts, ALL, ignore)
    make = engine_video if facts.duration is not None else engine_image
    made = make(prepared.path, folder / f"made{prepared.path.suffix}", change)
    finished = finish(target, prepared.path, [made], folder / f"output{target.suffix}", facts, MARKS, ignore)
    assert isinstance(verify(str(target), str(finished.path), facts), Proof)
    return prepared, finished


def refusal(target: Path, folder: Path, change: Change) -> tuple[str, str]:
    with pytest.raises(Refusal) as raised:
        swapped(target, folder, change)
    assert not (folder / f"output{target.suffix}").exists()
    return raised.value.failure.category, raised.value.failure.sentence


def tags_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return {name.lower(): value for name, value in container.metadata.items()}


def words_of(path: Path) -> list[tuple[float, bytes]]:
    """The subtitles' lines, each with its moment in seconds after the first picture."""
    with av.open(str(path)) as container:
        timed = [
            (packet.stream.type, float((packet.pts or 0) * packet.time_base), bytes(packet)[-6:])
            for packet in container.demux()
            if packet.size > 2
        ]
    start = min(moment for kind, moment, _ in timed if kind == "video")
    return [(round(moment - start, 3), text) for kind, moment, text in timed if kind == "subtitle"]


def assert_same_moments(target: Path, output: Path, tolerance: Fraction = Fraction(0)) -> None:
    pairs = zip(moments(target), moments(output), strict=True)
    assert all(abs(old - new) <= tolerance for old, new in pairs)


@pytest.mark.parametrize("name", EACH_RECIPE)
def test_every_kind_of_video_gets_all_back(name: str, videos: Videos, tmp_path: Path) -> None:
    target = videos[name]
    _, finished = swapped(target, tmp_path)
    if name == "h264.avi":  # its own moments are guesses
        assert all(
            b - a == Fraction(1, 25) for a, b in zip(moments(finished.path), moments(finished.path)[1:], strict=False)
        )
    else:
        assert_same_moments(target, finished.path)
        if facts_of(target).audio:
            assert start_of_sound(finished.path) == pytest.approx(start_of_sound(target), abs=0.001)
    assert finished.left_out == ()
    if name in NO_TEXT:
        assert finished.unmarked == f"A {target.suffix} file holds no text that says that it was swapped."
    else:
        assert finished.unmarked is None
        assert tags_of(finished.path)["comment"] == MARKS.label
        if target.suffix != ".avi":
            assert tags_of(finished.path)["digital_source_type"] == COMPOSITE


@pytest.mark.parametrize("name", ["b-frames.mp4", "uneven.mp4", "matroska.mkv", "transport.mpeg"])
def test_the_engines_pictures_are_not_coded_again(name: str, videos: Videos, tmp_path: Path) -> None:
    swapped(videos[name], tmp_path)
    shown = []
    for path in (next(tmp_path.glob("made*")), next(tmp_path.glob("output*"))):
        with av.open(str(path)) as container:
            shown.append([frame.to_ndarray().tobytes() for frame in container.decode(video=0)])
    assert shown[0] == shown[1]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_video_comes_back_upright(rotation: int, tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    write_scene_video(target, [3], 120, 160, 1.0, rotation=rotation)
    _, finished = swapped(target, tmp_path)
    with av.open(str(finished.path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height, frame.rotation) == (120, 160, 0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".wmv"])
def test_uneven_moments_come_back(suffix: str, tmp_path: Path) -> None:
    times = [0, 30, 50, 130, 200, 210, 300, 420, 421, 500, 800, 840, 880, 910, 1000, 1100, 1130, 1170, 1400, 1500]
    codec = {".webm": "libvpx-vp9", ".wmv": "wmv2"}.get(suffix, "libx264")
    options = {"bf": "3"} if codec == "libx264" else {"b": "500000"}
    target = make_timed(tmp_path / f"target{suffix}", times, codec=codec, options=options)
    _, finished = swapped(target, tmp_path)
    assert moments(finished.path) == [Fraction(time, 1000) for time in times]


@pytest.mark.parametrize("apart", [8, 4000])
def test_rates_that_facefusion_cannot_write_come_back(apart: int, tmp_path: Path) -> None:
    target = make_timed(tmp_path / "target.mp4", [number * apart for number in range(12)])
    _, finished = swapped(target, tmp_path)
    assert moments(finished.path) == [Fraction(number * apart, 1000) for number in range(12)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".wmv"])
def test_a_late_start_comes_back(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"target{suffix}"
    write_scene_video(target, [3], 160, 120, 1.0, start=0.4)
    _, finished = swapped(target, tmp_path)
    assert_same_moments(target, finished.path)
    assert start_of_sound(finished.path) == pytest.approx(start_of_sound(target), abs=0.001)


def test_sound_that_is_longer_than_the_picture_stays_so(tmp_path: Path) -> None:
    long = make_video(tmp_path / "long.mp4", Recipe(frames=100))
    short = make_video(tmp_path / "short.mp4", Recipe(frames=50, audio=None))
    target = tmp_path / "target.mp4"
    with av.open(str(long)) as heard, av.open(str(short)) as seen, av.open(str(target), "w") as new:
        streams = {s.type: new.add_stream_from_template(s) for s in (*seen.streams.video, *heard.streams.audio)}
        for container, kind in ((seen, "video"), (heard, "audio")):
            for packet in container.demux():
                if packet.size and packet.stream.type == kind:
                    packet.stream = streams[kind]
                    new.mux(packet)
    _, finished = swapped(target, tmp_path)
    with av.open(str(finished.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.duration is not None
        assert audio.duration is not None
        assert float(video.duration * (video.time_base or Fraction(0))) == pytest.approx(2.0)
        assert float(audio.duration * (audio.time_base or Fraction(0))) == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "mov_text"), (".mkv", "subrip")])
def test_subtitles_chapters_and_tags_come_along(suffix: str, codec: str, videos: Videos, tmp_path: Path) -> None:
    target = add_subtitles(videos["two-sounds.mp4"], tmp_path / f"target{suffix}", codec)
    _, finished = swapped(target, tmp_path)
    words = words_of(finished.path)
    assert [text for _, text in words] == [f"line {number}".encode() for number in range(4)]
    assert words == words_of(target)
    with av.open(str(finished.path)) as container:
        chapters = container.chapters()
    assert [
        (chapter["metadata"], float((chapter["end"] - chapter["start"]) * (chapter["time_base"] or Fraction(0))))
        for chapter in chapters
    ] == [({"title": "One"}, 1.0)]
    assert tags_of(finished.path)["title"] == "A drawn scene"
    assert tags_of(finished.path)["comment"] == f"{MARKS.label} Nobody's."


def test_subtitles_that_the_container_cannot_hold_are_named(videos: Videos, tmp_path: Path) -> None:
    words = add_subtitles(videos["plain.mp4"], tmp_path / "words.mkv", "subrip")
    target = words.rename(tmp_path / "target.mp4")  # Matroska by another name
    _, finished = swapped(target, tmp_path)
    assert finished.left_out == ("Its subtitles (srt) were left out: a .mp4 file cannot hold them.",)


def test_sound_that_the_container_cannot_hold(videos: Videos, tmp_path: Path) -> None:
    target = tmp_path / "target.webm"
    target.write_bytes(videos["matroska.mkv"].read_bytes())
    assert refusal(target, tmp_path, invert_middle) == (
        "audio_lost",
        "A .webm file cannot hold the target's sound (aac).",
    )


def test_the_shape_of_the_pixels_comes_back(tmp_path: Path) -> None:
    flat = make_video(tmp_path / "flat.mp4", Recipe(audio=None))
    target = tmp_path / "target.mp4"
    with av.open(str(flat)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0], opaque=True)
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for packet in old.demux():
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    _, finished = swapped(target, tmp_path)
    with av.open(str(finished.path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize("name", ["b-frames.mp4", "uneven.mp4", "vp9.webm"])
def test_parts_are_joined(name: str, videos: Videos, tmp_path: Path) -> None:
    target, facts = videos[name], facts_of(videos[name])
    prepared = prepare(target, tmp_path, facts, ALL, ignore).path
    parts = [
        engine_video(prepared, tmp_path / f"part-{first}.mp4", first=first, last=last)
        for first, last in ((0, 17), (17, 40), (40, FRAMES))
    ]
    output = tmp_path / f"output{target.suffix}"
    finish(target, prepared, parts, output, facts, None, ignore)
    assert isinstance(verify(str(target), str(output), facts), Proof)
    assert_same_moments(target, output)
    assert "digital_source_type" not in tags_of(output)


@pytest.mark.parametrize(("last", "shown"), [(FRAMES - 1, FRAMES - 1), (FRAMES + 1, FRAMES)])
def test_one_picture_less_is_borne(last: int, shown: int, videos: Videos, tmp_path: Path) -> None:
    target, facts = videos["uneven.mp4"], facts_of(videos["uneven.mp4"])
    prepared = prepare(target, tmp_path, facts, ALL, ignore).path
    made = engine_video(prepared, tmp_path / "made.mp4", last=last)
    finish(target, prepared, [made], tmp_path / "output.mp4", facts, MARKS, ignore)
    assert isinstance(verify(str(target), str(tmp_path / "output.mp4"), facts), Proof)
    assert moments(tmp_path / "output.mp4") == moments(target)[:shown]


def test_one_picture_more_is_borne(videos: Videos, tmp_path: Path) -> None:
    target, facts = videos["silent.mp4"], facts_of(videos["silent.mp4"])
    longer = make_video(tmp_path / "longer.mp4", Recipe(audio=None, frames=FRAMES + 1))
    made = engine_video(longer, tmp_path / "made.mp4")
    finish(target, target, [made], tmp_path / "output.mp4", facts, MARKS, ignore)
    assert moments(tmp_path / "output.mp4") == [Fraction(number, 25) for number in range(FRAMES + 1)]


def test_too_few_pictures(videos: Videos, tmp_path: Path) -> None:
    target = videos["silent.mp4"]
    made = engine_video(target, tmp_path / "made.mp4", last=40)
    with pytest.raises(Refusal) as raised:
        finish(target, target, [made], tmp_path / "output.mp4", facts_of(target), MARKS, ignore)
    assert raised.value.failure.sentence == "The engine made 40 pictures, and the target has 50."


def test_an_engine_that_made_nothing(videos: Videos, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.mp4"
    rubbish.write_bytes(b"done\n")
    for made in (tmp_path / "none.mp4", rubbish):
        with pytest.raises(Refusal) as raised:
            finish(
                videos["silent.mp4"],
                videos["silent.mp4"],
                [made],
                tmp_path / "o.mp4",
                facts_of(videos["silent.mp4"]),
                MARKS,
                ignore,
            )
        assert raised.value.failure.category == "output_damaged"


@pytest.mark.parametrize("name", ["plain.mp4", "uneven.mp4", "vp8.webm", "mpeg4.avi"])
def test_a_copy_is_no_swap(name: str, videos: Videos, tmp_path: Path) -> None:
    category, sentence = refusal(videos[name], tmp_path, copy)
    assert category == "nobody_swapped"
    assert sentence.endswith("nobody was swapped.")


def test_somebody_who_is_seen_for_a_moment_is_found(tmp_path: Path) -> None:
    target = make_video(tmp_path / "target.mp4", Recipe(audio=None, frames=200, options={"preset": "ultrafast"}))
    seen = iter(range(200))
    swapped(target, tmp_path, lambda pixels: invert_middle(pixels) if next(seen) in range(20, 27) else pixels)


def test_a_bright_video_becomes_a_standard_one(tmp_path: Path) -> None:
    _, finished = swapped(make_bright(tmp_path / "target.mkv", 16), tmp_path)
    with av.open(str(finished.path)) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p"


# Images


def test_a_turned_photo_keeps_its_tags_but_neither_turn_nor_thumbnail(tmp_path: Path) -> None:
    target = photo(tmp_path / "target.jpg", 6, profile(b"RGB "))
    old = target.read_bytes()
    assert orientation("jpeg", old) == 6
    assert old.count(b"\xff\xd8\xff") == 2
    _, finished = swapped(target, tmp_path)
    new = finished.path.read_bytes()
    tags = read_tags("jpeg", new)
    assert tags.profile == profile(b"RGB ")
    assert b"Cam" in tags.exif
    assert orientation("jpeg", new) == 1
    assert new.count(b"\xff\xd8\xff") == 1
    assert COMPOSITE.encode() in new
    assert MARKS.label.encode() in new
    assert facts_of(finished.path).width == 120
    assert finished.unmarked is None


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_other_images_are_marked(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"target{suffix}"
    assert cv2.imwrite(str(target), draw_scene([3], 160, 120))
    _, finished = swapped(target, tmp_path)
    new = finished.path.read_bytes()
    assert COMPOSITE.encode() in new
    assert finished.unmarked is None
    if suffix == ".png":
        assert png_chunks(new)[b"iTXt"].startswith(b"XML:com.adobe.xmp\0\0\0\0\0<?xpacket")


@pytest.mark.parametrize("suffix", [".bmp", ".tiff"])
def test_images_without_room_for_marks(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"target{suffix}"
    assert cv2.imwrite(str(target), draw_scene([3], 160, 120))
    _, finished = swapped(target, tmp_path)
    assert finished.unmarked == f"A {suffix} image holds no text that says that it was swapped."


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_transparency_comes_back(suffix: str, tmp_path: Path) -> None:
    alpha = np.tile(np.linspace(60, 255, 160, dtype=np.uint8), (120, 1))
    target = tmp_path / f"target{suffix}"
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    assert cv2.imwrite(str(target), np.dstack([draw_scene([3], 160, 120), alpha]), options)
    _, finished = swapped(target, tmp_path)
    pixels = cv2.imread(str(finished.path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert np.array_equal(pixels[..., 3], alpha)


def test_a_deep_png_becomes_a_common_one(tmp_path: Path) -> None:
    target = tmp_path / "target.png"
    assert cv2.imwrite(str(target), draw_scene([3], 160, 120).astype(np.uint16) * 257)
    _, finished = swapped(target, tmp_path)
    pixels = cv2.imread(str(finished.path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_copied_image_is_no_swap(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"target{suffix}"
    assert cv2.imwrite(str(target), draw_scene([3], 160, 120))
    assert refusal(target, tmp_path, copy)[0] == "nobody_swapped"


def test_a_profile_of_printing_colours_is_not_kept(tmp_path: Path) -> None:
    tags = read_tags("jpeg", photo(tmp_path / "a.jpg", 1, profile(b"CMYK")).read_bytes())
    assert tags.profile == profile(b"CMYK")
    assert for_screen(tags).profile == b""


def test_tags_that_make_no_sense_are_none(tmp_path: Path) -> None:
    data = photo(tmp_path / "a.jpg", 6, profile(b"RGB ")).read_bytes()
    for end in range(0, 400, 7):
        for at in range(20, 60, 9):
            damaged = data[:at] + b"\xff\xff\xff\xff" + data[at + 4 : end + at]
            assert 1 <= orientation("jpeg", damaged) <= 8
            for_screen(read_tags("jpeg", damaged))
