"""Pictures turned upright, brought to a standard screen's brightness, and coded anew; in the child."""

import os
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av.filter
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from faceswapd.core.codings import Coding
from faceswapd.media.tone import BRIGHT, write_cube

THREADS: Final = min(8, os.cpu_count() or 1)  # left to itself an encoder's stacks alone fill the address space
_LAMBDA: Final = 118  # FFmpeg's units in one step of a quantiser
_TV, _FULL_RANGE = 1, 2  # FFmpeg's numbers for a picture's range
_BT709, _RGB, _UNSAID = 1, 0, 2  # FFmpeg's numbers for a colour matrix
# A display matrix's signs a, b, c, d (a pixel's x, y goes to ax + cy, bx + dy), and the filters that do the same.
_TURNS: Final[dict[tuple[int, ...], tuple[tuple[str, str], ...]]] = {
    (0, 1, -1, 0): (("transpose", "clock"),),
    (-1, 0, 0, -1): (("hflip", ""), ("vflip", "")),
    (0, -1, 1, 0): (("transpose", "cclock"),),
    (-1, 0, 0, 1): (("hflip", ""),),
    (1, 0, 0, -1): (("vflip", ""),),
    (0, 1, 1, 0): (("transpose", "cclock_flip"),),
    (0, -1, -1, 0): (("transpose", "clock_flip"),),
}


def turn_of(frame: VideoFrame) -> tuple[int, int, int, int]:
    """What a player does to the coded picture, as the display matrix's signs; (1, 0, 0, 1) for nothing."""
    for data in frame.side_data:
        if getattr(data, "type", None) == Type.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data)[:20], np.int32) / 65536  # type: ignore[arg-type]
            signs = (_sign(a), _sign(b), _sign(c), _sign(d))
            return signs if signs in _TURNS else (1, 0, 0, 1)
    return (1, 0, 0, 1)


def is_bright(frame: VideoFrame) -> bool:
    """Whether the picture is coded for more brightness than a standard screen has."""
    return int(frame.color_trc) in BRIGHT


class Painter:
    """Makes of decoded pictures plain ones: upright, 8 bits, of one size, with limited range."""

    def __init__(self, first: VideoFrame, pixels: str, folder: Path, *, turn: bool, tone: bool) -> None:
        """`first` is the first picture, by which all are handled; `folder` may get a small file of colours."""
        self._signs = turn_of(first) if turn else (1, 0, 0, 1)
        self._cube = write_cube(folder, int(first.color_trc)) if tone and is_bright(first) else None
        self._size = (first.width, first.height)
        sideways = self._signs[0] == 0
        self.width, self.height = self._size[::-1] if sideways else self._size
        odd = pixels == "yuv420p" and (self.width % 2 or self.height % 2)
        self.pixels = "yuv444p" if odd else pixels  # 4:2:0 has even sizes only
        self._graph: Any = None
        self._form: tuple[Any, ...] = ()
        rgb = first.format.is_rgb or int(first.colorspace) == _RGB
        standard = self._cube is not None or rgb
        self.colours = (
            (_BT709, _BT709, _BT709)
            if standard
            else (int(first.colorspace), int(first.color_primaries), int(first.color_trc))
        )

    def paint(self, frame: VideoFrame) -> VideoFrame:
        """The plain picture of a decoded one."""
        form = (frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range))
        if self._graph is None or form != self._form:
            self._graph, self._form = self._configured(frame), form
        frame.time_base, frame.pts = Fraction(1, 1), 0
        self._graph.push(frame)
        plain = self._graph.pull()
        plain.pict_type = 0  # the encoder decides anew
        assert isinstance(plain, VideoFrame)
        return plain

    def _configured(self, frame: VideoFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        space = f"colorspace={int(frame.colorspace)}:range={int(frame.color_range)}"
        source = graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1:pixel_aspect=1/1:{space}",
        )
        chain = [source]
        if (frame.width, frame.height) != self._size:  # its size changed in the middle of the video
            chain.append(graph.add("scale", f"{self._size[0]}:{self._size[1]}"))
        if self._cube is not None:
            chain.append(graph.add("scale", "out_range=pc"))
            chain.append(graph.add("format", "pix_fmts=gbrp10"))
            chain.append(graph.add("lut3d", file=str(self._cube), interp="trilinear"))
        chain += [graph.add(name, arguments) for name, arguments in _TURNS.get(self._signs, ())]
        matrix = f":out_color_matrix={self._matrix}" if self._matrix else ""
        chain.append(graph.add("scale", f"out_range=tv{matrix}"))
        chain.append(graph.add("format", f"pix_fmts={self.pixels}"))
        chain.append(graph.add("buffersink"))
        for before, after in pairwise(chain):
            before.link_to(after)
        graph.configure()
        return graph

    @property
    def _matrix(self) -> str:
        return "bt709" if self.colours[0] == _BT709 else ""


class Encoder:
    """Codes plain pictures for one container. The pictures' packets come out in any order, timed 0, 1, 2 ..."""

    def __init__(
        self,
        container: OutputContainer,
        coding: Coding,
        painter: Painter,
        rate: Fraction,
        *,
        quality: int,
        aspect: Fraction | None = None,
    ) -> None:
        """`rate`: pictures a second; `quality`: x264's crf, 0 (lossless) to 51."""
        stream: Any = container.add_stream(coding.codec, rate=rate, options=_options(coding.codec, quality))
        stream.width, stream.height, stream.pix_fmt = painter.width, painter.height, painter.pixels
        context = stream.codec_context
        context.time_base = 1 / rate
        context.thread_type, context.thread_count = "AUTO", THREADS
        context.color_range = _TV
        matrix, context.color_primaries, context.color_trc = painter.colours
        context.colorspace = _UNSAID if matrix == _RGB else matrix
        if aspect:
            context.sample_aspect_ratio = aspect
        assert isinstance(stream, VideoStream)
        self.stream = stream
        self.tick = 1 / rate  # seconds from one picture to the next
        self._number = 0

    def encode(self, picture: VideoFrame | None) -> "Iterator[tuple[int, Packet[Any]]]":
        """Packets that are ready, each with its picture's number; None at the end gives the last ones."""
        if picture is not None:
            picture.pts, picture.time_base = self._number, self.tick
            self._number += 1
        for packet in self.stream.encode(picture):
            assert packet.pts is not None
            yield round(packet.pts * packet.time_base / self.tick), packet


def _sign(value: float) -> int:
    return 0 if abs(value) < 0.7 else 1 if value > 0 else -1  # turns by odd angles count as none


def _options(codec: str, quality: int) -> dict[str, str]:
    if codec == "libx264":
        # A key picture every two seconds or so: engines seek.
        return {"preset": "veryfast", "crf": str(quality), "g": "60"}
    if codec == "libvpx-vp9":
        # VP9's scale is about 10 coarser for the same picture.
        speed = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1"}
        return {**speed, "crf": str(quality + 10), "b": "0"}
    return {"flags": "+qscale", "global_quality": str(2 * _LAMBDA)}
