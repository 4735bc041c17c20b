"""What the real program asks of ffmpeg, done with PyAV."""

import shutil
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from . import faults, logger, options, state_manager, traits
from .ffprobe import extract_static_video_metadata
from .pictures import Picture, resize
from .stand_in import COSTS, pay

if TYPE_CHECKING:  # the start is to be quick
    from av.container import InputContainer, OutputContainer

_FORMATS = {".m4v": "ipod", ".mpg": "mpeg", ".mkv": "matroska", ".wmv": "asf"}  # where the name does not tell PyAV
_ALWAYS_H264 = {".m4v", ".mpeg", ".mpg", ".mxf", ".wmv"}
_ALWAYS_AAC = {".m4v", ".mpeg", ".mpg", ".wmv"}


def get_available_encoder_set() -> dict[str, tuple[str, ...]]:
    """Which encoders there are."""
    pay(COSTS.encoders)
    return {"audio": options.ENCODERS.audio, "video": options.ENCODERS.video}


def read_frames(path: str, start: int = 0) -> Iterator[Picture]:
    """The frames of a video, from `start`, one after the other, however far they are apart.

    Since 3.8 ffmpeg turns them as the file wishes and they are read at the coded size: garbage for a quarter turn.
    """
    import numpy as np

    width, height = extract_static_video_metadata(path).resolution
    for number, (_, picture) in enumerate(_decode(path)):
        if number >= start:
            yield np.ascontiguousarray(picture).reshape(height, width, 3)


def extract_frames(path: str, fps: float, start: int, end: int) -> Iterator[Picture]:
    """The frames of a video at an even rate, squeezed into the coded size, until it ends."""
    size = extract_static_video_metadata(path).resolution
    number, last = 0, None
    for seconds, picture in _decode(path):
        while last is not None and number / fps < seconds - 0.5 / fps:
            if start <= number < end:
                yield last
            number += 1
        last = resize(picture, size)
    if last is not None and start <= number < end:
        yield last


def _decode(path: str) -> Iterator[tuple[float, Picture]]:
    import av
    import numpy as np

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        first = None
        try:
            for frame in container.decode(stream):
                seconds = float(frame.time or 0)
                first = seconds if first is None else first
                picture: Picture = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
                yield seconds - first, np.rot90(picture, frame.rotation // 90) if frame.rotation else picture
        except av.error.FFmpegError:  # a damaged end: what there is was given
            return


def write_video(path: Path, frames: Iterable[Picture], fps: float, size: tuple[int, int]) -> None:
    """Encode frames as the running step asks for it."""
    import av

    get = state_manager.get_item
    codec, settings = _video_encoder(path.suffix.lower(), get("output_video_encoder"), get("output_video_quality"))
    if codec in {"libx264", "libx265"}:
        settings["preset"] = get("output_video_preset")
    with _create(path) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(10_000), options=settings)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size[0] - size[0] % 2, size[1] - size[1] % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(resize(picture, (stream.width, stream.height)), format="bgr24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps).limit_denominator(10_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _create(path: Path) -> "OutputContainer":
    import av

    suffix = path.suffix.lower()
    flags = {"movflags": "faststart"} if suffix in {".mp4", ".m4v", ".mov"} else {}
    return av.open(str(path), "w", format=_FORMATS.get(suffix), options=flags)


def _video_encoder(suffix: str, asked: str, quality: int) -> tuple[str, dict[str, str]]:
    if suffix == ".webm" or (asked == "libvpx-vp9" and suffix != ".mov" and suffix not in _ALWAYS_H264):
        return "libvpx-vp9", {"crf": str(round(63 - quality * 0.63)), "deadline": "realtime", "cpu-used": "8"}
    if suffix == ".mxf":
        return "mpeg2video", {"qscale": "2"}  # H.264 in MXF is beyond PyAV's builds
    if asked == "libx265" and suffix not in _ALWAYS_H264:
        return "libx265", {"crf": str(round(51 - quality * 0.51)), "x265-params": "log-level=none"}
    return "libx264", {"crf": str(round(51 - quality * 0.51))}  # and what a graphics card would do


def _audio_encoder(suffix: str, asked: str) -> str:
    if suffix == ".webm":
        return "libopus"
    if suffix in _ALWAYS_AAC or (suffix == ".mov" and asked in {"flac", "libopus"}):
        return "aac"
    return "pcm_s16le" if suffix == ".mxf" else asked


def restore_audio(target: str, video: Path, output: Path, seconds: tuple[float, float]) -> bool:
    """Put the target's sound, between two times, to a video. False: there is none, or it does not fit in."""
    import av

    pay(COSTS.ffmpeg_call)
    codec = _audio_encoder(output.suffix.lower(), state_manager.get_item("output_audio_encoder"))
    if traits.LOSES_AUDIO_IN_MEMORY and state_manager.get_item("workflow_strategy") == "memory":
        return _refuse("-to value smaller than -ss; aborting.")
    if output.suffix.lower() == ".mp4" and codec in {"flac", "pcm_s16le", "pcm_s32le"}:
        return _refuse(
            f"[mp4 @ 0x55d0c7a1e2c0] {codec} in MP4 support is experimental, add '-strict -2' if you want to use it.",
            "Could not write header for output file #0 (incorrect codec parameters ?): Experimental feature",
            "Error initializing output stream 0:1 --",
        )
    with av.open(target) as sound, av.open(str(video)) as picture:
        if not sound.streams.audio:
            _refuse("Stream map '1:a:0' matches no streams.")
            return _refuse("To ignore this, add a trailing '?' to the map.")
        try:
            with _create(output) as container:
                _mix(picture, sound, container, codec, seconds)
        except (av.error.FFmpegError, ValueError) as error:
            return _refuse(str(error))
    return True


def _mix(
    picture: "InputContainer",
    sound: "InputContainer",
    output: "OutputContainer",
    codec: str,
    seconds: tuple[float, float],
) -> None:
    import av

    shown = picture.streams.video[0]
    copy = output.add_stream_from_template(shown)
    heard = sound.streams.audio[0]
    rate = 48_000 if codec == "libopus" else heard.rate
    stream = output.add_stream(codec, rate=rate)
    assert isinstance(stream, av.AudioStream)
    stream.codec_context.layout = "mono" if heard.channels == 1 else "stereo"
    shaper = av.AudioResampler(stream.codec_context.format, stream.codec_context.layout, rate)
    end = min(seconds[1], seconds[0] + float((shown.duration or 0) * (shown.time_base or 0) or seconds[1]))
    for packet in picture.demux(shown):
        if packet.dts is not None:
            packet.stream = copy
            output.mux(packet)
    for frame in sound.decode(heard):
        if seconds[0] <= float(frame.time or 0) < end:
            frame.pts = None
            for piece in shaper.resample(frame):
                output.mux(stream.encode(piece))
    output.mux(stream.encode(None))


def _refuse(*lines: str) -> bool:
    for line in lines:
        logger.debug(line, __name__)
    return False


def concat_video(output: str, parts: list[str]) -> bool:
    """Join the videos of a job's steps. A single one is copied."""
    pay(COSTS.ffmpeg_call)
    if len(parts) > 1:
        raise NotImplementedError("the stand-in joins no steps")
    shutil.copyfile(parts[0], output)
    return True


def cut_short(path: Path) -> None:
    """What a full disk leaves of a file."""
    if faults.has("truncated_output") or faults.has("disk_full_output"):
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
