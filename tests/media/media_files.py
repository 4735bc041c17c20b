"""Makes small real media files with PyAV and OpenCV. Every kind of video that is taken has a recipe here."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE, FRAMES = 160, 120, 25, 50


@dataclass(frozen=True)
class Recipe:
    """How to make one video of numbered pictures, with a tone."""

    form: str = "mp4"
    video: str = "libx264"
    audio: str | None = "aac"
    sounds: int = 1
    options: dict[str, str] = field(default_factory=dict)  # of the video's encoder
    container: dict[str, str] = field(default_factory=dict)
    width: int = WIDTH
    height: int = HEIGHT
    frames: int = FRAMES
    rate: int = RATE  # pictures per second
    uneven: bool = False  # variable frame rate
    black_from: int | None = None  # pictures from here on are black
    pixels: str = "yuv420p"


_QUICK = {"preset": "ultrafast"}
_ALT_REF = {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}

RECIPES = {
    "plain.mp4": Recipe(),
    "faststart.mp4": Recipe(container={"movflags": "faststart"}),
    "fragments.mp4": Recipe(options={"g": "10"}, container={"movflags": "frag_keyframe+empty_moov"}),
    "b-frames.mp4": Recipe(options={"bf": "3", "g": "25"}),
    "interlaced.mp4": Recipe(options={"x264-params": "tff=1"}),
    "hevc.mp4": Recipe(video="libx265", options={"x265-params": "log-level=none:pools=1"}),
    "mpeg4.mp4": Recipe(video="mpeg4", options={"bf": "2"}),
    "uneven.mp4": Recipe(options=_QUICK, uneven=True),
    "two-sounds.mp4": Recipe(options=_QUICK, sounds=2),
    "silent.mp4": Recipe(options=_QUICK, audio=None),
    "odd.mp4": Recipe(options=_QUICK, width=161, height=121, pixels="yuv444p"),
    "quicktime.mov": Recipe(form="mov", audio="pcm_s16le"),
    "ipod.m4v": Recipe(form="ipod"),
    "matroska.mkv": Recipe(form="matroska"),
    "live.mkv": Recipe(form="matroska", container={"live": "1"}),
    "vp8.webm": Recipe(form="webm", video="libvpx", audio="libopus", options={**_ALT_REF, "deadline": "good"}),
    "vp9.webm": Recipe(form="webm", video="libvpx-vp9", audio="libopus", options=_ALT_REF),
    "live.webm": Recipe(form="webm", video="libvpx", audio="libopus", container={"live": "1"}),
    "mpeg4.avi": Recipe(form="avi", video="mpeg4", audio="libmp3lame"),
    "h264.avi": Recipe(form="avi", audio="libmp3lame"),
    "program.mpeg": Recipe(form="mpeg", video="mpeg2video", audio="mp2"),
    "first.mpeg": Recipe(form="mpeg", video="mpeg1video", audio="mp2"),
    "transport.mpeg": Recipe(form="mpegts"),
    "windows.wmv": Recipe(form="asf", video="wmv2", audio="wmav2"),
    "material.mxf": Recipe(form="mxf", video="mpeg2video", audio="pcm_s16le"),
    "interlaced.mxf": Recipe(form="mxf", video="mpeg2video", audio="pcm_s16le", options={"flags": "+ildct+ilme"}),
}

# Those that differ most from each other. What goes through all of them at length does so in the deep tests.
TELLING = frozenset(
    [
        "plain.mp4",
        "b-frames.mp4",
        "uneven.mp4",
        "silent.mp4",
        "odd.mp4",
        "quicktime.mov",
        "live.mkv",
        "vp9.webm",
        "h264.avi",
        "transport.mpeg",
    ]
)
EACH_RECIPE = [pytest.param(name, marks=() if name in TELLING else pytest.mark.deep) for name in RECIPES]


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """One RGB picture that differs from its neighbours and is not dark."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 0] = np.linspace(40, 200, width, dtype=np.uint8)
    pixels[:, :, 1] = (np.arange(height)[:, None] * 2 + number * 7) % 256
    left = number * 3 % (width - 20)
    pixels[height // 3 : height // 2, left : left + 20] = 255
    return pixels


def make_video(path: Path, recipe: Recipe) -> Path:
    """Write a video."""
    with av.open(str(path), "w", format=recipe.form, options=recipe.container) as container:
        video = container.add_stream(recipe.video, rate=recipe.rate, options=recipe.options)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = recipe.width, recipe.height, recipe.pixels
        video.codec_context.thread_count = 1
        if recipe.uneven:
            video.codec_context.time_base = Fraction(1, 1000)
        rate = 44_100 if recipe.audio == "wmav2" else 48_000
        sounds: list[AudioStream] = []
        for _ in range(recipe.sounds if recipe.audio else 0):
            sound = container.add_stream(recipe.audio or "", rate=rate)
            assert isinstance(sound, AudioStream)
            sounds.append(sound)
            sound.codec_context.layout = "stereo"
            sound.codec_context.bit_rate = 96_000
        for number in range(recipe.frames):
            pixels = picture(number, recipe.width, recipe.height)
            if recipe.black_from is not None and number >= recipe.black_from:
                pixels[:] = 0
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            if recipe.uneven:
                frame.pts, frame.time_base = number * 40 + number % 3 * 9, Fraction(1, 1000)
            else:
                frame.pts, frame.time_base = number, Fraction(1, recipe.rate)
            container.mux(video.encode(frame))
        for number, sound in enumerate(sounds):
            for wave in _tone(sound.codec_context, rate, 330.0 + 110 * number, recipe.frames / recipe.rate):
                container.mux(sound.encode(wave))
            container.mux(sound.encode(None))
        container.mux(video.encode(None))
    return path


def _tone(context: AudioCodecContext, rate: int, pitch: float, seconds: float) -> Iterator[av.AudioFrame]:
    context.open(strict=False)
    size, name = context.frame_size or 1024, context.format.name
    for start in range(0, int(seconds * rate), size):
        wave = np.sin(2 * np.pi * pitch * np.arange(start, start + size) / rate) * 0.3
        if name.startswith("flt"):
            samples = wave.astype(np.float32)
        else:
            kind = np.int16 if name.startswith("s16") else np.int32
            samples = (wave * np.iinfo(kind).max).astype(kind)
        both = np.stack([samples, samples]) if context.format.is_planar else np.repeat(samples, 2)[None, :]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(both), format=name, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield frame


def turn(path: Path, degrees: int) -> None:
    """Make players turn an MP4's picture clockwise, by the matrix in its first track header."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    assert data[at] == 0, "version 0 is what is written here"
    one = 1 << 16
    cos, sin = {0: (one, 0), 90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    data[at + 40 : at + 76] = struct.pack(">9i", cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def remux(source: Path, target: Path, *, sound: bool = True, first_sound: int = 0, drop: int = 0) -> Path:
    """Copy the packets into another container: without sound, from a later sound stream on, or without some
    of the sound's last packets."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        audio = old.streams.audio[first_sound:] if sound else ()
        streams = {s.index: new.add_stream_from_template(s) for s in (*old.streams.video, *audio)}
        packets = [p for p in old.demux() if p.size and p.stream_index in streams]
        heard = [p for p in packets if p.stream.type == "audio"]
        for lost in heard[len(heard) - drop :] if drop else ():
            packets.remove(lost)
        for packet in packets:
            packet.stream = streams[packet.stream_index]
            new.mux(packet)
    return target


def make_image(path: Path, width: int = WIDTH, height: int = HEIGHT, orientation: int = 0) -> Path:
    """Write an image in the format of the path's ending; a JPEG, PNG or TIFF may get an EXIF orientation."""
    done, encoded = cv2.imencode(path.suffix, picture(3, width, height))
    assert done
    data = encoded.tobytes()
    if orientation:
        exif = struct.pack("<2sHIHHHIIHI", b"II", 42, 8, 1, 274, 3, 1, orientation, 0, 0)
        if path.suffix == ".jpg":
            block = b"Exif\0\0" + exif
            data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
        else:
            data = data[:33] + chunk(b"eXIf", exif) + data[33:]
    path.write_bytes(data)
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(path: Path, side: int) -> Path:
    """A PNG of a few bytes whose header promises side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    return path


def decoded_frames(path: Path) -> int:
    """What a player counts."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
