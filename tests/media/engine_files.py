"""Targets that engines damage, and an engine on one screen that swaps, so to speak, the middle of each picture."""

import struct
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from faceswapd.media.drawn_scene import draw_scene

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def invert_middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    rows, columns = slice(height // 3, height * 2 // 3), slice(width // 3, width * 2 // 3)
    pixels = pixels.copy()
    pixels[rows, columns] = 255 - pixels[rows, columns]
    return pixels


def copy(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels


def engine_video(
    prepared: Path, made: Path, change: Change = invert_middle, first: int = 0, last: int | None = None
) -> Path:
    """Decode as FaceFusion's reader does (as coded, not turned) and code the pictures at the file's rate."""
    with av.open(str(prepared)) as old, av.open(str(made), "w") as new:
        source = old.streams.video[0]
        assert source.base_rate is not None
        stream = new.add_stream("libx264", rate=source.base_rate, options={"crf": "14", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
        if source.width % 2 or source.height % 2:
            stream.pix_fmt = "yuv444p"
        for number, frame in enumerate(old.decode(source)):
            if number < first or (last is not None and number >= last):
                continue
            pixels = change(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            changed = av.VideoFrame.from_ndarray(pixels, "bgr24")
            changed.pts, changed.time_base = number - first, 1 / source.base_rate
            new.mux(stream.encode(changed))
        new.mux(stream.encode(None))
    return made


def engine_image(prepared: Path, made: Path, change: Change = invert_middle) -> Path:
    pixels = cv2.imread(str(prepared), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert cv2.imwrite(str(made), change(np.asarray(pixels, np.uint8)))
    return made


def moments(path: Path) -> list[Fraction]:
    """When each picture is shown, in seconds, from the first one on."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        seen = [
            frame.pts * Fraction(frame.time_base or 0) for frame in container.decode(stream) if frame.pts is not None
        ]
    return [moment - seen[0] for moment in seen]


def start_of_sound(path: Path) -> float:
    """Seconds from the first picture to the first sound."""
    with av.open(str(path)) as container:
        starts = {}
        for packet in container.demux():
            if packet.size and packet.pts is not None and packet.stream.type not in starts:
                starts[packet.stream.type] = float(packet.pts * packet.time_base)
    return starts["audio"] - starts["video"]


def make_bright(path: Path, transfer: int) -> Path:
    """Ten bits in BT.2020, with one of the two curves."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx265", rate=25, options={"x265-params": "log-level=none:pools=1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p10le"
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 9, 9, transfer
        for number in range(30):
            pixels = cv2.resize(draw_scene([3], 320, 240, number / 25), (160, 120)).astype(np.uint16) * 128
            frame = av.VideoFrame.from_ndarray(pixels[..., ::-1].copy(), "rgb48le").reformat(format="yuv420p10le")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_timed(
    path: Path, times: Sequence[int], *, codec: str = "libx264", options: dict[str, str] | None = None
) -> Path:
    """Pictures at these milliseconds."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options or {"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            pixels = cv2.resize(draw_scene([3], 320, 240, number / 25), (160, 120))
            frame = av.VideoFrame.from_ndarray(np.asarray(pixels, np.uint8), "bgr24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def add_subtitles(source: Path, target: Path, codec: str) -> Path:
    """The same streams, a line of text every half second, a chapter of a second, and a comment."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        words = new.add_mux_stream(codec)
        new.metadata.update({"title": "A drawn scene", "comment": "Nobody's."})
        new.set_chapters(
            [{"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}]
        )
        for packet in old.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                new.mux(packet)
        for number in range(4):
            text = f"line {number}".encode()
            packet = av.Packet(struct.pack(">H", len(text)) + text if codec == "mov_text" else text)
            packet.pts = packet.dts = number * 500
            packet.duration, packet.time_base, packet.stream = 400, Fraction(1, 1000), words
            new.mux(packet)
    return target


def printing_jpeg(path: Path) -> Path:
    """16 x 16 pixels of one colour, in CMYK: each block has a mean of nothing and no more."""
    flat = b"\xff\xdb\x00\x43\x00" + bytes([1] * 64)
    frame = b"\xff\xc0\x00\x14\x08\x00\x10\x00\x10\x04" + b"".join(bytes([n, 0x11, 0]) for n in range(1, 5))
    tables = b"".join(b"\xff\xc4\x00\x14" + bytes([kind, 1, *[0] * 15, 0]) for kind in (0x00, 0x10))
    scan = b"\xff\xda\x00\x0e\x04" + b"".join(bytes([n, 0]) for n in range(1, 5)) + b"\x00\x3f\x00"
    path.write_bytes(b"\xff\xd8" + flat + frame + tables + scan + bytes(4) + b"\xff\xd9")
    return path


def photo(path: Path, orientation: int = 1, profile: bytes = b"") -> Path:
    """A drawn portrait as JPEG, with camera's data, a thumbnail in it, and a colour profile."""
    done, pixels = cv2.imencode(".jpg", draw_scene([3], 160, 120))
    done, small = cv2.imencode(".jpg", draw_scene([3], 40, 30))
    assert done
    thumbnail = small.tobytes()
    first = struct.pack("<H", 2) + struct.pack("<HHII", 0x0112, 3, 1, orientation)
    first += struct.pack("<HHI4s", 0x010F, 2, 4, b"Cam\0") + struct.pack("<I", 38)
    second = struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 68)
    second += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail)) + struct.pack("<I", 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + thumbnail
    blocks = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    if profile:
        body = b"ICC_PROFILE\0\x01\x01" + profile
        blocks += b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
    data = pixels.tobytes()
    path.write_bytes(data[:2] + blocks + data[2:])
    return path


def profile(colours: bytes) -> bytes:
    """Enough of a colour profile to tell what colours it is for."""
    return struct.pack(">I4sI4s4s", 128, b"test", 0x02400000, b"mntr", colours) + bytes(108)


def png_chunks(data: bytes) -> dict[bytes, bytes]:
    chunks, at = {}, 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 8 : at + 8 + size]
        assert zlib.crc32(data[at + 4 : at + 8 + size]) == int.from_bytes(data[at + 8 + size : at + 12 + size], "big")
        chunks[data[at + 4 : at + 8]] = body
        at += 12 + size
    return chunks
