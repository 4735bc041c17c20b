"""Whether an engine's output is whole: every picture, and the target's own sound; in the child."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import av
from av.packet import Packet
from av.video.frame import VideoFrame

from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Kind, Proof, Unreadable
from faceswapd.media.extent import missing
from faceswapd.media.image import read_image
from faceswapd.media.opened import NotOrdinaryError, Opened, unopened
from faceswapd.media.probe import recognise
from faceswapd.media.video import (
    NotAVideoError,
    Track,
    decode,
    every_picture,
    open_video,
    packets,
    rotation_of,
    tolerance,
    upright,
    use_threads,
)

_BLACK: Final = 8.0  # mean brightness (0 to 255) under which a picture shows nothing
_LIT: Final = 24.0  # and from which it shows something
_TAIL: Final = 1.0  # seconds at the end that must not turn black

NO_FILE: Final = Failure("output_damaged", "The engine said it was done, but made no file.")


def verify(target: str, output: str, facts: Facts) -> Proof | Failure:
    """Compare an output with the target's facts and, in a video, with the target's own sound."""
    try:
        with Opened(output) as file:
            if not file.size:
                return NO_FILE
            if facts.kind is Kind.IMAGE:
                return _image(file, facts)
            return _video(target, file, facts)
    except FileNotFoundError:
        return NO_FILE
    except NotAVideoError as error:
        return _refused(error.unreadable)
    except (OSError, NotOrdinaryError) as error:
        return _refused(unopened(error))


def _refused(unreadable: Unreadable) -> Failure:
    return Failure("output_damaged", f"The engine's output is not whole: {unreadable.sentence}")


def _size(width: int, height: int, facts: Facts) -> Failure | None:
    if (width, height) == (facts.width, facts.height):
        return None
    return Failure(
        "output_damaged",
        f"The output is {width} x {height} pixels, and the target is {facts.width} x {facts.height}.",
    )


def _image(file: Opened, facts: Facts) -> Proof | Failure:
    signature = recognise(file, Kind.IMAGE)
    if isinstance(signature, Unreadable):
        return _refused(signature)
    picture = read_image(file, signature)
    if isinstance(picture, Unreadable):
        return _refused(picture)
    return _size(picture.width, picture.height, facts) or Proof(file.content(), file.size, 1, None)


@dataclass(slots=True)
class _Seen:
    """What one reading of an output showed."""

    track: Track = field(default_factory=Track)
    sound: Mapping[int, str] = field(default_factory=dict)  # digest by stream
    frames: int = 0
    corrupt: int = 0
    duration: float = 0.0
    first: VideoFrame | None = None
    tail: float | None = None  # the brightest of the last pictures


def _video(target: str, file: Opened, facts: Facts) -> Proof | Failure:
    signature = recognise(file, Kind.VIDEO)
    if isinstance(signature, Unreadable):
        return _refused(signature)
    cut = missing(file, signature.form)
    if cut is not None:
        return _refused(cut)
    seen = _watch(file, facts)
    failure = _picture_failure(seen, facts)
    if failure is not None:
        return failure
    failure = _compare_with_target(target, seen, facts)
    return failure or Proof(file.content(), file.size, seen.frames, seen.duration)


def _watch(file: Opened, facts: Facts) -> _Seen:
    """Decode every picture and digest every sound stream, in one reading."""
    seen, sound = _Seen(), _Sound()
    container, stream = open_video(file)
    tail_from = facts.frames - max(1, round(_TAIL * facts.frames / (facts.duration or 1.0)))
    with container:
        use_threads(stream)

        def look(frames: list[VideoFrame]) -> None:
            for frame in frames:
                seen.first = seen.first or frame
                seen.corrupt += frame.is_corrupt
                if seen.frames >= tail_from:
                    seen.tail = max(seen.tail or 0.0, _brightness(frame))
                seen.frames += 1

        for packet in packets(container, seen.track):
            if packet.stream_index == stream.index:
                look(decode(stream, packet))
            else:
                sound.add(packet)
        look(decode(stream, None))
        span = seen.track.spans.get(stream.index)
        if span is not None:
            seen.duration = span.seconds(float(stream.average_rate or stream.guessed_rate or 0))
    seen.sound = sound.digests()
    return seen


def _picture_failure(seen: _Seen, facts: Facts) -> Failure | None:
    if seen.first is None:
        return Failure("output_damaged", "Not one picture of the output can be decoded.")
    if abs(seen.frames - facts.frames) > 1:
        return Failure("output_damaged", f"The output has {seen.frames} pictures, and the target has {facts.frames}.")
    if seen.corrupt:
        return Failure("output_damaged", f"{seen.corrupt} of the output's {seen.frames} pictures are damaged.")
    target = facts.duration or 0.0
    if abs(seen.duration - target) > tolerance(target):
        return Failure("output_damaged", f"The output lasts {seen.duration:.1f} seconds, and the target {target:.1f}.")
    rotation = rotation_of(seen.first)
    if rotation:
        return Failure(
            "output_damaged",
            f"The output tells players to turn it by {rotation} degrees, so it would lie askew.",
        )
    return _size(*upright(seen.first.width, seen.first.height, 0), facts)


def _compare_with_target(target: str, seen: _Seen, facts: Facts) -> Failure | None:
    if len(seen.track.sound) != facts.audio:
        return Failure(
            "audio_lost",
            f"The output has {len(seen.track.sound)} sound streams, and the target has {facts.audio}.",
        )
    dark = seen.tail is not None and seen.tail < _BLACK
    if not facts.audio and not dark:
        return None
    try:
        with Opened(target) as file:
            if facts.audio:
                wanted = list(_target_sound(file).values())
                if wanted != list(seen.sound.values()):
                    return Failure("audio_lost", "The output's sound is not the target's sound.")
            if dark and _target_tail(file, facts) >= _LIT:
                return Failure("output_damaged", "The end of the output is black, and the target's is not.")
    except (OSError, NotOrdinaryError, NotAVideoError) as error:
        sentence = error.unreadable if isinstance(error, NotAVideoError) else unopened(error)
        return Failure("target_missing", f"The output cannot be compared with the target: {sentence.sentence}")
    return None


class _Sound:
    """A digest for each sound stream: of its bytes in their order, however they are cut into packets."""

    def __init__(self) -> None:
        self._digests: dict[int, Any] = {}

    def add(self, packet: "Packet[Any]") -> None:
        """Digest a packet if it is sound."""
        if packet.stream.type != "audio":
            return
        if packet.stream_index not in self._digests:
            self._digests[packet.stream_index] = hashlib.blake2b(digest_size=32)
        data = memoryview(packet)
        # AAC in a transport stream wears a header of its own (ADTS) that other containers take off.
        if data[0] == 0xFF and data[1] & 0xF6 == 0xF0 and _codec(packet) == "aac":
            data = data[7 if data[1] & 1 else 9 :]
        self._digests[packet.stream_index].update(data)

    def digests(self) -> dict[int, str]:
        """The digests in hexadecimal, in the order of the streams."""
        return {index: digest.hexdigest() for index, digest in sorted(self._digests.items())}


def _codec(packet: "Packet[Any]") -> str:
    context = packet.stream.codec_context
    return "" if context is None else str(context.name)


def _target_sound(file: Opened) -> dict[int, str]:
    sound = _Sound()
    container, _ = open_video(file)
    with container:
        for packet in packets(container, Track()):
            sound.add(packet)
    return sound.digests()


def _target_tail(file: Opened, facts: Facts) -> float:
    """The brightest of the target's last pictures, found by seeking; 0 where that cannot be done."""
    brightest = 0.0
    container, stream = open_video(file)
    with container:
        assert stream.time_base is not None
        start = float((stream.start_time or 0) * stream.time_base) + (facts.duration or 0.0) - _TAIL
        try:
            container.seek(max(0, int(start / stream.time_base)), stream=stream)
        except av.FFmpegError:
            return brightest
        for frame in every_picture(container, stream):
            # Seeking goes to the key picture before the moment.
            if frame.pts is not None and frame.pts * stream.time_base >= start:
                brightest = max(brightest, _brightness(frame))
    return brightest


def _brightness(frame: VideoFrame) -> float:
    return float(frame.reformat(width=64, height=36, format="gray", threads=1).to_ndarray().mean())
