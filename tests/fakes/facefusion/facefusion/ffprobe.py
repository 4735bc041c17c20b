"""What a video says about itself, kept by path."""

from dataclasses import dataclass
from functools import lru_cache

from . import traits


@dataclass(frozen=True, slots=True)
class VideoMetadata:
    """Facts of a video."""

    frame_total: int  # planned from the file's duration, which sound may make longer than the picture
    fps: float
    resolution: tuple[int, int]  # as coded, before any rotation; until 3.7 as shown


@lru_cache(maxsize=128)
def extract_static_video_metadata(video_path: str) -> VideoMetadata:
    """The facts of a video. One without a duration, and a broken one, break here."""
    import av

    told: str | float | None = None
    try:
        with av.open(video_path) as container:
            stream = container.streams.video[0]
            if stream.base_rate is None or not stream.width:
                raise av.error.InvalidDataError(0, "no picture")
            told = container.duration / av.time_base if container.duration else "N/A"
            fps = float((stream.average_rate if traits.COUNTS_FRAMES else None) or stream.base_rate)
            size = stream.width, stream.height
            frame = next(container.decode(stream))
            if traits.COUNTS_FRAMES and frame.rotation % 180:
                size = size[1], size[0]
            counted = stream.frames
    except (av.error.FFmpegError, IndexError, StopIteration):
        pass
    if traits.COUNTS_FRAMES:  # OpenCV knows nothing of a broken file, and goes on
        nothing: tuple[int, int] = None  # type: ignore[assignment]
        if told is None:
            return VideoMetadata(0, 25.0, nothing)
        return VideoMetadata(counted or (round(told * fps) if isinstance(told, float) else 0), fps, size)
    return VideoMetadata(round(float(told) * fps), fps, size)  # type: ignore[arg-type]


def restrict_trim_frame(video_path: str, start: int | None, end: int | None) -> tuple[int, int]:
    """The range of frames that is asked for, within the video; the end is exclusive."""
    total = extract_static_video_metadata(video_path).frame_total
    first = max(0, min(start, total)) if isinstance(start, int) else 0
    return first, max(0, min(end, total)) if isinstance(end, int) else total
