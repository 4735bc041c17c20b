"""Videos: what is kept of them, frame by frame and packet by packet, and what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import PRESETS
from faceswapd.engines.preview.reading import open_video
from faceswapd.engines.preview.source import Sources
from faceswapd.engines.preview.swap import SourceFace
from faceswapd.engines.preview.video import Swapped, swap_video
from faceswapd.media.drawn_scene import draw_scene, write_scene_video

LabelStands = Callable[[NDArray[np.uint8]], bool]
BALANCED = PRESETS["balanced"]
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n"
UNEVEN = (0.0, 0.04, 0.05, 0.2, 0.21, 0.5, 0.9, 0.95)  # seconds


@dataclass(frozen=True)
class ReadBack:
    """A video, read to its end."""

    moments: list[Fraction]  # of the frames, seconds
    pictures: list[NDArray[np.uint8]]
    rotations: set[int]
    sound: list[list[tuple[Fraction, bytes]]]  # of each stream: each packet's moment and content
    tags: dict[str, str]


@pytest.fixture(scope="module")
def source(media: Path) -> SourceFace:
    return Sources().face([media / "face.png"])


def _swap(target: Path, output: Path, source: SourceFace) -> Swapped:
    told: list[int] = []
    swapped = swap_video(target, output, source, BALANCED, told.append)
    assert told == list(range(1, swapped.frames + 1))
    return swapped


def _read(path: Path) -> ReadBack:
    back = ReadBack([], [], set(), [], {})
    with av.open(path) as container:
        back.tags.update(container.metadata)
        sounds = {stream.index: number for number, stream in enumerate(container.streams.audio)}
        back.sound.extend([] for _ in sounds)
        for packet in container.demux(container.streams.video[0], *container.streams.audio):
            if packet.stream.index in sounds:
                if packet.size and packet.pts is not None:
                    moment = packet.pts * (packet.time_base or 0)
                    back.sound[sounds[packet.stream.index]].append((Fraction(moment), bytes(packet)))
                continue
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame)
                back.moments.append(Fraction((frame.pts or 0) * (frame.time_base or 0)))
                back.pictures.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
                back.rotations.add(frame.rotation)
    return back


@pytest.mark.parametrize(
    "suffix",
    [
        *(".mp4", ".mov", ".mkv", ".webm"),
        *(pytest.param(one, marks=pytest.mark.deep) for one in (".m4v", ".avi", ".mpeg", ".wmv", ".mxf")),
    ],
)
def test_every_container(suffix: str, tmp_path: Path, source: SourceFace, label_stands: LabelStands) -> None:
    target, output = tmp_path / f"target{suffix}", tmp_path / f"output{suffix}"
    write_scene_video(target, [11], 320, 240, 0.6)
    assert _swap(target, output, source) == Swapped(frames=15, faces=15)
    before, after = _read(target), _read(output)
    assert after.moments == before.moments
    assert after.sound == before.sound
    assert after.sound[0]
    assert all(label_stands(picture) for picture in after.pictures)
    assert not any(label_stands(picture) for picture in before.pictures)
    for old, new in zip(before.pictures, after.pictures, strict=True):
        assert old.shape == new.shape
        assert np.abs(old[:20].astype(int) - new[:20]).mean() < 6  # away from the face nothing changes


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_uneven_moments_are_kept(suffix: str, tmp_path: Path, source: SourceFace) -> None:
    target, output = tmp_path / f"target{suffix}", tmp_path / f"output{suffix}"
    write_scene_video(target, [11], 320, 240, 1.0, times=UNEVEN)
    assert _swap(target, output, source).frames == len(UNEVEN)
    assert _read(output).moments == _read(target).moments


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_late_start_keeps_picture_and_sound_together(suffix: str, tmp_path: Path, source: SourceFace) -> None:
    target, output = tmp_path / f"target{suffix}", tmp_path / f"output{suffix}"
    write_scene_video(target, [11], 320, 240, 0.6, start=0.5)
    _swap(target, output, source)
    before, after = _read(target), _read(output)
    assert before.moments[0] == Fraction(1, 2)
    assert after.moments == before.moments
    assert after.sound == before.sound


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_video_comes_out_upright(
    rotation: int, tmp_path: Path, source: SourceFace, label_stands: LabelStands
) -> None:
    target, output = tmp_path / "target.mp4", tmp_path / "output.mp4"
    write_scene_video(target, [11], 320, 240, 0.4, rotation=rotation)
    assert _read(target).rotations != {0}
    assert _swap(target, output, source).faces == 10
    after = _read(output)
    assert after.rotations == {0}
    assert after.pictures[0].shape == (240, 320, 3)
    upright = draw_scene([11], 320, 240)
    assert np.abs(after.pictures[0][:100].astype(int) - upright[:100]).mean() < 6
    assert label_stands(after.pictures[0])


@pytest.mark.parametrize(
    "suffix", [".mp4", ".webm", *(pytest.param(one, marks=pytest.mark.deep) for one in (".mkv", ".avi"))]
)
@pytest.mark.parametrize("size", [(321, 241), (240, 320)], ids=["odd", "portrait"])
def test_the_size_is_kept(suffix: str, size: tuple[int, int], tmp_path: Path, source: SourceFace) -> None:
    target, output = tmp_path / f"target{suffix}", tmp_path / f"output{suffix}"
    write_scene_video(target, [11], *size, 0.32, sound=False)
    assert _swap(target, output, source).frames == 8
    after = _read(output)
    assert after.pictures[0].shape == (size[1], size[0], 3)
    assert after.moments == _read(target).moments


def test_two_sounds_cover_art_and_tags(tmp_path: Path, media: Path, source: SourceFace) -> None:
    """All sound streams are carried; the cover is no video; tags stay."""
    target, output = tmp_path / "target.mkv", tmp_path / "output.mkv"
    with av.open(media / "clip.mp4") as clip, av.open(target, "w") as made:
        video = made.add_stream_from_template(clip.streams.video[0])
        first = made.add_stream_from_template(clip.streams.audio[0])
        second = made.add_stream_from_template(clip.streams.audio[0])
        second.metadata["language"] = "fra"
        made.metadata["title"] = "A drawn clip"
        made.add_attachment("cover.png", "image/png", (media / "face.png").read_bytes())
        for packet in clip.demux(clip.streams.video[0], clip.streams.audio[0]):
            if not packet.size:
                continue
            if packet.stream.type == "video":
                packet.stream = video
                made.mux(packet)
                continue
            copy = av.Packet(bytes(packet))
            copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
            packet.stream, copy.stream = first, second
            made.mux([packet, copy])
    assert _swap(target, output, source).frames == 25
    before, after = _read(target), _read(output)
    assert len(after.sound) == 2
    assert after.sound == before.sound
    assert after.tags.get("title") == "A drawn clip"
    with av.open(output) as container:
        assert [stream.language for stream in container.streams.audio][1] == "fra"
        assert len(container.streams.video) == 1


def test_ten_bits_become_eight(tmp_path: Path, source: SourceFace) -> None:
    target, output = tmp_path / "target.mkv", tmp_path / "output.mkv"
    with av.open(target, "w") as made:
        stream = made.add_stream("libx265", rate=25, options={"preset": "ultrafast", "x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p10le"
        for number in range(5):
            picture = draw_scene([11], 320, 240, number / 25)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p10le")
            frame.pts = number
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    assert _swap(target, output, source) == Swapped(frames=5, faces=5)
    with av.open(output) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"


def test_damage_in_the_middle_is_passed_over(tmp_path: Path, media: Path, source: SourceFace) -> None:
    target, output = tmp_path / "target.mp4", tmp_path / "output.mp4"
    content = bytearray((media / "clip.mp4").read_bytes())
    start = content.index(b"mdat")
    middle = start + (len(content) - start) // 2
    content[middle : middle + 60] = bytes(60)
    target.write_bytes(content)
    swapped = _swap(target, output, source)
    assert swapped.frames == len(_read(target).moments) == len(_read(output).moments)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(
            "list.mp4",
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{clip}\n#EXT-X-ENDLIST\n",
            id="playlist",
        ),
        pytest.param("list.mkv", "ffconcat version 1.0\nfile {clip}\n", id="concat script"),
        pytest.param("text.avi", "hello {clip}\n", id="text"),
        pytest.param("empty.mov", "", id="empty"),
    ],
)
def test_what_is_no_video_stays_shut(name: str, text: str, tmp_path: Path, media: Path, source: SourceFace) -> None:
    target = tmp_path / name
    target.write_text(text.format(clip=media / "clip.mp4"))
    with pytest.raises(Refusal) as caught:
        _swap(target, tmp_path / f"output{target.suffix}", source)
    assert caught.value.failure.category == "target_unreadable"
    assert not (tmp_path / f"output{target.suffix}").exists()


def test_a_missing_target(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        open_video(tmp_path / "gone.mp4")
    assert caught.value.failure.category == "target_missing"


def test_a_full_disk(tmp_path: Path, media: Path, source: SourceFace) -> None:
    target, output = tmp_path / "target.mkv", tmp_path / "output.mkv"
    write_scene_video(target, [11], 320, 240, 0.4)
    output.symlink_to("/dev/full")
    with pytest.raises(Refusal) as caught:
        _swap(target, output, source)
    assert caught.value.failure.category == "disk_full"


def test_a_folder_that_is_not_there(tmp_path: Path, media: Path, source: SourceFace) -> None:
    with pytest.raises(Refusal) as caught:
        _swap(media / "clip.mp4", tmp_path / "gone" / "output.mp4", source)
    assert caught.value.failure.category in {"not_writable", "output_damaged"}


def test_sound_that_the_container_cannot_hold(tmp_path: Path, media: Path, source: SourceFace) -> None:
    """A file named .webm may hold anything; what is written must be what the name says."""
    target, output = tmp_path / "target.webm", tmp_path / "output.webm"
    target.write_bytes((media / "clip.mp4").read_bytes())
    with pytest.raises(Refusal) as caught:
        _swap(target, output, source)
    assert caught.value.failure.category == "audio_lost"
    assert "aac" in caught.value.failure.sentence
    assert not output.exists()


def test_nobody_in_the_video(tmp_path: Path, media: Path, source: SourceFace) -> None:
    output = tmp_path / "output.mp4"
    with pytest.raises(Refusal) as caught:
        _swap(media / "empty.mp4", output, source)
    assert caught.value.failure.category == "no_target_face"
    assert "8 frames were searched" in caught.value.failure.sentence
    assert not output.exists()
