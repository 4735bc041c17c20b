"""All of a target but its pictures, carried over into the output packet by packet; in the child."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from faceswapd.children.serve import Refusal
from faceswapd.core.target import Marks
from faceswapd.media.mending import not_written
from faceswapd.media.video import Track, packets

# Written anew by the container, or untrue of the output.
_STALE: Final = re.compile(
    r"(major_brand|minor_version|compatible_brands|encoder|rotate)$|duration|bps|number_of_|_statistics_", re.IGNORECASE
)
_SOURCE_TYPE: Final = "DIGITAL_SOURCE_TYPE"
_FARTHEST: Final = 120  # seconds that two packets beside each other in a file may be apart in time
# What a container writes itself, from the chapters and the tags.
_OWN_DATA: Final = frozenset({"bin_data", "tmcd"})


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a target that is carried over. Seconds on the target's clock."""

    origin: Fraction  # becomes 0
    begins: Fraction | None = None  # None: all before it comes along
    ends: Fraction | None = None  # None: all behind it comes along

    def holds(self, moment: Fraction) -> bool:
        """Whether what begins at a moment belongs to it."""
        return (self.begins is None or moment >= self.begins) and (self.ends is None or moment < self.ends)


WHOLE: Final = Part(Fraction(0))


class Cargo:
    """The other streams of a target, and what is said of it, on their way into an output.

    `left_out` tells in sentences what did not come along.
    """

    def __init__(
        self,
        container: InputContainer,
        picture: VideoStream,
        output: OutputContainer,
        suffix: str,
        part: Part = WHOLE,
        passed: Callable[[], None] = lambda: None,
    ) -> None:
        """Make room in the output for what it can hold; `passed` is called for each picture that passes by. Raises
        Refusal where the output cannot hold the sound."""
        self._picture, self._passed = picture.index, passed
        self._container, self._output, self._suffix, self._part = container, output, suffix, part
        self.left_out: list[str] = []
        self._carried: dict[int, Stream] = {}
        for stream in container.streams:
            if stream.index == picture.index:
                continue
            match stream.type:
                case "audio":
                    self._carry_sound(stream)
                case "subtitle":
                    if can_hold(output.format.name, stream):
                        self._carry(stream)
                    else:
                        self.left_out.append(
                            f"Its subtitles ({_codec_name(stream)}) were left out: a {suffix} file cannot hold them."
                        )
                case "attachment":
                    if can_hold(output.format.name, stream):
                        self._carry(stream)
                    else:
                        self.left_out.append(f"An attachment was left out: a {suffix} file cannot hold it.")
                case "video":
                    self.left_out.append("A second picture, which shows what was not swapped, was left out.")
                case _:
                    self.left_out += _data_lost(stream)

    def start(self, marks: Marks | None) -> None:
        """Copy tags and chapters, add the marks, and write the container's head, in which it becomes known what
        it can hold. To be called before the first packet. Raises Refusal."""
        tags = lasting(self._container.metadata)
        if marks is not None:
            comment = next((value for name, value in tags.items() if name.lower() == "comment"), "")
            tags = {
                name: value for name, value in tags.items() if name.lower() not in {"comment", _SOURCE_TYPE.lower()}
            }
            tags["comment"] = f"{marks.label} {comment}".strip()
            tags[_SOURCE_TYPE] = marks.source_type
        self._output.metadata.update(tags)
        chapters = [part for one in self._container.chapters() for part in self._chapter(one)]
        if chapters:
            self._output.set_chapters(chapters)
        try:
            self._output.start_encoding()
        except (av.FFmpegError, ValueError) as error:
            sounds = [stream for stream in self._container.streams.audio if stream.index in self._carried]
            for sound in sounds:
                if not can_hold(self._output.format.name, sound):
                    raise self._no_sound(sound) from error
            raise not_written(error) from error

    def __iter__(self) -> "Iterator[tuple[Fraction, Packet[Any]]]":
        """Each carried packet, ready for the output, with its moment in seconds."""
        moment = Fraction(0)
        for packet in packets(self._container, Track()):
            ticks = packet.dts if packet.dts is not None else packet.pts
            if ticks is not None and self._is_behind(ticks * packet.time_base):
                return
            if packet.stream_index == self._picture:
                self._passed()
            stream = self._carried.get(packet.stream_index)
            if stream is None:
                continue
            if ticks is not None:
                moment = ticks * packet.time_base
            packet.stream = stream
            if self._part == WHOLE:
                yield moment, packet
            elif self._fitted(packet):
                yield moment - self._part.origin, packet

    def _is_behind(self, moment: Fraction) -> bool:
        """Whether nothing of the part can come any more."""
        return self._part.ends is not None and moment > self._part.ends + _FARTHEST

    def _fitted(self, packet: "Packet[Any]") -> bool:
        """Put a packet to its place in the part. False where it does not belong to it."""
        if packet.pts is None:
            packet.pts = packet.dts
        if packet.pts is None:
            return False
        tick, part = packet.time_base, self._part
        begin, length = packet.pts * tick, (packet.duration or 0) * tick
        late = Fraction(0)
        if packet.stream.type == "subtitle" and part.begins is not None and begin < part.begins < begin + length:
            late = part.begins - begin  # its words are still read when the part begins
        if not part.holds(begin + late):
            return False
        if late:
            packet.duration = round((length - late) / tick)
        moved = round((begin + late - part.origin) / tick)
        packet.dts = moved if packet.dts is None else packet.dts + moved - packet.pts
        packet.pts = moved
        return True

    def _chapter(self, chapter: Any) -> Iterator[Any]:
        """What of a chapter lies in the part."""
        tick, part = chapter["time_base"], self._part
        start, end = chapter["start"] * tick, chapter["end"] * tick
        if (part.begins is None or end > part.begins) and (part.ends is None or start < part.ends):
            start = start if part.begins is None else max(start, part.begins)
            end = end if part.ends is None else min(end, part.ends)
            moved = [round((moment - part.origin) / tick) for moment in (start, end)]
            yield {**chapter, "start": moved[0], "end": moved[1]}

    def _carry_sound(self, stream: Stream) -> None:
        try:
            self._carry(stream)
        except (av.FFmpegError, ValueError) as error:
            raise self._no_sound(stream) from error

    def _no_sound(self, stream: Stream) -> Refusal:
        return Refusal("audio_lost", f"A {self._suffix} file cannot hold the target's sound ({_codec_name(stream)}).")

    def _carry(self, stream: Stream) -> None:
        copy = self._output.add_stream_from_template(stream)
        copy.metadata.update(lasting(stream.metadata))
        if stream.type != "attachment":
            copy.disposition = stream.disposition
            self._carried[stream.index] = copy


