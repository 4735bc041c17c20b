"""The output video: pictures coded anew, sound carried over packet by packet.

Coding runs in a thread of its own, so that one core codes while the other swaps.
"""

import io
import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.error
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from faceswapd.children.serve import Refusal
from faceswapd.core.codings import CODINGS, Coding, coded_rate
from faceswapd.core.presets import Preset
from faceswapd.engines.preview.detect import Picture
from faceswapd.engines.preview.reading import CODEC_THREADS, Sound, Target, is_sideways
from faceswapd.engines.preview.refusals import not_written

WAITING = 6  # pictures between the two threads
FINE_TICK = Fraction(1, 90000)  # seconds; MPEG's own clock
LAMBDA = 118  # FFmpeg's units in one step of a quantiser
# Written anew by the container, or untrue of the output.
STALE_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "rotate", "duration"})
# FFmpeg's numbers for a frame's colour matrix, and those of its scaler for the same.
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a frame is shown and for how long, in ticks of the output's clock."""

    pts: int
    duration: int


_Item: TypeAlias = "tuple[Picture, _Moment] | Sound"


class VideoWriter:
    """Writes one output. `put` what the target gave, in its order; then `finish`, or `abandon`.

    Every method raises Refusal when the output cannot be written.
    """

    def __init__(self, path: Path, target: Target, first: av.VideoFrame, preset: Preset) -> None:
        coding = CODINGS.get(path.suffix.lower())
        if coding is None:
            raise Refusal("unsupported", f"The preview engine cannot write {path.suffix} files.")
        self._path = path
        try:
            self._container = av.open(path, "w", options=dict(coding.container))
        except (av.error.FFmpegError, OSError) as error:
            raise not_written(error) from error
        try:
            self._video = _video_stream(self._container, coding, target, first, preset)
            self._sounds = {sound.index: self._sound_stream(sound) for sound in target.sounds}
            self._container.metadata.update(_lasting(target.container.metadata))
            self._start(target.sounds)
            self._clock = _Clock(self._video, target.video, first, fixed_rate=coding.fixed_rate)
        except BaseException:
            self._throw_away()
            raise
        self._matrix = MATRICES.get(int(first.colorspace))
        self._range = int(first.color_range) or None
        self._error: BaseException | None = None
        self._items: queue.Queue[_Item | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._work, name="coding", daemon=True)
        self._thread.start()

    def put_picture(self, picture: Picture, frame: av.VideoFrame) -> None:
        """Write an upright picture at the moment of the frame that it was made of."""
        self._put((picture, self._clock.moment(frame)))

    def put_sound(self, packet: Sound) -> None:
        """Carry a packet of sound over as it is."""
        self._put(packet)

    def finish(self) -> None:
        """Write what is left and close the file."""
        self._end()
        try:
            if self._error is None:
                self._encode(None)
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            self._error = self._error or error
        self._check()

    def abandon(self) -> None:
        """Close and remove the unfinished file."""
        self._end()
        self._throw_away()

    def _throw_away(self) -> None:
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            pass  # nobody wants it
        finally:
            self._path.unlink(missing_ok=True)

    def _put(self, item: _Item) -> None:
        self._check()
        self._items.put(item)

    def _end(self) -> None:
        self._items.put(None)
        self._thread.join()

    def _check(self) -> None:
        if isinstance(self._error, MemoryError):
            raise self._error
        if self._error is not None:
            raise not_written(self._error) from self._error

    def _work(self) -> None:
        """The thread: code and write until None comes. After an error it only takes, so that nobody waits."""
        while (item := self._items.get()) is not None:
            if self._error is not None:
                continue
            try:
                self._write(item)
            except (av.error.FFmpegError, OSError, MemoryError, ValueError, cv2.error) as error:
                self._error = error

    def _write(self, item: _Item) -> None:
        if isinstance(item, Packet):
            item.stream = self._sounds[item.stream.index]
            self._container.mux(item)
            return
        picture, moment = item
        size = (self._video.width, self._video.height)
        if picture.shape[1::-1] != size:  # the picture's size changed in the middle of the video
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(
            format=self._video.pix_fmt, dst_colorspace=self._matrix, dst_color_range=self._range, threads=1
        )
        frame.pts, frame.time_base = moment.pts, self._video.codec_context.time_base
        frame.duration = moment.duration
        self._encode(frame)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        for packet in self._video.encode(frame):
            self._clock.put_back(packet)
            self._container.mux(packet)

    def _sound_stream(self, sound: AudioStream) -> AudioStream:
        try:
            stream = self._container.add_stream_from_template(sound)
        except (ValueError, av.error.FFmpegError) as error:
            raise self._no_sound([sound]) from error
        stream.metadata.update(_lasting(sound.metadata))
        stream.disposition = sound.disposition
        return stream

    def _start(self, sounds: Sequence[AudioStream]) -> None:
        """Write the container's head, in which it becomes known what it can hold."""
        try:
            self._container.start_encoding()
        except (OSError, MemoryError) as error:  # the system's errors; FFmpeg's own are none
            raise not_written(error) from error
        except (av.error.FFmpegError, ValueError) as error:
            lost = [sound for sound in sounds if not _can_hold(self._container.format.name, sound)]
            if lost:
                raise self._no_sound(lost) from error
            raise Refusal(
                "unsupported", f"The preview engine cannot write this video as {self._path.suffix}: {error}."
            ) from error

    def _no_sound(self, sounds: Sequence[AudioStream]) -> Refusal:
        codecs = ", ".join(sorted({_codec_name(sound) for sound in sounds}))
        return Refusal("audio_lost", f"A {self._path.suffix} file cannot hold the target's sound ({codecs}).")


