"""Videos, in the child: opened without trusting them, and measured by reading all their packets.

A container is opened through a file object that has no name, with a list of the formats that are taken, and
with a door for further files that is always shut: a playlist cannot make us open anything.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from faceswapd.core.target import Unreadable
from faceswapd.media.opened import Opened

FORMATS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,mxf"
# Those whose stated duration is a statement; FFmpeg guesses the others' from their size or their last packets.
STATES_DURATION: Final = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "asf", "asf_o", "mxf"})
# Codecs of which a packet is a picture, as a rule; `_head_is_regular` looks for the exceptions. All the others
# (hidden pictures in VP8, packed ones in MPEG-4, skipped ones in Windows Media ...) are counted by decoding.
PACKET_IS_PICTURE: Final = frozenset({"h264", "hevc", "vp9", "av1", "libdav1d", "prores", "dnxhd", "ffv1", "mjpeg"})
HEAD: Final = 24  # packets that are decoded to see whether the rule holds
_HOLE: Final = 64  # zero bytes at a packet's start that no codec writes
THREADS: Final = min(4, os.cpu_count() or 1)  # more cost memory for every further picture

Report = Callable[[int], None]


class NotAVideoError(Exception):
    """The container or its picture cannot be opened; `unreadable` says why."""

    def __init__(self, unreadable: Unreadable) -> None:
        super().__init__(unreadable.sentence)
        self.unreadable = unreadable


@dataclass(slots=True)
class Span:
    """When a stream's packets are shown, gathered one by one. Times in seconds."""

    base: float  # seconds of one tick of the stream's clock
    packets: int = 0
    shown: int = 0  # packets that an edit list does not hide
    first: float = math.inf
    last: float = -math.inf
    end: float = -math.inf

    def add(self, packet: "Packet[Stream]") -> None:
        """Take one more packet into account."""
        self.packets += 1
        if packet.is_discard:
            return
        self.shown += 1
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None:
            return
        time = ticks * self.base
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        self.end = max(self.end, time + (packet.duration or 0) * self.base)

    def seconds(self, rate: float) -> float:
        """From the first picture to the end of the last; by `rate` (per second) where packets have no time."""
        if self.shown > 1 and self.last > self.first:
            step = (self.last - self.first) / (self.shown - 1)
            return (self.end if self.end > self.last else self.last + step) - self.first
        return self.shown / rate if rate > 0 else 0.0


