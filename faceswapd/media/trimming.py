"""A part of a video in a file of its own, which takes the target's place from then on; in the child.

The pictures are exactly those that begin in the part, each at its own moment after the first one: they are decoded,
turned upright and coded once more, in a quality that no eye tells from the target's, since a part begins between two
key pictures as a rule. Sound and subtitles come along packet by packet, as they are: a packet of sound belongs to the
part when it begins in it, so that the sound is heard within two packets (43 ms of AAC at 48 kHz) after the first
picture, breaks off within one after the last, and keeps its distance from the pictures.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from faceswapd.children.serve import Refusal
from faceswapd.core.codings import Coding
from faceswapd.core.target import Facts, Trimmed
from faceswapd.core.wish import Trim
from faceswapd.media.carrying import Cargo, Part, can_hold, interleave, lasting
from faceswapd.media.mending import Report, Steps, not_written
from faceswapd.media.opened import NotOrdinaryError, Opened, unopened
from faceswapd.media.preparing import QUALITY
from faceswapd.media.probe import probe
from faceswapd.media.recoding import Encoder, Painter, is_bright
from faceswapd.media.signature import HEAD, identify
from faceswapd.media.timeline import Reel, Timeline, decoded_timeline, read_reel
from faceswapd.media.video import NotAVideoError, every_picture, open_video

NAME: Final = "trimmed"  # the file's name; its ending is the container's
_CODING: Final = Coding("libx264")
_IN_ASF: Final = Coding("mpeg4")  # ASF knows no order of showing that differs from the order of coding
_EPSILON: Final = Fraction(1, 1_000_000)  # seconds; people write 0.1, and no float is exactly that
# A container's endings by FFmpeg's name of it, and what is tried for each kind of target, the best one first: moments
# are exact in MOV and MP4, and rounded to milliseconds in Matroska, which holds nearly every kind of sound.
_ENDINGS: Final = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "mpegts": ".mpeg", "asf": ".wmv"}
_ORDERS: Final = {"matroska": ("matroska",), "mpegts": ("mpegts", "matroska"), "asf": ("mov", "matroska", "asf")}
_USUAL: Final = ("mov", "mp4", "matroska")


@dataclass(frozen=True, slots=True)
class _Range:
    """The pictures that are wanted, by number; the end is not among them."""

    first: int
    end: int
    part: Part


def trim(target: Path, folder: Path, facts: Facts, wanted: Trim, report: Report) -> Trimmed:
    """Write the part into `folder`. Raises Refusal and MemoryError, and then leaves no file."""
    try:
        # Pictures and the rest are read at the same time, each by a file of its own.
        with Opened(str(target)) as file, Opened(str(target)) as film:
            return _Trimming(file, film, folder, wanted, Steps(report, 3 * facts.frames)).run()
    except NotAVideoError as error:
        raise Refusal("target_unreadable", error.unreadable.sentence) from error
    except av.FFmpegError as error:
        raise not_written(error) from error
    except (OSError, NotOrdinaryError) as error:
        raise Refusal("target_missing", unopened(error).sentence) from error


class _Trimming:
    def __init__(self, file: Opened, film: Opened, folder: Path, wanted: Trim, steps: Steps) -> None:
        self._file, self._film, self._folder, self._steps = file, film, folder, steps
        self._reel: Reel = read_reel(file, steps.step)
        timeline = self._reel.timeline
        self._timeline = decoded_timeline(file, steps.step) if timeline is None else timeline
        self._range = _range(self._timeline, wanted)

    def run(self) -> Trimmed:
        form = self._form()
        output = self._folder / f"{NAME}{_ENDINGS[form]}"
        try:
            left_out = self._write(output, form)
            made = probe(str(output), lambda _: None)
        except BaseException:
            output.unlink(missing_ok=True)
            raise
        count = self._range.end - self._range.first
        if not isinstance(made, Facts) or made.frames != count:
            output.unlink(missing_ok=True)
            there = made.frames if isinstance(made, Facts) else 0
            raise Refusal("unsupported", f"The part of the video has {count} pictures, and {there} could be written.")
        return Trimmed(output, made, self._range.first, tuple(left_out))

    def _form(self) -> str:
        """The container: the first one that takes the target's sound as it is, and its subtitles too if one does."""
        form = identify(self._file.peek(0, HEAD)).form
        order = _ORDERS.get(form, _USUAL)
        container, _ = open_video(self._file)
        with container:
            takes = {
                one: [
                    kind
                    for kind in ("audio", "subtitle")
                    if all(can_hold(one, stream) for stream in container.streams if stream.type == kind)
                ]
                for one in order
            }
        whole = next((one for one in order if len(takes[one]) == 2), None)
        return whole or next((one for one in order if "audio" in takes[one]), order[-1])

    def _write(self, output: Path, form: str) -> list[str]:
        container, picture = open_video(self._file)
        try:
            with container, av.open(output, "w", format=form, container_options=_container_options(form)) as made:
                pictures = self._pictures()
                first = next(pictures)
                encoder, painter = self._encoder(made, form, first, picture)
                cargo = Cargo(container, picture, made, output.suffix, self._range.part, self._steps.step)
                cargo.start(None)
                interleave(self._coded(encoder, painter, first, pictures), iter(cargo), made.mux)
        except StopIteration:
            raise Refusal("target_unreadable", "Not one picture of the part can be decoded.") from None
        except (av.FFmpegError, ValueError) as error:
            raise not_written(error) from error
        return cargo.left_out

    def _encoder(
        self, made: OutputContainer, form: str, first: VideoFrame, picture: VideoStream
    ) -> tuple[Encoder, Painter]:
        coding = _IN_ASF if form == "asf" else _CODING
        painter = Painter(first, _pixels(first, coding), self._folder, turn=True, tone=False)
        aspect = picture.sample_aspect_ratio
        if aspect and (painter.width, painter.height) != (first.width, first.height):
            aspect = 1 / aspect
        rate = self._timeline.rate.limit_denominator(1001)
        encoder = Encoder(made, coding, painter, rate, quality=QUALITY, aspect=aspect or None)
        encoder.stream.time_base = self._timeline.tick
        encoder.stream.metadata.update(lasting(picture.metadata))
        return encoder, painter

    def _coded(
        self, encoder: Encoder, painter: Painter, first: VideoFrame, others: Iterator[VideoFrame]
    ) -> "Iterator[tuple[Fraction, Packet[Any]]]":
        part = self._range
        moments = self._timeline.moments[part.first : part.end]
        length = self._timeline.duration(part.end - 1)
        timeline = Timeline([moment - moments[0] for moment in moments], self._timeline.tick, length)

        def timed(number: int, packet: "Packet[Any]") -> "tuple[Fraction, Packet[Any]]":
            assert packet.dts is not None
            assert packet.pts is not None
            place = number + round((packet.dts - packet.pts) * packet.time_base / encoder.tick)
            shown, decoded = timeline.moment(number), timeline.moment(place)
            packet.time_base = timeline.tick
            packet.pts, packet.dts = shown, min(shown, decoded)
            packet.duration = timeline.duration(number)
            return decoded * timeline.tick, packet

        for frame in _chain(first, others):
            self._steps.step()
            for number, packet in encoder.encode(painter.paint(frame)):
                yield timed(number, packet)
        for number, packet in encoder.encode(None):
            yield timed(number, packet)

    def _pictures(self) -> Iterator[VideoFrame]:
        """The part's pictures, all of them. Found by a leap to the key picture before them where their moments tell
        which they are; else by decoding from the beginning."""
        part = self._range
        if self._reel.timeline is not None and part.first and self._leads_there():
            yield from self._after_leap()
            return
        container, stream = open_video(self._film)
        with container:
            count = 0
            for count, frame in enumerate(every_picture(container, stream), start=1):
                if part.first < count <= part.end:
                    yield frame
                if count >= part.end:
                    return
        raise Refusal("target_unreadable", f"Only {count} of the video's pictures can be decoded.")

    def _after_leap(self) -> Iterator[VideoFrame]:
        container, stream = open_video(self._film)
        moments = self._timeline.moments
        with container:
            self._leap(container, stream)
            number = self._range.first
            for frame in every_picture(container, stream):
                if frame.pts == moments[number]:
                    yield frame
                    number += 1
                    if number == self._range.end:
                        return
        raise Refusal("target_unreadable", "Not all pictures of the part can be decoded.")

    def _leads_there(self) -> bool:
        """Whether a leap leads to the first picture of the part, whole."""
        moment = self._timeline.moments[self._range.first]
        container, stream = open_video(self._film)
        with container:
            try:
                self._leap(container, stream)
            except av.FFmpegError:
                return False
            for frame in every_picture(container, stream):
                if frame.pts is not None and frame.pts >= moment:
                    return frame.pts == moment and not frame.is_corrupt
        return False

    def _leap(self, container: InputContainer, stream: VideoStream) -> None:
        container.seek(self._timeline.moments[self._range.first], stream=stream)


