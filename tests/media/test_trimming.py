"""The wanted part of a video, in a file of its own."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts, Marks, Proof, Trimmed
from faceswapd.core.wish import Trim
from faceswapd.media.finishing import finish
from faceswapd.media.preparing import prepare
from faceswapd.media.probe import probe
from faceswapd.media.trimming import trim
from faceswapd.media.verify import verify
from tests.media.engine_files import add_subtitles, engine_video, make_bright, moments
from tests.media.media_files import EACH_RECIPE, FRAMES, RATE, RECIPES, make_video, turn

Videos = Mapping[str, Path]

MARKS = Marks("face swapped with X by faceswapd")


def ignore(done: int, total: int) -> None:
    pass


def facts_of(path: Path) -> Facts:
    facts = probe(str(path), lambda _: None)
    assert isinstance(facts, Facts), facts
    return facts


def trimmed(target: Path, folder: Path, start: float, end: float | None = None) -> Trimmed:
    return trim(target, folder, facts_of(target), Trim(start, end), ignore)


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    """As a player shows them, turned by quarters."""
    with av.open(str(path)) as container:
        return [
            np.rot90(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), frame.rotation // 90)
            for frame in container.decode(video=0)
        ]


def same(made: list[NDArray[np.uint8]], wanted: list[NDArray[np.uint8]]) -> bool:
    """Whether each picture is that one, and not its neighbour, which looks different."""
    return len(made) == len(wanted) and all(
        float(np.abs(one.astype(int) - other).mean()) < 3 for one, other in zip(made, wanted, strict=True)
    )


@pytest.mark.parametrize("name", EACH_RECIPE)
def test_every_kind_of_video_gives_exactly_its_pictures(name: str, videos: Videos, tmp_path: Path) -> None:
    target = videos[name]
    part = trimmed(target, tmp_path, 0.48, 1.2)
    whole = facts_of(target)
    # AVI knows no moments, only an order, in which FFmpeg does not time pictures that are shown later than decoded.
    times = [Fraction(n, RATE) for n in range(FRAMES)] if name == "h264.avi" else moments(target)
    wanted = [number for number, at in enumerate(times) if 0.479 < at < 1.199]
    assert part.facts == facts_of(part.path)
    assert (part.facts.frames, part.facts.audio) == (len(wanted), whole.audio)
    assert same(pictures(part.path), [pictures(target)[number] for number in wanted])
    apart = [made - times[number] + times[wanted[0]] for made, number in zip(moments(part.path), wanted, strict=True)]
    assert max(map(abs, apart)) < 0.002
    assert part.facts.duration == pytest.approx(len(wanted) / RATE, abs=0.03)


@pytest.mark.parametrize("name", EACH_RECIPE)
def test_the_part_goes_the_whole_way_of_a_target(name: str, videos: Videos, tmp_path: Path) -> None:
    target = videos[name]
    part = trimmed(target, tmp_path, 0.5)
    prepared = prepare(part.path, tmp_path, part.facts, frozenset(Weakness), ignore)
    made = engine_video(prepared.path, tmp_path / "made.mp4")
    output = tmp_path / f"output{target.suffix}"
    finish(part.path, prepared.path, [made], output, part.facts, MARKS, ignore)
    proof = verify(str(part.path), str(output), part.facts)
    assert isinstance(proof, Proof), proof
    assert proof.frames == part.facts.frames


def test_uneven_pictures_keep_their_moments(videos: Videos, tmp_path: Path) -> None:
    target = videos["uneven.mp4"]
    part = trimmed(target, tmp_path, 0.6, 1.3)
    wanted = [moment for moment in moments(target) if Fraction(6, 10) <= moment < Fraction(13, 10)]
    assert moments(part.path) == [moment - wanted[0] for moment in wanted]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_turned_upright(degrees: int, videos: Videos, tmp_path: Path) -> None:
    target = tmp_path / "turned.mp4"
    target.write_bytes(videos["b-frames.mp4"].read_bytes())
    turn(target, degrees)
    part = trimmed(target, tmp_path, 0.4, 1.0)
    whole = facts_of(target)
    assert (part.facts.rotation, part.facts.width, part.facts.height) == (0, whole.width, whole.height)
    assert same(pictures(part.path), pictures(target)[10:25])


@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [
        (0.0, 0.2, 0, 5),
        (0.0, None, 0, FRAMES),
        (0.2, None, 5, FRAMES - 5),
        (1.96, None, FRAMES - 1, 1),
        (0.2, 0.24, 5, 1),
        (0.21, 0.23, 5, 1),  # none begins there; it is the one that is shown
        (0.21, 0.25, 6, 1),
        (0.1 + 0.2, 0.4 + 0.2, 8, 7),  # 0.30000000000000004 and 0.6000000000000001: the pictures at 0.32 and 0.56
        (0.28, 9.0, 7, FRAMES - 7),
    ],
)
def test_which_pictures_are_in_a_part(
    start: float, end: float | None, first: int, count: int, videos: Videos, tmp_path: Path
) -> None:
    part = trimmed(videos["plain.mp4"], tmp_path, start, end)
    assert same(pictures(part.path), pictures(videos["plain.mp4"])[first : first + count])


def clicking(path: Path, codec: str) -> Path:
    """Four seconds; at each whole second the picture is white, and the sound clicks at the same moment."""
    rate = 48_000
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"g": "40", "bf": "2"})
        sound = container.add_stream(codec, rate=rate)
        assert isinstance(video, VideoStream)
        assert isinstance(sound, AudioStream)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound.codec_context.layout = "mono"
        for number in range(4 * RATE):
            light = 255 if number % RATE == 0 else 60
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), light, np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(frame))
        wave = np.zeros(4 * rate, np.float32)
        for second in range(4):
            wave[second * rate : second * rate + 240] = 0.9  # 5 ms
        for at in range(0, len(wave), 1024):
            piece = wave[None, at : at + 1024]
            planar = codec == "aac"
            data = piece if planar else (piece * 32767).astype(np.int16)
            heard = av.AudioFrame.from_ndarray(data, format="fltp" if planar else "s16", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = rate, at, Fraction(1, rate)
            container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
        container.mux(video.encode(None))
    return path


def flashes(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [f.time or 0.0 for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 180]


def clicks(path: Path) -> list[float]:
    """When each click begins."""
    with av.open(str(path)) as container:
        found: list[float] = []
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float32).ravel())
            loud = np.flatnonzero(samples > (0.3 if frame.format.is_planar else 9_000))
            if len(loud):
                at = (frame.time or 0.0) + int(loud[0]) / frame.sample_rate
                if not found or at - found[-1] > 0.5:
                    found.append(at)
        return found


def reach(path: Path) -> tuple[float, float]:
    """From the first sample of the sound to its last, in seconds on the pictures' clock."""
    with av.open(str(path)) as container:
        frames = [(frame.time or 0.0, frame.samples / frame.sample_rate) for frame in container.decode(audio=0)]
    return frames[0][0], frames[-1][0] + frames[-1][1]


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mov", "pcm_s16le"), (".mkv", "aac")])
def test_sound_stays_with_its_pictures(suffix: str, codec: str, tmp_path: Path) -> None:
    target = clicking(tmp_path / f"clicks{suffix}", codec)
    part = trimmed(target, tmp_path, 0.52, 3.28)
    assert flashes(part.path) == pytest.approx([0.48, 1.48, 2.48], abs=0.002)
    assert clicks(part.path) == pytest.approx([0.48, 1.48, 2.48], abs=0.004)
    begins, ends = reach(part.path)
    packet = 1024 / 48_000
    assert -0.001 <= begins <= 2 * packet + 0.001
    assert 2.76 - 0.001 <= ends <= 2.76 + packet + 0.001