@dataclass(slots=True)
class Track:
    """What the packets of a file showed."""

    spans: dict[int, Span] = field(default_factory=dict)  # by the stream's index
    sound: list[int] = field(default_factory=list)  # indices of the sound streams that hold anything
    broken: bool = False  # the reading stopped at an error, not at the end

    def add(self, packet: "Packet[Stream]") -> None:
        """Take one more packet into account."""
        index = packet.stream_index
        if index not in self.spans:
            self.spans[index] = Span(float(packet.time_base))
            if packet.stream.type == "audio":
                self.sound = sorted([*self.sound, index])
        self.spans[index].add(packet)


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of a readable video; see Facts for the fields."""

    width: int
    height: int
    rotation: int
    frames: int
    duration: float
    audio: int


def _shut(url: str, flags: int, options: Mapping[str, str]) -> NoReturn:  # noqa: ARG001  PyAV's signature
    raise PermissionError("A video may not open other files.")


def open_video(file: Opened) -> tuple[InputContainer, VideoStream]:
    """The container and its main picture. The caller closes it. Raises NotAVideoError."""
    file.seek(0)
    try:
        container = av.open(
            file,
            "r",
            options={"format_whitelist": FORMATS, "protocol_whitelist": "none", "max_streams": "64"},
            metadata_errors="replace",
            buffer_size=1 << 16,
            io_open=_shut,
        )
    except MemoryError:
        raise
    except (av.FFmpegError, UnicodeError) as error:
        raise NotAVideoError(Unreadable("The video is damaged: it cannot be opened.")) from error
    try:
        return container, _main_picture(container)
    except BaseException:
        container.close()
        raise


def _main_picture(container: InputContainer) -> VideoStream:
    hidden = Disposition.attached_pic | Disposition.timed_thumbnails
    best = container.streams.best("video")
    candidates = [stream for stream in (best, *container.streams.video) if isinstance(stream, VideoStream)]
    stream = next((stream for stream in candidates if not stream.disposition & hidden), None)
    if stream is not None and stream.codec_context is not None:
        return stream
    if container.streams.video and stream is not None:
        raise NotAVideoError(Unreadable("The video's picture is coded in a way that cannot be read here."))
    if container.streams.audio:
        raise NotAVideoError(Unreadable("The file has sound, but no picture."))
    raise NotAVideoError(Unreadable("The file has no picture."))


def packets(container: InputContainer, track: Track) -> "Iterator[Packet[Stream]]":
    """All packets that hold anything, noted in `track`. An error ends the reading, as in a player."""
    try:
        for packet in container.demux():
            if packet.size:
                track.add(packet)
                yield packet
    except MemoryError:
        raise
    except av.FFmpegError:
        track.broken = True
    except IndexError:
        return  # PyAV, at the end, when a stream appeared that had not been there at the start


def read_video(file: Opened, report: Report) -> Film | Unreadable:
    """Read every packet and decode the first pictures. `report` gets the number of packets before a full
    decoding, which takes time. Raises NotAVideoError and OSError."""
    container, stream = open_video(file)
    with container:
        track = Track()
        head: list[Packet[Any]] = []
        hole: float | None = None
        regular_codec = stream.codec_context.name in PACKET_IS_PICTURE
        for packet in packets(container, track):
            if packet.stream_index != stream.index:
                continue
            if len(head) < HEAD:
                head.append(packet)
            if regular_codec and hole is None and packet.size >= _HOLE and not any(memoryview(packet)[:_HOLE]):
                hole = track.spans[stream.index].last
        unreadable = _unfinished(container, stream, track, hole)
        if unreadable is not None:
            return unreadable
        first, regular = decode_head(stream, head)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        span = track.spans[stream.index]  # a closed container's streams must not be touched
    frames = span.shown
    if not (regular_codec and regular):
        report(span.packets)
        frames = 0
        container, stream = open_video(file)
        with container:
            for frame in every_picture(container, stream):
                first = first or frame
                frames += 1
    if first is None or not frames:
        return Unreadable("The video is damaged: not one of its pictures can be decoded.")
    rotation = rotation_of(first)
    width, height = upright(first.width, first.height, rotation)
    return Film(width, height, rotation, frames, span.seconds(rate), len(track.sound))


def _unfinished(container: InputContainer, stream: VideoStream, track: Track, hole: float | None) -> Unreadable | None:
    picture = track.spans.get(stream.index)
    if picture is None or not picture.shown:
        return Unreadable("The video is cut off: it ends before its first picture.", incomplete=True)
    if hole is not None:
        return Unreadable(
            f"The video has a hole at {max(hole, 0.0):.1f} seconds: not all of it has arrived.",
            incomplete=True,
        )
    if container.format.name not in STATES_DURATION:
        return None
    if stream.duration is not None and stream.time_base is not None and stream.duration > 0:
        stated, reached = float(stream.duration * stream.time_base), picture.end - min(picture.first, 0.0)
    elif container.duration is not None:
        stated, reached = container.duration / av.time_base, max(span.end for span in track.spans.values())
    else:
        return None
    if stated - reached <= tolerance(stated):
        return None
    what = "damaged" if track.broken else "cut off"
    return Unreadable(
        f"The video is {what}: it can be read to {max(reached, 0.0):.1f} of {stated:.1f} seconds.",
        incomplete=True,
    )


def tolerance(seconds: float) -> float:
    """How much of a duration may be missing: containers round, and sound does not end with the picture."""
    return max(0.5, 0.02 * seconds)


def decode_head(stream: VideoStream, head: "list[Packet[Any]]") -> tuple[VideoFrame | None, bool]:
    """The first picture that the first packets give, and whether each of them gave one.

    Fields in packets of their own, pictures that an open start cannot show and the like are seen here.
    """
    stream.codec_context.thread_count = 1
    frames, first = 0, None
    for packet in (*head, None):
        for frame in decode(stream, packet):
            frames += 1
            first = first or frame
    regular = frames == sum(not packet.is_discard for packet in head)
    return first, regular and first is not None and not first.interlaced_frame


def every_picture(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decode the picture from here to its end."""
    use_threads(stream)
    for packet in packets(container, Track()):
        if packet.stream_index == stream.index:
            yield from decode(stream, packet)
    yield from decode(stream, None)


def use_threads(stream: VideoStream) -> None:
    """Let the decoder use the cores; to be called before the first packet."""
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = THREADS


def decode(stream: VideoStream, packet: "Packet[Any] | None") -> list[VideoFrame]:
    """The pictures that a packet completes; None at the end. What cannot be decoded gives none."""
    try:
        return stream.codec_context.decode(packet)
    except MemoryError:
        raise
    except av.FFmpegError:
        return []


def rotation_of(frame: VideoFrame) -> int:
    """Degrees clockwise that a player turns this picture; quarters only."""
    return round(-frame.rotation / 90) % 4 * 90


def upright(width: int, height: int, rotation: int) -> tuple[int, int]:
    """Width and height after the turn."""
    return (height, width) if rotation in (90, 270) else (width, height)