def _range(timeline: Timeline, wanted: Trim) -> _Range:
    """The pictures that begin in the part; where none does, the one that is shown when it begins."""
    moments, tick = timeline.moments, timeline.tick

    def number_at(seconds: float) -> int:
        return bisect_left(moments, moments[0] + (Fraction(seconds) - _EPSILON) / tick)

    first = number_at(wanted.start)
    end = len(moments) if wanted.end is None else number_at(wanted.end)
    if first >= end:
        first = max(0, bisect_right(moments, moments[0] + (Fraction(wanted.start) + _EPSILON) / tick) - 1)
        end = first + 1
    begins = moments[first] * tick if first else None
    ends = moments[end] * tick if end < len(moments) else None
    return _Range(first, end, Part(moments[first] * tick, begins, ends))


def _pixels(first: VideoFrame, coding: Coding) -> str:
    """How the pictures are coded: a bright one keeps its fine steps."""
    if coding is not _CODING or not is_bright(first):
        return coding.pixels
    return "yuv444p10le" if first.width % 2 or first.height % 2 else "yuv420p10le"


def _chain(first: VideoFrame, others: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    yield first
    yield from others


def _container_options(form: str) -> dict[str, str]:
    return {"movflags": "use_metadata_tags"} if form in ("mp4", "mov") else {}