def test_sound_before_and_behind_the_pictures_stays_where_the_part_reaches_that_far(
    videos: Videos, tmp_path: Path
) -> None:
    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    whole = packets(videos["plain.mp4"])
    begin, end = tmp_path / "begin", tmp_path / "end"
    begin.mkdir()
    end.mkdir()
    first = packets(trimmed(videos["plain.mp4"], begin, 0.0, 1.0).path)
    last = packets(trimmed(videos["plain.mp4"], end, 1.0).path)
    assert whole[: len(first)] == first
    assert whole[-len(last) :] == last
    assert first + last == whole, "two parts that meet have each packet once"


def test_words_and_chapters_come_along(videos: Videos, tmp_path: Path) -> None:
    target = add_subtitles(videos["matroska.mkv"], tmp_path / "words.mkv", "subrip")
    part = trimmed(target, tmp_path, 0.6)
    with av.open(str(target)) as before, av.open(str(part.path)) as after:
        assert [one.type for one in after.streams] == [one.type for one in before.streams]
        assert after.metadata["title"] == before.metadata["title"]
        (chapter,) = after.chapters()
        ends = float(chapter["end"] * Fraction(chapter["time_base"] or 0))
        words = [float((packet.pts or 0) * packet.time_base) for packet in after.demux(subtitles=0) if packet.size]
    assert chapter["start"] == 0
    assert ends == pytest.approx(0.4, abs=0.002)
    assert words == pytest.approx([0, 0.4, 0.9], abs=0.002), "the one that is still read when the part begins, too"


def test_more_brightness_than_a_screen_has_is_kept(videos: Videos, tmp_path: Path) -> None:
    target = make_bright(tmp_path / "bright.mp4", 16)
    part = trimmed(target, tmp_path, 0.2)
    with av.open(str(target)) as before, av.open(str(part.path)) as after:
        first, made = next(before.decode(video=0)), next(after.decode(video=0))
        assert (made.format.name, made.color_trc) == ("yuv420p10le", first.color_trc)


def test_what_is_no_video_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "rubbish.mp4"
    target.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40)
    folder = tmp_path / "folder"
    folder.mkdir()
    facts = facts_of(make_video(tmp_path / "good.mp4", RECIPES["silent.mp4"]))
    with pytest.raises(Refusal) as raised:
        trim(target, folder, facts, Trim(0.2, 0.5), ignore)
    assert raised.value.failure.category == "target_unreadable"
    with pytest.raises(Refusal) as raised:
        trim(tmp_path / "gone.mp4", folder, facts, Trim(0.2, 0.5), ignore)
    assert raised.value.failure.category == "target_missing"
    assert not list(folder.iterdir())
