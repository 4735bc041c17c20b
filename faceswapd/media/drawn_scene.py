"""Scenes with drawn people: one picture, or a moving video with sound. Written with PyAV alone.

The people move, tilt, turn, blink and speak; who they are is said by their seeds, as in `drawn.py`. No seeds
make an empty room.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faceswapd.media.drawn import Pose, draw_figure, draw_portrait
from faceswapd.media.drawn_canvas import Picture

TICKS = 12800  # of the video's clock in one second: whole ticks for 25 and 50 frames a second
SOUND_RATE = 48000  # samples a second; all the codecs below take it
PORTRAIT_STEP = 32  # pixels; a portrait is drawn at a multiple of this and then scaled to its exact size


@dataclass(frozen=True, slots=True)
class Codecs:
    """What a drawn video is coded with."""

    video: str
    sound: str
    options: tuple[tuple[str, str], ...] = ()


_H264 = Codecs("libx264", "aac", (("preset", "veryfast"), ("crf", "18")))
CODECS = {
    ".mp4": _H264,
    ".m4v": _H264,
    ".mov": _H264,
    ".mkv": _H264,
    ".webm": Codecs("libvpx-vp9", "libopus", (("deadline", "realtime"), ("cpu-used", "8"), ("crf", "24"), ("b", "0"))),
    ".avi": Codecs("mpeg4", "libmp3lame", (("q", "3"),)),
    ".mpeg": Codecs("mpeg2video", "mp2", (("q", "3"),)),
    ".wmv": Codecs("wmv2", "wmav2", (("q", "3"),)),
    ".mxf": Codecs("mpeg2video", "pcm_s16le", (("q", "3"),)),
}


def draw_scene(seeds: Sequence[int], width: int, height: int, seconds: float = 0.0) -> Picture:
    """The scene at a moment: (height, width, 3), BGR."""
    scene = _room(width, height).copy()
    for place in range(len(seeds)):
        _stand(scene, seeds, place, seconds)
    return scene


def write_scene_image(path: Path, seeds: Sequence[int], width: int = 854, height: int = 480) -> None:
    """Write the scene's first moment as an image; the suffix says the format. Raises OSError."""
    done, data = cv2.imencode(path.suffix, draw_scene(seeds, width, height))
    if not done:
        raise OSError(f"cannot write an image as {path.suffix}")
    path.write_bytes(data.tobytes())


def write_scene_video(
    path: Path,
    seeds: Sequence[int],
    width: int = 854,
    height: int = 480,
    seconds: float = 5.0,
    fps: int = 25,
    *,
    sound: bool = True,
    rotation: int = 0,
    start: float = 0.0,
    times: Sequence[float] | None = None,
) -> int:
    """Write the moving scene; the suffix says container and codecs. Returns the number of frames.

    Width and height are what a player shows; with a `rotation` (0, 90, 180 or 270 degrees clockwise, mp4 and
    mov only) the pictures are coded turned back and the file tells the player to turn them. `start` (seconds)
    moves picture and sound. `times` (seconds, ascending) gives each frame its own moment.
    Raises OSError.
    """
    codecs = CODECS[path.suffix]
    moments = [number / fps for number in range(round(seconds * fps))] if times is None else list(times)
    with av.open(path, "w") as container:
        video = _video_stream(container, codecs, (height, width) if rotation in {90, 270} else (width, height), fps)
        if rotation:
            video.set_display_rotation(-rotation)  # FFmpeg counts against the clock
        audio = _audio_stream(container, codecs) if sound else None
        pending = deque(_sound_frames(audio, seconds, start)) if audio else deque()
        for moment in moments:
            while audio and pending and pending[0][0] <= moment + start:
                container.mux(audio.encode(pending.popleft()[1]))
            picture = np.rot90(draw_scene(seeds, width, height, moment), rotation // 90)
            container.mux(video.encode(_frame(picture, moment + start, video)))
        for _, heard in pending:
            assert audio is not None
            container.mux(audio.encode(heard))
        container.mux(video.encode(None))
        if audio:
            container.mux(audio.encode(None))
    return len(moments)


def _video_stream(container: OutputContainer, codecs: Codecs, size: tuple[int, int], fps: int) -> VideoStream:
    stream: Any = container.add_stream(codecs.video, rate=fps, options=dict(codecs.options))
    stream.width, stream.height = size
    odd = codecs.video == "libx264" and (size[0] % 2 or size[1] % 2)
    stream.pix_fmt = "yuv422p" if container.format.name == "mxf" else "yuv444p" if odd else "yuv420p"
    if codecs.video == "libx264":
        stream.codec_context.time_base = Fraction(1, TICKS)
    elif codecs.video in {"libvpx-vp9", "wmv2"}:
        stream.codec_context.time_base = Fraction(1, 1000)
    else:
        stream.codec_context.time_base = Fraction(1, fps)
    assert isinstance(stream, VideoStream)
    return stream


def _audio_stream(container: OutputContainer, codecs: Codecs) -> AudioStream:
    stream = container.add_stream(codecs.sound, rate=SOUND_RATE, bit_rate=128000)
    assert isinstance(stream, AudioStream)
    return stream


def _frame(picture: NDArray[np.uint8], moment: float, video: VideoStream) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24").reformat(
        format=video.pix_fmt, threads=1
    )
    base = video.codec_context.time_base
    assert base is not None
    frame.time_base, frame.pts = base, round(moment / base)
    return frame


