"""A video's output put together: the engine's pictures, and everything else of the target's own; in the child.

The engine worked on pictures alone, at a constant rate. Here the n-th picture gets the moment of the target's
n-th picture back, and sound, subtitles, chapters and tags come from the target, packet by packet.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from faceswapd.children.serve import Refusal
from faceswapd.core.codings import CODINGS, TRANSPORT, Coding, coded_rate
from faceswapd.core.failures import usual
from faceswapd.core.target import Facts, Finished, Kind, Marks
from faceswapd.media.carrying import Cargo, interleave, lasting
from faceswapd.media.finishing_image import finish_image
from faceswapd.media.likeness import Film, anybody_swapped
from faceswapd.media.mending import Report, Steps, not_written
from faceswapd.media.opened import NotOrdinaryError, Opened, unopened
from faceswapd.media.recoding import Encoder, Painter
from faceswapd.media.signature import HEAD, identify
from faceswapd.media.timeline import Reel, read_reel, timeline_of
from faceswapd.media.video import NotAVideoError, Track, every_picture, open_video, packets

QUALITY: Final = 18  # x264's crf, where the container cannot hold what the engine made


@dataclass(frozen=True, slots=True)
class _Part:
    """A file that the engine made, opened."""

    path: Path
    file: Opened
    reel: Reel

    @property
    def pictures(self) -> int:
        assert self.reel.timeline is not None
        return len(self.reel.timeline.moments)


def finish(
    target: Path,
    prepared: Path,
    parts: Sequence[Path],
    output: Path,
    facts: Facts,
    marks: Marks | None,
    report: Report,
) -> Finished:
    """Write the output, whose suffix is the target's. Raises Refusal and MemoryError, and then leaves none."""
    try:
        if facts.kind is Kind.IMAGE:
            return finish_image(target, prepared, parts[0], output, marks)
        with ExitStack() as stack:
            steps = Steps(report, 3 * facts.frames)
            made = [stack.enter_context(_opened(part, steps)) for part in parts]
            files = [_part(path, file, steps) for path, file in zip(parts, made, strict=True)]
            source = stack.enter_context(Opened(str(target)))
            plain = stack.enter_context(Opened(str(prepared)))
            return _Finishing(source, files, output, facts, steps).run(plain, marks)
    except NotAVideoError as error:
        raise Refusal("target_unreadable", error.unreadable.sentence) from error
    except av.FFmpegError as error:
        raise not_written(error) from error
    except (OSError, NotOrdinaryError) as error:
        raise Refusal("target_missing", unopened(error).sentence) from error


def _opened(part: Path, steps: Steps) -> Opened:
    del steps
    try:
        return Opened(str(part))
    except (OSError, NotOrdinaryError) as error:
        raise Refusal("output_damaged", "The engine said it was done, but made no file.") from error


def _part(path: Path, file: Opened, steps: Steps) -> _Part:
    try:
        reel = read_reel(file, steps.step)
    except NotAVideoError as error:
        raise Refusal("output_damaged", f"The engine's output is not whole: {error.unreadable.sentence}") from error
    if reel.timeline is None:
        raise Refusal("output_damaged", "The engine's output is coded in a way that engines do not use.")
    return _Part(path, file, reel)