def rate_filter(codec: str, picture: VideoStream, copy: VideoStream, rate: Fraction) -> BitStreamFilterContext | None:
    """What makes copied H.264 and HEVC packets say this rate (pictures per second) themselves: some say one that
    has nothing to do with theirs, and readers are misled by it. Raises FFmpegError for damaged packets' heads."""
    match codec:
        case "h264":
            words = f"h264_metadata=tick_rate={2 * rate}"
        case "hevc":
            words = f"hevc_metadata=tick_rate={rate}:num_ticks_poc_diff_one=1"
        case _:
            return None
    told = BitStreamFilterContext(words, picture, copy)
    copy.codec_context.codec_tag = "\0\0\0\0"  # it has come along, and the new container has one of its own
    return told


def lasting(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that stay true."""
    return {name: value for name, value in tags.items() if not _STALE.match(name)}


def can_hold(form: str, stream: Stream) -> bool:
    """Whether a container of this format takes the stream as it is."""
    try:
        with av.open(io.BytesIO(), "w", format=form) as trial:
            copy: Any = trial.add_stream_from_template(stream, **_template_options(stream))
            copy.metadata.update(lasting(stream.metadata))
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def interleave(
    pictures: "Iterator[tuple[Fraction, Packet[Any]]]",
    cargo: "Iterator[tuple[Fraction, Packet[Any]]]",
    put: "Callable[[Packet[Any]], None]",
) -> None:
    """Put the packets of both in the order of their moments, so that the container holds few back."""
    waiting = next(cargo, None)
    for moment, packet in pictures:
        while waiting is not None and waiting[0] <= moment:
            put(waiting[1])
            waiting = next(cargo, None)
        put(packet)
    while waiting is not None:
        put(waiting[1])
        waiting = next(cargo, None)


def _template_options(stream: Stream) -> dict[str, bool]:
    return {"opaque": True} if stream.type == "video" else {}


def _codec_name(stream: Stream) -> str:
    known: object = stream.codec_context  # None for a codec that FFmpeg does not know
    return "an unknown codec" if known is None else str(stream.codec_context.name)


def _data_lost(stream: Stream) -> list[str]:
    if stream.name in _OWN_DATA or stream.type != "data":
        return []
    return ["A stream of data that is neither picture nor sound was left out."]
