"""When each picture of a video is shown, found by reading its packets; in the child.

Pictures are numbered in the order in which they are shown. Where a packet is a picture, nothing is decoded.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from faceswapd.media.opened import Opened
from faceswapd.media.video import HEAD, PACKET_IS_PICTURE, Track, decode, decode_head, open_video, packets, use_threads

# Each picture of these stands alone, so that it is shown when it is decoded.
_INTRA: Final = frozenset({"mjpeg", "prores", "dnxhd", "ffv1"})
_USUAL_RATE: Final = Fraction(25)  # where a file does not say one

Passed = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The pictures' moments, ascending, in ticks of the video's clock."""

    moments: Sequence[int]
    tick: Fraction  # seconds
    length: int  # ticks that the last picture is shown

    @property
    def step(self) -> int:
        """Ticks from one picture to the next, on the average."""
        if len(self.moments) < 2:
            return max(1, self.length)
        return max(1, round((self.moments[-1] - self.moments[0]) / (len(self.moments) - 1)))

    @property
    def rate(self) -> Fraction:
        """Pictures a second, on the average."""
        if len(self.moments) < 2:
            return 1 / (self.length * self.tick) if self.length > 0 else _USUAL_RATE
        return Fraction(len(self.moments) - 1, self.moments[-1] - self.moments[0]) / self.tick

    def moment(self, number: int) -> int:
        """A picture's moment; evenly on where there is no picture of this number."""
        if number < 0:
            return self.moments[0] + number * self.step
        if number >= len(self.moments):
            return self.moments[-1] + (number - len(self.moments) + 1) * self.step
        return self.moments[number]

    def duration(self, number: int) -> int:
        """Ticks that a picture is shown."""
        if number + 1 < len(self.moments):
            return self.moments[number + 1] - self.moments[number]
        return max(1, self.length)


@dataclass(frozen=True, slots=True)
class Reel:
    """What one reading of all the packets showed."""

    codec: str
    coded: Sequence[int]  # each picture's moment, in coding order; empty where packets are not pictures
    timeline: Timeline | None  # None where pictures must be decoded to know their moments
    delay: int  # how many packets a picture's decoding begins before its showing, at most
    first: VideoFrame | None
    streams: int
    rate: Fraction | None  # what the container says, or FFmpeg guesses
    planned: int | None  # how many pictures a reader expects who multiplies duration and rate; None: no duration
    aspect: Fraction | None  # a pixel's width by its height

    def number_of(self, moment: int) -> int:
        """The number, in showing order, of the picture with this moment."""
        assert self.timeline is not None
        return bisect_left(self.timeline.moments, moment)


def read_reel(file: Opened, passed: Passed) -> Reel:
    """Read all the packets; `passed` is called for each picture's. Raises NotAVideoError and OSError."""
    container, stream = open_video(file)
    with container:
        codec = stream.codec_context.codec.canonical_name
        # AVI knows no moments, only an order: those of pictures that are shown later than decoded are guesses.
        plain = codec in PACKET_IS_PICTURE and (container.format.name != "avi" or codec in _INTRA)
        coded, length = array("q"), 0
        head: list[Packet[Any]] = []
        for packet in packets(container, Track()):
            if packet.stream_index != stream.index:
                continue
            passed()
            if len(head) < HEAD:
                head.append(packet)
            moment = packet.dts if packet.pts is None and codec in _INTRA else packet.pts
            plain = plain and moment is not None and not packet.is_discard
            if plain and moment is not None:
                coded.append(moment)
                if moment == max(moment, coded[0]) and packet.duration:
                    length = packet.duration
        first, regular = decode_head(stream, head)
        tick = stream.time_base or Fraction(1, 90000)
        moments = array("q", sorted(coded))
        plain = plain and regular and bool(moments) and _ascending(moments)
        return Reel(
            codec=codec,
            coded=coded if plain else (),
            timeline=Timeline(moments, tick, _length(moments, length)) if plain else None,
            delay=_delay(coded, moments) if plain else 0,
            first=first,
            streams=len(container.streams),
            rate=stream.average_rate or stream.guessed_rate,
            planned=_planned(container, stream),
            aspect=stream.sample_aspect_ratio,
        )


def decoded_timeline(file: Opened, passed: Passed) -> Timeline:
    """The moments of the pictures that decoding gives. Raises NotAVideoError and OSError."""
    container, stream = open_video(file)
    with container:
        tick = stream.time_base or Fraction(1, 90000)
        rate = stream.average_rate or stream.guessed_rate or _USUAL_RATE
        usual = max(1, round(1 / (rate * tick)))
        moments, places, length = array("q"), array("q"), usual
        use_threads(stream)

        def take(frames: list[VideoFrame]) -> None:
            nonlocal length
            for frame in frames:
                passed()
                after = moments[-1] + 1 if moments else None
                moment = frame.pts
                if moment is None:
                    moment = 0 if after is None else after - 1 + usual
                moments.append(moment if after is None else max(moment, after))
                length = frame.duration or usual

        for packet in packets(container, Track()):
            if packet.stream_index == stream.index:
                if packet.dts is not None:
                    places.append(packet.dts)
                take(decode(stream, packet))
        take(decode(stream, None))
        if container.format.name == "avi" and len(places) == len(moments) and _ascending(places):
            return Timeline(places, tick, usual)  # one picture in each place, in the order of their showing
        return Timeline(moments, tick, length)


def timeline_of(file: Opened, passed: Passed) -> Timeline:
    """The moments by packets where these are pictures, else by decoding. Raises NotAVideoError and OSError."""
    reel = read_reel(file, passed)
    return decoded_timeline(file, passed) if reel.timeline is None else reel.timeline


def _ascending(moments: Sequence[int]) -> bool:
    return all(moments[n] < moments[n + 1] for n in range(len(moments) - 1))


def _length(moments: Sequence[int], stated: int) -> int:
    if stated > 0 or len(moments) < 2:
        return max(1, stated)
    return max(1, round((moments[-1] - moments[0]) / (len(moments) - 1)))


def _delay(coded: Sequence[int], moments: Sequence[int]) -> int:
    return max((place - bisect_left(moments, moment) for place, moment in enumerate(coded)), default=0)


def _planned(container: InputContainer, stream: VideoStream) -> int | None:
    """FaceFusion plans so: the container's duration by the rate that the stream's clock allows."""
    rate = stream.base_rate
    if container.duration is None or not rate:
        return None
    return round(float(container.duration) / 1e6 * float(rate))


def streams_of(container: InputContainer, kind: str) -> "list[Stream]":
    """All the streams of one kind."""
    return [stream for stream in container.streams if stream.type == kind]