class _Finishing:
    def __init__(self, target: Opened, parts: Sequence[_Part], output: Path, facts: Facts, steps: Steps) -> None:
        self._target, self._parts, self._output, self._facts, self._steps = target, parts, output, facts, steps
        self._coding, self._form = _coding(target, output.suffix.lower())
        self._timeline = timeline_of(target, steps.step)
        self._tags: dict[str, str] = {}  # of the target's picture

    def run(self, prepared: Opened, marks: Marks | None) -> Finished:
        made = sum(part.pictures for part in self._parts)
        if abs(made - self._facts.frames) > 1:
            raise Refusal(
                "output_damaged", f"The engine made {made} pictures, and the target has {self._facts.frames}."
            )
        if not anybody_swapped(prepared, [Film(part.file, part.reel) for part in self._parts], self._steps.step):
            failure = usual("nobody_swapped")
            raise Refusal(failure.category, failure.sentence)
        try:
            left_out = self._write(marks)
        except BaseException:
            self._output.unlink(missing_ok=True)
            raise
        return Finished(self._output, tuple(left_out), None if marks is None else _unmarked(self._output, marks))

    def _write(self, marks: Marks | None) -> list[str]:
        container, picture = open_video(self._target)
        try:
            with container, self._opened_output() as output:
                aspect, self._tags = _aspect(picture, self._parts), lasting(picture.metadata)
                pictures = self._copied(output, aspect) if self._copies() else self._coded(output, aspect)
                cargo = Cargo(container, picture, output, self._output.suffix)
                cargo.start(marks)
                interleave(pictures, iter(cargo), output.mux)
        except (av.FFmpegError, ValueError) as error:
            raise not_written(error) from error
        return cargo.left_out

    def _opened_output(self) -> OutputContainer:
        options = dict(self._coding.container)
        if "movflags" in options:
            options["movflags"] += "+use_metadata_tags"  # else only the tags of a fixed list are kept
        try:
            return av.open(self._output, "w", format=self._form, options={}, container_options=options)
        except (av.FFmpegError, OSError) as error:
            raise not_written(error) from error

    def _copies(self) -> bool:
        """Whether the container takes the engine's packets as they are, as one stream."""
        first = self._parts[0].reel
        return first.codec in self._coding.holds and len({_head(part.file) for part in self._parts}) == 1

    def _copied(self, output: OutputContainer, aspect: Fraction | None) -> "Iterator[tuple[Fraction, Packet[Any]]]":
        container, stream = open_video(self._parts[0].file)
        with container:
            copy = output.add_stream_from_template(stream, opaque=True)
            copy.time_base = self._timeline.tick
            copy.codec_context.framerate = self._timeline.rate.limit_denominator(1001)
            copy.disposition = Disposition.default
            if aspect:
                copy.codec_context.sample_aspect_ratio = aspect
            copy.metadata.update(self._tags)
        return self._copied_packets(copy)

    def _copied_packets(self, copy: Stream) -> "Iterator[tuple[Fraction, Packet[Any]]]":
        offset, delay = 0, max(part.reel.delay for part in self._parts)
        for part in self._parts:
            container, stream = open_video(part.file)
            place = 0
            with container:
                for packet in packets(container, Track()):
                    if packet.stream_index != stream.index:
                        continue
                    number = offset + part.reel.number_of(part.reel.coded[place])
                    moment = self._timed(packet, number, offset + place - delay)
                    packet.stream = copy
                    place += 1
                    self._steps.step()
                    yield moment, packet
            offset += part.pictures

    def _coded(self, output: OutputContainer, aspect: Fraction | None) -> "Iterator[tuple[Fraction, Packet[Any]]]":
        first = self._parts[0].reel.first
        if first is None:
            raise Refusal("output_damaged", "Not one of the engine's pictures can be decoded.")
        rate = coded_rate(self._timeline.rate.limit_denominator(1001), standard=self._coding.standard_rate)
        painter = Painter(first, self._coding.pixels, self._output.parent, turn=True, tone=False)
        encoder = Encoder(output, self._coding, painter, rate, quality=QUALITY, aspect=aspect)
        if not self._coding.standard_rate:
            encoder.stream.time_base = self._timeline.tick
        encoder.stream.metadata.update(self._tags)
        return self._coded_packets(encoder, painter)

    def _coded_packets(self, encoder: Encoder, painter: Painter) -> "Iterator[tuple[Fraction, Packet[Any]]]":
        for part in self._parts:
            container, stream = open_video(part.file)
            with container:
                for frame in every_picture(container, stream):
                    for number, packet in encoder.encode(painter.paint(frame)):
                        yield self._timed(packet, number, number), packet
                    self._steps.step()
        for number, packet in encoder.encode(None):
            yield self._timed(packet, number, number), packet

    def _timed(self, packet: "Packet[Any]", number: int, place: int) -> Fraction:
        """Give a packet the moment of the target's picture of this number; it is decoded when that of `place`
        is shown, counted back evenly before the first. Returns the latter in seconds."""
        shown, decoded = self._timeline.moment(number), self._timeline.moment(place)
        packet.time_base = self._timeline.tick
        packet.pts, packet.dts = shown, min(shown, decoded)
        packet.duration = self._timeline.duration(number)
        return decoded * self._timeline.tick


def _coding(target: Opened, suffix: str) -> tuple[Coding, str | None]:
    """How the output is coded, and its format where the name does not tell it."""
    if identify(target.peek(0, HEAD)).form == "mpegts":
        return TRANSPORT, "mpegts"
    coding = CODINGS.get(suffix)
    if coding is None:
        raise Refusal("unsupported", f"A video cannot be written as {suffix}.")
    return coding, None


def _head(part: Opened) -> bytes:
    """What a decoder must know before the first picture; parts that differ in it are no one stream."""
    container, stream = open_video(part)
    with container:
        return bytes(stream.codec_context.extradata or b"")


def _aspect(picture: VideoStream, parts: Sequence[_Part]) -> Fraction | None:
    """The shape of the target's pixels, which engines do not know of; None for square ones, and where the
    engine made other pictures than these."""
    aspect = picture.sample_aspect_ratio
    first = parts[0].reel.first
    if not aspect or aspect == 1 or first is None:
        return None
    if (first.width, first.height) == (picture.width, picture.height):
        return aspect
    return 1 / aspect if (first.height, first.width) == (picture.width, picture.height) else None


def _unmarked(output: Path, marks: Marks) -> str | None:
    """Read the finished file's tags: not every container holds them."""
    with Opened(str(output)) as file:
        container, _ = open_video(file)
        with container:
            if any(marks.label in value for value in container.metadata.values()):
                return None
    return f"A {output.suffix} file holds no text that says that it was swapped."