class _Clock:
    """Gives each frame its moment in the output: the one it had, but always later than the frame before.

    At a fixed rate moments are counted from the first frame, whose own moment, `origin` in seconds, the
    packets get back after they are coded: it need not be a whole number of ticks.
    """

    def __init__(self, output: VideoStream, source: VideoStream, first: av.VideoFrame, *, fixed_rate: bool) -> None:
        assert output.codec_context.time_base is not None
        self._tick = output.codec_context.time_base
        rate = source.average_rate or source.guessed_rate
        self._usual = max(1, round(1 / (rate * self._tick))) if rate else 1
        self._last: int | None = None
        self.origin = Fraction(0)
        if fixed_rate and first.pts is not None and first.time_base is not None:
            self.origin = first.pts * first.time_base

    def moment(self, frame: av.VideoFrame) -> _Moment:
        usual = 0 if self._last is None else self._last + self._usual
        if frame.pts is None or frame.time_base is None:
            pts, duration = usual, self._usual
        else:
            pts = round((frame.pts * frame.time_base - self.origin) / self._tick)
            duration = round((frame.duration or 0) * frame.time_base / self._tick) or self._usual
        if self._last is not None and pts <= self._last:
            pts = self._last + 1
        self._last = pts
        return _Moment(pts, duration)

    def put_back(self, packet: "Packet[Any]") -> None:
        """Give a coded packet the origin's moment back."""
        base = packet.time_base
        if not self.origin or base is None:
            return
        for name in ("pts", "dts"):
            ticks = getattr(packet, name)
            if ticks is not None:
                setattr(packet, name, round((ticks * base + self.origin) / FINE_TICK))
        packet.duration = round((packet.duration or 0) * base / FINE_TICK)
        packet.time_base = FINE_TICK


def _video_stream(
    container: OutputContainer, coding: Coding, target: Target, first: av.VideoFrame, preset: Preset
) -> VideoStream:
    known = target.video.average_rate or target.video.guessed_rate or target.video.base_rate or Fraction(25)
    rate = coded_rate(known, standard=coding.standard_rate)
    stream: Any = container.add_stream(coding.codec, rate=rate, options=_options(coding.codec, preset))
    width, height = (first.height, first.width) if is_sideways(first) else (first.width, first.height)
    stream.width, stream.height = width, height
    odd = coding.codec == "libx264" and (width % 2 or height % 2)
    stream.pix_fmt = "yuv444p" if odd else coding.pixels  # 4:2:0 H.264 has even sizes only
    context = stream.codec_context
    context.time_base = 1 / rate if coding.fixed_rate else _tick(coding.codec, target.video)
    context.thread_type = "AUTO"
    context.thread_count = CODEC_THREADS
    context.color_range, context.colorspace = int(first.color_range), int(first.colorspace)
    context.color_primaries, context.color_trc = int(first.color_primaries), int(first.color_trc)
    if context.colorspace == 0:  # RGB, which the output is not
        context.colorspace = 2  # not said
    shape = target.video.sample_aspect_ratio
    if shape:
        context.sample_aspect_ratio = 1 / shape if is_sideways(first) else shape
    stream.metadata.update(_lasting(target.video.metadata))
    assert isinstance(stream, VideoStream)
    return stream


def _codec_name(sound: AudioStream) -> str:
    known: object = sound.codec_context  # None for a codec that FFmpeg does not know
    return "an unknown codec" if known is None else sound.codec_context.name


def _can_hold(container: str, sound: AudioStream) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(sound)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _options(codec: str, preset: Preset) -> dict[str, str]:
    if codec == "libx264":
        return {"preset": preset.encoder_speed, "crf": str(preset.crf)}
    if codec == "libvpx-vp9":
        # VP9's scale is about 10 coarser for the same picture.
        speed = {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1"}
        return {**speed, "crf": str(preset.crf + 10), "b": "0"}
    return {"flags": "+qscale", "global_quality": str(3 * LAMBDA)}


def _tick(codec: str, video: VideoStream) -> Fraction:
    """The output's clock: the target's own, so that no frame's moment is rounded."""
    if codec == "wmv2":
        return Fraction(1, 1000)  # what its container counts in
    return video.time_base or Fraction(1, 90000)


def _lasting(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if name.lower() not in STALE_TAGS}