def _sound_frames(stream: AudioStream, seconds: float, start: float) -> Iterator[tuple[float, av.AudioFrame]]:
    """A tone that rises and falls, as frames for the stream's codec, each with its moment in seconds."""
    moment = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    phase = 2 * np.pi * (330 * moment - 110 * np.cos(2 * np.pi * 0.7 * moment) / (2 * np.pi * 0.7))
    loud = 0.25 + 0.1 * np.sin(2 * np.pi * 1.9 * moment)
    wave = np.repeat((np.sin(phase) * loud * 32000).astype(np.int16), 2)[None, :]
    whole = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
    whole.sample_rate, whole.time_base, whole.pts = SOUND_RATE, Fraction(1, SOUND_RATE), 0
    context = stream.codec_context
    context.open()
    resampler = av.AudioResampler(context.format, context.layout, SOUND_RATE, frame_size=context.frame_size or 1024)
    done = 0
    for frame in [*resampler.resample(whole), *resampler.resample(None)]:
        frame.time_base, frame.pts = Fraction(1, SOUND_RATE), done + round(start * SOUND_RATE)
        done += frame.samples
        yield frame.pts / SOUND_RATE, frame


def _stand(scene: Picture, seeds: Sequence[int], place: int, seconds: float) -> None:
    """Paint the person of one place into the scene, as they are at this moment."""
    height, width = scene.shape[:2]
    moment, room = seconds + place * 1.7, width / len(seeds)
    side = min(height * 0.78, room * 0.98) * (1 + 0.06 * math.sin(moment * 0.9))
    middle = (
        room * (place + 0.5) + room * 0.10 * math.sin(moment * 1.3),
        height * (0.5 + 0.03 * math.sin(moment * 2)),
    )
    pose = Pose(
        yaw=0.8 * math.sin(moment * 0.8),
        mouth=max(0.0, math.sin(moment * 6)) * 0.8 if seconds else 0.0,
        blink=1.0 if seconds and moment % 2.2 < 0.12 else 0.0,
    )
    drawn = max(96, -(-int(side) // PORTRAIT_STEP) * PORTRAIT_STEP)
    portrait, mask = draw_portrait(seeds[place], drawn, pose), draw_figure(seeds[place], drawn)
    turn = cv2.getRotationMatrix2D((drawn / 2, drawn / 2), 7 * math.sin(moment * 1.1), side / drawn)
    turn[:, 2] += (middle[0] - drawn / 2 + side * 0.03 * pose.yaw, middle[1] - drawn / 2)
    _paint(scene, portrait, mask, turn)


def _paint(scene: Picture, portrait: Picture, mask: NDArray[Any], turn: NDArray[Any]) -> None:
    """Lay the masked portrait over the scene, moved by the 2x3 matrix `turn`; only where it reaches.

    The portrait's last row, the shirt, goes on downward, so that nobody ends in the air.
    """
    size, (height, width) = len(portrait), scene.shape[:2]
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size * 3, 1], [size, size * 3, 1]]) @ turn.T
    left, top = (int(value) for value in np.clip(np.floor(corners.min(0)), 0, (width, height)))
    right, bottom = (int(value) for value in np.clip(np.ceil(corners.max(0)), 0, (width, height)))
    if right <= left or bottom <= top:
        return
    local = turn.copy()
    local[:, 2] -= (left, top)
    space = (right - left, bottom - top)
    moved = cv2.warpAffine(portrait, local, space, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    share = cv2.warpAffine(np.asarray(mask, np.float32), local, space, borderMode=cv2.BORDER_REPLICATE)[..., None]
    window = scene[top:bottom, left:right]
    window[:] = (window + (moved - window) * share).astype(np.uint8)


@lru_cache(maxsize=4)
def _room(width: int, height: int) -> Picture:
    """A blurred room to stand in. Not to be painted on: it is kept."""
    rng = np.random.default_rng(41)
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    tone = [118 + 36 * np.sin(across / width * 3 + shift) + 28 * down / height for shift in (0.0, 0.7, 1.5)]
    room = np.clip(np.stack(tone, -1), 0, 255).astype(np.uint8)
    for _ in range(6):
        corner = rng.uniform(0, 1, 2) * (width, height)
        end = corner + rng.uniform(0.1, 1, 2) * (width * 0.2, height * 0.35)
        colour = tuple(float(value) for value in rng.uniform(60, 170, 3))
        cv2.rectangle(room, _point(corner), _point(end), colour, -1)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), max(1.0, height / 60)), np.uint8)


def _point(place: NDArray[Any]) -> tuple[int, int]:
    return int(place[0]), int(place[1])
