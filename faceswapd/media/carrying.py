"""All of a target but its pictures, carried over into the output packet by packet; in the child."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
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
# What a container writes itself, from the chapters and the tags.
_OWN_DATA: Final = frozenset({"bin_data", "tmcd"})


class Cargo:
    """The other streams of a target, and what is said of it, on their way into an output.

    `left_out` tells in sentences what did not come along.
    """

    def __init__(self, container: InputContainer, picture: VideoStream, output: OutputContainer, suffix: str) -> None:
        """Make room in the output for what it can hold. Raises Refusal where that is not the sound."""
        self._container, self._output, self._suffix = container, output, suffix
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
        chapters = self._container.chapters()
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
            stream = self._carried.get(packet.stream_index)
            if stream is None:
                continue
            ticks = packet.dts if packet.dts is not None else packet.pts
            if ticks is not None:
                moment = ticks * packet.time_base
            packet.stream = stream
            yield moment, packet

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
